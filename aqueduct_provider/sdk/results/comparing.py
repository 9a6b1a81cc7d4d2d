"""Compare runs: read both, and the metadata of the tables that both have.

In: two runs, or one, and which one it is compared with. Out: a ``RunComparison``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.stored_facts import StoredFacts, stored_facts_of
from aqueduct_provider.artifacts.transfer import fetch_bytes
from aqueduct_provider.errors import AqueductError, AuthoringError, Hint, IntegrityError, NotFound, SpecError
from aqueduct_provider.sdk.results.difference_rows import ComparedRun
from aqueduct_provider.sdk.results.recorded_runs import RecordedRun
from aqueduct_provider.sdk.results.run_comparison import RunComparison
from aqueduct_provider.sdk.results.run_differences import differences
from aqueduct_provider.sdk.results.run_reading import ComparableRun, read_run
from aqueduct_provider.sdk.results.runs_table import version_label_of, version_labels
from aqueduct_provider.sdk.versions.finding import find_version
from aqueduct_provider.sdk.versions.version import Version, diff_versions
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo

# Runs among which the last success is looked for: first few, for it is nearly always among them.
_LOOKS = (100, 1_000)


def compare(run: ComparableRun, other: ComparableRun) -> RunComparison:
    """Return two runs side by side.

    :param other: the run that is compared with.
    :raises NotFound: neither Airflow nor the store knows one of them.
    """
    sides = other, run
    before, now = together([partial(read_run, side) for side in sides])
    changed = None
    if before.version != now.version:
        versions = together([partial(_version, *pair) for pair in ((other, before), (run, now))])
        if versions[0] and versions[1]:
            changed = diff_versions(versions[0], versions[1])
            before, now = replace(before, spec=versions[0].spec), replace(now, spec=versions[1].spec)
    both = [name for name, one in now.artifacts.items() if _is_table(now, name) and _is_table(before, name)]
    stored = [
        dict(zip(both, together([partial(_stored, side, read, name) for name in both]), strict=True))
        for side, read in ((other, before), (run, now))
    ]
    labels = {**_labels(run), **_labels(other)}
    shown = [_side(read, labels) for read in (before, now)]
    sections = differences(now, before, stored[1], stored[0], changed)
    return RunComparison(run.record.name, shown[0], shown[1], sections, changed)


def last_success(run: ComparableRun) -> str:
    """Return the id of the newest run that succeeded and is older than this one.

    :raises NotFound: there is none, or Airflow does not know this run.
    """
    airflow, record = run.session.airflow(run.record.engine), run.record
    for limit in _LOOKS:
        infos: list[RunInfo] = airflow.runs(record.dag_id, limit)
        ids = [info.run_id for info in infos]
        if run.run_id in ids:
            older = infos[ids.index(run.run_id) + 1 :]
            if found := next((info.run_id for info in older if info.state == "success"), ""):
                return found
        if len(infos) < limit:
            break
    why = (
        f"no run of {record.name!r} before it has succeeded"
        if run.run_id in ids
        else f"Airflow does not list it among the last {len(ids):,} runs of {record.name!r}"
    )
    hint = Hint.worded("{} compares with any run.", "run.compare(<run id>)", "aqueduct-airflow compare")
    raise NotFound(f"Run {run.run_id} has no last success: {why}.", hint=hint)


def _version(run: ComparableRun, read: RecordedRun) -> Version | None:
    """Return the version that a run used; None: it is unknown, or cannot be read (any more)."""
    try:
        return find_version(run.session.registry, run.record, read.version)
    except (AuthoringError, IntegrityError, NotFound, SpecError):
        return None


def _is_table(run: RecordedRun, name: str) -> bool:
    artifact = run.artifacts.get(name)
    return artifact is not None and artifact.type == "table" and artifact.ref is not None


def _stored(run: ComparableRun, read: RecordedRun, name: str) -> StoredFacts:
    """Return what the metadata of a table says, verified by its digest in Airflow's database."""
    artifact, store = read.artifacts[name], run.session.store
    assert artifact.ref is not None
    if artifact.is_secret:
        return StoredFacts()
    # By its own key: a record that was forged must not lead to other objects of the store.
    key = run.layout.metadata(artifact.id)
    try:
        return stored_facts_of(json.loads(fetch_bytes(store, key, artifact.ref.metadata_sha256)))
    except (AqueductError, ValueError, RecursionError) as error:
        return StoredFacts(problem=str(error))


def _labels(run: ComparableRun) -> Mapping[str, str]:
    return version_labels(run.session.registry.newest(run.record).versions)


def _side(read: RecordedRun, labels: Mapping[str, str]) -> ComparedRun:
    info = read.info
    return ComparedRun(info.run_id, info.created_at, read.status, version_label_of(read.version, labels))

"""The artifacts of a run by their names, each with what Airflow says of it.

The spec says which artifact a name means. It is in the bucket, so it is verified, too: each task left the
digest of the spec that it went by in Airflow's database.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import (
    AirflowError,
    ConfigError,
    DigestMismatch,
    IntegrityError,
    NotFound,
    SpecError,
)
from aqueduct_provider.sdk.results.deleted import deletion_of
from aqueduct_provider.sdk.results.records import RECORDED, Recorded
from aqueduct_provider.sdk.results.stored_source import StoredSource
from aqueduct_provider.sdk.suggest import suggestion, tidy
from aqueduct_provider.spec.metric_names import metric_name
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.runs.pinned_version import SpecRef
    from aqueduct_provider.sdk.results.run_reader import RunReader
    from aqueduct_provider.spec.models import ParamOperator, WorkflowSpec

# Types of operators whose one output is shown by a shorter name than its own.
_VALUES = ("metric", "system_metric", "check")

log: logging.Logger = logging.getLogger("aqueduct")


def source_named(run: RunReader, name: str) -> StoredSource:
    """Return the source that reads the artifact with this name.

    :raises NotFound: the flow has none of this name.
    :raises IntegrityError: the spec of the run was changed.
    """
    wanted, spec = tidy(name), run.spec
    artifact_id = _id_of(run, spec, wanted)
    true = verified_spec(run, spec, spec.producer(artifact_id).airflow_task_id)
    return source_of_artifact(run, true, artifact_id if true is spec else _id_of(run, true, wanted))


def parameter_values(run: RunReader, *, trust_store: bool) -> dict[str, Any]:
    """Return the values of a run's parameters by name, without those not computed yet, or deleted.

    :raises IntegrityError: one could run code when it is read, and Airflow does not vouch for it.
    """
    params = _parameters(run.spec)
    if not params:
        return {}
    spec = verified_spec(run, run.spec, params[0].airflow_task_id)
    params = _parameters(spec)

    def read(operator: ParamOperator) -> tuple[StoredSource, tuple[bool, Any]]:
        source = source_of_artifact(run, spec, operator.outputs[0])
        if trust_store:
            source.trust()
        return source, source.kept()

    found = together([partial(read, operator) for operator in params])
    if unverified := [source for source, (is_there, _) in found if is_there and source.unverified]:
        log.warning(
            "Parameters of run %s are shown as the store has them, not verified. %s",
            run.run_id,
            unverified[0].unverified,
        )
    pairs = zip(params, found, strict=True)
    return {operator.parameter: value for operator, (_, (is_there, value)) in pairs if is_there}


def _parameters(spec: WorkflowSpec) -> list[ParamOperator]:
    from aqueduct_provider.spec.models import ParamOperator

    return [operator for operator in spec.operators if isinstance(operator, ParamOperator)]


def verified_spec(run: RunReader, spec: WorkflowSpec, task_id: str) -> WorkflowSpec:
    """Return the spec that an Airflow task used, where Airflow's database names it.

    :raises IntegrityError: the store does not have it.
    """
    went_by = run.records.of(task_id).spec
    if went_by is None or went_by.sha256 == spec.sha256:
        return spec
    # The exec states, which name the version, lie in the bucket; or they are those of an earlier try.
    return recorded_spec(run, went_by)


def spec_by_store(run: RunReader) -> WorkflowSpec:
    """Return the spec of the version that a run went by, as the store says it; else as Airflow does.

    :return: the latest as long as no operator has ended.
    :raises IntegrityError: the flow's record names a spec of another flow.
    """
    registry, record = run.session.registry, run.record
    version = registry.version_of_run(record.flow_id, run.run_id)
    # An exec state in the bucket names it; where none can, ask Airflow.
    if version == "" and (recorded := spec_of_any_task(run)):
        return recorded
    try:
        spec = registry.spec(record.flow_id, version or record.version_id)
    except (NotFound, SpecError):
        if recorded := spec_of_any_task(run):
            return recorded
        raise
    if (spec.flow.name, spec.dag_id) != (record.name, record.dag_id):
        raise IntegrityError(
            f"The record of {record.name!r} names a spec of {spec.flow.name!r}: it was changed. "
            "Publish the flow again."
        )
    if version:
        run.pin(spec)
    return spec


def spec_of_any_task(run: RunReader) -> WorkflowSpec | None:
    """Return the spec that a task of the run went by, as Airflow's database names it; None where none does.

    :raises IntegrityError: the store does not have it.
    """
    record = run.record
    try:
        tasks = run.session.airflow(record.engine).tasks(record.dag_id, run.run_id)
    except (AirflowError, ConfigError, NotFound):
        return None
    recorded = [task for task in tasks if task.state in RECORDED]
    for task in sorted(recorded, key=lambda task: (task.state != "success", task.task_id)):
        if went_by := run.records.of(task.task_id).spec:
            return recorded_spec(run, went_by)
    return None


def source_of_artifact(run: RunReader, spec: WorkflowSpec, artifact_id: str) -> StoredSource:
    """Return the source that reads an artifact."""
    store, layout, artifact = run.session.store, run.layout, spec.artifact(artifact_id)
    return StoredSource(
        name=artifact.name,
        declared=artifact.type.value,
        store=store,
        content_key=layout.content(artifact_id),
        metadata_key=layout.metadata(artifact_id),
        why_missing=partial(run.why_missing, spec.producer(artifact_id)),
        deletion=partial(deletion_of, store, layout, artifact),
        look_up=partial(_look_up, run, spec, artifact_id),
    )


def recorded_spec(run: RunReader, went_by: SpecRef) -> WorkflowSpec:
    """Return the spec that the tasks of a run used, which becomes that of the run.

    :raises IntegrityError: the store has another one in its place.
    """
    registry, record = run.session.registry, run.record
    what = f"Version {went_by.version} of {record.name!r}, by which run {run.run_id} went,"
    if found := registry.spec_of_digest(record.dag_id, went_by.sha256):
        run.pin(found)
        return found
    try:
        spec = registry.spec(record.flow_id, went_by.version)
    except (NotFound, SpecError) as error:
        raise IntegrityError(
            f"{what} cannot be read, so nothing says which artifact is which: {error}"
        ) from error
    if spec.sha256 != went_by.sha256:
        raise DigestMismatch(
            f"{what} was changed after the run: its sha256 is {spec.sha256}, Airflow's database has "
            f"{went_by.sha256}. So nothing says which artifact is which. Was it changed by hand? Publish the "
            "flow again, and read runs of the new version."
        )
    run.pin(spec)
    return spec


def _look_up(run: RunReader, spec: WorkflowSpec, artifact_id: str, fresh: bool) -> Recorded:
    operator = spec.producer(artifact_id)
    record = run.records.of(operator.airflow_task_id, fresh=fresh)
    went_by = record.spec
    if went_by is not None and (went_by.sha256 != spec.sha256 or spec.flow.name != run.record.name):
        raise DigestMismatch(
            f"{spec.artifact(artifact_id).name!r} of run {run.run_id} is not read: the spec in "
            f"{run.session.store.url('')} is not the one of {run.record.name!r} by which task "
            f"{operator.airflow_task_id!r} went. Read the run again with flow.fetch({run.run_id!r})."
        )
    return record.artifact(operator, artifact_id)


def artifact_id_named(spec: WorkflowSpec, name: str) -> str | None:
    """Return the id of the artifact of this name, or of the metric or check shown by it; None: none is."""
    names = {artifact.id: artifact.name for artifact in spec.artifacts}
    shown = {
        metric_name(one.name, names[one.outputs[0]]): one.outputs[0]
        for one in spec.operators
        if one.type in _VALUES
    }
    return next((key for key, known in names.items() if known == name), shown.get(name))


def _id_of(run: RunReader, spec: WorkflowSpec, name: str) -> str:
    if (found := artifact_id_named(spec, name)) is not None:
        return found
    known = [artifact.name for artifact in spec.artifacts]
    raise NotFound(
        f"Run {run.run_id} of {run.record.name!r} has no artifact {name!r}.{suggestion(name, known)}"
    )

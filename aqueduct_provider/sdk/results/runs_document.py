"""Runs as JSON: what the provider's route in Airflow answers, and what the SDK reads of it (pure).

In: runs as Airflow's database has them. Out: a document, and back. Readers ignore fields that they do not
know; a document of another version is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aqueduct_provider.artifacts.manifest import ref_from_json
from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.sdk.airflow_api.api_models import RunInfo, moment_of
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import OperatorRun
from aqueduct_provider.sdk.results.recorded_runs import (
    RecordedRun,
    ShownArtifact,
    ShownOperator,
    checked_ref,
    written_artifact,
)
from aqueduct_provider.spec.dag_facts import OperatorFacts

VERSION = 1
# Runs of one document.
MOST_RUNS = 100
_MOMENTS = ("queued_at", "started_at", "ended_at", "logical_date")


def runs_document(runs: Sequence[RecordedRun], *, more: bool = False) -> dict[str, Any]:
    """Return runs as JSON.

    :param more: whether there are older ones: those before the last of these.
    """
    return {
        "version": VERSION,
        "runs": [_run(run) for run in runs],
        "before": runs[-1].info.run_id if more and runs else None,
    }


def _run(run: RecordedRun) -> dict[str, Any]:
    moments = {name: _text(getattr(run.info, name)) for name in _MOMENTS}
    return {
        "run_id": run.info.run_id,
        "state": run.info.state,
        **moments,
        "version_id": run.version,
        "operators": [_operator(one) for one in run.operators],
    }


def _operator(operator: ShownOperator) -> dict[str, Any]:
    facts = operator.facts
    return {
        "name": facts.name,
        "task_id": facts.task_id,
        "airflow_task_id": operator.airflow_task_id,
        "type": facts.kind,
        "severity": facts.severity,
        "status": operator.run.status.value,
        "warning": operator.run.warning,
        "seconds": operator.seconds,
        "outputs": [_output(one) for one in operator.outputs],
    }


def _output(artifact: ShownArtifact) -> dict[str, Any]:
    written = None if artifact.ref is None else dataclasses.asdict(artifact.ref)
    return {"id": artifact.id, "name": artifact.name, "type": artifact.type, "written": written}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


# --- back


def runs_from(document: Any) -> tuple[list[RecordedRun], str]:
    """Return the runs of a document, and the run before which older ones are; empty: there are none.

    :raises IntegrityError: it is not such a document, or one of another version.
    """
    if not isinstance(document, Mapping) or document.get("version") != VERSION:
        raise IntegrityError(
            "What this Airflow says of the flow's runs is not in a form that this release of the provider "
            "knows. Install the same release here and there."
        )
    try:
        return [_run_from(one) for one in document["runs"]], str(document.get("before") or "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise IntegrityError(
            f"What this Airflow says of the flow's runs cannot be read ({type(error).__name__}: {error}). "
            "Install the same release of the provider here and there."
        ) from error


def _run_from(found: Mapping[str, Any]) -> RecordedRun:
    moments: dict[str, Any] = {name: moment_of(found.get(name)) for name in _MOMENTS}
    info = RunInfo(str(found["run_id"]), str(found["state"]), **moments)
    return RecordedRun(info, tuple(map(_operator_from, found["operators"])), str(found.get("version_id", "")))


def _operator_from(found: Mapping[str, Any]) -> ShownOperator:
    facts = OperatorFacts(
        str(found["name"]), str(found["task_id"]), str(found["type"]), str(found.get("severity", ""))
    )
    seconds = found.get("seconds")
    outcome = OperatorRun(
        *(facts.name, facts.task_id, facts.kind, ExecutionStatus(found["status"])),
        warning=found.get("warning") is True,
        duration=None if seconds is None else float(seconds),
    )
    outputs = tuple(map(_output_from, found["outputs"]))
    task_id = str(found.get("airflow_task_id", facts.task_id))
    return ShownOperator(facts, task_id, outcome, outcome.duration, outputs)


def _output_from(found: Mapping[str, Any]) -> ShownArtifact:
    artifact_id, name, written = str(found["id"]), str(found["name"]), found.get("written")
    ref = None if written is None else checked_ref(ref_from_json(written))
    if ref is None:
        return ShownArtifact(artifact_id, name, str(found["type"]))
    return written_artifact(artifact_id, name, ref)

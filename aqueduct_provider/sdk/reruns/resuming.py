"""Resume a failed run: Airflow clears what did not succeed, and the run goes on.

A run goes by one version. Its own is that of the tasks that have succeeded; to take the newest, all of its
tasks run again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aqueduct_provider.errors import AuthoringError, Hint, NotFound
from aqueduct_provider.sdk.argument_checks import check_seconds
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import run_status
from aqueduct_provider.spec.version_label import short_id

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.results.run_reader import RunReader

LATEST = "latest"


def resume(run: RunReader, version: str | None, *, unpause: bool, timeout: float, progress: bool) -> None:
    """Let a failed run go on. See ``Run.resume``."""
    from aqueduct_provider.sdk.publishing.deployment import check_paused, wait_until_deployed

    if version not in (None, LATEST):
        raise AuthoringError(
            f"version={version!r} cannot be resumed with. Leave it out for the run's own version, or say "
            "'latest' for the one that was published last."
        )
    check_seconds("resume", "timeout", timeout)
    record, airflow = _published(run), run.session.airflow(run.record.engine)
    _check_failed(run, airflow)
    if version == LATEST:
        wait_until_deployed(run.session, record, timeout, progress=progress)
        tasks = list[str]()
    else:
        tasks = _open_tasks(run, record, airflow)
    check_paused(record, airflow, unpause=unpause)
    airflow.clear(record.dag_id, run.run_id, tasks, latest=version == LATEST)


def _published(run: RunReader) -> FlowRecord:
    """Return the record of the flow as it was published last."""
    record = run.session.registry.at(run.record.dag_id)
    if record is None:
        raise AuthoringError(
            f"{run.record.name!r} was deleted, so its runs cannot be resumed. Publish and trigger it again."
        )
    return record


def _check_failed(run: RunReader, airflow: Airflow) -> None:
    name = run.record.name
    try:
        status = run_status(airflow.run(run.record.dag_id, run.run_id).state)
    except NotFound as error:
        raise NotFound(
            f"Run {run.run_id} of {name!r} cannot be resumed: Airflow does not know it (any more). Start a "
            f"new one with client.trigger({name!r}, run.parameters()); in the terminal, with trigger."
        ) from error
    if status is ExecutionStatus.FAILED:
        return
    if status is ExecutionStatus.SUCCEEDED:
        raise AuthoringError(
            f"Run {run.run_id} of {name!r} has succeeded: nothing of it is left to run. "
            f"client.trigger({name!r}) starts a new one."
        )
    raise AuthoringError(
        f"Run {run.run_id} of {name!r} is {status.value}: only a failed run can be resumed.",
        hint=Hint.worded("See how it ends with {}.", "run.wait()", "aqueduct-airflow show"),
    )


def _open_tasks(run: RunReader, record: FlowRecord, airflow: Airflow) -> list[str]:
    """Return the tasks that have not succeeded.

    :raises AuthoringError: all have; or none has, so that nothing binds the run to its version.
    """
    tasks = airflow.tasks(record.dag_id, run.run_id)
    found = [task.task_id for task in tasks if task.state != "success"]
    if not found:
        raise AuthoringError(
            f"All operators of run {run.run_id} of {record.name!r} have succeeded: it was marked as failed "
            "by hand. Mark it as succeeded in Airflow, or trigger a new one."
        )
    own = str(run.spec.version.id)
    if len(found) == len(tasks) and own != record.version_id:
        raise AuthoringError(
            f"No operator of run {run.run_id} of {record.name!r} has succeeded, so nothing of its version "
            f"{short_id(own)} can go on, and {short_id(record.version_id)} was published since.",
            hint=Hint.worded("Run all of it with that one: {}.", "run.resume(version='latest')", "--latest"),
        )
    return found

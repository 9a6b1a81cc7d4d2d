"""Delete a flow, as ``client.delete_flow`` does: end its runs first, then remove its spec, and so its DAG.

What the runs left stays, in Airflow and in the store, and so does the flow's record, as that of a retired
flow; unless all of it is to be deleted. What failed half-way can be done again. The DAG itself is deleted
when Airflow has noticed that its spec is gone, not before: a DAG that is deleted while the DAG processor of
Airflow 3 writes down what it has parsed ends the whole processor (StaleDataError; seen on 3.3.2).
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from aqueduct_provider.errors import (
    AirflowError,
    AirflowRefused,
    AuthoringError,
    Hint,
    NotFound,
    WaitTimedOut,
)
from aqueduct_provider.sdk.waiting import brisk, wait_for

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.flow import Flow
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.session import Session

# Seconds until tasks of runs that were marked failed have ended.
_END_SECONDS = 60.0
# Airflow's own settings let it take two minutes (stale_dag_threshold, parsing_cleanup_interval).
_GONE_SECONDS = 300.0
# A bundle notices within seconds what a loader may show for these two minutes.
_NOTICE_SECONDS = 5.0
_CONFLICT = 409
# How to delete again, in Python and in the terminal.
_AGAIN = ("artifacts=True", "--artifacts")


def delete_flow(
    flow: Flow,
    *,
    artifacts: bool,
    force: bool,
    seconds: float = _END_SECONDS,
    gone_seconds: float = _GONE_SECONDS,
    notice_seconds: float = _NOTICE_SECONDS,
) -> str:
    """Delete a flow; a sentence that says what is left of it.

    :param artifacts: delete all that its runs left, too: in the store, and Airflow's records of them.
    :param force: end active runs without asking.
    :param seconds: how long Airflow may take to end tasks.
    :param gone_seconds: how long Airflow may take to notice that the spec is gone, before the DAG is deleted.
    :param notice_seconds: how long to watch whether it notices, where the DAG is not deleted.
    :raises AuthoringError: runs are active, and the user said no or cannot be asked; nothing was deleted.
    :raises AirflowError: Airflow does not do what is asked; when it cannot be reached, nothing was deleted.
    """
    from aqueduct_provider.sdk.publishing.deployment import ask_to_parse
    from aqueduct_provider.sdk.publishing.upload import erase

    session, record = flow.session, flow.record
    if record.retired_at is not None and not artifacts:
        return f"{flow.name()!r} was deleted on {record.retired_at:%Y-%m-%d}. {_left(session, record)}"
    airflow = session.airflow(record.engine)
    active = [run.run_id for run in airflow.active_runs(record.dag_id)]
    if active and not force and not _confirmed(flow.name(), active):
        raise AuthoringError(
            f"{flow.name()!r} was not deleted, because {_count(active)} active: {_some(active)}. Wait for "
            "their end.",
            hint=Hint.worded("Or end them with {}.", "force=True", "--force"),
        )
    _retire(session, record, airflow, active)
    ask_to_parse(airflow, record.dag_id)
    deleted = f"Deleted {flow.name()!r} (DAG {record.dag_id})"
    if artifacts:
        _wait_until_gone(airflow, record.dag_id, gone_seconds)
        _delete_dag(airflow, record.dag_id, seconds)
        erase(record, session.store)
        return f"{deleted} with all that its runs left."
    notice = _notice(airflow, record.dag_id, notice_seconds)
    return f"{deleted}.{notice} {_left(session, record)}"


def _retire(session: Session, record: FlowRecord, airflow: Airflow, active: list[str]) -> None:
    """Take the spec away, end the active runs, and keep the record as that of a retired flow."""
    # First of all, or its schedule starts the next run, and the next parse brings the DAG back.
    session.engine(record.engine).delivery(session.store).withdraw(record.dag_id)
    for run_id in active:
        try:
            airflow.end_run(record.dag_id, run_id)
        except NotFound:
            continue
    if record.retired_at is None:
        session.registry.retire(record, datetime.now(timezone.utc))


def _left(session: Session, record: FlowRecord) -> str:
    from aqueduct_provider.storage.layout import FlowLayout

    place = session.store.url(FlowLayout(record.flow_id).prefix)
    return f"What its runs left stays, in Airflow and below {place}"


def _notice(airflow: Airflow, dag_id: str, seconds: float) -> str:
    """Watch for a moment whether the DAG goes: what to say of it. Nothing is raised: the flow is deleted."""
    try:
        _wait_until_gone(airflow, dag_id, seconds)
    except (WaitTimedOut, AirflowError):
        return " Airflow shows the DAG until it notices, by its default settings within two minutes."
    return ""


def _wait_until_gone(airflow: Airflow, dag_id: str, seconds: float) -> None:
    """Wait until Airflow does not show the DAG any more."""
    from aqueduct_provider.sdk.console import spinner

    def look() -> bool:
        return airflow.dag(dag_id) is None

    if look():
        return
    with spinner(f"Waiting until Airflow notices that the spec of the DAG {dag_id} is gone ...", shown=True):
        wait_for(
            look,
            what=f"Airflow still shows the DAG {dag_id!r}, whose spec is gone",
            seconds=seconds,
            pause=brisk,
            hint=Hint.worded("Does its DAG processor run? Delete the flow again later, with {}.", *_AGAIN),
        )


def _delete_dag(airflow: Airflow, dag_id: str, seconds: float) -> None:
    """Delete it as soon as its tasks have ended."""

    def look() -> bool:
        try:
            airflow.delete_dag(dag_id)
        except AirflowRefused as error:
            if error.status != _CONFLICT:
                raise
            return False
        return True

    wait_for(
        look,
        what=f"tasks of the DAG {dag_id!r} still run, so Airflow does not delete it",
        seconds=seconds,
        hint=Hint.worded("Its spec is gone. Delete the flow again when they have ended, with {}.", *_AGAIN),
    )


def _confirmed(name: str, active: list[str]) -> bool:
    """Ask whoever sits at the terminal."""
    from aqueduct_provider.sdk.console import confirmed

    return confirmed(f"{name!r}: {_count(active)} active ({_some(active)}). End, and delete the flow?")


def _count(runs: list[str]) -> str:
    return "1 run is" if len(runs) == 1 else f"{len(runs)} runs are"


def _some(runs: list[str]) -> str:
    return ", ".join(runs[:3]) + (", ..." if len(runs) > 3 else "")

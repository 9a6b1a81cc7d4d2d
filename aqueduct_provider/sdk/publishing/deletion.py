"""What ``client.delete_flow`` does: runs are looked after first, then the spec goes, then the DAG.

The flow's record goes last, so that what failed half-way can be done again. The DAG is deleted when Airflow
has noticed that its spec is gone, not before: a DAG that is deleted while the DAG processor of Airflow 3
writes down what it has parsed ends the whole processor (StaleDataError; seen on 3.3.2).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AirflowRefused, AuthoringError, NotFound
from aqueduct_provider.sdk.waiting import wait_for

if TYPE_CHECKING:
    from aqueduct_provider.sdk.reading.flows import Flow
    from aqueduct_provider.sdk.rest.airflow import Airflow

# Seconds until tasks of runs that were marked failed have ended.
_END_SECONDS = 60.0
# Airflow's own settings let it take two minutes (stale_dag_threshold, parsing_cleanup_interval).
_GONE_SECONDS = 300.0
_CONFLICT = 409


def delete_flow(
    flow: Flow,
    *,
    artifacts: bool,
    force: bool,
    seconds: float = _END_SECONDS,
    gone_seconds: float = _GONE_SECONDS,
) -> str:
    """Delete a flow; a sentence that says what is left of it.

    :param artifacts: delete what its runs left in the store, too.
    :param force: end active runs without asking.
    :param seconds: how long Airflow may take to end tasks.
    :param gone_seconds: how long Airflow may take to notice that the spec is gone.
    :raises AuthoringError: runs are active, and nobody is there to be asked, or said no; nothing was deleted.
    :raises AirflowError: Airflow does not do what is asked; when it cannot be reached, nothing was deleted.
    """
    from aqueduct_provider.sdk.publishing.deployment import ask_to_parse
    from aqueduct_provider.sdk.publishing.publish import unpublish
    from aqueduct_provider.storage.layout import FlowLayout

    session, record = flow.session, flow.record
    resource, airflow = session.engine(record.engine), session.airflow(record.engine)
    active = [run.run_id for run in airflow.active_runs(record.dag_id)]
    if active and not force and not _confirmed(flow.name(), active):
        raise AuthoringError(
            f"{flow.name()!r} was not deleted, for {_count(active)} active: {_some(active)}. Wait for the "
            "end, or delete it with force=True, which ends them."
        )
    delivery = resource.delivery(session.store)
    # First of all, or its schedule starts the next run, and the next parse brings the DAG back.
    delivery.withdraw(record.dag_id)
    _end(airflow, record.dag_id, active)
    ask_to_parse(airflow, record.dag_id)
    _wait_until_gone(airflow, record.dag_id, gone_seconds)
    _delete_dag(airflow, record.dag_id, seconds)
    unpublish(record, session.store, delivery, artifacts=artifacts)
    place = session.store.url(FlowLayout(record.flow_id).prefix)
    if artifacts:
        return f"Deleted {flow.name()!r} (DAG {record.dag_id}) with all that its runs left."
    return f"Deleted {flow.name()!r} (DAG {record.dag_id}). What its runs left stays below {place}"


def _end(airflow: Airflow, dag_id: str, run_ids: list[str]) -> None:
    for run_id in run_ids:
        try:
            airflow.end_run(dag_id, run_id)
        except NotFound:
            continue


def _wait_until_gone(airflow: Airflow, dag_id: str, seconds: float) -> None:
    """Wait until Airflow does not show the DAG any more."""
    from aqueduct_provider.sdk.display.progress import spinner

    def look() -> bool:
        return airflow.dag(dag_id) is None

    if look():
        return
    with spinner(f"Waiting until Airflow notices that the spec of the DAG {dag_id} is gone ...", shown=True):
        wait_for(
            look,
            what=f"Airflow still shows the DAG {dag_id!r}, whose spec is gone",
            seconds=seconds,
            cure="Does its DAG processor run? Delete the flow again later.",
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
        cure="Its spec is gone. Delete the flow again when they have ended.",
    )


def _confirmed(name: str, active: list[str]) -> bool:
    """Ask whoever sits at the terminal."""
    if not (sys.stdin and sys.stdin.isatty()):
        return False
    question = f"{name!r}: {_count(active)} active ({_some(active)}). End, and delete the flow? [y/N] "
    return input(question).strip().lower() in ("y", "yes")


def _count(runs: list[str]) -> str:
    return "1 run is" if len(runs) == 1 else f"{len(runs)} runs are"


def _some(runs: list[str]) -> str:
    return ", ".join(runs[:3]) + (", ..." if len(runs) > 3 else "")

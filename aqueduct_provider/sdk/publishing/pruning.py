"""Delete the artifacts of older runs: Airflow knows which runs have ended, the store which are older.

Nothing is deleted while Airflow cannot be asked.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AirflowLoginFailed, AirflowUnreachable, AuthoringError, NotFound

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.session import Session


def prune_flow(
    session: Session, record: FlowRecord, keep: int | None, *, dry_run: bool
) -> list[dict[str, Any]]:
    """Delete the artifacts of older runs; for each of those runs ``run_id``, ``objects`` and ``size``.

    :param keep: how many of the newest successful runs keep their artifacts; None: the flow's k_latest_runs.
    :param dry_run: delete nothing.
    :raises AuthoringError: neither ``keep`` nor the flow gives a number.
    :raises AirflowError: Airflow cannot be asked which runs have ended; what was not deleted yet stays.
    """
    from aqueduct_provider.runs.retention import Policy, prune

    airflow = session.airflow(record.engine)
    number = _keep(session, record, keep)
    policy = Policy(number, "k_latest_runs" if keep is None else "prune", record.version_id)

    def state_of(run_id: str) -> str | None:
        try:
            return airflow.run(record.dag_id, run_id).state
        except NotFound:
            return None

    try:
        # Asked first, and of each run again before it is deleted, for it may be cleared meanwhile.
        active = {run.run_id for run in airflow.active_runs(record.dag_id)}
        found = prune(
            session.store,
            record.flow_id,
            policy,
            lambda run_id: "running" if run_id in active else state_of(run_id),
            dry_run=dry_run,
        )
    except (AirflowUnreachable, AirflowLoginFailed) as error:
        raise type(error)(
            f"{error} {record.name!r} is not pruned: only Airflow knows which of its runs are active."
        ) from error
    return [asdict(one) for one in found]


def _keep(session: Session, record: FlowRecord, keep: int | None) -> int:
    number = session.registry.latest_spec(record).retention.k_latest_runs if keep is None else keep
    if number is None:
        raise AuthoringError(
            f"{record.name!r} has no k_latest_runs. Say how many of its newest successful runs keep their "
            "artifacts (keep=..., or --keep on the terminal)."
        )
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise AuthoringError(f"keep={number!r}: give an integer from 1.")
    return number

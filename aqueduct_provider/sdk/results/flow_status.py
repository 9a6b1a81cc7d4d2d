"""Compare what is published with what Airflow shows: records -> the state of each flow.

In: records, and Airflow's list of DAGs, which name the version. Out: one frozen value for each flow. An
Airflow that does not answer does not hide the flows of another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AirflowError, ConfigError, NotFound
from aqueduct_provider.sdk.enums import FlowState
from aqueduct_provider.sdk.publishing.airflow_problems import (
    NO_PROBLEMS,
    AirflowProblems,
    airflow_problems,
)
from aqueduct_provider.sdk.publishing.deployment import TAG, shows
from aqueduct_provider.sdk.publishing.registry import FlowRecord
from aqueduct_provider.spec.version_label import labelled_version, short_id
from aqueduct_provider.storage.parallel import together

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.airflow_api.api_models import DagInfo
    from aqueduct_provider.sdk.session import Session

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class FlowStatus:
    """A flow, and whether Airflow shows the version that was published last.

    :param engine: name of the resource that it was published to.
    :param version_id: the version that was published last.
    :param published_at: when that was.
    :param airflow_version_id: the version that Airflow shows; None: none, or unknown. Of one that is not
        among the last 20, only its first 8 characters are known.
    :param stale_since: when the oldest version that Airflow does not show yet was published; where it shows
        none of the flow's versions, when the last one was. None: it shows the last one, or this is unknown.
    :param paused: whether the DAG is paused in Airflow; None: unknown.
    :param problem: why Airflow does not show it, where that is known.
    :param terminal_problem: the same in the words of ``aqueduct-airflow``.
    :param version: what users call the version that was published last: ``v12 (7d49f3c4)``.
    :param airflow_version: what they call the one that Airflow shows; empty: none, or unknown.
    """

    name: str
    dag_id: str
    engine: str
    state: FlowState
    version_id: str
    published_at: datetime
    airflow_version_id: str | None = None
    stale_since: datetime | None = None
    paused: bool | None = None
    problem: str = ""
    terminal_problem: str = field(default="", repr=False)
    version: str = ""
    airflow_version: str = ""

    @property
    def is_fine(self) -> bool:
        """Check whether nothing must be done: Airflow shows the last version, or the flow was deleted."""
        return self.state in (FlowState.CURRENT, FlowState.RETIRED)


def statuses(session: Session, records: Sequence[FlowRecord]) -> list[FlowStatus]:
    """Return the status of each flow, in the order of the records; with one request for every 100 DAGs."""
    by_engine: dict[str, list[FlowRecord]] = {}
    for record in records:
        by_engine.setdefault(record.engine, []).append(record)
    calls = [partial(_of_engine, session, engine, some) for engine, some in by_engine.items()]
    found = {one.dag_id: one for some in together(calls) for one in some}
    return [found[record.dag_id] for record in records]


def _of_engine(session: Session, engine: str, records: Sequence[FlowRecord]) -> list[FlowStatus]:
    try:
        airflow = session.airflow(engine)
        shown = _shown(airflow, records)
        all_well = all(_is_current(record, shown.get(record.dag_id)) for record in records)
        problems = NO_PROBLEMS if all_well else airflow_problems(airflow)
    except (AirflowError, ConfigError, NotFound) as error:
        words = str(error), error.for_terminal()
        return [_status(record, FlowState.UNREACHABLE, None, *words) for record in records]
    return [_judged(record, shown.get(record.dag_id), problems) for record in records]


def _shown(airflow: Airflow, records: Sequence[FlowRecord]) -> dict[str, DagInfo]:
    if len(records) == 1:
        found = airflow.dag(records[0].dag_id)
        return {found.dag_id: found} if found is not None else {}
    return {dag.dag_id: dag for dag in airflow.dags(TAG)}


def _is_current(record: FlowRecord, dag: DagInfo | None) -> bool:
    return dag is not None and shows(dag, record.version_id) and not dag.has_import_errors


def _judged(record: FlowRecord, dag: DagInfo | None, problems: AirflowProblems) -> FlowStatus:
    problem = ""
    if record.retired_at is not None:
        state = FlowState.RETIRED
    elif _is_current(record, dag):
        state = FlowState.CURRENT
    elif own := problems.of(record):
        state, problem = FlowState.BROKEN, own
    else:
        problem = problems.shared
        broken = dag is not None and dag.has_import_errors
        state = FlowState.BROKEN if broken else FlowState.STALE if dag else FlowState.MISSING
    return _status(record, state, dag, problem)


def _status(
    record: FlowRecord, state: FlowState, dag: DagInfo | None, problem: str, terminal_problem: str = ""
) -> FlowStatus:
    seen, seen_name = _version_in(dag, record) if dag is not None else (None, "")
    is_behind = state in (FlowState.STALE, FlowState.MISSING, FlowState.BROKEN)
    return FlowStatus(
        name=record.name,
        dag_id=record.dag_id,
        engine=record.engine,
        state=state,
        version_id=record.version_id,
        published_at=record.created_at,
        airflow_version_id=seen,
        stale_since=_since(record, seen) if is_behind else None,
        paused=dag.is_paused if dag is not None else None,
        problem=problem,
        terminal_problem=terminal_problem or problem,
        version=record.newest.label,
        airflow_version=seen_name,
    )


def _version_in(dag: DagInfo, record: FlowRecord) -> tuple[str | None, str]:
    """Return the version that the DAG shows and its name; among its tags there are also those of the user."""
    for one in record.versions:
        if shows(dag, one.version_id):
            return one.version_id, one.label
    labelled = labelled_version(dag.description)
    others = [labelled] if labelled else [tag for tag in dag.tags if _UUID.fullmatch(tag)]
    return (others[0], short_id(others[0])) if others else (None, "")


def _since(record: FlowRecord, seen: str | None) -> datetime | None:
    if seen == record.version_id:
        return None
    if all(one.version_id != seen for one in record.versions):
        return record.created_at
    *_, oldest = takewhile(lambda one: one.version_id != seen, record.versions)
    return oldest.created_at

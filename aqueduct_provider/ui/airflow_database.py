"""Read DAGs, runs, tasks and XComs from Airflow's database, as ``sdk/airflow_api`` reads its REST API.

In: ids. Out: the same frozen values under the same method names, so that the SDK's readers take one for the
other; and in bulk, with a number of queries that does not depend on the number of flows, what lists and
histories show. It only reads.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aqueduct_provider.artifacts.manifest import LEFT_KEY
from aqueduct_provider.compat import (
    AIRFLOW_V_3_0_PLUS,
    DagModel,
    DagRun,
    DagTag,
    SerializedDagModel,
    TaskInstance,
    XComModel,
    create_session,
)
from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.airflow_api.airflow import ui_path
from aqueduct_provider.sdk.airflow_api.api_models import DagInfo, RunInfo, TaskInfo, xcom_of
from aqueduct_provider.sdk.publishing.deployment import TAG
from aqueduct_provider.spec.dag_facts import DagFacts

_RESULT = "return_value"


@dataclass(frozen=True)
class ShownDag:
    """A DAG of a flow as lists show it.

    :param name: the flow's.
    :param description: ends with the version.
    :param owner: as Airflow has it.
    :param next_run_at: when its next run is created; None: by hand, or by another flow.
    :param schedule: in words, empty: none.
    """

    dag_id: str
    name: str
    owner: str
    description: str
    is_paused: bool
    is_gone: bool
    next_run_at: datetime | None
    schedule: str


@dataclass(frozen=True)
class TaskTime:
    """How long a task of a run took.

    :param seconds: of its last try; None: it has not ended.
    """

    run_id: str
    task_id: str
    state: str | None
    seconds: float | None


class AirflowDatabase:
    """Airflow's own database, asked through its models. Safe to use from several threads.

    :param sessions: makes sessions of SQLAlchemy that are context managers.
    """

    major = 3 if AIRFLOW_V_3_0_PLUS else 2

    def __init__(self, sessions: Callable[[], AbstractContextManager[Any]] = create_session) -> None:
        self._sessions = sessions

    def _rows(self, asked: Any) -> list[Any]:
        with self._sessions() as session:
            return list(session.execute(asked).all())

    # --- as ``sdk/airflow_api/airflow.py`` has it

    def url(self, dag_id: str, run_id: str = "") -> str:
        """Return the path of a DAG's page in Airflow's UI, or of a run's, without a leading slash."""
        return ui_path(self.major, dag_id, run_id)

    def dag(self, dag_id: str, *, gone: bool = False) -> DagInfo | None:
        """Return a DAG; None when Airflow does not know it, or when its file is gone.

        :param gone: one whose file is gone will do.
        """
        found = self.shown([dag_id])
        if not found or (found[0].is_gone and not gone):
            return None
        one = found[0]
        return DagInfo(one.dag_id, one.is_paused, display_name=one.name, is_gone=one.is_gone)

    def run(self, dag_id: str, run_id: str) -> RunInfo:
        """Return one run.

        :raises NotFound: Airflow does not know the run.
        """
        from sqlalchemy import select

        asked = select(*_run_columns()).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        found = [_run_of(row) for row in self._rows(asked)]
        if not found:
            raise NotFound(f"Airflow has no run {run_id!r} of {dag_id!r}: it was deleted, or never was.")
        return found[0]

    def runs(self, dag_id: str, limit: int, skip: int = 0, before: str = "") -> list[RunInfo]:
        """Return the runs that were created last, newest first; empty for a DAG that Airflow does not know.

        :param limit: how many at most.
        :param skip: how many newer ones are left out.
        :param before: the id of a run: only those that were created before it.
        """
        from sqlalchemy import select

        asked = select(*_run_columns()).where(DagRun.dag_id == dag_id)
        if before:
            mark = select(DagRun.id).where(DagRun.dag_id == dag_id, DagRun.run_id == before)
            asked = asked.where(DagRun.id < mark.scalar_subquery())
        return [
            _run_of(row) for row in self._rows(asked.order_by(*_newest_first()).offset(skip).limit(limit))
        ]

    def count_runs(self, dag_id: str) -> int:
        """Return how many runs of a DAG Airflow has."""
        from sqlalchemy import func, select

        return int(self._rows(select(func.count(DagRun.id)).where(DagRun.dag_id == dag_id))[0][0])

    def tasks(self, dag_id: str, run_id: str) -> list[TaskInfo]:
        """Return all tasks of a run, sorted by their ids.

        :raises NotFound: Airflow does not know the run.
        """
        from sqlalchemy import select

        task = TaskInstance
        columns = task.task_id, task.state, task.try_number, task.start_date, task.end_date
        asked = select(*columns).where(task.dag_id == dag_id, task.run_id == run_id)
        found = [_task_of(row) for row in self._rows(asked.order_by(task.task_id))]
        if not found:
            self.run(dag_id, run_id)
        return found

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = _RESULT) -> Any:
        """Return an XCom value of a task; None where there is none, or no such task or run."""
        from sqlalchemy import select

        xcom = XComModel
        asked = select(xcom.value).where(xcom.dag_id == dag_id, xcom.run_id == run_id)
        rows = self._rows(
            asked.where(xcom.task_id == task_id, xcom.key == key).order_by(xcom.map_index).limit(1)
        )
        return _value_of(rows[0].value) if rows else None

    def log(self, *_which: object) -> str:
        """Return nothing: Airflow keeps the logs of tasks elsewhere, and shows them itself."""
        return ""

    # --- in bulk

    def flows(self, readable: Collection[str]) -> list[ShownDag]:
        """Return the DAGs of flows among those that a user may read, sorted by their names; in one query."""
        from sqlalchemy import select

        tagged = select(DagTag.dag_id).where(DagTag.name == TAG)
        asked = select(*_dag_columns()).where(DagModel.dag_id.in_(tagged), ~_gone())
        found = [_shown_dag(row) for row in self._rows(asked) if row.dag_id in readable]
        return sorted(found, key=lambda dag: (dag.name.casefold(), dag.dag_id))

    def shown(self, dag_ids: Sequence[str]) -> list[ShownDag]:
        """Return these DAGs, also those whose file is gone, as far as Airflow knows them."""
        from sqlalchemy import select

        asked = select(*_dag_columns()).where(DagModel.dag_id.in_(dag_ids))
        return [_shown_dag(row) for row in self._rows(asked)]

    def facts(self, dag_ids: Sequence[str]) -> dict[str, DagFacts]:
        """Return what the newest serialized DAGs state of their flows; in one query.

        DAGs that are not of flows are missing.
        """
        from sqlalchemy import and_, func, select

        dag = SerializedDagModel
        # Airflow 3 keeps one for each version of a DAG.
        newest = (
            select(dag.dag_id.label("dag_id"), func.max(dag.last_updated).label("last"))
            .where(dag.dag_id.in_(dag_ids))
            .group_by(dag.dag_id)
            .subquery()
        )
        is_newest = and_(dag.dag_id == newest.c.dag_id, dag.last_updated == newest.c.last)
        columns = dag.dag_id, dag._data.label("data"), dag._data_compressed.label("compressed")
        rows = self._rows(select(*columns).join(newest, is_newest))
        found = {row.dag_id: DagFacts.of(_attributes(_serialized(row))) for row in rows}
        return {dag_id: facts for dag_id, facts in found.items() if facts is not None}

    def latest_runs(self, dag_ids: Sequence[str], count: int) -> dict[str, list[RunInfo]]:
        """Return the last runs of each of these DAGs, newest first; in one query.

        :param count: how many of each at most.
        """
        from sqlalchemy import func, select

        place = func.row_number().over(partition_by=DagRun.dag_id, order_by=_newest_first()).label("place")
        ranked = select(DagRun.id.label("id"), place).where(DagRun.dag_id.in_(dag_ids)).subquery()
        asked = (
            select(DagRun.dag_id, *_run_columns())
            .join(ranked, DagRun.id == ranked.c.id)
            .where(ranked.c.place <= count)
            .order_by(*_newest_first())
        )
        found: defaultdict[str, list[RunInfo]] = defaultdict(list)
        for row in self._rows(asked):
            found[row.dag_id].append(_run_of(row))
        return dict(found)

    def last_states(self, dag_ids: Collection[str]) -> dict[str, tuple[int, str]]:
        """Return the last run of each of these DAGs, as a number that grows, and its state; in one query."""
        from sqlalchemy import func, select

        own = select(func.max(DagRun.id).label("id")).where(DagRun.dag_id.in_(dag_ids))
        last = own.group_by(DagRun.dag_id).subquery()
        asked = select(DagRun.dag_id, DagRun.id, DagRun.state).join(last, DagRun.id == last.c.id)
        return {row.dag_id: (row.id, _word(row.state)) for row in self._rows(asked)}

    def manifests(
        self, dag_id: str, run_ids: Sequence[str], task_ids: Sequence[str] | None = None
    ) -> dict[str, dict[str, Any]]:
        """Return what the tasks of these runs left in XCom; in one query.

        :param task_ids: those that are meant; None: all.
        :return: run id -> task id -> the value of its XCom.
        """
        wanted = None if task_ids is None else {dag_id: task_ids}
        return self.manifests_of({dag_id: run_ids}, wanted).get(dag_id, {})

    def manifests_of(
        self, runs: Mapping[str, Sequence[str]], tasks: Mapping[str, Sequence[str]] | None = None
    ) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what the tasks of runs of several DAGs left in XCom; in one query.

        :param runs: DAG id -> run ids.
        :param tasks: DAG id -> ids of the tasks that are meant; None: all.
        :return: DAG id -> run id -> task id -> the value of its XCom.
        """
        from sqlalchemy import or_, select

        xcom = XComModel
        parts = []
        for dag_id, run_ids in runs.items():
            part = (xcom.dag_id == dag_id) & xcom.run_id.in_(run_ids)
            parts.append(part if tasks is None else part & xcom.task_id.in_(tasks.get(dag_id, ())))
        if not parts:
            return {}
        columns = xcom.dag_id, xcom.run_id, xcom.task_id, xcom.value
        # A task that failed leaves what it has written under another key, which sorts before.
        asked = select(*columns).where(xcom.key.in_((_RESULT, LEFT_KEY)), or_(*parts)).order_by(xcom.key)
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for row in self._rows(asked):
            of_run = found.setdefault(row.dag_id, {}).setdefault(row.run_id, {})
            of_run[row.task_id] = _value_of(row.value)
        return found

    def task_times(
        self, dag_id: str, run_ids: Sequence[str], task_ids: Sequence[str] | None = None
    ) -> list[TaskTime]:
        """Return the states of the tasks of these runs and how long they took; in one query.

        :param task_ids: those that are meant; None: all.
        """
        from sqlalchemy import select

        task = TaskInstance
        columns = task.run_id, task.task_id, task.state, task.start_date, task.end_date
        asked = select(*columns).where(task.dag_id == dag_id, task.run_id.in_(run_ids))
        if task_ids is not None:
            asked = asked.where(task.task_id.in_(task_ids))
        return [TaskTime(row.run_id, row.task_id, row.state, _seconds(row)) for row in self._rows(asked)]


# --- rows -> values


def _dag_columns() -> Iterable[Any]:
    dag = DagModel
    schedule = dag.timetable_description
    return (
        *(dag.dag_id, dag.owners, dag.description, dag.is_paused, dag.next_dagrun_create_after),
        dag._dag_display_property_value.label("display_name"),
        (dag.is_stale if AIRFLOW_V_3_0_PLUS else ~dag.is_active).label("is_gone"),
        schedule.label("schedule"),
    )


def _gone() -> Any:
    return DagModel.is_stale if AIRFLOW_V_3_0_PLUS else ~DagModel.is_active


def _shown_dag(row: Any) -> ShownDag:
    return ShownDag(
        dag_id=row.dag_id,
        name=row.display_name or row.dag_id,
        owner=row.owners or "",
        description=row.description or "",
        is_paused=bool(row.is_paused),
        is_gone=bool(row.is_gone),
        next_run_at=row.next_dagrun_create_after,
        schedule=row.schedule or "",
    )


def _run_columns() -> Iterable[Any]:
    run = DagRun
    logical = run.logical_date if AIRFLOW_V_3_0_PLUS else run.execution_date
    own = run.run_id, run.state, run.queued_at, run.start_date, run.end_date, run.conf
    return (*own, logical.label("logical_date"))


def _newest_first() -> tuple[Any, ...]:
    # Ids grow; the moment at which a run is to start does not, in backfills.
    return (DagRun.id.desc(),)


def _run_of(row: Any) -> RunInfo:
    return RunInfo(
        run_id=row.run_id,
        state=_word(row.state),
        queued_at=row.queued_at,
        started_at=row.start_date,
        ended_at=row.end_date,
        conf=row.conf if isinstance(row.conf, Mapping) else {},
        logical_date=row.logical_date,
    )


def _task_of(row: Any) -> TaskInfo:
    return TaskInfo(
        task_id=row.task_id,
        state=None if row.state is None else _word(row.state),
        try_number=row.try_number or 0,
        started_at=row.start_date,
        ended_at=row.end_date,
        duration=_seconds(row),
    )


def _seconds(row: Any) -> float | None:
    if row.start_date is None or row.end_date is None:
        return None
    return float((row.end_date - row.start_date).total_seconds())


def _word(state: Any) -> str:
    return str(getattr(state, "value", state))


def _value_of(stored: Any) -> Any:
    """Return an XCom value, JSON in Airflow 3, bytes of JSON in 2.11. Make no objects of classes of it."""
    if isinstance(stored, bytes):
        stored = stored.decode(errors="replace")
    return xcom_of({"value": stored})


# --- the serialized DAG


def _serialized(row: Any) -> Any:
    try:
        return json.loads(zlib.decompress(row.compressed)) if row.compressed else row.data
    except (ValueError, zlib.error, RecursionError):
        return None


def _attributes(data: Any) -> dict[str, Any]:
    """Return the attribute ``aqueduct`` of each task of a serialized DAG, in the order of the tasks."""
    found = {}
    dag = data.get("dag") if isinstance(data, Mapping) else None
    for task in dag.get("tasks", ()) if isinstance(dag, Mapping) else ():
        fields = task.get("__var", task) if isinstance(task, Mapping) else {}
        if isinstance(fields, Mapping) and isinstance(fields.get("task_id"), str):
            found[fields["task_id"]] = fields.get("aqueduct")
    return found

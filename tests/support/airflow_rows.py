"""A database with Airflow's own tables, and rows of flows in it as Airflow writes them, on both lines."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS
from aqueduct_provider.ui.airflow_database import AirflowDatabase

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
_TABLES = ("DagModel", "DagTag", "DagRun", "TaskInstance", "XComModel", "SerializedDagModel")


class AirflowRows:
    """An empty database in memory. Each method writes rows as Airflow does when that happens."""

    def __init__(self) -> None:
        import sqlalchemy
        from sqlalchemy.orm import sessionmaker

        self.engine = sqlalchemy.create_engine(
            "sqlite://", poolclass=sqlalchemy.pool.StaticPool, connect_args={"check_same_thread": False}
        )
        from airflow.models import import_all_models
        from airflow.models.base import Base

        from aqueduct_provider import compat

        import_all_models()
        # In 2.11, notes refer to users, whose table is made elsewhere.
        tables = [table for name, table in Base.metadata.tables.items() if not name.endswith("_note")]
        Base.metadata.create_all(self.engine, tables=tables)
        self.models = {name: getattr(compat, name) for name in _TABLES}
        self.sessions = sessionmaker(self.engine)
        self.queries: list[str] = []
        sqlalchemy.event.listen(self.engine, "before_cursor_execute", self._count)
        self.database = AirflowDatabase(self.sessions)
        self._runs = 0

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            self.queries.append(statement)

    def add(self, model: str, **columns: Any) -> None:
        """Write a row.

        :param columns: by the names that they have in the table.
        """
        table = self.models[model].__table__
        known = {name: value for name, value in columns.items() if name in table.columns}
        with self.engine.begin() as connection:
            connection.execute(table.insert().values(**known))

    def dag(
        self,
        dag_id: str,
        attributes: Mapping[str, Any] | None = None,
        *,
        name: str = "",
        tags: Sequence[str] = ("aqueduct",),
        **columns: Any,
    ) -> None:
        """Write a DAG and its serialized form.

        :param attributes: task id -> JSON, the attribute ``aqueduct`` of its operator; None: nothing is
            serialized.
        """
        own = {
            "dag_id": dag_id,
            "dag_display_name": name or None,
            "is_paused": False,
            "is_stale": False,
            "is_active": True,
            "owners": "ada",
            "bundle_name": "dags-folder",
            "timetable_type": "x",
            "timetable_partitioned": False,
            "timetable_periodic": False,
            "max_active_tasks": 16,
            "max_consecutive_failed_dag_runs": 0,
            "has_task_concurrency_limits": False,
            "fail_fast": False,
            "exceeds_max_non_backfill": False,
        }
        self.add("DagModel", **{**own, **columns})
        for tag in tags:
            self.add("DagTag", name=tag, dag_id=dag_id)
        if attributes is not None:
            self.serialized(dag_id, attributes)

    def serialized(self, dag_id: str, attributes: Mapping[str, Any], when: datetime = START) -> None:
        """Write the serialized form of a DAG; on Airflow 3 one more for each version of it."""
        tasks = [
            {"__type": "operator", "__var": {"task_id": task_id, "aqueduct": json.dumps(value)}}
            for task_id, value in attributes.items()
        ]
        self.add(
            "SerializedDagModel",
            id=uuid.uuid4(),
            dag_id=dag_id,
            data={"__version": 2, "dag": {"dag_id": dag_id, "tasks": tasks}},
            dag_hash=uuid.uuid4().hex,
            dag_version_id=uuid.uuid4(),
            created_at=when,
            last_updated=when,
            fileloc="x",
            fileloc_hash=0,
        )

    def run(
        self, dag_id: str, run_id: str = "", *, state: str = "success", seconds: float = 60, **columns: Any
    ) -> str:
        """Write a run, each a day after the one before, and return its id."""
        self._runs += 1
        begun = START + timedelta(days=self._runs)
        run_id = run_id or f"run-{self._runs}"
        own = {
            "id": self._runs,
            "dag_id": dag_id,
            "run_id": run_id,
            "state": state,
            "run_type": "manual",
            "queued_at": begun,
            "start_date": begun,
            "end_date": begun + timedelta(seconds=seconds) if state in ("success", "failed") else None,
            "logical_date": begun,
            "execution_date": begun,
            "run_after": begun,
            "conf": {} if AIRFLOW_V_3_0_PLUS else None,
            "clear_number": 0,
            "span_status": "not_started",
        }
        self.add("DagRun", **{**own, **columns})
        return run_id

    def task(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        left: Any = None,
        *,
        state: str | None = "success",
        seconds: float = 1,
        key: str = "return_value",
    ) -> None:
        """Write a task of a run.

        :param left: its XCom; None: none.
        """
        begun = START + timedelta(days=self._runs)
        columns = self._task_columns(dag_id, run_id, task_id, begun, begun + timedelta(seconds=seconds))
        self.add("TaskInstance", **{**columns, "state": state})
        if left is not None:
            self.xcom(dag_id, run_id, task_id, left, key)

    def tasks(self, dag_id: str, run_id: str, left: Mapping[str, Any], when: datetime) -> None:
        """Write all tasks of the newest run, which ended well, at once.

        :param left: task id -> its XCom.
        """
        tasks = []
        xcoms = []
        for task_id, value in left.items():
            tasks.append(self._task_columns(dag_id, run_id, task_id, when, when + timedelta(seconds=1)))
            xcoms.append(self._xcom_columns(dag_id, run_id, task_id, value))
        with self.engine.begin() as connection:
            for model, rows in (("TaskInstance", tasks), ("XComModel", xcoms)):
                table = self.models[model].__table__
                known = [{n: v for n, v in row.items() if n in table.columns} for row in rows]
                connection.execute(table.insert(), known)

    def xcom(self, dag_id: str, run_id: str, task_id: str, value: Any, key: str = "return_value") -> None:
        """Write an XCom."""
        self.add("XComModel", **self._xcom_columns(dag_id, run_id, task_id, value, key))

    def _xcom_columns(
        self, dag_id: str, run_id: str, task_id: str, value: Any, key: str = "return_value"
    ) -> dict[str, Any]:
        return {
            "dag_run_id": self._runs,
            "dag_id": dag_id,
            "run_id": run_id,
            "task_id": task_id,
            "map_index": -1,
            "key": key,
            "value": value if AIRFLOW_V_3_0_PLUS else json.dumps(value).encode(),
            "timestamp": START,
        }

    def _new_task_id(self) -> Any:
        """Return an id as the column has it: text before Airflow 3.2."""
        columns = self.models["TaskInstance"].__table__.columns
        made = uuid.uuid4()
        return made if "id" in columns and type(columns["id"].type).__name__ == "Uuid" else str(made)

    def _task_columns(
        self, dag_id: str, run_id: str, task_id: str, begun: datetime, ended: datetime
    ) -> dict[str, Any]:
        return {
            "id": self._new_task_id(),
            "dag_id": dag_id,
            "run_id": run_id,
            "task_id": task_id,
            "map_index": -1,
            "state": "success",
            "try_number": 1,
            "start_date": begun,
            "end_date": ended,
            "pool": "default_pool",
            "pool_slots": 1,
            "queue": "default",
            "span_status": "not_started",
        }

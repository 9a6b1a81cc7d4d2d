"""The flow of the campaign: a parameter, a table, a metric, a check, and rows appended to a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.data_servers.postgres import PostgresServer
from tests.integration.flow_place import Place
from tests.integration.native_draft import Draft

ROWS = 500


def make_rows(count: int) -> Any:
    import time

    import pandas

    time.sleep(1)
    return pandas.DataFrame({"n": range(int(count)), "text": "x" * 100})


def total(table: Any) -> int:
    return int(table["n"].sum())


def is_whole(table: Any) -> bool:
    return len(table) == 500


@dataclass(frozen=True)
class Appending:
    """The flow, shown by Airflow.

    :param table: of the database, to which each run appends :data:`ROWS` rows.
    """

    place: Place
    postgres: PostgresServer
    dag_id: str
    draft: Draft
    table: str

    def trigger(self) -> str:
        return self.place.client.trigger(self.dag_id)

    def wait(self, run_id: str, seconds: float) -> str:
        return self.place.client.wait(self.dag_id, run_id, seconds=seconds)

    def appended(self) -> list[int]:
        """How often each row is in the table: one number where all are there equally often."""
        found = self.postgres.run(f"SELECT DISTINCT count(*) FROM {self.table} GROUP BY n")
        rows = self.postgres.run(f"SELECT count(DISTINCT n) FROM {self.table}")
        return sorted(times for (times,) in found) if rows == [(ROWS,)] else [-1]

    def has_right_values(self, run_id: str) -> bool:
        """Check what a run left in the store."""
        content, _ = self.place.artifact(self.draft, run_id, "total")
        good, _ = self.place.artifact(self.draft, run_id, "good")
        return (content, good) == (str(sum(range(ROWS))).encode(), b"true")


@contextmanager
def appending(place: Place, postgres: PostgresServer, dag_id: str) -> Iterator[Appending]:
    """Publish the flow under a name of its own; it goes away in the end."""
    draft = place.draft(dag_id)
    rows = draft.parameter("rows", "numeric", ROWS)
    draft.call(make_rows, rows, outputs={"table": "table"}, requirements=["pandas"])
    draft.call(total, "table", outputs={"total": "numeric"}, kind="metric", requirements=["pandas"])
    draft.call(is_whole, "table", outputs={"good": "boolean"}, kind="check", requirements=["pandas"])
    target = {"connector": "Postgres", "connection_id": "warehouse", "table": dag_id, "update_mode": "append"}
    draft.load("save", "table", **target)
    postgres.run(f"CREATE TABLE {dag_id} (n BIGINT, text TEXT)")
    with place.published(draft) as shown:
        yield Appending(place, postgres, shown, draft, dag_id)

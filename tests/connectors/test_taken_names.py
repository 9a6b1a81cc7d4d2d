"""Names that another program takes while a load runs, or in another schema: no load drops a foreign table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.tables.model import Batches, TableLoad, TableName
from aqueduct_provider.errors import LoadRefused
from tests.connectors.conftest import System
from tests.connectors.system_jobs import Desk

ROWS = pa.table({"n": [7]})


def load(desk: Desk, system: System, mode: Any, *statements: str) -> int | None:
    """Load a row into ``t``; another program runs statements when the row is on its way."""
    if desk.name == "SQLite":
        pytest.skip("in SQLite, other programs wait until the load has ended")

    def arriving() -> Iterator[pa.RecordBatch]:
        for statement in statements:
            system.run(statement)
        yield from ROWS.to_batches()

    target = TableLoad(TableName("", "t"), mode, "a" * 64, "d" * 64, "run")
    with closing(registry.connect(desk.name, desk.system.config)) as database:
        rows: int | None = database.write(Batches(ROWS.schema, arriving()), target)
    return rows


MADE_MEANWHILE = ("CREATE TABLE t (n BIGINT)", "INSERT INTO t VALUES (1)")


def test_append_adds_to_a_table_that_was_created_meanwhile(desk: Desk, system: System) -> None:
    statements = MADE_MEANWHILE if desk.name == "Postgres" else ("INSERT INTO t VALUES (1)",)
    assert load(desk, system, "append", *statements) == 1
    assert [row["n"] for row in desk.rows("SELECT n FROM t ORDER BY n")] == [1, 7]
    # The row was written once, and a second try knows it.
    assert load(desk, system, "append") is None
    assert left_tables(desk) == ["t"]


def test_fail_refuses_a_table_that_was_created_meanwhile(desk: Desk, system: System) -> None:
    with pytest.raises(LoadRefused, match="The table t exists already, and the update mode is 'fail'"):
        load(desk, system, "fail", *MADE_MEANWHILE)
    assert desk.rows("SELECT n FROM t") == [{"n": 1}]
    assert left_tables(desk) == ["t"]


def test_replace_replaces_a_table_that_was_created_meanwhile(desk: Desk, system: System) -> None:
    assert load(desk, system, "replace", *MADE_MEANWHILE) == 1
    assert desk.rows("SELECT n FROM t") == [{"n": 7}]
    assert left_tables(desk) == ["t"]


def test_replace_leaves_the_table_in_its_schema(desk: Desk, system: System) -> None:
    if desk.name != "Postgres":
        pytest.skip("only Postgres has a search path")
    system.run(f"CREATE SCHEMA {desk.system.config['username']}")
    system.run("CREATE TABLE public.t (old TEXT)")
    assert load(desk, system, "replace") == 1
    found = system.run("SELECT table_schema FROM information_schema.tables WHERE table_name = 't'")
    assert found == [("public",)]
    assert system.run("SELECT n FROM public.t") == [(7,)]


def left_tables(desk: Desk) -> list[str]:
    with closing(registry.connect(desk.name, desk.system.config)) as database:
        return list(database.tables())


@pytest.mark.parametrize("mode", ["append", "fail", "replace"])
def test_the_ledger_is_no_target(desk: Desk, mode: str) -> None:
    desk.load(ROWS, mode="append")
    for name in ("aqueduct_loads", "Aqueduct_LOADS", "main.aqueduct_loads"):
        with pytest.raises(LoadRefused, match="records its loads; choose another name"):
            desk.load(ROWS, name, mode, run="run 2")
    # The ledger still knows the first load.
    assert desk.load(ROWS, mode="append") is None

"""The marker of loads: what is written when, with a database in memory; and what the texts of SQL are."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.mysql.system import MYSQL
from aqueduct_provider.connectors.sql import idempotent_load
from aqueduct_provider.connectors.sqlite import database as sqlite
from aqueduct_provider.connectors.sqlite.system import SQLITE
from aqueduct_provider.connectors.sqlserver.system import SQL_SERVER
from aqueduct_provider.connectors.tables.model import Batches, TableLoad, TableName
from aqueduct_provider.errors import LoadRefused

LOAD = TableLoad(TableName("", "t"), "append", "k" * 64, "d" * 64, "flow run task")
DATA = pa.table({"a": [1, 2]})


def batches() -> Batches:
    return Batches(DATA.schema, iter(DATA.to_batches()))


@dataclass
class Memory:
    """A ``Writer`` whose tables are lists, and who tells what was done to them."""

    dialect = SQLITE
    tables: dict[str, int] = field(default_factory=dict)
    markers: dict[str, tuple[Any, ...]] | None = None
    done: list[str] = field(default_factory=list)

    def run(self, sql: str, *values: Any) -> None:
        assert sql.startswith("INSERT INTO"), sql
        assert self.markers is not None
        self.done.append("marker")
        self.markers[values[0]] = values[1:]

    def rows(self, sql: str, *values: Any) -> Sequence[Sequence[Any]]:
        assert self.markers is not None
        found = self.markers.get(values[0])
        return [] if found is None else [found[2:4]]

    def create_markers(self, load: TableLoad) -> None:
        self.markers = self.markers or {}

    def exists(self, table: TableName) -> bool:
        return str(table) in self.tables

    def append(self, data: Batches, load: TableLoad) -> int:
        return self._add(data, load, "append")

    def create(self, data: Batches, load: TableLoad) -> int:
        self.tables[str(load.table)] = 0
        return self._add(data, load, "create")

    def _add(self, data: Batches, load: TableLoad, what: str) -> int:
        rows = sum(batch.num_rows for batch in data.batches)
        self.tables[str(load.table)] += rows
        self.done.append(what)
        return rows


def test_replace_needs_no_marker() -> None:
    memory = Memory({"t": 5})
    for _ in range(2):
        assert idempotent_load.write(memory, batches(), replace(LOAD, mode="replace")) == 2
    assert (memory.tables, memory.markers) == ({"t": 2}, None)


@pytest.mark.parametrize(("before", "how"), [({"t": 5}, "append"), ({}, "create")])
def test_append_leaves_its_marker_after_its_rows(before: dict[str, int], how: str) -> None:
    memory = Memory(dict(before))
    assert idempotent_load.write(memory, batches(), LOAD) == 2
    assert memory.done == [how, "marker"]
    assert memory.tables == {"t": before.get("t", 0) + 2}
    assert memory.markers == {"k" * 64: ("t", "flow run task", "d" * 64, 2)}
    assert idempotent_load.write(memory, batches(), LOAD) is None
    assert memory.done == [how, "marker"]


def test_fail_knows_its_own_table() -> None:
    memory, load = Memory(), replace(LOAD, mode="fail")
    assert idempotent_load.write(memory, batches(), load) == 2
    assert idempotent_load.write(memory, batches(), load) is None
    with pytest.raises(LoadRefused, match="The table t exists already, and the update mode is 'fail': use"):
        idempotent_load.write(memory, batches(), replace(load, key="other"))
    assert memory.tables == {"t": 2}


def test_another_content_of_the_same_run_is_refused_with_what_to_do() -> None:
    memory = Memory()
    idempotent_load.write(memory, batches(), replace(LOAD, table=TableName("s", "t")))
    with pytest.raises(LoadRefused) as caught:
        idempotent_load.write(memory, batches(), replace(LOAD, table=TableName("s", "t"), digest="e" * 64))
    said = str(caught.value)
    assert "This run (flow run task) has already written 2 rows to s.t" in said
    assert f"the row with load_key '{'k' * 64}' of the table s.aqueduct_loads, or start a new run." in said


def test_the_markers_stand_in_the_schema_of_the_table() -> None:
    load = replace(LOAD, table=TableName("my schema", "t"))
    assert "FROM [my schema].[aqueduct_loads] WHERE load_key = @p1" in idempotent_load.find_marker(
        SQL_SERVER, load
    )
    assert idempotent_load.insert_marker(MYSQL, load).startswith(
        "INSERT INTO `my schema`.`aqueduct_loads` (load_key,"
    )
    assert idempotent_load.insert_marker(MYSQL, load).count("%s") == len(idempotent_load.marker(load, 1))
    definition = idempotent_load.markers_definition(SQL_SERVER, load, text="NVARCHAR", time="DATETIME2")
    assert definition.startswith("[my schema].[aqueduct_loads] (load_key NVARCHAR(64) NOT NULL PRIMARY KEY")
    assert "loaded_at DATETIME2 DEFAULT" in definition


def test_what_is_for_people_is_cut_to_its_column() -> None:
    load = replace(LOAD, table=TableName("", "t" * 600), run="r" * 600)
    key, target, run, digest, rows = idempotent_load.marker(load, 3)
    assert (key, digest, rows) == (load.key, load.digest, 3)
    assert (len(target), len(run)) == (500, 500)


# --- on a real database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


def write(path: Path, load: TableLoad, data: Batches | None = None) -> int | None:
    with closing(sqlite.connect("SQLite", {"database": str(path)})) as database:
        return database.write(data or batches(), load)


def asked(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_the_marker_is_a_row_that_people_can_read_and_delete(path: Path) -> None:
    assert write(path, LOAD) == 2
    found = asked(path, "SELECT load_key, target, run, digest, row_count, loaded_at FROM aqueduct_loads")
    assert [row[:-1] for row in found] == [("k" * 64, "t", "flow run task", "d" * 64, 2)]
    assert found[0][-1] is not None
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM aqueduct_loads")
    assert write(path, LOAD) == 2
    assert asked(path, "SELECT count(*) FROM t") == [(4,)]


@pytest.mark.parametrize("mode", ["append", "fail", "replace"])
def test_rows_that_break_off_leave_neither_rows_nor_marker(path: Path, mode: Any) -> None:
    write(path, replace(LOAD, key="0" * 64, table=TableName("", "other")))

    def broken() -> Any:
        yield from DATA.to_batches()
        raise RuntimeError("in the middle")

    with pytest.raises(Exception, match="in the middle"):
        write(path, replace(LOAD, mode=mode), Batches(DATA.schema, broken()))
    assert asked(path, "SELECT name FROM sqlite_master WHERE name = 't' OR name LIKE 'aqueduct_k%'") == []
    assert asked(path, "SELECT load_key FROM aqueduct_loads") == [("0" * 64,)]

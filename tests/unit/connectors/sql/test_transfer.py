from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from aqueduct_provider.connectors.registry import connect
from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder, SystemOrder
from aqueduct_provider.connectors.sql.transfer import extract_table, load_table
from aqueduct_provider.connectors.tables.model import TableLoad, TableName


def test_a_table_goes_into_a_file_and_back(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    system = SystemOrder("SQLite", {"database": str(path)})
    with closing(connect("SQLite", system.config)) as database:
        query = ExtractOrder(system, "out", ("SELECT $1 AS n",), parameters=("7",))
        info = extract_table(database, query, tmp_path)
        assert (info.path, info.serialization_type, info.schema) == ("out", "parquet", [{"n": "int64"}])
        request = LoadOrder(system, "t", "replace", "out", "table", "parquet", "k" * 64, "d" * 64, "run")
        target = TableLoad(TableName("", "t"), "replace", "k" * 64, "d" * 64, "run")
        assert load_table(database, request, target, tmp_path) == 1
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT n FROM t").fetchall() == [(7,)]
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.db", "out"]

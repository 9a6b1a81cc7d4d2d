"""SQLite's own: files, columns of several types, errors; what all databases do stands in tests/connectors."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.sqlite import database as sqlite
from aqueduct_provider.connectors.sqlite.database import SqliteDatabase
from aqueduct_provider.connectors.tables.model import CELLS, KIND, TableLoad, TableName
from aqueduct_provider.errors import (
    ConfigError,
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    LoadRefused,
    StatementRefused,
    is_retryable,
)
from tests.support.arrow_tables import batches, read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    with closing(sqlite.connect("SQLite", {"database": str(path)})) as opened:
        yield opened


@pytest.fixture
def table(path: Path, database: SqliteDatabase) -> Callable[..., pa.Table]:
    """Creates ``t`` and gives what is read of it: ``table("a DATE", ("2020-01-01",))``."""

    def make(columns: str, *rows: tuple[Any, ...], query: str = "SELECT * FROM t") -> pa.Table:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"CREATE TABLE t ({columns})")
            if rows:
                connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})", rows)
        return read(database, query)

    return make


Table = Callable[..., pa.Table]


def test_a_file_of_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with closing(sqlite.connect("SQLite", {"database": "~/mine.db"})) as database:
        database.run("CREATE TABLE t (a)")
    assert (tmp_path / "mine.db").is_file()


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(DataSystemLoginFailed, match=r"cannot be opened: .*Correct the database's path\."):
        sqlite.connect("SQLite", {"database": str(tmp_path)})


def test_mixed_numbers_become_floats(table: Table) -> None:
    assert table("a, b INTEGER", (1, 1), (2.5, 2), (None, None)).to_pydict() == {
        "a": [1.0, 2.5, None],
        "b": [1, 2, None],
    }


def test_numbers_and_text_stay_what_they_are_and_text_with_bytes_becomes_bytes(table: Table) -> None:
    found = table("a, b", (1, "x"), ('"x"', b"\xff"), (0.1 + 0.2, "1"), (None, None), (float("inf"), None))
    assert found.to_pydict() == {
        "a": ["1", '"\\"x\\""', "0.30000000000000004", None, "Infinity"],
        "b": [b"x", b"\xff", b"1", None, None],
    }
    assert found.schema.types == [pa.string(), pa.binary()]
    assert found.schema.field("a").metadata == {KIND: b"json", CELLS: b"json"}


def test_a_text_after_thousands_of_nulls_is_a_text(table: Table) -> None:
    found = table("a, b INTEGER", *[(None, None)] * 3000, ("x", 7))
    assert found.column("a").to_pylist()[2998:] == [None, None, "x"]
    assert found.schema.types == [pa.string(), pa.int64()]


def test_columns_without_values_are_what_they_were_declared(table: Table) -> None:
    found = table("a INT, b BOOLEAN, c FLOAT, d BLOB, e DATE, f DATETIME, g TIME, h VARCHAR(5)")
    assert found.schema.types == [
        *(pa.int64(), pa.bool_(), pa.float64(), pa.binary(), pa.date32(), pa.timestamp("us")),
        *(pa.time64("us"), pa.string()),
    ]


def test_declared_types(table: Table) -> None:
    found = table(
        "a BOOLEAN, b DATE, c TIME, d DATETIME, e TIMESTAMP, f DECIMAL(10, 2), g JSON, h REAL",
        (1, "2020-02-29", "10:30", "2020-01-01T10:00:00", "2020-01-01T10:00:00Z", 1.25, "[1]", 2),
        (None, None, "23:59:59.999999", "2020-01-01 10:00", "2020-01-01 10:00+02:00", "7", None, None),
    )
    assert found.column("a").to_pylist() == [True, None]
    assert found.column("b").to_pylist() == [dt.date(2020, 2, 29), None]
    assert found.column("c").to_pylist() == [dt.time(10, 30), dt.time(23, 59, 59, 999_999)]
    assert found.column("d").to_pylist() == [dt.datetime(2020, 1, 1, 10)] * 2
    assert found.schema.field("e").type == pa.timestamp("us", "UTC")
    assert [moment.hour for moment in found.column("e").to_pylist()] == [10, 8]
    assert [Decimal(text) for text in found.column("f").to_pylist()] == [Decimal("1.25"), 7]
    assert found.schema.field("f").metadata == {KIND: b"decimal"}
    assert found.schema.field("g").metadata == {KIND: b"json"}
    assert found.column("h").to_pylist() == [2.0, None]


@pytest.mark.parametrize(
    ("columns", "values", "kind"),
    [
        ("a BOOLEAN", (1, 2), pa.int64()),
        ("a DATE", ("2020-01-01", "01.02.2020"), pa.string()),
        ("a DATE", (20200101,), pa.int64()),
        ("a TIME", ("10:30", "noon"), pa.string()),
        ("a DATETIME", ("2020-01-01 10:00", "2020-01-01"), pa.string()),
        ("a DATETIME", ("2020-01-01 10:00", "2020-01-01 10:00Z"), pa.string()),
        ("a TIMESTAMP", (1_600_000_000,), pa.int64()),
        ("a JSON", (b"{}",), pa.binary()),
        ("a BLOB", ("text",), pa.string()),
    ],
)
def test_a_declared_type_that_a_value_does_not_fit_does_not_count(
    table: Table, columns: str, values: tuple[Any, ...], kind: pa.DataType
) -> None:
    found = table(columns, *[(value,) for value in values]).column("a")
    assert found.type == kind
    expected = [str(value) for value in values] if kind == pa.string() else list(values)
    assert found.to_pylist() == expected


@pytest.mark.parametrize(
    ("declared", "value"),
    [("DATE", "2020-13-45"), ("TIME", "25:00:00"), ("DATETIME", "2020-02-30 10:00:00")],
)
def test_a_date_that_is_none_is_an_error_with_its_column(table: Table, declared: str, value: str) -> None:
    with pytest.raises(StatementRefused, match=rf"Column 'my day' .*'.*{value}'.* CAST\(\.\.\. AS TEXT\)"):
        table(f'"my day" {declared}', (value,))


def test_a_table_with_numbers_and_text_is_copied_as_text(table: Table, database: SqliteDatabase) -> None:
    found = table("a REAL", (1.5,), ("\\N",), (None,))
    database.write(batches(found), TableLoad(TableName("", "u"), "fail", "k" * 64, "d" * 64, "run"))
    assert read(database, "SELECT a FROM u").to_pydict() == {"a": ["1.5", "\\N", None]}
    assert database.rows("SELECT DISTINCT typeof(a) FROM u ORDER BY 1") == [("null",), ("text",)]


def test_where_values_alone_count(path: Path, table: Table) -> None:
    table("a BOOLEAN, b DATE, c DECIMAL(5, 2)", (1, "2020-01-01", 1.5))
    with closing(sqlite.connect("SQLite", {"database": str(path), "options": {"types": "values"}})) as plain:
        assert read(plain, "SELECT * FROM t").to_pylist() == [{"a": 1, "b": "2020-01-01", "c": 1.5}]


def test_types_of_a_query_and_of_its_values(table: Table, database: SqliteDatabase) -> None:
    table("a DATE, b BOOLEAN", ("2020-01-01", 1))
    sql = "SELECT x.a AS day, max(b) AS top, 1 AS one, $1 AS n, '$1' AS t, upper(a) FROM t AS x; -- end"
    found = read(database, sql, "7")
    assert found.to_pydict() == {
        "day": [dt.date(2020, 1, 1)],
        "top": [1],
        "one": [1],
        "n": [7],
        "t": ["7"],
        "upper(a)": ["2020-01-01"],
    }


def test_bytes_next_to_numbers_are_refused_or_text_as_in_the_original(path: Path, table: Table) -> None:
    with pytest.raises(StatementRefused, match=r"^Column 'a' holds numbers next to bytes \(BLOB\), which no"):
        table("a", (b"AB",), ("t",), (3,), (2.5,))
    with closing(sqlite.connect("SQLite", {"database": str(path), "options": {"types": "values"}})) as other:
        found = read(other, "SELECT * FROM t")
    assert found.to_pydict() == {"a": ['"AB"', '"t"', "3", "2.5"]}
    assert found.schema.field("a").metadata == {KIND: b"json", CELLS: b"json"}


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT 1, \"x\", 'y'", [("1", 1), ('"x"', "x"), ("'y'", "y")]),
        ('VALUES (1, "x"), (1, "x")', [("column1", 1), ("column2", "x")]),
        ("SELECT a, a AS A FROM (SELECT 1 AS a)", [("a", 1), ("A", 1)]),
        ("SELECT true, a.* FROM (SELECT 2 AS x, 3 AS X) AS a", [("true", 1), ("x", 2), ("X:1", 3)]),
        ('SELECT 1 AS "a:1", 2 AS a, 3 AS "a:x"', [("a:1", 1), ("a", 2), ("a:x", 3)]),
        ("SELECT c1 AS c0, c0 AS c1 FROM (SELECT 1 AS c0, 2 AS c1)", [("c0", 2), ("c1", 1)]),
        ("SELECT 1 AS a, 2 AS a", [("a", 1), ("a", 2)]),
    ],
)
def test_names_and_values_are_those_of_the_query_itself(
    database: SqliteDatabase, query: str, columns: list[tuple[str, Any]]
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        cursor = connection.execute(query)
        plain = list(zip([name for name, *_ in cursor.description], cursor.fetchone(), strict=True))
    found = read(database, query)
    assert [
        (name, column[0].as_py()) for name, column in zip(found.schema.names, found, strict=True)
    ] == plain
    assert plain == columns


def test_a_query_that_is_not_one_changes_nothing(path: Path, table: Table) -> None:
    with pytest.raises(StatementRefused, match='near "DELETE": syntax error'):
        table("a", (1,), query="DELETE FROM t")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [(1,)]


@pytest.mark.parametrize("sql", ["DELETE FROM t", "SELECT 1; SELECT 2", "", "CREATE TABLE u (a)"])
def test_what_is_no_query_is_refused_and_changes_nothing(
    table: Table, database: SqliteDatabase, sql: str
) -> None:
    table("a", (1,))
    with pytest.raises(StatementRefused, match="refuses the statement") as caught:
        read(database, sql)
    assert "aqueduct" not in str(caught.value)


def test_a_database_that_another_one_writes_can_be_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY", 1)
    load = TableLoad(TableName("", "t"), "replace", "k" * 64, "d" * 64, "run")
    with (
        closing(sqlite.connect("SQLite", {"database": str(path)})) as other,
        closing(sqlite.connect("SQLite", {"database": str(path)})) as database,
    ):
        other.run("BEGIN EXCLUSIVE")
        with pytest.raises(DataSystemUnavailable, match="did not do its work: database is locked") as caught:
            database.write(batches(pa.table({"a": [1]})), load)
        assert is_retryable(caught.value)


def test_tables_are_ours_and_not_sqlites(table: Table, database: SqliteDatabase) -> None:
    table("a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE", (1, 2))
    database.run("CREATE TABLE sqliteish (a)")
    database.run("CREATE TABLE aqueduct_loads (a)")
    assert database.tables() == ["sqliteish", "t"]


def test_decimals_keep_all_their_digits(database: SqliteDatabase) -> None:
    many = Decimal("1234567890123456789.0123456789")
    data = pa.table({"a": pa.array([many, None], pa.decimal128(38, 10))})
    database.write(batches(data), TableLoad(TableName("main", "t"), "fail", "k" * 64, "d" * 64, "run"))
    assert [text and Decimal(text) for text in read(database, "SELECT a FROM t").column(0).to_pylist()] == [
        many,
        None,
    ]


def test_a_file_may_be_opened_to_read_only(tmp_path: Path) -> None:
    path = tmp_path / "a b?#%.db"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE t (a INT)")
    with closing(sqlite.connect("SQLite", {"database": str(path), "options": {"mode": "ro"}})) as opened:
        assert opened.tables() == ["t"]
        with pytest.raises(DataSystemError, match="readonly"):
            opened.run("CREATE TABLE u (a INT)")
    with pytest.raises(ConfigError, match=r"The options of SQLite: moed is unknown, did you mean 'mode'"):
        sqlite.connect("SQLite", {"database": str(path), "options": {"moed": "ro"}})


# --- names that are taken


def _write(database: SqliteDatabase, mode: Any, schema: str, name: str) -> int | None:
    load = TableLoad(TableName(schema, name), mode, "a" * 64, "d" * 64, "run")
    return database.write(batches(pa.table({"n": [7]})), load)


@pytest.mark.parametrize("schema", ["", "main", "MAIN"])
@pytest.mark.parametrize(("mode", "left"), [("append", [1, 7]), ("fail", [1]), ("replace", [7])])
def test_a_table_whose_name_differs_in_case_is_the_same_table(
    database: SqliteDatabase, path: Path, schema: str, mode: str, left: list[int]
) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE Target (n INTEGER)")
        other.execute("INSERT INTO Target VALUES (1)")
    if mode == "fail":
        with pytest.raises(LoadRefused, match="exists already"):
            _write(database, mode, schema, "target")
    else:
        assert _write(database, mode, schema, "target") == 1
    with closing(sqlite3.connect(path)) as other:
        assert [n for (n,) in other.execute("SELECT n FROM Target ORDER BY n")] == left


@pytest.mark.parametrize("mode", ["append", "fail", "replace"])
def test_the_name_of_an_index_is_refused_and_nothing_changes(
    database: SqliteDatabase, path: Path, mode: str
) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE t (n INTEGER)")
        other.execute("CREATE INDEX Target ON t (n)")
    with pytest.raises(StatementRefused, match="already another table or index with this name: target"):
        _write(database, mode, "", "target")
    database.close()
    with closing(sqlite3.connect(path)) as other:
        names = other.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
    assert names == [("Target",), ("t",)]


def test_a_schema_that_the_file_has_not_is_refused(database: SqliteDatabase) -> None:
    with pytest.raises(LoadRefused, match=r"only the schema main: write t instead of temp\.t"):
        _write(database, "append", "temp", "t")

"""How a column of SQLite is read: by what it was declared, where all its values fit that."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from aqueduct_provider.connectors.sqlite.types import (
    DeclaredColumn,
    Seen,
    column_of,
    declared_kind,
    questions,
    seen,
)


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("boolean", "boolean"),
        ("BOOL", "boolean"),
        ("date", "date"),
        ("Time", "time"),
        ("DATETIME", "timestamp"),
        ("TIMESTAMP(6)", "timestamp"),
        ("TIMESTAMP WITH TIME ZONE", "timestamp"),
        ("JSON", "json"),
        ("DECIMAL(10, 2)", "decimal"),
        ("NUMERIC(10)", "decimal"),
        ("DECIMAL_TEXT(38, 10)", "decimal"),
        ("DECIMAL", ""),
        ("BIGINT", "integer"),
        ("UNSIGNED BIG INT", "integer"),
        ("DOUBLE PRECISION", "float"),
        ("FLOAT", "float"),
        ("REAL", "float"),
        ("BLOB", "bytes"),
        ("VARCHAR(10)", ""),
        ("", ""),
    ],
)
def test_what_a_declared_type_stands_for(declared: str, kind: str) -> None:
    assert declared_kind(declared) == kind


def asked(declared: str, *values: Any) -> Seen:
    """What SQLite itself answers about a column."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute('CREATE TABLE t ("a""b", z)')
        connection.executemany("INSERT INTO t VALUES (?, 1)", [(value,) for value in values])
        columns = questions([('"a""b"', declared), ("z", "")])
        rows: Sequence[Any] = connection.execute(f"SELECT DISTINCT {columns} FROM t").fetchall()
    first, second = seen(rows, 2)
    assert second.storage == (frozenset({"integer"}) if values else frozenset())
    return first


@pytest.mark.parametrize(
    ("values", "common"),
    [
        ((), ""),
        ((None,), ""),
        ((1, None), "INTEGER"),
        ((1, 1.5), "REAL"),
        ((1, "x", 1.5), "TEXT"),
        (("x", b"x", None), "BLOB"),
    ],
)
def test_the_storage_class_that_takes_all(values: tuple[Any, ...], common: str) -> None:
    assert asked("", *values).common == common


@pytest.mark.parametrize(
    ("declared", "values", "kind"),
    [
        ("BOOLEAN", (0, 1, None), "boolean"),
        ("BOOLEAN", (0, 2), ""),
        ("DATE", ("2020-01-01",), "date"),
        ("DATE", ("2020-01-01", "2020-1-1"), ""),
        ("TIME", ("10:30", "10:30:15.25"), "time"),
        ("DATETIME", ("2020-01-01 10:30", "2020-01-01T10:30:15"), "timestamp"),
        ("DATETIME", ("2020-01-01 10:30Z", "2020-01-01T10:30:15-05:00"), "timestamptz"),
        ("DATETIME", ("2020-01-01 10:30Z", "2020-01-01T10:30:15"), ""),
        ("DATETIME", (), "timestamp"),
        ("DECIMAL(5, 2)", (1, 1.5, "x"), "decimal"),
        ("DECIMAL(5, 2)", (b"x",), ""),
        ("FLOAT", (1,), "float"),
        ("FLOAT", ("x",), ""),
        ("JSON", ("[1]",), "json"),
        ("JSON", (1,), ""),
        # SQLite makes numbers of text here.
        ("JSON", (1, "[1]"), "json"),
        ("", (1, "x", None), "objects"),
        ("REAL", (1.5, "x"), "objects"),
        ("BOOLEAN", (1, "yes"), "objects"),
        ("", ("x", b"x"), ""),
    ],
)
def test_a_declared_type_counts_where_all_values_fit(
    declared: str, values: tuple[Any, ...], kind: str
) -> None:
    assert column_of("a", declared, asked(declared, *values)).kind == kind


def test_a_column_is_converted_only_where_it_must_be() -> None:
    def expression(declared: str, *values: Any) -> str:
        return column_of("a", declared, asked(declared, *values)).expression('"a"')

    assert expression("", 1, 2, None) == '"a"'
    assert expression("", 1, 2.5) == 'CAST("a" AS REAL)'
    assert expression("", "t", b"x") == 'CAST("a" AS BLOB)'
    assert expression("DECIMAL(5, 2)", 1) == 'CAST("a" AS TEXT)'


@pytest.mark.parametrize(
    ("storage", "kind"), [("INTEGER", "integer"), ("REAL", "real"), ("TEXT", "text"), ("BLOB", "blob")]
)
def test_the_first_row_has_an_example_of_the_storage_class(storage: str, kind: str) -> None:
    example = DeclaredColumn("a", storage, "", is_mixed=False).example
    with closing(sqlite3.connect(":memory:")) as connection:
        assert connection.execute(f"SELECT typeof({example})").fetchone() == (kind,)

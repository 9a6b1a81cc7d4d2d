"""Statements, rows and errors of ADBC, on SQLite's driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import adbc_driver_sqlite.dbapi as adbc
import pyarrow as pa
import pytest

from aqueduct_provider.connectors.sql.adbc import AdbcDatabase
from aqueduct_provider.errors import DataSystemError, StatementRefused
from tests.support.arrow_tables import batches, cut_off

# Overflows at the second row, when the first one is there.
LATE = "SELECT abs(a) AS a FROM (SELECT 1 AS a UNION ALL SELECT -9223372036854775807 - 1)"


class Database(AdbcDatabase):
    @staticmethod
    def error(what: str, cause: Any) -> DataSystemError:
        return StatementRefused(f"{what}: {type(cause).__name__}")


@pytest.fixture
def session() -> Iterator[Database]:
    session = Database(adbc.connect(":memory:", autocommit=True), "Here")
    yield session
    session.close()


def test_statements_and_rows(session: Database) -> None:
    session.run("CREATE TABLE t (a, b)")
    session.run("INSERT INTO t VALUES (?, ?)", 1, "x'y")
    assert session.rows("SELECT b, a FROM t WHERE a = ?", 1) == [("x'y", 1)]
    assert session.rows("SELECT a FROM t WHERE a = 2") == []


def test_rows_come_in_bulk(session: Database) -> None:
    session.run("CREATE TABLE t (a)")
    assert session.ingest(batches(pa.table({"a": list(range(2500))})), "t") == 2500
    with session.cursor() as cursor:
        cursor.execute("SELECT a FROM t")
        records = session.records(cursor)
        assert records.schema.names == ["a"]
        assert sum(batch.num_rows for batch in records.batches) == 2500


def test_the_drivers_errors_become_ours(session: Database) -> None:
    with pytest.raises(StatementRefused, match="Here: ProgrammingError") as caught:
        session.run("SELEC 1")
    assert isinstance(caught.value.__cause__, adbc.ProgrammingError)
    with pytest.raises(StatementRefused):
        session.rows("SELECT * FROM nope")


def test_errors_while_rows_come_become_ours_too(session: Database) -> None:
    with session.cursor(**{"adbc.sqlite.query.batch_rows": "1"}) as cursor:
        cursor.execute(LATE)
        records = session.records(cursor).batches
        assert next(records).num_rows == 1
        with pytest.raises(StatementRefused, match=r"^Here: "):
            list(records)


def test_what_is_no_error_of_the_database_stays_what_it_is(session: Database) -> None:
    def failing() -> None:
        with Database.translate_errors("Here"):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        failing()
    session.run("CREATE TABLE t (n, t)")
    with pytest.raises(RuntimeError, match=r"^the artifact cannot be read on$"):
        session.ingest(cut_off(pa.table({"n": [1], "t": ["x"]})), "t")

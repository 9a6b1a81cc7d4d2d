"""Statements and transactions by a DB-API driver: here that of the standard library."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.connectors.sql.dbapi import DbApiDatabase
from aqueduct_provider.connectors.sqlite.system import SQLITE
from aqueduct_provider.errors import (
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    LoadRefused,
    StatementRefused,
)


class _Database(DbApiDatabase):
    dialect = SQLITE
    version_query = "SELECT sqlite_version() || char(10) || 'more'"
    version_format = "SQLite {}"
    tables_query = "SELECT 'main', name, name <> 'HIDDEN' FROM sqlite_master ORDER BY 2"

    def _execute(self, cursor: Any, sql: str, values: Sequence[Any]) -> None:
        cursor.execute(sql, values)

    @staticmethod
    def driver_errors() -> tuple[type[Exception], ...]:
        return (sqlite3.Error,)

    @staticmethod
    def judge(error: Any, refused: type[DataSystemError]) -> tuple[type[DataSystemError], str]:
        return refused, str(error)

    def _shown(self, name: str) -> str:
        return name.upper()

    def insert(self, *values: int, commit: bool) -> None:
        with self._transaction(LoadRefused):
            for value in values:
                self.run("INSERT INTO t VALUES (?)", value)
            if commit:
                self._connection.commit()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[_Database]:
    with closing(_Database(sqlite3.connect(tmp_path / "file.db"), "the shop")) as opened:
        opened.run("CREATE TABLE t (a INT UNIQUE)")
        yield opened


def test_who_answers(database: _Database) -> None:
    assert database.check() == f"the shop answers: SQLite {sqlite3.sqlite_version}."


def test_a_server_that_does_not_tell_its_version(
    database: _Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Database, "version_query", "SELECT ''")
    assert database.check() == "the shop answers: SQLite ."


def test_tables_by_the_names_that_users_write(database: _Database) -> None:
    database.run("CREATE TABLE hidden (a INT)")
    assert set(database.tables()) == {"HIDDEN", "T", "SQLITE_AUTOINDEX_T_1"}


def test_what_is_not_committed_is_rolled_back(database: _Database) -> None:
    database.insert(1, commit=True)
    database.insert(2, commit=False)
    with pytest.raises(LoadRefused, match=r"^the shop refuses the statement: UNIQUE constraint failed"):
        database.insert(3, 1, commit=True)
    assert database.rows("SELECT a FROM t") == [(1,)]


def test_errors_of_a_query(database: _Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Database, "version_query", "SELECT missing FROM t")
    with pytest.raises(StatementRefused, match="no such column: missing"):
        database.check()


def test_closing_twice_is_quiet(database: _Database) -> None:
    database.close()
    database.close()
    with pytest.raises(sqlite3.ProgrammingError):
        database.rows("SELECT 1")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (DataSystemLoginFailed, "x refuses the login: why. Correct the connection."),
        (DataSystemUnavailable, "x does not answer as it should: why."),
        (LoadRefused, "x refuses the statement: why."),
    ],
)
def test_each_class_of_error_has_its_words(kind: type[DataSystemError], message: str) -> None:
    with pytest.raises(kind) as found, _Database.translate_errors("x", kind):
        raise sqlite3.Error("why")
    assert type(found.value) is kind
    assert str(found.value) == message

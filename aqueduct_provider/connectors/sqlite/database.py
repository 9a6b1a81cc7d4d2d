"""SQLite, through ADBC: a file on the worker.

A column of SQLite holds values of any type, and ADBC takes the type of the first ones. So the types of a
result are found first, in the same transaction: those of its values, and those that its columns were declared
with (``types.py``).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from aqueduct_provider.connectors.sql import idempotent_load
from aqueduct_provider.connectors.sql.adbc import AdbcDatabase
from aqueduct_provider.connectors.sql.column_types import column_definitions, prepared
from aqueduct_provider.connectors.sql.query import Statement
from aqueduct_provider.connectors.sqlite.system import SQLITE
from aqueduct_provider.connectors.sqlite.types import DeclaredColumn, Seen, column_of, questions, seen, typed
from aqueduct_provider.connectors.system_options import options_of
from aqueduct_provider.connectors.tables.model import Batches, Config, TableLoad, TableName, config_text
from aqueduct_provider.errors import (
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    LoadRefused,
    StatementRefused,
)
from aqueduct_provider.protected_keys import LEDGER
from aqueduct_provider.storage.files import expanded

# Milliseconds to wait for another connection that writes.
_BUSY = 60_000
_BATCH_ROWS = "65536"
# Columns that are looked through at once: SQLite's results have 2,000 at most, with two answers for each.
_COLUMNS = 500


def connect(connector: str, config: Config) -> SqliteDatabase:
    """Open a connection, and create the file if needed. Raises ``DataSystemError``."""
    import adbc_driver_sqlite.dbapi as adbc

    path = expanded(config_text(config, "database"))
    if not path.parent.is_dir():
        raise DataSystemLoginFailed(
            f"The folder {path.parent} of the SQLite database {path.name} does not exist on this machine. "
            "Correct the database's path: it is that on the machine where the operator runs."
        )
    what, options = f"{connector} {path}", options_of(connector, config)
    declared = options.pop("types", "declared") != "values"
    place = f"file:{quote(str(path))}?{urlencode(options)}" if options else str(path)
    with SqliteDatabase.translate_errors(what):
        database = SqliteDatabase(adbc.connect(place, autocommit=True), what, declared)
    database.rows(f"PRAGMA busy_timeout = {_BUSY}")
    return database


@dataclass(eq=False, repr=False)
class SqliteDatabase(AdbcDatabase):
    """An open connection; a ``Database``, and a ``Writer`` of ``idempotent_load.py``.

    :param declared: whether declared types count, or those of the values alone, as in the original.
    """

    declared: bool
    dialect = SQLITE

    @staticmethod
    def error(what: str, cause: Any) -> DataSystemError:
        text = re.split(r"\nquery:", str(cause))[0]
        text = re.sub(r"^[A-Z_]+:\s*(?:\[SQLite\]\s*)?(?:Failed to \w+ query:\s*)?", "", text)
        text = text.strip().rstrip(".")
        if re.search("database is locked|disk I/O error|database or disk is full", text):
            return DataSystemUnavailable(f"{what} did not do its work: {text}.")
        if re.search("unable to open|failed to open|not a database", text):
            return DataSystemLoginFailed(f"{what} cannot be opened: {text}. Correct the database's path.")
        return StatementRefused(f"{what} refuses the statement: {text}.")

    def check(self) -> str:
        ((version,),) = self.rows("SELECT sqlite_version()")
        ((count,),) = self.rows("SELECT count(*) FROM sqlite_master")
        return f"{self.what} answers: SQLite {version}, with {count} tables, views and indexes."

    def tables(self) -> list[str]:
        names = self.rows(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' "
            f"ESCAPE '\\' AND name <> '{LEDGER}' ORDER BY name"
        )
        return [name for (name,) in names]

    # --- reading

    @contextmanager
    def read(self, statement: Statement) -> Iterator[Batches]:
        self.run("BEGIN")
        columns = self._columns(statement)
        with self.cursor(**{"adbc.sqlite.query.batch_rows": _BATCH_ROWS}) as cursor:
            cursor.execute(_with_types(statement.sql(), columns), tuple(statement.values) or None)
            yield typed(columns, self.records(cursor))
        self.run("COMMIT")

    def _columns(self, statement: Statement) -> list[DeclaredColumn]:
        kinds = self._declared_types(statement)
        names = self._names(statement)
        if not self.declared:
            kinds = [""] * len(kinds)
        found: list[Seen] = []
        for place in range(0, len(kinds), _COLUMNS):
            found += self._seen(statement, len(kinds), range(place, min(place + _COLUMNS, len(kinds))), kinds)
        return [
            column_of(name, kind, values, bytes_as_text=not self.declared)
            for name, kind, values in zip(names, kinds, found, strict=True)
        ]

    def _declared_types(self, statement: Statement) -> list[str]:
        """Return what the columns were declared with. A view has these types, but takes no parameters."""
        view = SQLITE.quote(_unused_name())
        self.run(f"CREATE TEMP VIEW {view} AS {statement.sql(lambda _: 'NULL')}")
        declared = [row[2] or "" for row in self.rows(f"PRAGMA temp.table_info({view})")]
        self.run(f"DROP VIEW temp.{view}")
        return declared

    def _names(self, statement: Statement) -> list[str]:
        """Return the names of the columns: those of a view or a subquery are not always the same."""
        with self.cursor(**{"adbc.sqlite.query.batch_rows": "1"}) as cursor:
            cursor.execute(statement.sql(), tuple(statement.values) or None)
            return [name for name, *_ in cursor.description]

    def _seen(self, statement: Statement, count: int, places: range, kinds: list[str]) -> list[Seen]:
        """Return what the values of the columns at these places are like."""
        asked = questions([(_place(place), kinds[place]) for place in places])
        sql = _from_result(f"SELECT DISTINCT {asked} FROM", statement.sql(), count)
        return seen(self.rows(sql, *statement.values), len(places))

    # --- writing

    def write(self, data: Batches, load: TableLoad) -> int | None:
        if load.table.schema.lower() not in ("", "main"):
            raise LoadRefused(
                f"{self.what} has only the schema main: write {load.table.name} instead of {load.table}."
            )
        # Other writers wait from here on, readers see what was there before.
        self.run("BEGIN IMMEDIATE")
        rows = idempotent_load.write(self, data, load)
        self.run("COMMIT")
        return rows

    def create_markers(self, load: TableLoad) -> None:
        self.run(f"CREATE TABLE IF NOT EXISTS {idempotent_load.markers_definition(SQLITE, load)}")

    def exists(self, table: TableName) -> bool:
        """Check for a table or view of this name; SQLite stores the case of names, but ignores it."""
        sql = "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE"
        return bool(self.rows(sql, table.name))

    def append(self, data: Batches, load: TableLoad) -> int:
        return self.ingest(prepared(data, SQLITE), load.table.name)

    def create(self, data: Batches, load: TableLoad) -> int:
        staging = SQLITE.quote(load.staging)
        self.run(f"CREATE TABLE {staging} ({column_definitions(data.schema, SQLITE)})")
        rows = self.ingest(prepared(data, SQLITE), load.staging)
        if load.mode == "replace":
            self.run(f"DROP TABLE IF EXISTS {SQLITE.render_name(load.table.parts)}")
        # Refused where the name is taken, such as by an index.
        self.run(f"ALTER TABLE {staging} RENAME TO {SQLITE.quote(load.table.name)}")
        return rows


def _with_types(sql: str, columns: list[DeclaredColumn]) -> str:
    """Return the query preceded by one row that gives ADBC the types; ``typed`` drops it."""
    first = ", ".join(f"{column.example} AS {_place(place)}" for place, column in enumerate(columns))
    rest = ", ".join(column.expression(_place(place)) for place, column in enumerate(columns))
    return _from_result(f"SELECT {first} UNION ALL SELECT {rest} FROM", sql, len(columns))


def _from_result(select: str, sql: str, count: int) -> str:
    """Return a query over the result of another, whose columns it names by :func:`_place`.

    Their own names would not do: SQLite takes a name in double quotes that is not a column for a string.
    """
    result = SQLITE.quote(_unused_name())
    return f"WITH {result}({', '.join(map(_place, range(count)))}) AS (\n{sql}\n) {select} {result}"


def _place(number: int) -> str:
    return f"c{number}"


def _unused_name() -> str:
    """Return a table name that the query does not use."""
    return f"aqueduct_{uuid.uuid4().hex}"

"""Redshift, through Amazon's own driver: Postgres' protocol, values bound on the server.

Loads are multi-row INSERTs into a temporary table, and then one transaction: COPY would need a bucket and a
role.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from aqueduct_provider.connectors.redshift.rows import ArrivingRows, chunks
from aqueduct_provider.connectors.redshift.system import REDSHIFT
from aqueduct_provider.connectors.sql import idempotent_load
from aqueduct_provider.connectors.sql.column_types import column_definitions, prepared
from aqueduct_provider.connectors.sql.dbapi import DbApiDatabase
from aqueduct_provider.connectors.sql.query import Statement
from aqueduct_provider.connectors.system_options import driver_options
from aqueduct_provider.connectors.tables.model import Batches, Config, TableLoad, TableName, config_text
from aqueduct_provider.errors import (
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    LoadRefused,
    StatementRefused,
)
from aqueduct_provider.protected_keys import LEDGER

# Classes of SQLSTATE in which a second try can help: connection, transaction, resources, operator, system.
_PASSING = ("08", "40", "53", "55", "57", "58")
_LOGIN = ("28", "3D")
# duplicate_table; and, where the other program committed only just now, unique_violation in the catalog.
_TAKEN = ("42P07", "23505")
# What Redshift says of a conflict of transactions, with the SQLSTATE of an internal error.
_CONFLICTS = ("serializable isolation violation", "concurrent transaction", "deadlock")


def connect(connector: str, config: Config) -> RedshiftDatabase:
    """Open a connection. Raises ``DataSystemError``."""
    import redshift_connector

    host, port = config_text(config, "host"), config_text(config, "port", "5432")
    database = config_text(config, "database")
    what = f"{connector} {database!r} at {host}:{port}"
    options = {"application_name": "aqueduct", **driver_options(connector, config)}
    with RedshiftDatabase.translate_errors(what):
        try:
            connection = redshift_connector.connect(
                user=config_text(config, "username"),
                password=config_text(config, "password"),
                database=database,
                host=host,
                port=int(port),
                # Statements differ from each other: none is worth its place on the server.
                max_prepared_statements=0,
                **options,
            )
        except TypeError as exc:
            raise DataSystemLoginFailed(f"{what}: an option of the connection is unknown: {exc}.") from exc
    return RedshiftDatabase(connection, what)


class RedshiftDatabase(DbApiDatabase):
    """An open connection; a ``Database``."""

    dialect = REDSHIFT
    version_query = "SELECT version()"
    tables_query = (
        "SELECT table_schema, table_name, table_schema = current_schema() "
        "FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'pg_internal') "
        f"AND table_type IN ('BASE TABLE', 'VIEW') AND table_name <> '{LEDGER}' "
        "ORDER BY 3 DESC, 1, 2"
    )

    @contextmanager
    def read(self, statement: Statement) -> Iterator[Batches]:
        with tempfile.TemporaryFile() as file, closing(self._connection.cursor()) as cursor:
            rows = ArrivingRows(cursor, file)
            # The driver gives rows when all have come, and keeps them here until then.
            cursor._cached_rows = rows
            with self._transaction(StatementRefused):
                self._execute(cursor, statement.sql(), statement.values)
                table = rows.table()
            yield table

    def write(self, data: Batches, load: TableLoad) -> int | None:
        """Write the rows to a temporary table first, to keep the transaction of the load short."""
        self._create_markers(load)
        with self._transaction(LoadRefused):
            if load.mode != "replace" and idempotent_load.is_done(
                self.rows(idempotent_load.find_marker(REDSHIFT, load), load.key), load
            ):
                return None
            if load.mode == "fail" and self.exists(load.table):
                raise idempotent_load.table_exists(load)
            staged = _Staged(self, self._stage(data, load))
            self._connection.commit()
        with self._transaction(LoadRefused):
            # Loads into one schema wait here for each other, before their transactions have read anything.
            self.run(f"LOCK TABLE {_name(idempotent_load.markers_table(load))}")
            rows = idempotent_load.write(staged, Batches(data.schema, iter(())), load)
            self.run(f"DROP TABLE {REDSHIFT.quote(load.staging)}")
            self._connection.commit()
        return rows

    def _create_markers(self, load: TableLoad) -> None:
        create = f"CREATE TABLE IF NOT EXISTS {idempotent_load.markers_definition(REDSHIFT, load)}"
        for is_last in (False, True):
            try:
                with self._transaction(LoadRefused):
                    self.run(create)
                    self._connection.commit()
                return
            except DataSystemError:
                # Another load may have created it in between.
                if is_last:
                    raise

    def _stage(self, data: Batches, load: TableLoad) -> int:
        name = REDSHIFT.quote(load.staging)
        self.run(f"DROP TABLE IF EXISTS {name}")
        self.run(f"CREATE TEMPORARY TABLE {name} ({column_definitions(data.schema, REDSHIFT)})")
        rows = 0
        for places, values, count in chunks(prepared(data, REDSHIFT)):
            self.run(f"INSERT INTO {name} VALUES {places}", *values)
            rows += count
        return rows

    def exists(self, table: TableName) -> bool:
        """Check for a table or view of this name."""
        return self.schema_of(table) is not None

    def schema_of(self, table: TableName) -> str | None:
        """Return the schema that holds a table; None: no schema that the name can mean.

        A name without a schema means the first of the search path that holds it. Redshift stores names in
        lower case unless ``enable_case_sensitive_identifier`` is set.
        """
        condition = "lower(nspname) = $2" if table.schema else "pg_table_is_visible(pg_class.oid)"
        names = [name.lower() for name in reversed(table.parts)]
        sql = (
            "SELECT nspname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
            f"WHERE lower(relname) = $1 AND {condition}"
        )
        found = self.rows(sql, *names)
        return str(found[0][0]) if found else None

    # --- statements

    def _execute(self, cursor: Any, sql: str, values: Sequence[Any]) -> None:
        """Run a statement whose places are ``$1``, ``$2``, ...

        The driver, which would rewrite these placeholders, is given a parameter style that the statement does
        not use.
        """
        if values and all(character in sql for character in "?:\\"):
            raise StatementRefused(
                "A query with parameters cannot hold a question mark, a colon and a backslash at once, for "
                "the driver would misread it: write its strings without backslashes, such as '' for \\'."
            )
        cursor.paramstyle = "numeric" if "?" in sql and ":" not in sql else "qmark"
        cursor.execute(sql, list(values) or None)

    @staticmethod
    def driver_errors() -> tuple[type[Exception], ...]:
        from redshift_connector import Error

        return Error, OSError

    @staticmethod
    def judge(error: Any, refused: type[DataSystemError]) -> tuple[type[DataSystemError], str]:
        from redshift_connector import InterfaceError, OperationalError

        fields = _fields(error)
        state = fields.get("C", "")
        text = (fields.get("M") or ": ".join(map(str, error.args))).strip().rstrip(".")
        if state.startswith(_LOGIN):
            return DataSystemLoginFailed, text
        is_cut = not fields and isinstance(error, (OSError, InterfaceError, OperationalError))
        if is_cut or state.startswith(_PASSING) or any(words in text.lower() for words in _CONFLICTS):
            return DataSystemUnavailable, text
        return refused, text


@dataclass(frozen=True)
class _Staged:
    """Rows in their temporary table; a ``Writer`` of ``idempotent_load.py``."""

    database: RedshiftDatabase
    count: int
    dialect = REDSHIFT

    def run(self, sql: str, *values: Any) -> None:
        self.database.run(sql, *values)

    def rows(self, sql: str, *values: Any) -> Sequence[Sequence[Any]]:
        return self.database.rows(sql, *values)

    def create_markers(self, load: TableLoad) -> None:
        """Nothing: the table is there, for it is what loads wait at."""

    def exists(self, table: TableName) -> bool:
        return self.database.exists(table)

    def append(self, data: Batches, load: TableLoad) -> int:
        columns = ", ".join(map(REDSHIFT.quote, data.schema.names))
        staging = REDSHIFT.quote(load.staging)
        self.run(f"INSERT INTO {_name(load.table)} ({columns}) SELECT {columns} FROM {staging}")
        return self.count

    def create(self, data: Batches, load: TableLoad) -> int:
        from redshift_connector import Error

        if load.mode == "replace":
            # The search path may find the old table in another schema than the one of new tables.
            schema = self.database.schema_of(load.table) or load.table.schema
            load = replace(load, table=TableName(schema, load.table.name))
            self.run(f"DROP TABLE IF EXISTS {_name(load.table)}")
        try:
            self.run(f"CREATE TABLE {_name(load.table)} ({column_definitions(data.schema, REDSHIFT)})")
        except Error as error:
            if load.mode != "replace" and _fields(error).get("C") in _TAKEN:
                raise idempotent_load.name_taken(load) from error
            raise
        return self.append(data, load)


def _name(table: TableName) -> str:
    return REDSHIFT.render_name(table.parts)


def _fields(error: Exception) -> dict[str, str]:
    """Return the fields of the server's answer; empty for the driver's own errors."""
    return error.args[0] if error.args and isinstance(error.args[0], dict) else {}

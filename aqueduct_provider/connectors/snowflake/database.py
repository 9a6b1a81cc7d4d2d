"""Snowflake, through its own connector: Arrow from query results, values bound on the server.

Loads go as Parquet files to the stage of a temporary table, and from there in one statement, or one
transaction, to the target. Names follow SQLAlchemy's rule, and so the original's: a lower-case name is
Snowflake's upper-case one, which needs no quotes in SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

from aqueduct_provider.connectors.snowflake.login import login_of, refuse_unknown, session_parameters
from aqueduct_provider.connectors.snowflake.system import SNOWFLAKE, stored
from aqueduct_provider.connectors.snowflake.types import (
    Staging,
    arrow_batches,
    parts,
    result_schema,
    shown,
    staging_of,
)
from aqueduct_provider.connectors.sql import dbapi_rows as arriving
from aqueduct_provider.connectors.sql import idempotent_load
from aqueduct_provider.connectors.sql.dbapi import DbApiDatabase
from aqueduct_provider.connectors.sql.query import Statement
from aqueduct_provider.connectors.system_options import driver_options
from aqueduct_provider.connectors.tables.model import Batches, Config, TableLoad, TableName, config_text
from aqueduct_provider.errors import (
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    LoadRefused,
)
from aqueduct_provider.protected_keys import LEDGER
from aqueduct_provider.storage.held_folder import temporary_folder

# A second try can help: locks that were waited for in vain, and sessions that ended.
_PASSING = {604, 625, 390111, 390112, 390114, 390115, 390195}
_EXISTS = {2002, 2003}


def connect(connector: str, config: Config) -> SnowflakeDatabase:
    """Open a connection. Raises ``DataSystemError``."""
    import snowflake.connector

    account = config_text(config, "account_identifier")
    what = f"{connector} {config_text(config, 'database')!r} of {account}"
    options = driver_options(connector, config)
    refuse_unknown(connector, options)
    login = login_of(what, config_text(config, "password"), options)
    settings = {
        "account": account,
        "user": config_text(config, "username"),
        "database": config_text(config, "database"),
        "warehouse": config_text(config, "warehouse"),
        "schema": config_text(config, "schema", "public"),
        "role": config_text(config, "role") or None,
        "application": "aqueduct",
        "login_timeout": 30,
        **options,
        **login,
        "paramstyle": "qmark",
        # Otherwise decimals would come as floats.
        "arrow_number_to_decimal": True,
        "session_parameters": {**session_parameters(what, options), "TIMEZONE": "UTC"},
    }
    with SnowflakeDatabase.translate_errors(what, DataSystemLoginFailed):
        return SnowflakeDatabase(snowflake.connector.connect(**settings), what)


class SnowflakeDatabase(DbApiDatabase):
    """An open connection; a ``Database``."""

    dialect = SNOWFLAKE
    version_query = "SELECT CURRENT_VERSION()"
    version_format = "Snowflake {}"
    tables_query = (
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_SCHEMA = CURRENT_SCHEMA() "
        "FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA <> 'INFORMATION_SCHEMA' "
        f"AND TABLE_NAME <> '{stored(LEDGER)}' ORDER BY 3 DESC, 1, 2"
    )

    @contextmanager
    def read(self, statement: Statement) -> Iterator[Batches]:
        from snowflake.connector import NotSupportedError

        with self.translate_errors(self._what), closing(self._connection.cursor()) as cursor:
            cursor.execute(statement.sql(), statement.values or None)
            schema = result_schema(cursor.description)
            try:
                tables = cursor.fetch_arrow_batches(force_microsecond_precision=True)
            except NotSupportedError:
                # SHOW and its like give no Arrow.
                yield arriving.batches(schema, cursor.fetchmany)
            else:
                yield Batches(schema, arrow_batches(tables, schema))

    # --- writing

    def write(self, data: Batches, load: TableLoad) -> int | None:
        with self.translate_errors(self._what, LoadRefused):
            if load.mode == "replace":
                with self._staged(data, load) as staging:
                    self.run(staging.create_as(load.table, "CREATE OR REPLACE TABLE", "COPY GRANTS"))
                    return staging.rows
            return self._write_once(data, load)

    def _write_once(self, data: Batches, load: TableLoad) -> int | None:
        self._begin_marker(load)
        comment = self._comment(load.table)
        if self._is_done(load) or _is_made_by(comment, load):
            return None
        if comment is not None and load.mode == "fail":
            raise idempotent_load.table_exists(load)
        with self._staged(data, load) as staging:
            if comment is None and self._create(staging, load):
                self._end_marker(load, staging.rows)
                return staging.rows
            return self._append(staging, load)

    def _begin_marker(self, load: TableLoad) -> None:
        """Write an empty marker, on which concurrent tries of one load wait for each other."""
        markers = SNOWFLAKE.render_name(idempotent_load.markers_table(load).parts)
        definition = idempotent_load.markers_definition(SNOWFLAKE, load, time="TIMESTAMP_LTZ")
        self.run(f"CREATE TABLE IF NOT EXISTS {definition}")
        key, target, run, _, _ = idempotent_load.marker(load, 0)
        self.run(
            f"INSERT INTO {markers} (load_key, target, run) SELECT ?, ?, ? "
            f"WHERE NOT EXISTS (SELECT 1 FROM {markers} WHERE load_key = ?)",
            *(key, target, run, key),
        )

    def _end_marker(self, load: TableLoad, rows: int) -> None:
        markers = SNOWFLAKE.render_name(idempotent_load.markers_table(load).parts)
        sql = f"UPDATE {markers} SET digest = ?, row_count = ? WHERE load_key = ?"
        self.run(sql, load.digest, rows, load.key)

    def _is_done(self, load: TableLoad) -> bool:
        sql = f"{idempotent_load.find_marker(SNOWFLAKE, load)} AND digest IS NOT NULL"
        return idempotent_load.is_done(self.rows(sql, load.key), load)

    def _comment(self, table: TableName) -> str | None:
        """Return a table's comment; None: the table does not exist."""
        *database, schema = table.schema.split(".")
        catalog = SNOWFLAKE.render_name((*database, "INFORMATION_SCHEMA", "TABLES"))
        found = self.rows(
            f"SELECT COMMENT FROM {catalog} WHERE TABLE_NAME = ? "
            f"AND TABLE_SCHEMA = {'?' if schema else 'CURRENT_SCHEMA()'}",
            *([stored(table.name), stored(schema)] if schema else [stored(table.name)]),
        )
        return str(found[0][0] or "") if found else None

    def _create(self, staging: Staging, load: TableLoad) -> bool:
        """Create a table with its rows and the load's key as comment; false: another load created it."""
        from snowflake.connector import ProgrammingError

        try:
            mark = f"aqueduct_load {load.key} {load.digest} {staging.rows}"
            self.run(staging.create_as(load.table, "CREATE TABLE", f"COMMENT = '{mark}'"))
        except ProgrammingError as error:
            if error.errno not in _EXISTS or "already exists" not in str(error.msg):
                raise
            comment = self._comment(load.table)
            if load.mode == "fail" and not _is_made_by(comment, load):
                raise idempotent_load.table_exists(load) from error
            return _is_made_by(comment, load)
        return True

    def _append(self, staging: Staging, load: TableLoad) -> int | None:
        markers = SNOWFLAKE.render_name(idempotent_load.markers_table(load).parts)
        self.run("BEGIN")
        try:
            # Locks the marker to the end of the transaction.
            self.run(f"UPDATE {markers} SET loaded_at = CURRENT_TIMESTAMP WHERE load_key = ?", load.key)
            if self._is_done(load):
                return None
            self.run(staging.insert_into(load.table))
            self._end_marker(load, staging.rows)
            self.run("COMMIT")
        finally:
            with suppress(Exception):
                self.run("ROLLBACK")
        return staging.rows

    @contextmanager
    def _staged(self, data: Batches, load: TableLoad) -> Iterator[Staging]:
        """Write the rows to a temporary table, which only this session sees."""
        staging = staging_of(data.schema, stored(load.staging))
        self.run(staging.create)
        try:
            with temporary_folder("rows") as folder:
                for part, count in parts(data, folder):
                    self.run(staging.put(part))
                    staging.rows += count
                    part.unlink()
            if staging.rows:
                self.run(staging.copy)
            yield staging
        finally:
            with suppress(Exception):
                self.run(f"DROP TABLE IF EXISTS {staging.name}")

    # --- statements

    def _execute(self, cursor: Any, sql: str, values: Sequence[Any]) -> None:
        cursor.execute(sql, values or None)

    @staticmethod
    def driver_errors() -> tuple[type[Exception], ...]:
        from snowflake.connector import Error

        return (Error,)

    @staticmethod
    def judge(error: Any, refused: type[DataSystemError]) -> tuple[type[DataSystemError], str]:
        from snowflake.connector import DatabaseError, OperationalError
        from snowflake.connector.errors import ForbiddenError

        text = str(error.raw_msg or error.msg or error).strip().rstrip(".")
        if isinstance(error, ForbiddenError):
            return DataSystemLoginFailed, text
        # The connector raises no DatabaseError for answers of the service that do not concern the statement.
        is_answer = isinstance(error, DatabaseError) and not isinstance(error, OperationalError)
        return (refused if is_answer and error.errno not in _PASSING else DataSystemUnavailable), text

    @contextmanager
    def _transaction(self, refused: type[DataSystemError]) -> Iterator[None]:
        # Each statement commits itself, so that nothing is rolled back.
        with self.translate_errors(self._what, refused):
            yield

    def _shown(self, name: str) -> str:
        return shown(name)


def _is_made_by(comment: str | None, load: TableLoad) -> bool:
    """Return whether an earlier try of this load has created the table, with its rows.

    :param comment: of the table.
    """
    found = re.fullmatch(rf"aqueduct_load {load.key} (\w+) ([0-9]+)", comment or "")
    return bool(found) and idempotent_load.is_done([found.groups()] if found else [], load)

"""SQL Server and Azure SQL, through pymssql: FreeTDS in a wheel, and what Airflow's own hook uses.

A statement and its values are the arguments of ``sp_executesql``, so the server binds the values; pymssql
writes the arguments as literals, quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from typing import Any

from aqueduct_provider.connectors.sql import dbapi_rows as arriving
from aqueduct_provider.connectors.sql import idempotent_load
from aqueduct_provider.connectors.sql.column_types import column_definitions, prepared
from aqueduct_provider.connectors.sql.dbapi import DbApiDatabase
from aqueduct_provider.connectors.sql.query import Statement
from aqueduct_provider.connectors.sqlserver.system import SQL_SERVER
from aqueduct_provider.connectors.sqlserver.types import inserts, result_schema
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

# Numbers of errors. No such login or database, or the address is not let in.
_LOGIN = {4060, 18450, 18452, 18456, 18470, 40532, 40615}
# A second try can help: deadlocks, timeouts, broken connections, and what Azure calls transient.
_PASSING = {1205, 1222, 4221, 10053, 10054, 10060, 10928, 10929, 20047, 40143, 40197, 40501, 40613}
_PASSING |= {*range(20002, 20010), 49918, 49919, 49920}
# What sp_rename and CREATE TABLE answer where the name is taken.
_TAKEN = {15335, 2714}
# Types of the rows of a statement, by the server itself.
_DESCRIBE = (
    "SELECT name, system_type_name, error_message "
    "FROM sys.dm_exec_describe_first_result_set(@p1, @p2, 0) WHERE ISNULL(is_hidden, 0) = 0 "
    "ORDER BY column_ordinal"
)
# The longest text that does not need NVARCHAR(MAX).
_SHORT = 4000


def connect(connector: str, config: Config) -> SqlServerDatabase:
    """Open a connection. Raises ``DataSystemError``."""
    import pymssql

    host, port = config_text(config, "host"), config_text(config, "port", "1433")
    database = config_text(config, "database")
    what = f"{connector} {database!r} at {host}:{port}"
    options = {"login_timeout": 15, "appname": "aqueduct", **driver_options(connector, config)}
    if connector == "AzureSQL":
        options = {"encryption": "require", **options}
    with SqlServerDatabase.translate_errors(what):
        try:
            connection = pymssql.connect(
                host=host,
                port=port,
                user=config_text(config, "username"),
                password=config_text(config, "password"),
                database=database,
                **options,
            )
        except TypeError as exc:
            raise DataSystemLoginFailed(f"{what}: an option of the connection is unknown: {exc}.") from exc
    return SqlServerDatabase(connection, what)


class SqlServerDatabase(DbApiDatabase):
    """An open connection; a ``Database``, and a ``Writer`` of ``idempotent_load.py``."""

    dialect = SQL_SERVER
    version_query = "SELECT @@VERSION"
    tables_query = (
        "SELECT TABLE_SCHEMA, TABLE_NAME, CASE TABLE_SCHEMA WHEN SCHEMA_NAME() THEN 1 ELSE 0 END "
        f"FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME <> '{LEDGER}' "
        "ORDER BY 3 DESC, 1, 2"
    )

    @contextmanager
    def read(self, statement: Statement) -> Iterator[Batches]:
        values = statement.values
        # TOP takes a variable only in parentheses, and everything else takes these, too.
        sql = statement.sql(
            lambda number: f"(@p{number})" if isinstance(values[number - 1], int) else f"@p{number}"
        )
        with self._transaction(StatementRefused), closing(self._connection.cursor()) as cursor:
            schema = result_schema(self.rows(_DESCRIBE, sql, _declarations(values)))
            self._execute(cursor, sql, values)
            yield arriving.batches(schema, cursor.fetchmany)

    def write(self, data: Batches, load: TableLoad) -> int | None:
        if load.mode != "replace":
            with self._transaction(LoadRefused):
                self._lock(idempotent_load.markers_table(load))
                self._create_markers(load)
                self._connection.commit()
        with self._transaction(LoadRefused):
            # An error ends the whole transaction, and not only its statement.
            self.run("SET XACT_ABORT ON")
            self._lock(load.table)
            rows = idempotent_load.write(self, data, load)
            self._connection.commit()
        return rows

    # --- a Writer

    def create_markers(self, load: TableLoad) -> None:
        """Nothing: the table is there already, so that its creation keeps no other load waiting."""

    def exists(self, table: TableName) -> bool:
        ((found,),) = self.rows("SELECT OBJECT_ID(@p1)", _name(table))
        return found is not None

    def append(self, data: Batches, load: TableLoad) -> int:
        return self._insert(data, load.table)

    def create(self, data: Batches, load: TableLoad) -> int:
        """Replace the old table in one step once all rows are written."""
        table = self._found(load.table) if load.mode == "replace" else load.table
        new = TableName(table.schema, load.staging)
        self.run(f"CREATE TABLE {_name(new)} ({column_definitions(data.schema, SQL_SERVER)})")
        rows = self._insert(data, new)
        if load.mode == "replace":
            self.run(f"DROP TABLE IF EXISTS {_name(table)}")
        self._rename(new, load)
        return rows

    # --- parts of it

    def _found(self, table: TableName) -> TableName:
        """Return the table with the schema that holds it, which need not be the one of new tables."""
        if table.schema:
            return table
        ((schema,),) = self.rows("SELECT OBJECT_SCHEMA_NAME(OBJECT_ID(@p1))", _name(table))
        return TableName(schema, table.name) if schema else table

    def _rename(self, new: TableName, load: TableLoad) -> None:
        """Give the new table its name, unless another program has taken the name since the load began."""
        from pymssql import Error

        try:
            self.run("EXEC sp_rename @p1, @p2", _name(new), load.table.name)
        except Error as error:
            if _parts(error)[0] not in _TAKEN or load.mode == "replace":
                raise
            raise idempotent_load.name_taken(load) from error

    def _create_markers(self, load: TableLoad) -> None:
        if not self.exists(idempotent_load.markers_table(load)):
            definition = idempotent_load.markers_definition(
                SQL_SERVER, load, text="NVARCHAR", time="DATETIME2"
            )
            self.run(f"CREATE TABLE {definition}")

    def _lock(self, table: TableName) -> None:
        """Wait for other loads into the table; to the end of the transaction."""
        resource = sha256(f"aqueduct {table}".lower().encode()).hexdigest()
        ((result,),) = self.rows(
            "DECLARE @result INT; EXEC @result = sp_getapplock @Resource = @p1, @LockMode = 'Exclusive', "
            "@LockOwner = 'Transaction', @LockTimeout = -1; SELECT @result",
            resource,
        )
        if result < 0:
            raise DataSystemUnavailable(f"{self._what}: another load into {table} does not end.")

    def _insert(self, data: Batches, table: TableName) -> int:
        rows = 0
        for sql, text, count in inserts(prepared(data, SQL_SERVER), data.schema, _name(table)):
            self.run(sql, text)
            rows += count
        return rows

    def _execute(self, cursor: Any, sql: str, values: Sequence[Any]) -> None:
        """Run a statement whose places are ``@p1``, ``@p2``, ..."""
        if not values:
            cursor.execute(sql)
            return
        places = ", ".join(f"@p{number} = %s" for number in range(1, len(values) + 1))
        cursor.execute(f"EXEC sp_executesql %s, %s, {places}", (sql, _declarations(values), *values))

    @staticmethod
    def driver_errors() -> tuple[type[Exception], ...]:
        from pymssql import Error

        return (Error,)

    @staticmethod
    def judge(error: Any, refused: type[DataSystemError]) -> tuple[type[DataSystemError], str]:
        from pymssql import InterfaceError

        number, text = _parts(error)
        if number in _LOGIN:
            return DataSystemLoginFailed, text
        if number in _PASSING or isinstance(error, InterfaceError):
            return DataSystemUnavailable, text
        return refused, text


def _name(table: TableName) -> str:
    return SQL_SERVER.render_name(table.parts)


def _declarations(values: Sequence[Any]) -> str:
    return ", ".join(f"@p{number} {_declared(value)}" for number, value in enumerate(values, 1))


def _declared(value: Any) -> str:
    if isinstance(value, int):
        return "BIGINT"
    return f"NVARCHAR({'MAX' if len(value) > _SHORT else _SHORT})"


def _parts(error: Any) -> tuple[int, str]:
    """Return an error's number and the server's first message; FreeTDS adds lines of its own."""
    args = error.args[0] if error.args and isinstance(error.args[0], tuple) else error.args
    number = args[0] if args and isinstance(args[0], int) else 0
    text = args[-1] if args else ""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    said = text.partition("DB-Lib error message")[0].strip() or " ".join(text.split("\n")[1:3])
    return number, said.strip().rstrip(".") or text.strip()

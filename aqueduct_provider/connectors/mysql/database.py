"""MySQL and MariaDB via PyMySQL. Rows arrive as Python objects because no installable driver returns Arrow.

PyMySQL puts values into the statement itself, escaped for the connection's character set. Sessions are in UTC
and in strict mode. DDL commits at once here, so new tables come in by an atomic rename (``load.py``).
SQLAlchemy knows the catalogs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.mysql.load import write
from aqueduct_provider.connectors.mysql.system import MYSQL
from aqueduct_provider.connectors.sql import dbapi_rows
from aqueduct_provider.connectors.sql.query import Statement
from aqueduct_provider.connectors.system import option_text
from aqueduct_provider.connectors.system_options import options_of
from aqueduct_provider.connectors.tables.model import KIND, Batches, Config, TableLoad, TableName, config_text
from aqueduct_provider.errors import (
    ConfigError,
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    StatementRefused,
)
from aqueduct_provider.protected_keys import LEDGER

if TYPE_CHECKING:
    import pyarrow

_CONNECT_SECONDS = "10"
# Error numbers (MySQL reference, Server Error Message Reference).
_LOGIN = frozenset({1044, 1045, 1049, 1698})
_PASSING = frozenset(
    {1040, 1205, 1213, 1021, 1037, 1038, 1041, 1152, 1158, 1159, 1160, 1161, 2003, 2006, 2013, 2055}
)
# The same on every server, whatever its default: strict, and with strings quoted as the dialect declares.
_SQL_MODE = "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
_TABLE_EXISTS = 1050
_BINARY = 63
_UNSIGNED = 32


def connect(connector: str, config: Config) -> MySqlDatabase:
    """Open a connection. Raises ``DataSystemError``."""
    import sqlalchemy

    place = f"{config_text(config, 'host')}:{config_text(config, 'port', '3306')}"
    what = f"{connector} {config_text(config, 'database')!r} at {place}"
    port = config_text(config, "port", "3306")
    if not port.isdecimal():
        raise DataSystemLoginFailed(f"{what}: the port is not a number. Correct the connection.")
    url = sqlalchemy.engine.URL.create(
        "mysql+pymysql",
        username=config_text(config, "username"),
        host=config_text(config, "host"),
        port=int(port),
        database=config_text(config, "database"),
        query={"charset": "utf8mb4", "connect_timeout": _CONNECT_SECONDS, **_options(connector, config)},
    )
    arguments = {
        # PyMySQL would encode a text as Latin-1.
        "password": config_text(config, "password").encode("utf-8"),
        "local_infile": True,
        "init_command": f"SET time_zone = '+00:00', sql_mode = {_SQL_MODE}",
    }
    try:
        engine = sqlalchemy.create_engine(
            url, future=True, poolclass=sqlalchemy.pool.NullPool, connect_args=arguments
        )
        with _translated(what):
            return MySqlDatabase(engine, engine.connect(), what)
    except (TypeError, ValueError, OSError) as error:
        # An option that PyMySQL does not know, or a file of certificates that is not there.
        raise DataSystemLoginFailed(
            f"{what} cannot be connected to with these options: {error}. Correct the connection."
        ) from error


def _options(connector: str, config: Config) -> dict[str, str]:
    """Options as SQLAlchemy takes them; Airflow's ``ssl``, an object, is several there."""
    options = options_of(connector, config)
    text = options.pop("ssl", "")
    if not text:
        return options
    try:
        ssl = json.loads(text)
    except (ValueError, RecursionError):
        ssl = None
    if not isinstance(ssl, dict):
        raise ConfigError(
            f'The options of {connector}: ssl must be a JSON object such as {{"ca": "/path/ca.pem"}}.'
            " Correct the connection."
        )
    return {
        **{f"ssl_{name.removeprefix('ssl_')}": option_text(value) for name, value in ssl.items()},
        **options,
    }


class MySqlDatabase:
    """An open connection; a ``Database``."""

    dialect = MYSQL

    def __init__(self, engine: Any, connection: Any, what: str) -> None:
        self._engine = engine
        self._connection = connection
        self._what = what

    def close(self) -> None:
        # What a broken connection says at its end would hide why it broke.
        self._connection.invalidate()
        self._connection.close()
        self._engine.dispose()

    def check(self) -> str:
        ((version,),) = self.rows("SELECT version()")
        return f"{self._what} answers: {version}."

    def tables(self) -> list[str]:
        import sqlalchemy

        with _translated(self._what):
            inspector = sqlalchemy.inspect(self._engine)
            names = [*inspector.get_table_names(), *inspector.get_view_names()]
        return sorted(name for name in names if name != LEDGER)

    @contextmanager
    def read(self, statement: Statement) -> Iterator[Batches]:
        from pymysql.cursors import SSCursor

        with _translated(self._what):
            cursor = self.driver.cursor(SSCursor)
            try:
                cursor.execute(statement.sql(), tuple(statement.values))
                if cursor.description is None:
                    raise StatementRefused(
                        "The SQL gives no table: an extract needs a query, such as SELECT."
                    )
                # PEP 249's description separates neither unsigned from signed numbers nor bytes from text.
                yield dbapi_rows.batches(_schema(cursor._result.fields), cursor.fetchmany)
            finally:
                # Closing the cursor would first read the remaining rows.
                if cursor._result is not None:
                    cursor._result.unbuffered_active = False
                cursor.close()

    def write(self, data: Batches, load: TableLoad) -> int | None:
        with _translated(self._what):
            return write(self, data, load)

    # --- for load.py

    @property
    def driver(self) -> Any:
        """Return the driver's own connection."""
        return self._connection.connection.driver_connection or self._connection.connection

    def run(self, sql: str, *values: Any) -> int:
        """Run a statement; how many rows it changed. Where values are given, % in it stands doubled."""
        with _translated(self._what), self.driver.cursor() as cursor:
            return int(cursor.execute(sql, values or None))

    def run_many(self, sql: str, many: Sequence[Sequence[Any]]) -> None:
        """Run an INSERT for many rows, in few statements."""
        with _translated(self._what), self.driver.cursor() as cursor:
            cursor.executemany(sql, many)

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Run a query; its rows."""
        with _translated(self._what), self.driver.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def exists(self, table: TableName) -> bool:
        """Return whether the table exists."""
        return bool(self.rows(f"SELECT 1 {_CATALOG}", table.schema or None, table.name))

    def comment(self, table: TableName) -> str:
        """Return a table's comment; empty if the table does not exist."""
        found = self.rows(f"SELECT table_comment {_CATALOG}", table.schema or None, table.name)
        return str(found[0][0]) if found else ""

    def is_taken(self, error: DataSystemError) -> bool:
        """Check whether a statement failed because a table of the name exists."""
        return isinstance(error.__cause__, Exception) and error.__cause__.args[:1] == (_TABLE_EXISTS,)


_CATALOG = "FROM information_schema.tables WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s"


# --- types


def _schema(fields: Sequence[Any]) -> pyarrow.Schema:
    import pyarrow as pa

    return pa.schema([_field(field) for field in fields])


def _field(field: Any) -> pyarrow.Field:
    import pyarrow as pa
    from pymysql.constants import FIELD_TYPE

    is_unsigned, is_bytes = bool(field.flags & _UNSIGNED), field.charsetnr == _BINARY
    simple: dict[int, Callable[[], Any]] = {
        FIELD_TYPE.TINY: pa.bool_ if field.length == 1 else pa.int16,
        FIELD_TYPE.SHORT: pa.int32 if is_unsigned else pa.int16,
        FIELD_TYPE.YEAR: pa.int16,
        FIELD_TYPE.INT24: pa.int32,
        FIELD_TYPE.LONG: pa.int64 if is_unsigned else pa.int32,
        FIELD_TYPE.LONGLONG: pa.uint64 if is_unsigned else pa.int64,
        FIELD_TYPE.FLOAT: pa.float32,
        FIELD_TYPE.DOUBLE: pa.float64,
        FIELD_TYPE.BIT: pa.bool_ if field.length == 1 else pa.binary,
        FIELD_TYPE.DATE: pa.date32,
        FIELD_TYPE.NEWDATE: pa.date32,
        FIELD_TYPE.TIME: lambda: pa.time64("us"),
        FIELD_TYPE.DATETIME: lambda: pa.timestamp("us"),
        FIELD_TYPE.TIMESTAMP: lambda: pa.timestamp("us", "UTC"),
        FIELD_TYPE.JSON: pa.string,
        FIELD_TYPE.ENUM: pa.string,
        FIELD_TYPE.SET: pa.string,
        FIELD_TYPE.NULL: pa.string,
    }
    if field.type_code in (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL):
        kind = _decimal(field.length, field.scale, is_unsigned=is_unsigned)
    else:
        make = simple.get(field.type_code, pa.binary if is_bytes else pa.string)
        kind = make()
    note = {KIND: b"json"} if field.type_code == FIELD_TYPE.JSON else None
    return pa.field(field.name, kind, metadata=note)


def _decimal(length: int, scale: int, *, is_unsigned: bool) -> pyarrow.DataType:
    """:param length: of its longest text, sign and point included."""
    import pyarrow as pa

    precision = length - (0 if is_unsigned else 1) - (1 if scale else 0)
    return pa.decimal128(38, scale) if precision <= 38 else pa.decimal256(min(precision, 76), scale)


# --- errors


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Translate the errors of PyMySQL and SQLAlchemy."""
    import pymysql
    import sqlalchemy.exc

    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        raise _error(what, error.orig) from error
    except pymysql.MySQLError as error:
        raise _error(what, error) from error


def _error(what: str, error: Any) -> DataSystemError:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = str(error.args[-1] if error.args else error).rstrip(".")
    if number in _LOGIN:
        return DataSystemLoginFailed(f"{what} refuses the login: {text}. Correct the connection.")
    if number in _PASSING:
        return DataSystemUnavailable(f"{what} did not do its work: {text}.")
    return StatementRefused(f"{what} refuses the statement: {text}.")

"""Postgres, through ADBC: Arrow from the binary COPY, and into it, without Python objects in between.

Values are bound with ``set_config``, in a statement of its own, and read in the query with the type that
Postgres itself infers for them: COPY, which alone streams, takes no parameters. Sessions are in UTC. Must not
import at module level: the driver, pyarrow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from aqueduct_provider.connectors.postgres.system import POSTGRES
from aqueduct_provider.connectors.sql import idempotent_load
from aqueduct_provider.connectors.sql.adbc import AdbcDatabase
from aqueduct_provider.connectors.sql.column_types import column_definitions, prepared
from aqueduct_provider.connectors.sql.database import shown_names
from aqueduct_provider.connectors.sql.query import Statement
from aqueduct_provider.connectors.system_options import options_of
from aqueduct_provider.connectors.tables.model import KIND, Batches, Config, TableLoad, TableName, config_text
from aqueduct_provider.errors import (
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    StatementRefused,
)
from aqueduct_provider.protected_keys import LEDGER

if TYPE_CHECKING:
    import pyarrow

_OPTIONS = {"connect_timeout": "10", "application_name": "aqueduct"}
_UTC = "-c timezone=UTC"
# Classes of SQLSTATE in which a second try can help: connection, transaction, resources, operator, system.
_PASSING = ("08", "40", "53", "55", "57", "58")
# While rows come, errors have no SQLSTATE.
_PASSING_WORDS = (
    "server closed the connection|no connection to the|terminating connection|deadlock detected|"
    "could not serialize access|canceling statement"
)
_SETTING = "aqueduct.value_"


def connect(connector: str, config: Config) -> PostgresDatabase:
    """Open a connection. Raises ``DataSystemError``."""
    import adbc_driver_postgresql.dbapi as adbc

    place = f"{config_text(config, 'host')}:{config_text(config, 'port', '5432')}"
    database = config_text(config, "database")
    login = f"{_quoted(config, 'username')}:{_quoted(config, 'password')}"
    given = options_of(connector, config)
    # The last setting of the time zone counts.
    session = {"options": f"{given.get('options', '')} {_UTC}".strip()}
    options = urlencode({**_OPTIONS, **given, **session}, quote_via=quote)
    what = f"{connector} {database!r} at {place}"
    try:
        connection = adbc.connect(f"postgresql://{login}@{place}/{quote(database, safe='')}?{options}")
    except adbc.Error as error:
        raise _connection_error(what, error) from error
    return PostgresDatabase(connection, what)


def _quoted(config: Config, name: str) -> str:
    return quote(config_text(config, name), safe="")


class PostgresDatabase(AdbcDatabase):
    """An open connection; a ``Database``, and a ``Writer`` of ``idempotent_load.py``."""

    dialect = POSTGRES

    @staticmethod
    def error(what: str, cause: Any) -> DataSystemError:
        text, state = _words(str(cause)), getattr(cause, "sqlstate", None) or ""
        if state.startswith(_PASSING) or re.search(_PASSING_WORDS, text):
            return DataSystemUnavailable(f"{what} did not do its work: {text}.")
        return StatementRefused(f"{what} refuses the statement: {text}.")

    def check(self) -> str:
        # COPY works only for queries.
        ((version,),) = self.rows("SHOW server_version", **{"adbc.postgresql.use_copy": "false"})
        return f"{self.what} answers: PostgreSQL {version}."

    def tables(self) -> list[str]:
        names = self.rows(
            "SELECT table_schema::text, table_name::text, table_schema = current_schema() "
            "FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') "
            f"AND table_schema NOT LIKE 'pg\\_temp%' AND table_name <> '{LEDGER}' "
            "ORDER BY 3 DESC, 1, 2"
        )
        return shown_names(names)

    # --- reading

    @contextmanager
    def read(self, statement: Statement) -> Iterator[Batches]:
        # Behind a comment at its end, the bracket that ADBC closes would be one.
        sql = f"{self._bound(statement)}\n"
        with self.cursor() as cursor:
            schema = cursor.adbc_execute_schema(sql)
            if not schema.names:
                raise StatementRefused("The SQL gives no table: an extract needs a query, such as SELECT.")
            cursor.execute(_with_casts(sql, schema))
            records = self.records(cursor)
            plain = _plain_schema(schema, records.schema)
            yield Batches(plain, (_plain(batch, plain) for batch in records.batches))

    def _bound(self, statement: Statement) -> str:
        """Return the statement with its values bound, as SQL without parameters."""
        if not statement.values:
            return statement.sql()
        types = self._inferred_types(statement)
        for number, value in enumerate(statement.values, 1):
            self.rows("SELECT set_config($1, $2, true)", f"{_SETTING}{number}", str(value))
        return statement.sql(lambda n: f"CAST(current_setting('{_SETTING}{n}') AS {types[n - 1]})")

    def _inferred_types(self, statement: Statement) -> list[str]:
        self.run(f"PREPARE aqueduct_query AS {statement.sql()}")
        ((types,),) = self.rows(
            "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'aqueduct_query'"
        )
        self.run("DEALLOCATE aqueduct_query")
        return list(types)

    # --- writing

    def write(self, data: Batches, load: TableLoad) -> int | None:
        # Loads into one table wait for each other: two that both create it would fail.
        self.rows("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))::text", f"aqueduct {load.table}")
        rows = idempotent_load.write(self, data, load)
        with self.translate_errors(self.what):
            self.connection.commit()
        return rows

    def create_markers(self, load: TableLoad) -> None:
        self.run(f"CREATE TABLE IF NOT EXISTS {idempotent_load.markers_definition(POSTGRES, load)}")

    def exists(self, table: TableName) -> bool:
        ((found,),) = self.rows("SELECT to_regclass($1) IS NOT NULL", POSTGRES.render_name(table.parts))
        return bool(found)

    def append(self, data: Batches, load: TableLoad) -> int:
        """Rows go through a table of their own: COPY takes its exact types only, INSERT converts them."""
        name = POSTGRES.render_name(load.table.parts)
        columns = ", ".join(map(POSTGRES.quote, data.schema.names))
        rows = self._stage(data, load)
        self.run(f"INSERT INTO {name} ({columns}) SELECT {_converted(data.schema)} FROM {load.staging}")
        return rows

    def create(self, data: Batches, load: TableLoad) -> int:
        """Replace the old table in one step once all rows are written; until then others see the old one."""
        table = self._found(load.table) if load.mode == "replace" else load.table
        new = TableName(table.schema, f"{load.staging}_new")
        name = POSTGRES.render_name(new.parts)
        self.run(f"CREATE TABLE {name} ({column_definitions(data.schema, POSTGRES)})")
        if any(column.metadata and KIND in column.metadata for column in data.schema):
            rows = self._stage(data, load)
            self.run(f"INSERT INTO {name} SELECT {_converted(data.schema)} FROM {load.staging}")
        else:
            data = prepared(data, POSTGRES)
            rows = self.ingest(data, new.name, db_schema_name=new.schema or None)
        if load.mode == "replace":
            self.run(f"DROP TABLE IF EXISTS {POSTGRES.render_name(table.parts)}")
        if not self._rename(new, load):
            if load.mode != "append":
                raise idempotent_load.name_taken(load)
            self._add_to_taken(new, data.schema, load)
        return rows

    def _found(self, table: TableName) -> TableName:
        """Return the table with the schema that holds it, which need not be the one of new tables."""
        if table.schema:
            return table
        found = self.rows(
            "SELECT nspname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
            "WHERE pg_class.oid = to_regclass($1)",
            POSTGRES.render_name(table.parts),
        )
        return TableName(found[0][0], table.name) if found else table

    def _rename(self, new: TableName, load: TableLoad) -> bool:
        """Give the new table its name; false: another program has taken it since the load began."""
        # The driver runs nothing after an error in a transaction, so the server handles the error.
        tag, name = f"${load.staging}$", POSTGRES.render_name(new.parts)
        self.run(
            f"DO {tag} BEGIN ALTER TABLE {name} RENAME TO {POSTGRES.quote(load.table.name)}; "
            # The second one where the other program commits during the rename.
            f"EXCEPTION WHEN duplicate_table OR unique_violation THEN NULL; END {tag}"
        )
        return not self.exists(new)

    def _add_to_taken(self, new: TableName, schema: pyarrow.Schema, load: TableLoad) -> None:
        """Move the rows of the new table into the table that has its name."""
        name, target = POSTGRES.render_name(new.parts), POSTGRES.render_name(load.table.parts)
        columns = ", ".join(map(POSTGRES.quote, schema.names))
        self.run(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {name}")
        self.run(f"DROP TABLE {name}")

    def _stage(self, data: Batches, load: TableLoad) -> int:
        import pyarrow as pa

        plain = Batches(pa.schema([column.remove_metadata() for column in data.schema]), data.batches)
        columns = column_definitions(plain.schema, POSTGRES)
        self.run(f"CREATE TEMPORARY TABLE {load.staging} ({columns}) ON COMMIT DROP")
        return self.ingest(prepared(plain, POSTGRES), load.staging, temporary=True)


# --- types


def _with_casts(sql: str, schema: pyarrow.Schema) -> str:
    """Return the query with casts to text for columns that ADBC leaves in Postgres' own bytes."""
    if not any(_cast(column) for column in schema):
        return sql
    names = [POSTGRES.quote(column.name) for column in schema]
    columns = (
        f"{name}::{cast} AS {name}" if (cast := _cast(column)) else name
        for name, column in zip(names, schema, strict=True)
    )
    return f"SELECT {', '.join(columns)} FROM (\n{sql}\n) AS aqueduct_result"


def _cast(column: pyarrow.Field) -> str:
    """Return the type to read a column as; empty: as it is."""
    import pyarrow as pa

    if _type_name(column) in ("json", "jsonb", "numeric"):
        return ""
    if _type_name(column) == "money":
        return "numeric"
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_interval(kind):
        return "text"
    if pa.types.is_list(kind) and _cast(kind.value_field.with_metadata({})):
        return "text[]"
    return ""


def _type_name(column: pyarrow.Field) -> str:
    name: bytes = (column.metadata or {}).get(b"POSTGRESQL:type", b"")
    return name.decode()


def _plain_schema(original: pyarrow.Schema, read: pyarrow.Schema) -> pyarrow.Schema:
    """Return the schema of what is read, without extension types; their names are in :data:`KIND`."""
    import pyarrow as pa

    kinds = {"json": b"json", "jsonb": b"json", "uuid": b"uuid"}
    fields = []
    for source, column in zip(original, read, strict=True):
        plain = column.type.storage_type if isinstance(column.type, pa.BaseExtensionType) else column.type
        name = _type_name(column)
        kind = b"decimal" if name == "numeric" else kinds.get(_type_name(source), b"")
        fields.append(pa.field(column.name, plain, metadata={KIND: kind} if kind else None))
    return pa.schema(fields)


def _plain(batch: pyarrow.RecordBatch, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    import pyarrow as pa

    columns = [
        column.storage if isinstance(column, pa.ExtensionArray) else column for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _converted(schema: pyarrow.Schema) -> str:
    """Return the columns of the staging table, with JSON and UUIDs cast from text to their types."""
    types = {b"json": "::jsonb", b"uuid": "::uuid"}
    return ", ".join(
        POSTGRES.quote(column.name) + types.get((column.metadata or {}).get(KIND, b""), "")
        for column in schema
    )


# --- errors


def _connection_error(what: str, error: Any) -> DataSystemError:
    text = _words(str(error))
    if re.search("authentication|does not exist|password|pg_hba|invalid [^.]+ (?:parameter|value)", text):
        return DataSystemLoginFailed(f"{what} refuses the login: {text}. Correct the connection.")
    return DataSystemUnavailable(f"{what} cannot be reached: {text}.")


def _words(message: str) -> str:
    """Return the server's own message, without ADBC's frame and without the query, which may be long."""
    text = re.split(r"\n*Query was:|\.? SQLSTATE:", message)[0]
    text = re.sub(r"^.*?(?:ERROR|FATAL):\s*|^(?:[A-Z_]+:\s*)?\[libpq\]\s*", "", text, flags=re.DOTALL)
    # The second line is the place in the query; the third marks it with a caret.
    return re.sub(r"\n\s*\^\s*$", "", text).strip().rstrip(".")

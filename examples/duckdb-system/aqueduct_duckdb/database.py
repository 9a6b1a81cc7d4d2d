"""Read and write DuckDB files. DuckDB and pyarrow are imported when a connection is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aqueduct_duckdb.system import DUCKDB
from aqueduct_provider.connectors.sql import idempotent_load
from aqueduct_provider.connectors.sql.column_types import column_definitions, prepared
from aqueduct_provider.connectors.sql.query import Statement
from aqueduct_provider.connectors.system_options import options_of
from aqueduct_provider.connectors.tables.model import Batches, TableLoad, TableName, config_text
from aqueduct_provider.errors import (
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    StatementRefused,
)
from aqueduct_provider.protected_keys import LEDGER
from aqueduct_provider.storage.files import expanded

_BATCH_ROWS = 65_536
# What a table on its way is called in SQL.
_ROWS = "aqueduct_rows"


def connect(connector: str, config: Mapping[str, Any]) -> DuckDbDatabase:
    """Open a connection; a file that does not exist is created.

    :raises DataSystemError: the file cannot be opened.
    """
    import duckdb

    path = expanded(config_text(config, "database"))
    label = f"{connector} {path}"
    try:
        return DuckDbDatabase(duckdb.connect(str(path), config=options_of(connector, config)), label)
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise DataSystemUnavailable(f"{label} is in use by another process: {_words(error)}.") from error
        raise DataSystemLoginFailed(
            f"{label} cannot be opened: {_words(error)}. Correct the path."
        ) from error
    except duckdb.Error as error:
        raise DataSystemLoginFailed(f"{label} cannot be opened: {_words(error)}.") from error


class DuckDbDatabase:
    """An open connection; a ``Database``, and a ``Writer`` of ``idempotent_load.py``.

    :param label: what error messages call the database.
    """

    dialect = DUCKDB

    def __init__(self, connection: Any, label: str) -> None:
        self._connection = connection
        self._label = label

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        self._connection.close()

    def check(self) -> str:
        """Ask for the version; return a few words that say who answered."""
        ((version,),) = self.rows("SELECT version()")
        return f"{self._label} answers: DuckDB {version}."

    def tables(self) -> list[str]:
        """List the tables and views, as queries name them."""
        found = self.rows(
            "SELECT table_schema, table_name, table_schema = current_schema() "
            "FROM information_schema.tables WHERE table_name <> ? ORDER BY 3 DESC, 1, 2",
            LEDGER,
        )
        return [name if is_current else f"{schema}.{name}" for schema, name, is_current in found]

    # --- reading

    @contextmanager
    def read(self, statement: Statement) -> Iterator[Batches]:
        """Run a query; yield its rows."""
        with self._translated():
            # A relation streams; the result of execute() would be copied as a whole.
            result = self._connection.sql(statement.sql(), params=list(statement.values))
            if result is None:
                raise StatementRefused("The SQL gives no table: an extract needs a query, such as SELECT.")
            reader = result.to_arrow_reader(_BATCH_ROWS)
            yield Batches(reader.schema, iter(reader))

    # --- writing

    def write(self, data: Batches, load: TableLoad) -> int | None:
        """Write a table in one transaction: DuckDB creates tables in it, too."""
        with self._translated():
            self.run("BEGIN")
            try:
                rows = idempotent_load.write(self, data, load)
                self.run("COMMIT")
            except BaseException:
                self.run("ROLLBACK")
                raise
        return rows

    def create_markers(self, load: TableLoad) -> None:
        """Create the ledger of loads, unless it exists."""
        definition = idempotent_load.markers_definition(DUCKDB, load, time="TIMESTAMPTZ")
        self.run(f"CREATE TABLE IF NOT EXISTS {definition}")

    def exists(self, table: TableName) -> bool:
        """Check for a table or view of this name; DuckDB ignores case."""
        sql = (
            "SELECT 1 FROM information_schema.tables WHERE lower(table_name) = lower(?) "
            "AND lower(table_schema) = lower(COALESCE(?, current_schema()))"
        )
        return bool(self.rows(sql, table.name, table.schema or None))

    def append(self, data: Batches, load: TableLoad) -> int:
        """Add the rows to a table that exists."""
        import pyarrow as pa

        ready = prepared(data, DUCKDB)
        names = ", ".join(map(DUCKDB.quote, data.schema.names))
        self._connection.register(_ROWS, pa.RecordBatchReader.from_batches(ready.schema, ready.batches))
        try:
            name = DUCKDB.render_name(load.table.parts)
            ((rows,),) = self.rows(f"INSERT INTO {name} ({names}) SELECT {names} FROM {_ROWS}")
        finally:
            self._connection.unregister(_ROWS)
        return int(rows)

    def create(self, data: Batches, load: TableLoad) -> int:
        """Create the table; only mode ``replace`` may replace one."""
        create = "CREATE OR REPLACE TABLE" if load.mode == "replace" else "CREATE TABLE"
        definitions = column_definitions(data.schema, DUCKDB)
        self.run(f"{create} {DUCKDB.render_name(load.table.parts)} ({definitions})")
        return self.append(data, load)

    # --- statements

    def run(self, sql: str, *values: Any) -> None:
        """Run a statement."""
        self._connection.execute(sql, list(values))

    def rows(self, sql: str, *values: Any) -> Sequence[Sequence[Any]]:
        """Run a query; return its rows."""
        found: Sequence[Sequence[Any]] = self._connection.execute(sql, list(values)).fetchall()
        return found

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise the driver's errors as those of the package."""
        import duckdb

        try:
            yield
        except duckdb.Error as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> DataSystemError:
        import duckdb

        if isinstance(error, (duckdb.IOException, duckdb.TransactionException)):
            return DataSystemUnavailable(f"{self._label} is not available: {_words(error)}.")
        return StatementRefused(f"{self._label} refuses the statement: {_words(error)}.")


def _words(error: Exception) -> str:
    return str(error).strip().rstrip(".!?")

"""Make loads into SQL databases atomic and idempotent: all rows or none, and only once.

Airflow runs a task again when its worker died, and cannot know then whether the rows were written. So a load
that appends, or that must create its table, leaves a row in ``aqueduct_loads`` next to the table, in the
transaction of its rows: both are there, or none. The row's key is the same for every try of one load in one
run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.tables.model import Batches, TableLoad, TableName
from aqueduct_provider.errors import DataSystemError, DataSystemUnavailable, LoadRefused
from aqueduct_provider.protected_keys import LEDGER

_LONGEST = 500


class Writer(Protocol):
    """A database in a transaction, in which no other load writes the same table."""

    dialect: Dialect

    def run(self, sql: str, *values: Any) -> None:
        """Run a statement."""
        ...

    def rows(self, sql: str, *values: Any) -> Sequence[Sequence[Any]]:
        """Run a query; its rows."""
        ...

    def create_markers(self, load: TableLoad) -> None:
        """Create the table of the markers where it is not there yet."""
        ...

    def exists(self, table: TableName) -> bool:
        """Return whether the table exists."""
        ...

    def append(self, data: Batches, load: TableLoad) -> int:
        """Add the rows to the table, which is there; their number."""
        ...

    def create(self, data: Batches, load: TableLoad) -> int:
        """Put a new table of the rows where none is, or in the place of the old one; their number."""
        ...


def write(writer: Writer, data: Batches, load: TableLoad) -> int | None:
    """Write a table in the writer's transaction.

    :returns: the number of rows; None when an earlier try has written them.
    :raises LoadRefused: the table is there and must not be, or an earlier try wrote another content.
    """
    if load.mode == "replace":
        return writer.create(data, load)
    writer.create_markers(load)
    dialect = writer.dialect
    if is_done(writer.rows(find_marker(dialect, load), load.key), load):
        return None
    is_there = writer.exists(load.table)
    if is_there and load.mode == "fail":
        raise table_exists(load)
    rows = writer.append(data, load) if is_there else writer.create(data, load)
    writer.run(insert_marker(dialect, load), *marker(load, rows))
    return rows


def markers_table(load: TableLoad) -> TableName:
    """Return the table of the markers, in the target's schema."""
    return TableName(load.table.schema, LEDGER)


def markers_definition(
    dialect: Dialect, load: TableLoad, *, text: str = "VARCHAR", time: str = "TIMESTAMP"
) -> str:
    """Return name and columns of the markers' table, as CREATE TABLE takes them.

    :param text: the dialect's type of short text, without its length.
    :param time: the dialect's type of points in time.
    """
    name = dialect.render_name(markers_table(load).parts)
    return (
        f"{name} (load_key {text}(64) NOT NULL PRIMARY KEY, target {text}({_LONGEST}), "
        f"run {text}({_LONGEST}), digest {text}(64), row_count BIGINT, "
        f"loaded_at {time} DEFAULT CURRENT_TIMESTAMP)"
    )


def find_marker(dialect: Dialect, load: TableLoad) -> str:
    """Return the query for an earlier try's digest and number of rows; its one value is the key."""
    name = dialect.render_name(markers_table(load).parts)
    return f"SELECT digest, row_count FROM {name} WHERE load_key = {dialect.placeholder.format(n=1)}"


def insert_marker(dialect: Dialect, load: TableLoad) -> str:
    """Return the statement that writes a marker; its values are those of :func:`marker`."""
    name = dialect.render_name(markers_table(load).parts)
    places = ", ".join(dialect.placeholder.format(n=number) for number in range(1, 6))
    return f"INSERT INTO {name} (load_key, target, run, digest, row_count) VALUES ({places})"


def marker(load: TableLoad, rows: int) -> tuple[str, str, str, str, int]:
    """Return the values of a marker."""
    return load.key, str(load.table)[:_LONGEST], load.run[:_LONGEST], load.digest, rows


def is_done(found: Sequence[Sequence[Any]], load: TableLoad) -> bool:
    """Return whether an earlier try wrote exactly these rows.

    :param found: what :func:`find_marker` gave.
    :raises LoadRefused: an earlier try of this run wrote another content.
    """
    if not found:
        return False
    digest, rows = found[0]
    if digest != load.digest:
        raise LoadRefused(
            f"This run ({load.run}) has already written {rows} rows to {load.table}, of an artifact that has "
            "changed since. To write the new ones, delete the old rows and the row with load_key "
            f"'{load.key}' of the table {markers_table(load)}, or start a new run."
        )
    return True


def name_taken(load: TableLoad) -> DataSystemError:
    """Return the error for a table that another program has created since the load began.

    Another try finds that table: mode ``append`` adds the rows to it, mode ``replace`` replaces it.
    """
    if load.mode == "fail":
        return table_exists(load)
    return DataSystemUnavailable(
        f"Another program created the table {load.table} during the load; nothing was written. Run the "
        "task again."
    )


def table_exists(load: TableLoad) -> LoadRefused:
    """Return the error for update mode ``fail``."""
    return LoadRefused(
        f"The table {load.table} exists already, and the update mode is 'fail': use 'append' or 'replace', "
        "or another table."
    )

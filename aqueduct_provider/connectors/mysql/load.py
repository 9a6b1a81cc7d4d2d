"""Loads into MySQL and MariaDB, where every CREATE, RENAME and DROP commits at once.

Rows go into a table of their own first, by LOAD DATA LOCAL where the server takes it. LOAD DATA LOCAL changes
what does not fit into what does; so that table has the types of the rows, nothing is changed, and each
warning is an error. Then:

- a new table, or one that replaces another, takes its place in one atomic RENAME TABLE;
- appended rows are inserted with the marker in one transaction (``idempotent_load.py``).

A new table's comment holds the key of its load, so that a second try knows it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aqueduct_provider.connectors.mysql.system import MYSQL
from aqueduct_provider.connectors.sql import idempotent_load
from aqueduct_provider.connectors.sql.column_types import column_definitions, prepared
from aqueduct_provider.connectors.tables.model import Batches, TableLoad, TableName
from aqueduct_provider.errors import DataSystemError, DataSystemUnavailable, LoadRefused, StatementRefused
from aqueduct_provider.storage.held_folder import temporary_folder

if TYPE_CHECKING:
    import pyarrow

_LOCK_SECONDS = 600
_ROWS = 1_000


class Server(Protocol):
    """The part of ``database.py`` that loads use."""

    def run(self, sql: str, *values: Any) -> int: ...
    def run_many(self, sql: str, many: Sequence[Sequence[Any]]) -> None: ...
    def rows(self, sql: str, *values: Any) -> list[Any]: ...
    def exists(self, table: TableName) -> bool: ...
    def comment(self, table: TableName) -> str: ...
    def is_taken(self, error: DataSystemError) -> bool: ...


def write(server: Server, data: Batches, load: TableLoad) -> int | None:
    """Write a table; as ``Database.write``."""
    # Loads into one table wait for each other. The name of a lock has 64 characters at most.
    ((locked,),) = server.rows(
        "SELECT GET_LOCK(MD5(CONCAT('aqueduct ', %s)), %s)", str(load.table), _LOCK_SECONDS
    )
    if not locked:
        raise DataSystemUnavailable(
            f"Another load has been writing {load.table} for {_LOCK_SECONDS} seconds."
        )
    if load.mode == "append":
        return _append(server, data, load)
    if load.mode == "fail" and server.exists(load.table):
        if server.comment(load.table) == _comment(load):
            return None
        raise idempotent_load.table_exists(load)
    return _create(server, data, load)


def _append(server: Server, data: Batches, load: TableLoad) -> int | None:
    markers = idempotent_load.markers_definition(MYSQL, load)
    if not server.exists(idempotent_load.markers_table(load)):
        server.run(f"CREATE TABLE IF NOT EXISTS {markers} ENGINE = InnoDB CHARACTER SET utf8mb4")
    if idempotent_load.is_done(server.rows(idempotent_load.find_marker(MYSQL, load), load.key), load):
        return None
    name, staging = _name(load.table), MYSQL.quote(load.staging)
    definitions = column_definitions(data.schema, MYSQL)
    if not server.exists(load.table):
        server.run(f"CREATE TABLE IF NOT EXISTS {name} ({definitions}) {_OPTIONS}")
    server.run(f"CREATE TEMPORARY TABLE {staging} ({definitions}) {_OPTIONS}")
    rows = _fill(server, data, TableName("", load.staging))
    names = ", ".join(map(MYSQL.quote, data.schema.names))
    server.run("START TRANSACTION")
    server.run(idempotent_load.insert_marker(MYSQL, load), *idempotent_load.marker(load, rows))
    server.run(f"INSERT INTO {name} ({names}) SELECT {names} FROM {staging}")
    server.run("COMMIT")
    return rows


def _create(server: Server, data: Batches, load: TableLoad) -> int:
    new, old = TableName(load.table.schema, load.staging), TableName(load.table.schema, f"{load.staging}_old")
    # What an earlier try left behind.
    server.run(f"DROP TABLE IF EXISTS {_name(new)}, {_name(old)}")
    definitions = column_definitions(data.schema, MYSQL)
    server.run(f"CREATE TABLE {_name(new)} ({definitions}) {_OPTIONS} COMMENT = '{_comment(load)}'")
    try:
        rows = _fill(server, data, new)
    except Exception:
        with contextlib.suppress(DataSystemError):
            server.run(f"DROP TABLE IF EXISTS {_name(new)}")
        raise
    server.run("COMMIT")
    if load.mode == "replace" and server.exists(load.table):
        _swap(server, load.table, new, old)
    else:
        _rename(server, load, new, old)
    return rows


def _swap(server: Server, table: TableName, new: TableName, old: TableName) -> None:
    server.run(f"RENAME TABLE {_name(table)} TO {_name(old)}, {_name(new)} TO {_name(table)}")
    server.run(f"DROP TABLE {_name(old)}")


def _rename(server: Server, load: TableLoad, new: TableName, old: TableName) -> None:
    """Give the new table its name, also where another program has taken the name since the load began."""
    try:
        server.run(f"RENAME TABLE {_name(new)} TO {_name(load.table)}")
    except StatementRefused as error:
        if not server.is_taken(error):
            raise
        if load.mode == "replace":
            _swap(server, load.table, new, old)
            return
        server.run(f"DROP TABLE IF EXISTS {_name(new)}")
        raise idempotent_load.table_exists(load) from error


_OPTIONS = "ENGINE = InnoDB CHARACTER SET utf8mb4 ROW_FORMAT = DYNAMIC"


def _comment(load: TableLoad) -> str:
    return f"aqueduct {load.key} {load.digest}"


def _name(table: TableName) -> str:
    return MYSQL.render_name(table.parts)


# --- rows


def _fill(server: Server, data: Batches, table: TableName) -> int:
    """Write all rows into a new table and return their number."""
    ready = prepared(data, MYSQL)
    ((by_file,),) = server.rows("SELECT @@local_infile")
    return _by_file(server, ready, table) if by_file else _by_statements(server, ready, table)


def _by_file(server: Server, data: Batches, table: TableName) -> int:
    with temporary_folder("rows") as folder:
        path = folder / "rows"
        rows = _write_file(data, path)
        places = [f"@c{number}" if binary else name for number, (name, binary) in enumerate(_places(data))]
        sets = [f"{name} = UNHEX(@c{n})" for n, (name, binary) in enumerate(_places(data)) if binary]
        loaded = server.run(
            f"LOAD DATA LOCAL INFILE %s INTO TABLE {_name(table)} CHARACTER SET utf8mb4 "
            r"FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' "
            f"({', '.join(places)}) {'SET ' if sets else ''}{', '.join(sets)}",
            str(path),
        )
        warnings = server.rows("SHOW WARNINGS LIMIT 1")
    if warnings or loaded != rows:
        reason = warnings[0][-1] if warnings else f"it took {loaded} of {rows} rows"
        raise LoadRefused(f"MySQL did not take the rows as they are: {reason}. Nothing was written.")
    return rows


def _places(data: Batches) -> list[tuple[str, bool]]:
    """Name of each column, for statements with values, and whether it holds bytes."""
    import pyarrow as pa

    return [
        (
            MYSQL.quote(field.name).replace("%", "%%"),
            pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type),
        )
        for field in data.schema
    ]


def _write_file(data: Batches, path: Path) -> int:
    rows = 0
    with path.open("wb") as file:
        for batch in data.batches:
            rows += batch.num_rows
            for line in _lines(batch):
                file.write(line)
    return rows


def _lines(batch: pyarrow.RecordBatch) -> Iterator[bytes]:
    """Yield the rows as LOAD DATA reads them: tabs between columns, escapes by backslash, NULL as \\N."""
    import pyarrow.compute as pc

    if not batch.num_rows:
        return
    strings = [pc.fill_null(_escaped(column), r"\N") for column in batch.columns]
    joined = pc.binary_join_element_wise(*strings, "\t")
    yield "\n".join(joined.to_pylist()).encode("utf-8")
    yield b"\n"


def _escaped(column: pyarrow.Array) -> pyarrow.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(pa.string())
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return column.cast(pa.string())
    text = column.cast(pa.string())
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ("\0", "\\0")):
        text = pc.replace_substring(text, plain, escaped)
    return text


def _by_statements(server: Server, data: Batches, table: TableName) -> int:
    """Insert many rows per statement, for servers that refuse files."""
    names = ", ".join(name for name, _ in _places(data))
    places = ", ".join(["%s"] * len(data.schema))
    sql = f"INSERT INTO {_name(table)} ({names}) VALUES ({places})"
    rows = 0
    for batch in data.batches:
        for start in range(0, batch.num_rows, _ROWS):
            piece = batch.slice(start, _ROWS)
            server.run_many(sql, list(zip(*(column.to_pylist() for column in piece.columns), strict=True)))
        rows += batch.num_rows
    return rows

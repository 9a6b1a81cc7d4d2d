"""Map Snowflake's names and types to those of artifacts and back, and load files into a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.snowflake.system import SNOWFLAKE
from aqueduct_provider.connectors.sql.column_types import columns, prepared
from aqueduct_provider.connectors.tables.arrow_types import converted
from aqueduct_provider.connectors.tables.model import KIND, Batches, TableName
from aqueduct_provider.errors import StatementRefused

if TYPE_CHECKING:
    import pyarrow

# Of one file: what Snowflake's documentation advises, and what bounds the room on disk.
_PART_BYTES = 128 << 20
# Digits of an integer that always fits 64 bits; BIGINT is an alias of NUMBER(38, 0).
_INTEGER_DIGITS = (18, 38)
_TYPES = {
    "REAL": "float64",
    "BOOLEAN": "bool",
    "DATE": "date32",
    "TIME": "time64[us]",
    "TIMESTAMP": "timestamp[us]",
    "TIMESTAMP_NTZ": "timestamp[us]",
    "BINARY": "binary",
}
_ZONED = ("TIMESTAMP_LTZ", "TIMESTAMP_TZ")
_JSON = ("VARIANT", "OBJECT", "ARRAY", "MAP", "VECTOR")


def shown(name: str) -> str:
    """Return a name as artifacts have it."""
    return name.lower() if re.fullmatch(r"[A-Z_][A-Z0-9_$]*", name) else name


# --- reading


def result_schema(description: Sequence[Any]) -> pyarrow.Schema:
    """Return the schema of a result.

    :param description: the cursor's.
    """
    import pyarrow as pa
    from snowflake.connector.constants import FIELD_ID_TO_NAME

    return pa.schema([_field(column, FIELD_ID_TO_NAME[column.type_code]) for column in description])


def _field(column: Any, kind: str) -> pyarrow.Field:
    import pyarrow as pa

    name = shown(column.name)
    if kind == "FIXED":
        least, most = _INTEGER_DIGITS
        is_integer = not column.scale and (column.precision <= least or column.precision == most)
        return pa.field(
            name, pa.int64() if is_integer else pa.decimal128(column.precision, column.scale or 0)
        )
    if kind in _ZONED:
        return pa.field(name, pa.timestamp("us", "UTC"))
    if kind in _TYPES:
        return pa.field(name, pa.type_for_alias(_TYPES[kind]))
    return pa.field(name, pa.string(), metadata={KIND: b"json"} if kind in _JSON else None)


def arrow_batches(tables: Iterator[pyarrow.Table], schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
    """Yield the connector's tables, whose integers vary in width, as batches of the schema.

    :raises StatementRefused: an integer has more than 64 bits.
    """
    import pyarrow as pa

    for table in tables:
        for batch in table.to_batches():
            arrays = [_array(field, column) for field, column in zip(schema, batch.columns, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(field: pyarrow.Field, column: Any) -> Any:
    import pyarrow as pa

    try:
        return converted(column, field.type)
    except (pa.ArrowException, ValueError) as exc:
        raise StatementRefused(
            f"Column {field.name!r} of the result holds a value that does not fit {field.type}: {exc}. Cast "
            "the column in the query, such as to VARCHAR or NUMBER(37, 0)."
        ) from exc


# --- writing


@dataclass
class Staging:
    """A temporary table, and how its rows come from files and go to a table.

    :param name: of the table; it needs no quotes.
    :param create: the statement that creates it.
    :param copy: the statement that fills it.
    :param definitions: the target's column definitions.
    :param names: the target's column names.
    :param values: the expressions that fill these columns.
    """

    name: str
    create: str
    copy: str
    definitions: str
    names: str
    values: str
    rows: int = 0

    def put(self, part: Path) -> str:
        """Return the statement that sends a file."""
        path = str(part).replace("\\", "\\\\").replace("'", "\\'")
        return f"PUT 'file://{path}' @%{self.name} AUTO_COMPRESS = FALSE OVERWRITE = TRUE"

    def create_as(self, table: TableName, create: str, options: str) -> str:
        """Return the statement that makes a table of the rows, all at once."""
        name = SNOWFLAKE.render_name(table.parts)
        return f"{create} {name} ({self.definitions}) {options} AS SELECT {self.values} FROM {self.name}"

    def insert_into(self, table: TableName) -> str:
        """Return the statement that adds the rows to a table."""
        name = SNOWFLAKE.render_name(table.parts)
        return f"INSERT INTO {name} ({self.names}) SELECT {self.values} FROM {self.name}"


def staging_of(schema: pyarrow.Schema, name: str) -> Staging:
    """Return the staging table for rows of this schema.

    :param name: as it is stored.
    :raises LoadRefused: databases have nothing like a type.
    """
    written = columns(schema, SNOWFLAKE)
    kinds = ["VARCHAR" if column.kind == "json" else column.sql for column in written]
    own = ", ".join(f"C{number} {kind}" for number, kind in enumerate(kinds))
    read = ", ".join(f"$1:C{number}::{kind}" for number, kind in enumerate(kinds))
    return Staging(
        name=name,
        create=f"CREATE OR REPLACE TEMPORARY TABLE {name} ({own})",
        copy=(
            f"COPY INTO {name} FROM (SELECT {read} FROM @%{name}) "
            "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE BINARY_AS_TEXT = FALSE)"
        ),
        definitions=", ".join(f"{SNOWFLAKE.quote(column.name)} {column.sql}" for column in written),
        names=", ".join(SNOWFLAKE.quote(column.name) for column in written),
        values=", ".join(
            f"PARSE_JSON(C{number})" if column.kind == "json" else f"C{number}"
            for number, column in enumerate(written)
        ),
    )


def parts(data: Batches, folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield the rows as Parquet files with columns ``C0``, ``C1``, ..., each with its row count.

    A file is written when the one before it has been dealt with.
    """
    import pyarrow as pa

    data = prepared(data, SNOWFLAKE)
    # As text: Parquet's times are numbers to Snowflake.
    kinds = [pa.string() if pa.types.is_time(kind) else kind for kind in data.schema.types]
    schema = pa.schema([(f"C{number}", kind) for number, kind in enumerate(kinds)])
    batches = _as(data.batches, schema)
    for number in count():
        path = folder / f"part-{number}.parquet"
        rows = _write_part(batches, schema, path)
        if not rows:
            return
        yield path, rows


def _as(batches: Iterator[pyarrow.RecordBatch], schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow as pa

    for batch in batches:
        arrays = [converted(array, kind) for array, kind in zip(batch.columns, schema.types, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _write_part(batches: Iterator[pyarrow.RecordBatch], schema: pyarrow.Schema, path: Path) -> int:
    import pyarrow.parquet as pq

    rows = size = 0
    with pq.ParquetWriter(path, schema, compression="snappy") as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
            size += batch.nbytes
            if size >= _PART_BYTES:
                break
    return rows

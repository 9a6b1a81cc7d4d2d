"""The columns that a table has in each dialect, and the table as the dialect's bulk path takes it.

In: the schema or the batches of a table that is to be loaded. Out: the columns of CREATE TABLE, and batches
that hold only what these columns take: no dictionaries, no unsigned numbers, times in microseconds, zones in
UTC, nested values as JSON. On Postgres and SQLite the types are those that pandas, and so the original,
chooses. Must not import at module level: pyarrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.tables.arrow_types import Plain, as_text, converted, plain, without_nan
from aqueduct_provider.connectors.tables.model import CELLS, Batches
from aqueduct_provider.errors import LoadRefused

if TYPE_CHECKING:
    import pyarrow

_COMMON = {
    "bool": "BOOLEAN",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float32": "REAL",
    "float64": "DOUBLE PRECISION",
    "decimal": "DECIMAL({precision}, {scale})",
    "text": "TEXT",
    "json": "TEXT",
    "uuid": "CHAR(36)",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
}
_TYPES = {
    "Postgres": _COMMON
    | {
        "decimal": "NUMERIC({precision}, {scale})",
        "json": "JSONB",
        # Binary COPY takes the text of JSON as it is, and JSONB only with a mark before it.
        "nested": "JSON",
        "uuid": "UUID",
        "binary": "BYTEA",
    },
    # The longest there are: Redshift has no unlimited types.
    "Redshift": _COMMON | {"text": "VARCHAR(65535)", "json": "VARCHAR(65535)", "binary": "VARBYTE(1024000)"},
    "MySQL": _COMMON
    | {
        "float32": "FLOAT",
        "float64": "DOUBLE",
        "text": "LONGTEXT",
        "json": "JSON",
        "binary": "LONGBLOB",
        "time": "TIME(6)",
        "timestamp": "DATETIME(6)",
        # In UTC. TIMESTAMP would end in 2038.
        "timestamptz": "DATETIME(6)",
    },
    "SQLite": _COMMON
    | {
        "float32": "FLOAT",
        "float64": "FLOAT",
        "json": "JSON_TEXT",
        "uuid": "TEXT",
        "binary": "BLOB",
        "timestamp": "DATETIME",
        "timestamptz": "TIMESTAMP",
    },
    "SQL Server": _COMMON
    | {
        "bool": "BIT",
        "int32": "INT",
        "float64": "FLOAT",
        "text": "NVARCHAR(MAX)",
        "json": "NVARCHAR(MAX)",
        "binary": "VARBINARY(MAX)",
        "time": "TIME(6)",
        "timestamp": "DATETIME2(6)",
        "timestamptz": "DATETIMEOFFSET(6)",
    },
    "Snowflake": _COMMON
    | {
        "float32": "FLOAT",
        "float64": "FLOAT",
        "decimal": "NUMBER({precision}, {scale})",
        "text": "VARCHAR",
        "json": "VARIANT",
        "binary": "BINARY",
        "time": "TIME(6)",
        "timestamp": "TIMESTAMP_NTZ(6)",
        "timestamptz": "TIMESTAMP_TZ(6)",
    },
    "BigQuery": _COMMON
    | {
        "bool": "BOOL",
        "int16": "INT64",
        "int32": "INT64",
        "int64": "INT64",
        "float32": "FLOAT64",
        "float64": "FLOAT64",
        "decimal": "BIGNUMERIC",
        "text": "STRING",
        "json": "STRING",
        "uuid": "STRING",
        "binary": "BYTES",
        "timestamp": "DATETIME",
        "timestamptz": "TIMESTAMP",
    },
}
# The most digits that a decimal has, before and after the point together, and after it.
_DECIMALS = {
    "Postgres": (76, 76),
    "Redshift": (38, 37),
    "MySQL": (65, 30),
    # More would become floating-point numbers.
    "SQLite": (15, 15),
    "SQL Server": (38, 38),
    "Snowflake": (38, 37),
}
# Have neither NaN nor infinity.
_FINITE = {"MySQL", "SQL Server"}
_TEMPORAL = {"date", "time", "timestamp", "timestamptz"}
# What arrays are made of, where the database has arrays; of other lists JSON is made.
_ITEMS = {"bool", "int16", "int32", "int64", "float32", "float64", "text", "date", "timestamp", "timestamptz"}


@dataclass(frozen=True)
class Column:
    """A column of the table that is written.

    :param kind: which row of the tables of types it is.
    :param sql: its type in CREATE TABLE.
    :param plain: of the array that the one given is first converted to. :param type: of the one written.
    :param has_cells: whether the array has a JSON text for each number and text.
    """

    name: str
    kind: str
    sql: str
    plain: pyarrow.DataType
    type: pyarrow.DataType
    has_cells: bool = False


def columns(schema: pyarrow.Schema, dialect: Dialect) -> list[Column]:
    """What each column becomes.

    :raises LoadRefused: databases have nothing like it.
    """
    return [_column(field, dialect) for field in schema]


def column_definitions(schema: pyarrow.Schema, dialect: Dialect) -> str:
    """The columns as they stand in CREATE TABLE: names, quoted, and types. Raises as :func:`columns`."""
    return ", ".join(f"{dialect.quote(column.name)} {column.sql}" for column in columns(schema, dialect))


def prepared(data: Batches, dialect: Dialect) -> Batches:
    """The table, converted to what the columns of :func:`column_definitions` take.

    :raises LoadRefused: as :func:`columns`; while reading, when a value does not fit its column.
    """
    import pyarrow as pa

    targets = columns(data.schema, dialect)
    schema = pa.schema(
        [
            pa.field(target.name, target.type, metadata=None if target.has_cells else field.metadata)
            for target, field in zip(targets, data.schema, strict=True)
        ]
    )
    return Batches(schema, _prepared(data.batches, targets, schema, dialect.name in _FINITE))


def _prepared(
    batches: Iterator[pyarrow.RecordBatch], targets: list[Column], schema: pyarrow.Schema, finite: bool
) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow as pa

    for batch in batches:
        arrays = [
            _array(target, array, finite=finite) for target, array in zip(targets, batch.columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(target: Column, array: Any, *, finite: bool) -> Any:
    import pyarrow as pa

    if target.has_cells:
        return as_text(array)
    try:
        array = converted(converted(array, target.plain), target.type)
        return without_nan(array) if finite and target.kind in ("float32", "float64") else array
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as exc:
        raise LoadRefused(
            f"Column {target.name!r} holds a value that does not fit {target.sql}: {exc}. Convert the column "
            "before it is saved, such as to text."
        ) from exc


def _column(field: pyarrow.Field, dialect: Dialect) -> Column:
    import pyarrow as pa

    found, types = plain(field), _TYPES[dialect.name]
    if CELLS in (field.metadata or {}):
        # No column takes numbers and text, but that of text; the original writes them so, too.
        return Column(field.name, "text", types["text"], pa.string(), pa.string(), has_cells=True)
    if found.kind == "nested":
        return _nested(field.name, found.type, dialect)
    if found.kind == "decimal":
        return _decimal(field.name, found.type, dialect)
    written = found.type
    if dialect.name == "SQLite" and found.kind in _TEMPORAL:
        # It has no such types, only functions that read these texts.
        written = pa.string()
    if dialect.name == "MySQL" and found.kind == "timestamptz":
        written = pa.timestamp("us")
    return Column(field.name, found.kind, types[found.kind], found.type, written)


def _nested(name: str, found: pyarrow.DataType, dialect: Dialect) -> Column:
    """An array where the database has them, else JSON."""
    import pyarrow as pa

    types = _TYPES[dialect.name]
    if dialect.name == "Postgres" and _is_list(found):
        item = (
            plain(found.value_field.with_name(name))
            if not pa.types.is_null(found.value_type)
            else Plain("", found)
        )
        if item.kind in _ITEMS:
            kept = pa.list_(item.type)
            return Column(name, "array", f"{types[item.kind]}[]", kept, kept)
    return Column(name, "json", types.get("nested", types["json"]), pa.string(), pa.string())


def _is_list(found: pyarrow.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_list(found) or types.is_large_list(found) or types.is_fixed_size_list(found))


def _decimal(name: str, found: pyarrow.DataType, dialect: Dialect) -> Column:
    """A decimal; a text where the database's decimals have too few digits, so that none is lost."""
    import pyarrow as pa

    types, sql = _TYPES[dialect.name], _TYPES[dialect.name]["decimal"]
    if dialect.name == "BigQuery":
        # NUMERIC has 29 digits before the point and 9 after it, BIGNUMERIC has 38 and 38.
        whole, scale = found.precision - found.scale, found.scale
        sql, fits = ("NUMERIC" if whole <= 29 and scale <= 9 else sql), whole <= 38 and scale <= 38
    else:
        most, most_scale = _DECIMALS[dialect.name]
        fits = found.precision <= most and found.scale <= most_scale
    sql = sql.format(precision=found.precision, scale=found.scale)
    if dialect.name == "SQLite":
        # TEXT in the name of a type keeps SQLite from making numbers of texts.
        return Column(name, "decimal", sql if fits else sql.replace("AL(", "AL_TEXT("), found, pa.string())
    if not fits:
        return Column(name, "text", types["text"], found, pa.string())
    return Column(name, "decimal", sql, found, found)

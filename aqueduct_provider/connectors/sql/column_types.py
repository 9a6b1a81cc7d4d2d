"""Choose the columns of a table in a dialect, and convert the table to what the dialect's bulk path takes.

In: the schema or the batches of a table that is to be loaded. Out: the columns of CREATE TABLE, and batches
that hold only what these columns take: no dictionaries, no unsigned numbers, times in microseconds, zones in
UTC, nested values as JSON. On Postgres and SQLite the types are those that pandas, and so the original,
chooses.
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

_TEMPORAL = {"date", "time", "timestamp", "timestamptz"}
# What arrays are made of, where the database has arrays; of other lists JSON is made.
_ITEMS = {"bool", "int16", "int32", "int64", "float32", "float64", "text", "date", "timestamp", "timestamptz"}


@dataclass(frozen=True)
class Column:
    """A column of the table that is written.

    :param kind: which row of the tables of types it is.
    :param sql: its type in CREATE TABLE.
    :param plain: type to which the given array is first converted.
    :param type: type of the array that is written.
    :param has_cells: whether the array has a JSON text for each number and text.
    """

    name: str
    kind: str
    sql: str
    plain: pyarrow.DataType
    type: pyarrow.DataType
    has_cells: bool = False


def columns(schema: pyarrow.Schema, dialect: Dialect) -> list[Column]:
    """Return the column that each field becomes.

    :raises LoadRefused: databases have nothing like it.
    """
    return [_column(field, dialect) for field in schema]


def column_definitions(schema: pyarrow.Schema, dialect: Dialect) -> str:
    """Return the columns for CREATE TABLE: quoted names and types. Raises as :func:`columns`."""
    return ", ".join(f"{dialect.quote(column.name)} {column.sql}" for column in columns(schema, dialect))


def prepared(data: Batches, dialect: Dialect) -> Batches:
    """Convert the table to what the columns of :func:`column_definitions` take.

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
    return Batches(schema, _prepared(data.batches, targets, schema, not dialect.has_nan))


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

    found, types = plain(field), dialect.types
    if CELLS in (field.metadata or {}):
        # No column takes numbers and text, but that of text; the original writes them so, too.
        return Column(field.name, "text", types["text"], pa.string(), pa.string(), has_cells=True)
    if found.kind == "nested":
        return _nested(field.name, found.type, dialect)
    if found.kind == "decimal":
        return _decimal(field.name, found.type, dialect)
    written = found.type
    if not dialect.has_temporal and found.kind in _TEMPORAL:
        written = pa.string()
    elif not dialect.has_zones and found.kind == "timestamptz":
        written = pa.timestamp("us")
    return Column(field.name, found.kind, types[found.kind], found.type, written)


def _nested(name: str, found: pyarrow.DataType, dialect: Dialect) -> Column:
    """Return an array type if the database has one, else JSON."""
    import pyarrow as pa

    types = dialect.types
    if dialect.has_arrays and _is_list(found):
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
    """Return a decimal type, or text if the database's decimals have too few digits."""
    import pyarrow as pa

    column = dialect.decimal_column(found.precision, found.scale)
    if not column.fits:
        return Column(name, "text", dialect.types["text"], found, pa.string())
    return Column(name, "decimal", column.sql, found, pa.string() if column.is_text else found)

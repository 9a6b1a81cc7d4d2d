"""Read the CSV file of an Athena result in batches of Arrow records.

The file, and not the API that gives its rows: that one gives 1,000 at a time. Nor the driver's Arrow cursor,
which holds the whole result and makes empty strings NULL. In the file, NULL is an empty field without quotes,
and every value is a text, in the spelling of Athena's type. Arrays, maps, rows and intervals stay that text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aqueduct_provider.connectors.tables.model import KIND, Batches
from aqueduct_provider.errors import StatementRefused

if TYPE_CHECKING:
    import pyarrow

# A row must fit into a block; Athena's have up to 32 MB.
_BLOCK = 33 << 20
_KINDS = {"json": b"json", "uuid": b"uuid"}
_WITH_ZONE = "timestamp with time zone"
# A timestamp in microseconds: 2026-11-22 01:02:03.123456
_TIMESTAMP_CHARACTERS = 26


def schema_of(description: Sequence[Sequence[Any]]) -> pyarrow.Schema:
    """Return the schema of a result.

    :param description: of a DBAPI cursor: name, type, ..., precision and scale in the fifth and sixth place.
    """
    import pyarrow as pa

    return pa.schema(
        [
            pa.field(
                column[0],
                _type_of(column[1], column[4], column[5]),
                metadata={KIND: _KINDS[column[1]]} if column[1] in _KINDS else None,
            )
            for column in description
        ]
    )


def _type_of(name: str, precision: int, scale: int) -> pyarrow.DataType:
    import pyarrow as pa

    if name == "decimal":
        return pa.decimal128(precision, scale)
    types = {
        "boolean": pa.bool_(),
        "tinyint": pa.int8(),
        "smallint": pa.int16(),
        "int": pa.int32(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "float": pa.float32(),
        "real": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "time": pa.time64("us"),
        "timestamp": pa.timestamp("us"),
        _WITH_ZONE: pa.timestamp("us", "UTC"),
        "varbinary": pa.binary(),
    }
    return types.get(name, pa.string())


def read_csv(path: Path, schema: pyarrow.Schema) -> Batches:
    """Return the rows of a result file.

    :raises StatementRefused: while reading, when a value does not fit its column's type.
    """
    return Batches(schema, _batches(path, schema))


def _batches(path: Path, schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv

    # Queries may give several columns one name.
    names = list(map(str, range(len(schema))))
    reader = csv.open_csv(
        path,
        read_options=csv.ReadOptions(column_names=names, skip_rows_after_names=1, block_size=_BLOCK),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    with reader:
        for batch in reader:
            columns = map(_converted, schema, batch.columns)
            yield pa.RecordBatch.from_arrays(list(columns), schema=schema)


def _converted(field: pyarrow.Field, strings: pyarrow.Array) -> pyarrow.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if field.type == pa.timestamp("us"):
        strings = pc.utf8_slice_codeunits(strings, 0, _TIMESTAMP_CHARACTERS)
    try:
        if parse := _parser(field.type):
            values = [None if text is None else parse(text) for text in strings.to_pylist()]
            return pa.array(values, field.type)
        return strings.cast(field.type)
    except (pa.ArrowException, ValueError, LookupError, OverflowError) as error:
        raise StatementRefused(
            f"Column {field.name!r} of the result has a value that does not fit its type, {field.type}: "
            f"{error}. Cast the column in the query, such as to varchar."
        ) from error


def _parser(kind: pyarrow.DataType) -> Callable[[str], Any] | None:
    """Return the parser for a type whose text Arrow cannot cast; None: Arrow can."""
    import pyarrow as pa

    if pa.types.is_binary(kind):
        return bytes.fromhex
    if pa.types.is_time(kind):
        return time.fromisoformat
    return _instant if kind == pa.timestamp("us", "UTC") else None


def _instant(text: str) -> datetime:
    """Parse a point in time such as 2026-11-22 01:02:03.123, with an offset or a zone's name."""
    local, _, zone = text.rpartition(" ")
    if zone[:1] in "+-":
        return datetime.fromisoformat(local[:_TIMESTAMP_CHARACTERS] + zone)
    return datetime.fromisoformat(local[:_TIMESTAMP_CHARACTERS]).replace(tzinfo=_zone(zone))


@lru_cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

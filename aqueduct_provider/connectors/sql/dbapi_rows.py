"""Convert rows of a DBAPI cursor to batches of Arrow records, for drivers without Arrow.

In: the schema that the columns' types ask for, and the cursor's ``fetchmany``. Out: batches of a few MB each,
so that memory grows neither with the number of rows nor with their width. No type is guessed from values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.tables.model import Batches
from aqueduct_provider.errors import StatementRefused

if TYPE_CHECKING:
    import pyarrow

Fetch = Callable[[int], Sequence[Sequence[Any]]]

_FIRST_ROWS = 256
_MOST_ROWS = 50_000
_BATCH_BYTES = 8 << 20
_UNFIT = (TypeError, ValueError, ArithmeticError)


def batches(schema: pyarrow.Schema, fetch: Fetch) -> Batches:
    """Return the rows as record batches.

    Values are taken in every form that drivers give them: 0 and 1 for booleans, strings and floats for
    decimals, ``timedelta`` for times, ``memoryview`` for bytes, objects for JSON.

    :param fetch: returns up to that many rows, such as ``cursor.fetchmany``; no rows at the end.
    :raises StatementRefused: while reading, when a value does not fit its column.
    """
    return Batches(schema, _batches(schema, fetch))


def _batches(schema: pyarrow.Schema, fetch: Fetch) -> Iterator[pyarrow.RecordBatch]:
    count, done = _FIRST_ROWS, 0
    while rows := fetch(count):
        for batch in converted(schema, rows, done):
            yield batch
            done += batch.num_rows
            fits = _BATCH_BYTES * batch.num_rows // max(batch.nbytes, 1)
            count = max(1, min(fits, count * 4, _MOST_ROWS))


def converted(
    schema: pyarrow.Schema, rows: Sequence[Sequence[Any]], done: int
) -> Iterator[pyarrow.RecordBatch]:
    """Some rows as batches, mostly as one, for what gives rows unasked.

    :param done: how many rows came before these.
    :raises StatementRefused: a value does not fit its column.
    """
    import pyarrow as pa

    columns = [
        _array(field, values, done) for field, values in zip(schema, zip(*rows, strict=True), strict=True)
    ]
    if not any(isinstance(column, pa.ChunkedArray) for column in columns):
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
        return
    # More than the 2 GB of text that one array can hold.
    half = len(rows) // 2
    yield from converted(schema, rows[:half], done)
    yield from converted(schema, rows[half:], done + half)


def _array(field: pyarrow.Field, values: Sequence[Any], done: int) -> Any:
    import pyarrow as pa

    found = set(map(type, values)) - {type(None)}
    convert = _converter(field.type)
    try:
        if found <= _taken_as_they_are(field.type):
            return pa.array(values, field.type)
        if found == {str} and pa.types.is_temporal(field.type):
            return pa.array(values, pa.string()).cast(field.type)
        return pa.array([None if value is None else convert(value) for value in values], field.type)
    except (pa.ArrowException, *_UNFIT):
        # One by one: some could not be converted all at once, and the one that cannot at all is named.
        return pa.array(
            [_value(field, convert, value, done + row) for row, value in enumerate(values)], field.type
        )


def _taken_as_they_are(kind: pyarrow.DataType) -> set[type]:
    """Return the types that ``pyarrow.array`` takes without loss; of 1.5 it would make the integer 1."""
    from pyarrow import types

    if types.is_nested(kind):
        return {list, dict, tuple}
    rules: tuple[tuple[Callable[[Any], bool], set[type]], ...] = (
        (types.is_boolean, {bool}),
        (types.is_integer, {int}),
        (types.is_floating, {float}),
        (types.is_decimal, {Decimal, int}),
        (_is_text, {str}),
        (_is_binary, {bytes, bytearray}),
        (types.is_date, {date}),
        (types.is_time, {time}),
        (types.is_timestamp, {datetime}),
        (types.is_duration, {timedelta}),
    )
    return next((taken for is_kind, taken in rules if is_kind(kind)), set())


def _value(field: pyarrow.Field, convert: Callable[[Any], Any], value: Any, row: int) -> Any:
    import pyarrow as pa

    if value is None:
        return None
    try:
        converted = convert(value)
        pa.scalar(converted, field.type)
    except (pa.ArrowException, *_UNFIT) as exc:
        raise StatementRefused(
            f"Column {field.name!r}, row {row + 1} of the result: a value of type {type(value).__name__} "
            f"does not fit the column's type, {field.type}. Cast the column in the query, such as to text."
        ) from exc
    return converted


def _converter(kind: pyarrow.DataType) -> Callable[[Any], Any]:
    """Return what prepares a value for ``pyarrow.array``.

    It may raise TypeError, ValueError or ArithmeticError.
    """
    from pyarrow import types

    if types.is_decimal(kind):
        return lambda value: _decimal(value, kind.scale)
    for is_kind, convert in (
        (types.is_boolean, _boolean),
        (types.is_integer, _integer),
        (types.is_floating, float),
        (_is_text, _text),
        (_is_binary, _bytes),
        (types.is_date, _date),
        (types.is_time, _time),
        (types.is_timestamp, _timestamp),
    ):
        if is_kind(kind):
            return convert
    return lambda value: value


def _is_text(kind: pyarrow.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _is_binary(kind: pyarrow.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _boolean(value: Any) -> bool:
    if isinstance(value, (bytes, bytearray)):
        value = int.from_bytes(value, "big")
    if value in (0, 1):
        return bool(value)
    raise ValueError


def _integer(value: Any) -> int:
    """Return an integer; MySQL gives BIT as bytes."""
    if isinstance(value, (bytes, bytearray)):
        return int.from_bytes(value, "big")
    number = int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError
    return number


def _decimal(value: Any, scale: int) -> Decimal:
    """With the column's digits after the point; a value that has more of them is an ArithmeticError."""
    number = Decimal(repr(value) if isinstance(value, float) else value)
    return number.quantize(
        Decimal(1).scaleb(-scale), context=Context(prec=80, traps=[Inexact, InvalidOperation])
    )


def _text(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode()
    return (
        json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (dict, list)) else str(value)
    )


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else memoryview(value).tobytes()


def _date(value: Any) -> date:
    moment = value if isinstance(value, date) else datetime.fromisoformat(value)
    if isinstance(moment, datetime):
        if moment.time() != time():
            raise ValueError
        return moment.date()
    return moment


def _time(value: Any) -> time:
    """Return a time of day. MySQL's TIME is a duration, maybe negative or longer than a day."""
    if isinstance(value, timedelta) and timedelta(0) <= value < timedelta(days=1):
        return (datetime.min + value).time()
    if isinstance(value, time):
        return value
    return time.fromisoformat(value)


def _timestamp(value: Any) -> datetime:
    """Return a point in time; without an offset, it is taken as UTC where that matters."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    # Python 3.10 knows no Z.
    return datetime.fromisoformat(value.replace("Z", "+00:00") if isinstance(value, str) else value)

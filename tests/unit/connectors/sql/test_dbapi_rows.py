from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import islice
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.sql import dbapi_rows
from aqueduct_provider.connectors.sql.dbapi_rows import batches
from aqueduct_provider.errors import StatementRefused

WARSAW = timezone(timedelta(hours=2))


def fetching(given: Sequence[Sequence[Any]]) -> Callable[[int], list[Sequence[Any]]]:
    """What ``cursor.fetchmany`` is for these rows."""
    left = iter(given)
    return lambda count: list(islice(left, count))


def column(kind: pa.DataType, *values: Any) -> list[Any]:
    data = batches(pa.schema([("c", kind)]), fetching([(value,) for value in values]))
    return list(pa.Table.from_batches(data.batches, data.schema)["c"].to_pylist())


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        (pa.bool_(), (True, False, None), [True, False, None]),
        (pa.bool_(), (1, 0, None), [True, False, None]),
        (pa.bool_(), (b"\x01", b"\x00"), [True, False]),
        (pa.int64(), (1, None, -(2**63)), [1, None, -(2**63)]),
        (pa.int64(), (1, 2.0, Decimal("3"), "4", b"\x01\x00"), [1, 2, 3, 4, 256]),
        (pa.uint64(), (2**64 - 1,), [2**64 - 1]),
        (pa.float64(), (1.5, None, float("inf")), [1.5, None, float("inf")]),
        (pa.float64(), (Decimal("0.25"), 2, "1e3", 2**60), [0.25, 2.0, 1000.0, float(2**60)]),
        (pa.decimal128(10, 2), (Decimal("1.5"), None, 2), [Decimal("1.50"), None, Decimal("2.00")]),
        (
            pa.decimal128(10, 2),
            ("1.5", 0.1, Decimal("1.500")),
            [Decimal("1.50"), Decimal("0.10"), Decimal("1.50")],
        ),
        (pa.decimal128(38, 0), (10**37, 2.0), [Decimal(10**37), Decimal(2)]),
        (pa.decimal256(76, 38), (Decimal("1e-38"), "1"), [Decimal("1e-38"), Decimal(1)]),
        (pa.string(), ("żółw", None, ""), ["żółw", None, ""]),
        (pa.string(), ("a", b"b", bytearray(b"c"), memoryview(b"d"), 5), ["a", "b", "c", "d", "5"]),
        (pa.string(), ({"a": ["ż", 1]}, [None]), ['{"a": ["ż", 1]}', "[null]"]),
        (pa.string(), (uuid.UUID(int=1),), ["00000000-0000-0000-0000-000000000001"]),
        (pa.large_string(), ("a", b"b"), ["a", "b"]),
        (pa.binary(), (b"\xff", memoryview(b"a"), bytearray(b"b"), "ż"), [b"\xff", b"a", b"b", "ż".encode()]),
        (pa.date32(), (date(2026, 11, 22), None), [date(2026, 11, 22), None]),
        (pa.date32(), (datetime(2026, 11, 22), "2026-11-23"), [date(2026, 11, 22), date(2026, 11, 23)]),
        (pa.date32(), ("2026-11-23", None), [date(2026, 11, 23), None]),
        (pa.time64("us"), (time(1, 2, 3, 4), timedelta(hours=23)), [time(1, 2, 3, 4), time(23)]),
        (pa.time64("us"), ("01:02:03.5", None), [time(1, 2, 3, 500000), None]),
        (
            pa.timestamp("us"),
            (datetime(2026, 1, 1), date(2026, 1, 2)),
            [datetime(2026, 1, 1), datetime(2026, 1, 2)],
        ),
        (pa.timestamp("us"), ("2026-01-01 01:02:03.5", None), [datetime(2026, 1, 1, 1, 2, 3, 500000), None]),
        (
            pa.timestamp("us", "UTC"),
            (datetime(2026, 1, 1, 2, tzinfo=WARSAW), datetime(2026, 1, 1), "2026-01-01T02:00:00+02:00"),
            [datetime(2026, 1, 1, tzinfo=timezone.utc)] * 3,
        ),
        (pa.duration("us"), (timedelta(days=-40),), [timedelta(days=-40)]),
        (pa.list_(pa.int64()), ([1, None], None, []), [[1, None], None, []]),
        (pa.null(), (None, None), [None, None]),
    ],
    ids=str,
)
def test_values_in_every_form_that_drivers_give_them(
    kind: pa.DataType, given: Sequence[Any], read: list[Any]
) -> None:
    assert column(kind, *given) == read


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.bool_(), 2),
        (pa.int64(), 1.5),
        (pa.int64(), Decimal("1.5")),
        (pa.int64(), 2**63),
        (pa.int8(), 300),
        (pa.int64(), "many"),
        (pa.float64(), "many"),
        (pa.decimal128(10, 2), Decimal("1.005")),
        (pa.decimal128(5, 2), Decimal("123456")),
        (pa.decimal128(5, 2), Decimal("NaN")),
        (pa.string(), b"\xff"),
        (pa.string(), "\ud800"),
        (pa.binary(), 5),
        (pa.date32(), datetime(2026, 1, 1, 5)),
        (pa.date32(), 5),
        (pa.time64("us"), timedelta(hours=25)),
        (pa.time64("us"), timedelta(hours=-1)),
        (pa.timestamp("us"), 5),
        (pa.timestamp("us"), "yesterday"),
        (pa.null(), 5),
        (pa.list_(pa.int64()), "a"),
    ],
    ids=str,
)
def test_a_value_that_does_not_fit_is_named_with_its_column_and_row(kind: pa.DataType, value: Any) -> None:
    with pytest.raises(
        StatementRefused, match=r"Column 'c', row 2 of the result: a value of type \w+"
    ) as error:
        column(kind, None, value, None)
    assert str(kind) in str(error.value)


def test_the_row_is_counted_through_all_batches() -> None:
    values = [*range(1000), "many"]
    with pytest.raises(StatementRefused, match="row 1001 of"):
        column(pa.int64(), *values)


def test_no_rows_and_the_schema_is_kept() -> None:
    schema = pa.schema([pa.field("c", pa.string(), metadata={b"note": b"1"})])
    data = batches(schema, fetching([]))
    assert data.schema is schema
    assert list(data.batches) == []
    [batch] = batches(schema, fetching([("a",)])).batches
    assert batch.schema.equals(schema, check_metadata=True)


def test_columns_of_one_name() -> None:
    schema = pa.schema([("c", pa.int64()), ("c", pa.string())])
    [batch] = batches(schema, fetching([(1, "a"), (2, "b")])).batches
    assert [column.to_pylist() for column in batch.columns] == [[1, 2], ["a", "b"]]


@pytest.mark.parametrize("size", [10, 10_000, 1_000_000])
def test_memory_is_bounded_however_wide_the_rows_are(size: int) -> None:
    asked: list[int] = []
    given = fetching([("x" * size,)] * 3000) if size < 1_000_000 else fetching([("x" * size,)] * 300)

    def fetch(count: int) -> list[Sequence[Any]]:
        asked.append(count)
        return given(count)

    read = list(batches(pa.schema([("c", pa.string())]), fetch).batches)
    assert sum(batch.num_rows for batch in read) == (3000 if size < 1_000_000 else 300)
    assert max(count * size for count in asked[1:]) <= 16 << 20
    assert max(asked) <= 50_000


def test_more_text_than_one_array_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """An array of texts holds 2 GB; what pyarrow gives for more is made here from little."""
    real = dbapi_rows._array

    def split(field: pa.Field, values: Sequence[Any], done: int) -> Any:
        array = real(field, values, done)
        return array if len(array) <= 2 else pa.chunked_array([array])

    monkeypatch.setattr(dbapi_rows, "_array", split)
    read = list(batches(pa.schema([("c", pa.int64())]), fetching([(n,) for n in range(5)])).batches)
    assert [batch.num_rows for batch in read] == [2, 1, 2]
    assert [n for batch in read for n in batch["c"].to_pylist()] == [0, 1, 2, 3, 4]

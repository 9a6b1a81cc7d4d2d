from __future__ import annotations

import json
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.tables.arrow_types import as_json, converted, plain, without_nan
from aqueduct_provider.connectors.tables.model import KIND
from aqueduct_provider.errors import LoadRefused

UTC = timezone.utc


def field(kind: pa.DataType, note: bytes = b"") -> pa.Field:
    return pa.field("c", kind, metadata={KIND: note} if note else None)


@pytest.mark.parametrize(
    ("given", "kind", "kept"),
    [
        (pa.null(), "text", pa.string()),
        (pa.bool_(), "bool", pa.bool_()),
        (pa.int8(), "int16", pa.int16()),
        (pa.uint8(), "int16", pa.int16()),
        (pa.uint16(), "int32", pa.int32()),
        (pa.uint32(), "int64", pa.int64()),
        (pa.uint64(), "decimal", pa.decimal128(20, 0)),
        (pa.float16(), "float32", pa.float32()),
        (pa.float64(), "float64", pa.float64()),
        (pa.decimal128(10, 2), "decimal", pa.decimal128(10, 2)),
        (pa.decimal128(5, -2), "decimal", pa.decimal128(7, 0)),
        (pa.decimal128(38, -2), "decimal", pa.decimal256(40, 0)),
        (pa.decimal128(2, 5), "decimal", pa.decimal128(5, 5)),
        (pa.decimal256(60, 20), "decimal", pa.decimal256(60, 20)),
        (pa.large_string(), "text", pa.large_string()),
        (pa.string_view(), "text", pa.large_string()),
        (pa.binary(4), "binary", pa.binary()),
        (pa.binary_view(), "binary", pa.large_binary()),
        (pa.date64(), "date", pa.date32()),
        (pa.time32("s"), "time", pa.time64("us")),
        (pa.time64("ns"), "time", pa.time64("us")),
        (pa.timestamp("ns"), "timestamp", pa.timestamp("us")),
        (pa.timestamp("s", "Europe/Warsaw"), "timestamptz", pa.timestamp("us", "UTC")),
        (pa.duration("s"), "int64", pa.int64()),
        (pa.dictionary(pa.int8(), pa.string()), "text", pa.string()),
        (pa.dictionary(pa.int8(), pa.timestamp("ns")), "timestamp", pa.timestamp("us")),
        (pa.run_end_encoded(pa.int32(), pa.int8()), "int16", pa.int16()),
        (pa.list_(pa.int8()), "nested", pa.list_(pa.int8())),
        (pa.struct([("a", pa.int8())]), "nested", pa.struct([("a", pa.int8())])),
    ],
    ids=str,
)
def test_what_a_type_is_for_a_database(given: pa.DataType, kind: str, kept: pa.DataType) -> None:
    found = plain(field(given))
    assert (found.kind, found.type) == (kind, kept)


def test_texts_that_say_what_they_are() -> None:
    assert plain(field(pa.string(), b"json")).kind == "json"
    assert plain(field(pa.large_string(), b"uuid")).kind == "uuid"
    assert plain(field(pa.string(), b"decimal")).kind == "text"
    assert plain(field(pa.int64(), b"json")).kind == "int64"


def test_types_that_no_database_has() -> None:
    with pytest.raises(LoadRefused, match="Column 'c' is of type month_day_nano_interval"):
        plain(field(pa.month_day_nano_interval()))


WARSAW = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("given", "target", "read"),
    [
        (pa.array([1, None], pa.uint8()), pa.int16(), [1, None]),
        (pa.array([2**64 - 1], pa.uint64()), pa.decimal128(20, 0), [Decimal(2**64 - 1)]),
        (pa.array([None, None]), pa.string(), [None, None]),
        (pa.array(["b", None, "b"]).dictionary_encode(), pa.string(), ["b", None, "b"]),
        (pa.array([b"ab"], pa.binary(2)), pa.binary(), [b"ab"]),
        (pa.array([timedelta(microseconds=-5), None]), pa.int64(), [-5000, None]),
        (pa.array([1], pa.timestamp("s")), pa.timestamp("us"), [datetime(1970, 1, 1, 0, 0, 1)]),
        (pa.array([1999], pa.timestamp("ns")), pa.timestamp("us"), [datetime(1970, 1, 1, 0, 0, 0, 1)]),
        (
            pa.array([datetime(2026, 1, 1, 2, tzinfo=WARSAW)], pa.timestamp("ms", "Europe/Warsaw")),
            pa.timestamp("us", "UTC"),
            [datetime(2026, 1, 1, tzinfo=UTC)],
        ),
        (pa.array([date(2026, 1, 1)], pa.date64()), pa.date32(), [date(2026, 1, 1)]),
        (pa.array([time(1, 2)], pa.time32("s")), pa.time64("us"), [time(1, 2)]),
        # As text, where a database has no such type.
        (pa.array([Decimal("1e-30"), None], pa.decimal128(38, 30)), pa.string(), [f"0.{'0' * 29}1", None]),
        (pa.array([datetime(2026, 1, 1)]), pa.string(), ["2026-01-01 00:00:00.000000"]),
        (
            pa.array([datetime(2026, 1, 1)], pa.timestamp("us", "UTC")),
            pa.string(),
            ["2026-01-01 00:00:00.000000Z"],
        ),
        (pa.array([time(1, 2, 3, 4)]), pa.string(), ["01:02:03.000004"]),
        (pa.array([date(2026, 1, 1)]), pa.string(), ["2026-01-01"]),
        (pa.array([[1, None], None], pa.list_(pa.uint8())), pa.list_(pa.int16()), [[1, None], None]),
        (pa.array([[1, None], None], pa.list_(pa.uint8())), pa.string(), ["[1, null]", None]),
    ],
    ids=str,
)
def test_arrays(given: pa.Array, target: pa.DataType, read: list[Any]) -> None:
    array = converted(given, target)
    assert array.type == target
    assert array.to_pylist() == read


def test_runs_and_extensions() -> None:
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array([7, 8], pa.int8()))
    assert converted(runs, pa.int16()).to_pylist() == [7, 7, 8]
    if not hasattr(pa, "uuid"):
        pytest.skip("this pyarrow has no type for UUIDs")
    some = uuid.uuid4()
    array = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([some.bytes, None], pa.binary(16)))
    found = plain(pa.field("c", array.type))
    assert (found.kind, found.type) == ("uuid", pa.string())
    assert converted(array, found.type).to_pylist() == [str(some), None]


def test_a_value_that_does_not_fit() -> None:
    with pytest.raises(pa.ArrowException):
        converted(pa.array([timedelta.max], pa.duration("us")), pa.int64())


def test_json() -> None:
    values = [
        {"n": Decimal("1.50"), "t": datetime(2026, 1, 1), "b": b"\xff", "f": float("nan"), "l": ["ż", None]},
        None,
    ]
    texts = as_json(pa.array(values)).to_pylist()
    assert texts[1] is None
    assert json.loads(texts[0]) == {
        "n": "1.50",
        "t": "2026-01-01T00:00:00",
        "b": "/w==",
        "f": None,
        "l": ["ż", None],
    }
    assert "ż" in texts[0]
    maps = pa.array([[(date(2026, 1, 1), 1)], []], pa.map_(pa.date32(), pa.int8()))
    assert as_json(maps).to_pylist() == ['{"2026-01-01": 1}', "{}"]


def test_numbers_of_databases_without_nan() -> None:
    assert without_nan(pa.array([1.5, float("nan"), None])).to_pylist() == [1.5, None, None]
    with pytest.raises(ValueError, match="no infinite numbers"):
        without_nan(pa.array([float("-inf")]))

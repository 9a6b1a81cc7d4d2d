"""Round trips: what is saved is read again as it was, with its types."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from tests.connectors.conftest import System
from tests.connectors.system_jobs import Desk

UTC = dt.timezone.utc
D = decimal.Decimal

COLUMNS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "whole": (pa.int64(), [2**62 + 1, -5, None]),
    "small": (pa.int16(), [1, -1, None]),
    "medium": (pa.int32(), [2**31 - 1, 0, None]),
    "fraction": (pa.float64(), [0.1, -1e300, None]),
    "truth": (pa.bool_(), [True, False, None]),
    "words": (pa.string(), ["", "Zürich 🍎 'x' \"y\" \\z \t\n\r%s", None]),
    "bytes": (pa.binary(), [b"", b"\x00\xff'\\\n", None]),
    "day": (pa.date32(), [dt.date(2024, 2, 29), dt.date(1900, 1, 1), None]),
    "time": (pa.time64("us"), [dt.time(23, 59, 59, 999999), dt.time(0), None]),
    "moment": (pa.timestamp("us"), [dt.datetime(2024, 2, 29, 1, 2, 3, 4), dt.datetime(1970, 1, 1), None]),
    "price": (pa.decimal128(12, 2), [D("1234567890.12"), D("-0.01"), None]),
}


def table(**columns: tuple[pa.DataType, list[Any]]) -> pa.Table:
    return pa.table({name: pa.array(values, kind) for name, (kind, values) in columns.items()})


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_back_as_it_was(desk: Desk, name: str) -> None:
    kind, values = COLUMNS[name]
    desk.load(table(key=(pa.int64(), [1, 2, 3]), value=(kind, values)))
    found = desk.extract(
        "SELECT value FROM t ORDER BY key" if desk.name != "MariaDB" else "SELECT value FROM t ORDER BY `key`"
    ).column(0)
    assert found.to_pylist() == values
    same = found.type == kind or (pa.types.is_decimal(kind) and found.type.scale == kind.scale)
    # SQLite has whole numbers of one size.
    assert same or (desk.name == "SQLite" and pa.types.is_integer(kind) and found.type == pa.int64())


def test_decimals_are_floats_where_that_is_asked_for(desk: Desk) -> None:
    desk.load(table(value=(pa.decimal128(12, 2), [D("0.10"), D("-1234567890.12")])))
    found = desk.extract("SELECT value FROM t ORDER BY value DESC", decimals="float").column(0)
    assert (found.type, found.to_pylist()) == (pa.float64(), [0.1, -1234567890.12])


def test_points_in_time_keep_their_instant(desk: Desk) -> None:
    moment = dt.datetime(2024, 7, 1, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    desk.load(table(at=(pa.timestamp("us", "Europe/Berlin"), [moment, None])))
    found = desk.extract("SELECT at FROM t WHERE at IS NOT NULL").column(0)
    expected = moment.astimezone(UTC)
    # MariaDB's type for them ends in 2038: they are kept in UTC, without a zone.
    assert found.to_pylist() == [expected.replace(tzinfo=None) if desk.name == "MariaDB" else expected]


def test_whole_numbers_with_nulls_stay_whole_numbers_in_pandas(desk: Desk) -> None:
    desk.load(table(a=(pa.int64(), [2**53 + 1, None]), b=(pa.bool_(), [True, None]), c=(pa.int64(), [1, 2])))
    frame = desk.frame("SELECT a, b, c FROM t ORDER BY c")
    assert [str(dtype) for dtype in frame.dtypes] == ["Int64", "boolean", "int64"]
    assert frame["a"][0] == 2**53 + 1
    assert frame["b"].isna().tolist() == [False, True]


def test_categories_and_short_floats_are_saved_as_what_they_stand_for(desk: Desk) -> None:
    frame = pd.DataFrame({"kind": pd.Categorical(["b", "a", "b"]), "n": pd.array([1, 2, 3], "float32")})
    desk.load(frame)
    assert desk.rows("SELECT kind, n FROM t ORDER BY n") == [
        {"kind": "b", "n": 1.0},
        {"kind": "a", "n": 2.0},
        {"kind": "b", "n": 3.0},
    ]


def test_unsigned_numbers_beyond_the_signed_ones(desk: Desk) -> None:
    desk.load(table(n=(pa.uint64(), [2**64 - 1, 0])))
    assert sorted(int(row["n"]) for row in desk.rows("SELECT n FROM t")) == [0, 2**64 - 1]


def test_nested_values_are_saved_as_json(desk: Desk) -> None:
    kind = pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))])
    desk.load(table(v=(kind, [{"a": 1, "b": ["x", None]}])))
    assert desk.rows("SELECT v FROM t") == [{"v": '{"a": 1, "b": ["x", null]}'}]


def test_no_rows(desk: Desk) -> None:
    assert desk.load(table(**{name: (kind, []) for name, (kind, _) in COLUMNS.items()})) == 0
    found = desk.extract("SELECT * FROM t")
    assert found.num_rows == 0
    assert found.schema.names == list(COLUMNS)
    assert found.schema.field("words").type == pa.string()
    assert found.schema.field("moment").type == pa.timestamp("us")


def test_a_column_of_nulls(desk: Desk) -> None:
    desk.load(table(a=(pa.null(), [None, None]), b=(pa.string(), [None, None])))
    assert desk.rows("SELECT a, b FROM t") == [{"a": None, "b": None}] * 2


def test_a_thousand_columns(desk: Desk) -> None:
    # MariaDB's rows have 65,535 bytes, but for long texts.
    wide = pa.table({f"column {number}": pa.array([number, None], pa.int16()) for number in range(1000)})
    desk.load(wide)
    assert desk.extract("SELECT * FROM t").sort_by("column 999").equals(wide.sort_by("column 999")) or (
        desk.name == "SQLite"
    )
    assert desk.rows("SELECT * FROM t")[0]["column 999"] in (999, None)


def test_wide_texts(desk: Desk) -> None:
    text = "Ä" * 3_000_000
    desk.load(table(a=(pa.string(), [text, "b"])))
    assert {row["a"] for row in desk.rows("SELECT a FROM t")} == {text, "b"}


def test_reserved_words_and_quotes_as_names(desk: Desk, system: System) -> None:
    names = ["select", "Order", "a b", "a.b", "100%", "ä"]
    quoted = {"MariaDB": "`"}.get(desk.name, '"')
    desk.load(pa.table({name: [number] for number, name in enumerate(names)}), "group")
    assert desk.rows(f"SELECT * FROM {quoted}group{quoted}") == [
        {name: number for number, name in enumerate(names)}
    ]
    desk.load(pa.table({name: [number] for number, name in enumerate(names)}), "group", "append", "run 2")
    assert len(system.run(f"SELECT 1 FROM {quoted}group{quoted}")) == 2

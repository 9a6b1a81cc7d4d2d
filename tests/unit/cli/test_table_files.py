"""Tables as text, as rows and as files."""

from __future__ import annotations

import datetime
import decimal
import io
import json
import uuid
from typing import Any

import numpy
import pandas
import pytest

from aqueduct_provider.artifacts.numbers import counted
from aqueduct_provider.cli.command import UsageError
from aqueduct_provider.cli.table_files import table_file, table_rows, table_text, with_index

ID = uuid.UUID(int=1)
GROUPED = pandas.DataFrame({"region": ["eu", "us", "eu"], "n": [1, 2, 3]}).groupby("region").sum()


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (pandas.period_range("2026-01", periods=2, freq="M"), ["2026-01", "2026-02"]),
        (pandas.interval_range(0, 100, periods=2), ["(0, 50]", "(50, 100]"]),
        (pandas.cut([10, 60], [0, 50, 100]), ["(0, 50]", "(50, 100]"]),
        (pandas.Categorical([3, None], [3, 4]), [3, None]),
        ([ID, None], [str(ID), None]),
        ([b"a", b"\xff"], ["b'a'", "b'\\xff'"]),
        ([1 + 2j, 0j], ["(1+2j)", "0j"]),
        ([float("nan"), float("inf")], [None, None]),
        (pandas.array([1, None], "Int64"), [1, None]),
        ([pandas.NaT, pandas.NA], [None, None]),
        ([0.1 + 0.2, 1e300], [0.1 + 0.2, 1e300]),
        ([2**70, True], [2**70, True]),
        ([decimal.Decimal("1.5"), decimal.Decimal("NaN")], [1.5, None]),
        (
            [decimal.Decimal("12345678901234567890.12"), decimal.Decimal("0.10")],
            ["12345678901234567890.12", 0.1],
        ),
        ([[1, float("nan")], (ID,)], [[1, None], [str(ID)]]),
        ([{1: ID}, numpy.array([[1.5], [2.5]])], [{"1": str(ID)}, [[1.5], [2.5]]]),
        ([numpy.float32(0.5), numpy.datetime64("2026-01-01")], [0.5, "2026-01-01"]),
        (
            [datetime.date(2026, 1, 2), pandas.Timestamp("2026-01-02 03:04:05.000006", tz="UTC")],
            ["2026-01-02", "2026-01-02T03:04:05.000006+00:00"],
        ),
        (pandas.to_timedelta(["1h", None]), ["P0DT1H0M0S", None]),
    ],
)
def test_cells_of_every_kind_are_json(values: Any, shown: list[Any]) -> None:
    kind = object if isinstance(values, list) else None
    table = pandas.DataFrame({"a": pandas.Series(values, dtype=kind)})
    assert [row["a"] for row in table_rows(table)] == shown
    assert json.loads(table_file(table, ".json")) == table_rows(table)


@pytest.mark.parametrize(
    ("table", "suffix", "others"),
    [
        (pandas.DataFrame({"a": [1, "x"]}), ".parquet", ".csv or .json"),
        (pandas.DataFrame({"a": [1j]}), ".parquet", ".csv or .json"),
        (pandas.DataFrame({"a": pandas.arrays.SparseArray([0, 1])}), ".parquet", ".csv or .json"),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), ".parquet", ".csv or .json"),
        (pandas.DataFrame({"a": ["\ud800"]}, dtype=object), ".csv", ".json or .parquet"),
    ],
)
def test_tables_that_a_format_has_no_place_for(table: pandas.DataFrame, suffix: str, others: str) -> None:
    with pytest.raises(UsageError, match=f"^the table cannot be written as {suffix} .*; try {others}$"):
        table_file(table, suffix)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (GROUPED, ["region", "n"]),
        (pandas.DataFrame({"n": [1]}, pandas.period_range("2026", periods=1, freq="Y")), ["index", "n"]),
        (pandas.DataFrame({"n": [1, 2]}).iloc[1:], ["index", "n"]),
        (pandas.DataFrame({"n": [1, 2]}).rename_axis("row"), ["row", "n"]),
        (pandas.DataFrame({"n": [1]}, pandas.Index([5], name="n")), ["index_n", "n"]),
        (pandas.DataFrame({"n": [1]}, pandas.MultiIndex.from_tuples([(1, 2)])), ["level_0", "level_1", "n"]),
        (pandas.DataFrame({"n": [1, 2]}, pandas.Index([0, 1])), ["n"]),
        (pandas.DataFrame({"n": []}), ["n"]),
    ],
)
def test_an_index_is_shown_when_it_says_something(table: Any, columns: list[str]) -> None:
    before = table.copy()
    assert list(with_index(table).columns) == columns
    assert table_text(table).splitlines()[-1] == (
        f"{counted(len(table), 'row')} x {counted(len(columns), 'column')}"
    )
    assert all(list(row) == columns for row in table_rows(table))
    assert list(pandas.read_csv(io.BytesIO(table_file(table, ".csv"))).columns) == columns
    pandas.testing.assert_frame_equal(table, before)


def test_the_index_is_beside_its_rows() -> None:
    assert table_rows(GROUPED) == [{"region": "eu", "n": 4}, {"region": "us", "n": 2}]
    assert table_file(GROUPED, ".csv") == b"region,n\neu,4\nus,2\n"
    assert table_text(GROUPED).splitlines()[:2] == ["region  n", "    eu  4"]


def test_parquet_and_what_there_is_not() -> None:
    table = pandas.DataFrame({"n": [1, 2]})
    pandas.testing.assert_frame_equal(pandas.read_parquet(io.BytesIO(table_file(table, ".parquet"))), table)
    with pytest.raises(UsageError, match=r"a table is written as \.csv, \.parquet or \.json"):
        table_file(table, ".xlsx")

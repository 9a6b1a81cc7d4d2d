from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from aqueduct_provider.runner.column_statistics import cell, of_arrow, of_pandas

DAYS = [datetime.date(2026, 1, 1), datetime.date(2026, 1, 31)]
MOMENTS = [datetime.datetime(2026, 1, 1), datetime.datetime(2026, 1, 2)]
SPANS = [datetime.timedelta(hours=1), datetime.timedelta(hours=3)]
TWO_ENDS = [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("values", "dtype", "lowest", "highest"),
    [
        (pd.Series(DAYS), "date", "2026-01-01", "2026-01-31"),
        (pd.Series([Decimal("10.50"), Decimal("9.1")]), "Decimal", "9.1", "10.50"),
        (pd.Series(MOMENTS, dtype=object), "datetime", "2026-01-01 00:00:00", "2026-01-02 00:00:00"),
        (pd.Series(SPANS, dtype=object), "timedelta", "1:00:00", "3:00:00"),
        (pd.Series([3, 10**20], dtype=object), "int", 3, str(10**20)),
        (pd.Series([0.5, 2.5], dtype=object), "float", 0.5, 2.5),
        (pd.Series(pd.to_datetime(MOMENTS, utc=True)).astype("datetime64[ns, UTC]"), None, *MOMENTS),
        (pd.Series(pd.to_timedelta(SPANS)), None, "0 days 01:00:00", "0 days 03:00:00"),
        (pa.array(DAYS), "date32[day]", "2026-01-01", "2026-01-31"),
        (pa.array([Decimal("10.50"), Decimal("9.10")]), "decimal128(4, 2)", "9.10", "10.50"),
        (pa.array(MOMENTS), "timestamp[us]", *MOMENTS),
        (pa.array(SPANS), "duration[us]", "1:00:00", "3:00:00"),
        (pa.array([datetime.time(1), datetime.time(2)]), "time64[us]", "01:00:00", "02:00:00"),
        (pa.array([3, 5]), "int64", 3, 5),
    ],
    ids=str,
)
def test_what_is_in_an_order_has_a_range_and_a_distribution(
    values: Any, dtype: str | None, lowest: Any, highest: Any
) -> None:
    found = of_pandas(values) if isinstance(values, pd.Series) else of_arrow(values)
    zone = "+00:00" if "UTC" in str(getattr(values, "dtype", "")) else ""
    ends = [f"{end}{zone}" if isinstance(end, datetime.datetime) else end for end in (lowest, highest)]
    assert [found["min"], found["max"]] == ends
    assert found["bars"] == TWO_ENDS
    assert found["dtype"] == (dtype or str(values.dtype))


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["low", "high", "low", None]),
        pd.Series(["low", "high", "low", None], dtype=object),
        pd.Series(["low", "high", "low", None], dtype="category"),
        pa.array(["low", "high", "low", None]),
        pa.array(["low", "high", "low", None]).dictionary_encode(),
        pa.array(["low", "high", "low", None], pa.large_string()),
    ],
    ids=lambda values: str(getattr(values, "dtype", "") or values.type),
)
def test_words_and_categories_have_their_most_frequent_values(values: Any) -> None:
    found = of_pandas(values) if isinstance(values, pd.Series) else of_arrow(values)
    assert (found["top"], found["distinct"], found["counted"]) == ([["low", 2], ["high", 1]], 2, 3)
    assert (found["nulls"], found["min"], found["bars"]) == (0.25, None, [])


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([True, False, True]),
        pd.Series([True, False, True], dtype="boolean"),
        pd.Series([True, False, True], dtype=object),
        pa.array([True, False, True]),
    ],
    ids=str,
)
def test_booleans(values: Any) -> None:
    found = of_pandas(values) if isinstance(values, pd.Series) else of_arrow(values)
    assert (found["top"], found["distinct"]) == ([[True, 2], [False, 1]], 2)


def test_of_values_that_are_there_once_each_none_is_shown() -> None:
    found = of_pandas(pd.Series(["a", "b", "c"]))
    assert (found["top"], found["distinct"]) == ([], 3)


def test_values_of_a_long_column_are_counted_up_to_a_limit() -> None:
    column = pd.Series(["a", "b"] * 10_000)
    assert of_pandas(column)["counted"] == of_arrow(pa.array(column.tolist()))["counted"] == 10_000


class Ill:
    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([uuid.UUID(int=1)], "UUID"),
        ([[1], [2]], "list"),
        ([Ill()], "Ill"),
        ([1, "a", "b"], "object (str, int)"),
        ([1, "a", 2.5, None, b"x", []], "object (int, str, float, ...)"),
        ([Decimal("NaN"), Decimal("1")], "Decimal"),
        ([None, None], "object"),
    ],
    ids=str,
)
def test_objects_are_called_by_their_type(values: list[Any], dtype: str) -> None:
    found = of_pandas(pd.Series(values, dtype=object))
    assert found["dtype"] == dtype
    assert (found["top"], found["distinct"]) == ([], None)


def test_a_type_that_cannot_be_compared_has_no_range() -> None:
    zoned = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    found = of_pandas(pd.Series([zoned, MOMENTS[0]], dtype=object))
    assert (found["min"], found["bars"]) == (None, [])


def test_bytes_are_counted() -> None:
    assert (cell(b"a"), cell(b"ab")) == ("(1 byte)", "(2 bytes)")

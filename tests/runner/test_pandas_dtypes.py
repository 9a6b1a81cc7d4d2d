from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import dateutil.tz
import pandas
import pytest

from aqueduct_provider.runner.pandas_dtypes import cast, dtype_note, restored_dtype, same_dtype, same_index
from aqueduct_provider.runner.pickles import dump_pickle


def zoned(zone: Any) -> Any:
    return pandas.DatetimeTZDtype("us", zone)


def categories(labels: list[str]) -> Any:
    return pandas.CategoricalDtype(labels)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (zoned("UTC"), zoned(ZoneInfo("UTC"))),
        (zoned(ZoneInfo("Europe/Berlin")), zoned(dateutil.tz.gettz("Europe/Berlin"))),
        (categories(["a", "b"]), categories(["b", "a"])),
        (pandas.StringDtype("python"), pandas.StringDtype("pyarrow")),
    ],
)
def test_dtypes_that_call_themselves_equal_may_differ(one: Any, other: Any) -> None:
    assert same_dtype(one, one)
    assert not same_dtype(one, other)


def test_indexes_are_the_same_with_their_classes_names_and_values() -> None:
    index = pandas.Index([1, 2], name="a")
    assert same_index(index, index.copy())
    assert not same_index(index, index.rename("b"))
    assert not same_index(index, index.astype("int8"))
    assert not same_index(index, index + 1)
    assert not same_index(pandas.RangeIndex(2), pandas.Index([0, 1]))


@pytest.mark.parametrize(
    ("zone", "is_text"),
    [("UTC", True), (ZoneInfo("Europe/Berlin"), True), (timezone(timedelta(hours=5), "X"), False)],
)
def test_a_zone_without_a_text_is_noted_as_a_pickle(zone: Any, is_text: bool) -> None:
    dtype = zoned(zone)
    note = dtype_note(dtype, dump_pickle)
    assert ("pickle" not in note) == is_text
    assert same_dtype(restored_dtype(note), dtype)


def test_times_get_a_zone_of_another_class() -> None:
    times = pandas.Series(pandas.to_datetime(["2020-01-01"]).tz_localize(ZoneInfo("UTC")))
    dtype = pandas.DatetimeTZDtype(times.dt.unit, dateutil.tz.tzutc())
    assert same_dtype(cast(times, dtype).dtype, dtype)
    assert same_dtype(cast(pandas.DatetimeIndex(times), dtype).dtype, dtype)
    assert str(cast(pandas.Series([1]), "int8").dtype) == "int8"

from __future__ import annotations

import datetime
import threading
from typing import Any

import pandas
import pyarrow
import pyarrow.parquet
import pytest

from aqueduct_provider.runner.codec_error import CodecError
from aqueduct_provider.runner.codecs import decode, encode
from aqueduct_provider.runner.pandas_labels import (
    NotParquet,
    index_columns,
    index_note,
    names_note,
    restored_index,
)
from aqueduct_provider.runner.pickles import dump_pickle


def stored(frame: pandas.DataFrame) -> Any:
    encoded = encode(frame, "table", "parquet")
    return decode(encoded.data, encoded.serialization_type, "table")


@pytest.mark.parametrize("attrs", [{"source": "x", "rows": [1]}, {"read_at": datetime.datetime(2026, 1, 1)}])
def test_attrs_come_back(attrs: dict[str, Any]) -> None:
    frame = pandas.DataFrame({"a": [1]})
    frame.attrs = attrs
    assert stored(frame).attrs == attrs


def test_attrs_that_cannot_be_stored_are_named() -> None:
    frame = pandas.DataFrame({"a": [1]})
    frame.attrs["lock"] = threading.Lock()
    with pytest.raises(CodecError, match=r"attrs.*table\.attrs\.clear\(\)"):
        stored(frame)


class Copied:
    """Counts how often it is copied."""

    count = 0

    def __deepcopy__(self, memo: Any) -> Copied:
        Copied.count += 1
        return self


def test_attrs_are_not_copied_for_every_column() -> None:
    frame = pandas.DataFrame({"a": [[1]], "b": [1], "c": ["x"]})
    frame.attrs["big"] = Copied()
    before = Copied.count
    stored(frame)
    assert Copied.count - before <= 1


def test_names_that_are_not_plain_are_left_to_pickle() -> None:
    assert names_note(pandas.Index(["a"], name="measure"))["name"] == "measure"
    for columns in (pandas.CategoricalIndex(["a"]), pandas.Index(["a"], name=(1, 2))):
        with pytest.raises(NotParquet):
            names_note(columns)


def test_columns_of_the_index_are_known_to_loads() -> None:
    frame = pandas.DataFrame({"a": [1]}, index=pandas.Index(["x"], name="key"))
    schema = pyarrow.parquet.read_schema(pyarrow.BufferReader(encode(frame, "table", "parquet").data))
    assert index_columns(schema) == ["key"]
    assert index_columns(pyarrow.schema([("a", pyarrow.int64())])) == []


def test_an_index_gets_back_its_frequency_also_from_a_note_of_version_2() -> None:
    days = pandas.date_range("2020", periods=3, freq="D")
    assert index_note(days, dump_pickle) == {"freqs": {"0": "D"}}
    plain = pandas.DatetimeIndex(list(days))
    for note in ({"freqs": {"0": "D"}}, {"freq": "D"}):
        assert restored_index(plain, note).freq == days.freq
    pairs = pandas.MultiIndex.from_product([days, ["a"]])
    assert stored(pandas.DataFrame({"a": range(3)}, index=pairs)).index.levels[0].freq == days.freq


@pytest.mark.parametrize(
    "freq",
    [
        pandas.DateOffset(months=1),
        pandas.offsets.MonthEnd(normalize=True),
        pandas.offsets.BusinessHour(start="10:00", end="12:00"),
        pandas.offsets.CustomBusinessDay(holidays=["2020-01-03"]),
        pandas.offsets.Easter(),
    ],
)
def test_frequencies_whose_text_does_not_say_all_are_left_to_pickle(freq: Any) -> None:
    index = pandas.date_range("2020", periods=3, freq=freq)
    with pytest.raises(NotParquet, match="frequency"):
        index_note(index, dump_pickle)
    result = stored(pandas.DataFrame({"a": range(3)}, index=index)).index.freq
    assert (result, result.normalize) == (freq, freq.normalize)

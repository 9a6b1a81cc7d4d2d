from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from aqueduct_provider.runner.codecs import decode, encode
from aqueduct_provider.runner.pandas_tables import write_pandas
from aqueduct_provider.runner.pickles import dump_pickle
from tests.generated_values import alike_frames


def stored(frame: pandas.DataFrame) -> tuple[str, pandas.DataFrame]:
    encoded = encode(frame, "table", "parquet")
    return encoded.serialization_type, decode(encoded.data, encoded.serialization_type, "table")


FRAMES = {
    "ordered integer categories": pandas.DataFrame(
        {"grade": pandas.Categorical([3, 1, 3, None], categories=[3, 2, 1], ordered=True)}
    ),
    "categories that nobody has": pandas.DataFrame(
        {"a": pandas.Categorical(["b"], categories=["c", "b", "a"])}
    ),
    "bands of cut": pandas.DataFrame({"band": pandas.cut([5, 20, 70], 3)}),
    "bands of qcut": pandas.DataFrame({"band": pandas.qcut([5, 20, 70, 80], 2)}),
    "intervals": pandas.DataFrame({"a": pandas.IntervalIndex.from_breaks([0, 1, 2.5])}),
    "periods": pandas.DataFrame({"a": pandas.period_range("2020", periods=2, freq="M")}),
    "spans": pandas.DataFrame({"a": pandas.to_timedelta([1, 2], unit="h")}),
    "seconds": pandas.DataFrame({"a": numpy.array(["2020-01-01", "NaT"], "datetime64[s]")}),
    "nullable": pandas.DataFrame(
        {"a": pandas.array([1, None], "Int64"), "b": pandas.array(["x", None], "string")}
    ),
    "arrow types": pandas.DataFrame({"a": pandas.array([1, None], "int64[pyarrow]")}),
    "a name of the columns": pandas.DataFrame({"a": [1]}).rename_axis(columns="measure"),
    "an index of text": pandas.DataFrame({"a": [1, 2]}, index=pandas.Index(["x", "y"], name="key")),
    "an index named as a column": pandas.DataFrame({"a": [1, 2]}, index=pandas.Index([7, 8], name="a")),
    "an index of two levels": pandas.DataFrame({"a": [1]}, index=pandas.MultiIndex.from_tuples([(1, "x")])),
    "an index of days": pandas.DataFrame({"a": [1, 2]}, index=pandas.date_range("2020", periods=2, tz="UTC")),
    "a range that does not begin at 0": pandas.DataFrame({"a": [1, 2]}, index=pandas.RangeIndex(5, 9, 2)),
    "no columns": pandas.DataFrame(index=["x"]),
    "no rows": pandas.DataFrame({"a": pandas.Series([], dtype=object)}),
    "nothing": pandas.DataFrame(),
}
PICKLED = {
    "complex numbers": pandas.DataFrame({"a": [1 + 2j]}),
    "sparse": pandas.DataFrame({"a": pandas.arrays.SparseArray([0, 0, 1])}),
    "an index whose name is a number": pandas.DataFrame({"a": [1]}, index=pandas.Index([3], name=0)),
    "categories of the same text": pandas.DataFrame(
        {"a": pandas.Categorical.from_codes([0, 1], pandas.Index([1, "1"], dtype=object))}
    ),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_parquet_keeps(frame: pandas.DataFrame) -> None:
    kind, result = stored(frame)
    assert kind == "parquet"
    assert alike_frames(frame, result)


@pytest.mark.parametrize("frame", PICKLED.values(), ids=PICKLED.keys())
def test_the_whole_frame_is_pickled_for(frame: pandas.DataFrame) -> None:
    kind, result = stored(frame)
    assert kind == "pickle"
    assert alike_frames(frame, result)


def test_a_class_of_ones_own_comes_back() -> None:
    class Frame(pandas.DataFrame):
        @property
        def _constructor(self) -> Any:
            return Frame

    kind, result = stored(Frame({"a": [1]}))
    assert (kind, type(result).__name__) == ("pickle", "Frame")


def test_what_was_given_is_left_as_it_was() -> None:
    frame = pandas.DataFrame({"a": [[1], [2]], "b": [1, 2]}).rename_axis(columns="measure")
    frame.attrs["x"] = 1
    before = frame.copy(deep=True)
    stored(frame)
    assert alike_frames(before, frame)


def test_one_untidy_column_changes_no_other() -> None:
    frame = pandas.DataFrame({"note": [1, "x"], "rate": [1 / 3, float("inf")]})
    assert stored(frame)[1]["rate"].tolist() == [1 / 3, float("inf")]


def test_a_file_without_a_note_is_read_as_before() -> None:
    buffer = io.BytesIO()
    pandas.DataFrame({"a": [[1, 2]], "b": ["x"]}).to_parquet(buffer)
    result = decode(buffer.getvalue(), "parquet", "table")
    assert result["b"].tolist() == ["x"]
    # As releases before the note gave it.
    assert isinstance(result["a"][0], numpy.ndarray)


def test_others_read_the_values(tmp_path: Path) -> None:
    frame = pandas.DataFrame(
        {"grade": pandas.Categorical([3, 1], categories=[3, 1]), "meta": [{"x": 1}, {"y": 2}]},
        index=["u", "v"],
    )
    path = tmp_path / "table.parquet"
    path.write_bytes(encode(frame, "table", "parquet").data)
    seen = pandas.read_parquet(path)
    assert seen["grade"].tolist() == [3, 1]
    assert [json.loads(text) for text in seen["meta"]] == [{"x": 1}, {"y": 2}]
    assert seen.index.tolist() == ["u", "v"]


@pytest.mark.parametrize(
    "index", [pandas.interval_range(0, 2), pandas.period_range("2020", periods=2, freq="Y")], ids=str
)
def test_types_of_pandas_are_known_in_a_new_process(index: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "table.parquet")
    frame = pandas.DataFrame({"a": [1, 2]}, index)
    write_pandas(frame, path, dump_pickle)
    read = (
        "from aqueduct_provider.runner.frames import read_frame; import sys; "
        "print(repr(read_frame(sys.argv[1]).index))"
    )
    shown = subprocess.run([sys.executable, "-c", read, path], capture_output=True, text=True, check=True)
    assert shown.stdout == f"{index!r}\n"

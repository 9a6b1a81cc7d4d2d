from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import threading
from datetime import timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import dateutil.tz
import numpy
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from aqueduct_provider.runner.codecs import CodecError, decode, encode, preview_table
from aqueduct_provider.runner.pandas_tables import write_pandas
from aqueduct_provider.runner.parquet_files import NOTE, note_of
from aqueduct_provider.runner.pickles import dump_pickle
from tests.support.generated_values import Colour, Ticket, alike_frames

GROUPS = pandas.DataFrame({"g": pandas.Categorical(["x", "y"]), "v": [(1,), (2,)]})


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
    "categories whose text is an address": pandas.DataFrame(
        {"a": pandas.Categorical.from_codes([0, 1, -1], pandas.Index([Ticket(1), Ticket(2)]))}
    ),
    "categories of decimals": pandas.DataFrame({"a": pandas.Categorical([Decimal("1.0"), Decimal(2)])}),
    "categories of a range": pandas.DataFrame(
        {"a": pandas.Categorical.from_codes([0, 1], pandas.RangeIndex(3, 9, 3))}
    ),
    "categories of objects that are text": pandas.DataFrame(
        {"a": pandas.Categorical.from_codes([0], pandas.Index(["x"], dtype=object))}
    ),
    "an index named as a column of objects": GROUPS.set_index("g", drop=False),
    "a level named as a column of objects": GROUPS.assign(n=[1, 2]).set_index(["g", "n"], drop=False),
    "an index of categories in another order": pandas.DataFrame(
        {"a": [1, 2]}, index=pandas.CategoricalIndex(["b", "a"], ["a", "b", "c"])
    ),
    "a zone that pandas cannot parse": pandas.DataFrame(
        {"a": pandas.to_datetime(["2020-01-01"]).tz_localize(timezone(timedelta(hours=5), "X"))}
    ),
    "a zone of another class": pandas.DataFrame(
        {"a": pandas.to_datetime(["2020-01-01"]).tz_localize(dateutil.tz.gettz("Europe/Berlin"))}
    ),
    "no rows": pandas.DataFrame({"a": pandas.Series([], dtype=object)}),
    "nothing": pandas.DataFrame(),
}
PICKLED = {
    "complex numbers": pandas.DataFrame({"a": [1 + 2j]}),
    "sparse": pandas.DataFrame({"a": pandas.arrays.SparseArray([0, 0, 1])}),
    "an index whose name is a number": pandas.DataFrame({"a": [1]}, index=pandas.Index([3], name=0)),
    "rows without columns": pandas.DataFrame(index=pandas.RangeIndex(1, 11, 2)),
    "a column named as a level without a name": pandas.DataFrame(
        {"__index_level_0__": [(1,), (2,)]}, index=["a", "b"]
    ),
    "flags": pandas.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
    "a name that is more than text": pandas.DataFrame(
        [[1]], columns=pandas.Index([Colour.RED], dtype=object)
    ),
    "a name that UTF-8 cannot hold": pandas.DataFrame([[1]], columns=pandas.Index(["\ud800"], dtype=object)),
    "names of another dtype": pandas.DataFrame([[1]], columns=pandas.Index(["a"], dtype="string[python]")),
    "seconds beyond milliseconds": pandas.DataFrame({"a": numpy.array([2**60], "datetime64[s]")}),
    "months of an offset": pandas.DataFrame(
        {"a": [1]}, index=pandas.date_range("2020", periods=1, freq=pandas.DateOffset(months=1))
    ),
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


class Opened:
    """Counts how often it is unpickled, which only runs code when a table is read, not when it is shown."""

    count = 0

    def __eq__(self, other: Any) -> bool:
        return type(other) is Opened

    def __hash__(self) -> int:
        return 1

    def __reduce__(self) -> Any:
        return _open, ()


def _open() -> Opened:
    Opened.count += 1
    return Opened()


@pytest.mark.parametrize("kind", ["parquet", "pickle"])
def test_showing_a_table_unpickles_no_category(kind: str) -> None:
    frame = pandas.DataFrame(
        {"a": pandas.Categorical.from_codes([0], pandas.Index([Opened()], dtype=object))}
    )
    data = as_release_2(frame, kind)
    before = Opened.count
    assert len(preview_table(data, "parquet")) == 1
    assert Opened.count == before


def as_release_2(frame: pandas.DataFrame, kind: str) -> bytes:
    """The file of a frame of one column, of categories, as note version 2 had it."""
    data = encode(frame, "table", "parquet").data
    facts = note_of(data)
    assert facts is not None
    categories = pandas.DataFrame({"categories": pandas.Series(frame["a"].cat.categories)})
    packed = dump_pickle(categories) if kind == "pickle" else encode(categories, "table", "parquet").data
    own = facts["columns"]["a"]
    own["categories"] = {"kind": kind, "data": base64.b64encode(packed).decode()}
    own.pop("labels", None)
    table = pyarrow.parquet.read_table(pyarrow.BufferReader(data))
    note = json.dumps({**facts, "version": 2}).encode()
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata({**table.schema.metadata, NOTE: note}), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["parquet", "pickle"])
@pytest.mark.parametrize("categories", [pandas.interval_range(0, 2), pandas.Index(["b", "a"], name="n")])
def test_categories_of_note_version_2_are_read(categories: Any, kind: str) -> None:
    frame = pandas.DataFrame({"a": pandas.Categorical.from_codes([1, -1, 0], categories)})
    assert alike_frames(decode(as_release_2(frame, kind), "parquet", "table"), frame)


def test_categories_that_cannot_be_kept_name_their_column() -> None:
    index = pandas.Index([threading.Lock()], dtype=object)
    frame = pandas.DataFrame({"state": pandas.Categorical.from_codes([0], index)})
    with pytest.raises(CodecError, match=r"column 'state' categories.*rename_categories\(str\)"):
        stored(frame)


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

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
from aqueduct_provider.runner.pandas_labels import NotParquet, index_columns, names_note


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

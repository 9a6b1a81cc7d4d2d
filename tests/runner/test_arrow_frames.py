"""The edges of single libraries; what holds for all of them is in ``test_frames.py``."""

from __future__ import annotations

from typing import Any

import polars
import pyarrow
import pytest

from aqueduct_provider.runner import arrow_frames
from aqueduct_provider.runner.codecs import CodecError, decode, encode
from aqueduct_provider.runner.parquet_files import note_of


def stored(value: Any) -> Any:
    encoded = encode(value, "table", "parquet")
    return decode(encoded.data, encoded.serialization_type, "table")


class OldFrame:
    """A frame of a polars that has no ``metadata`` for Parquet yet."""

    def __init__(self, frame: polars.DataFrame) -> None:
        self._frame = frame
        self.schema = frame.schema
        self.to_arrow = frame.to_arrow
        self.collect_schema = frame.collect_schema

    def write_parquet(self, file: Any, compression: str) -> None:
        raise AssertionError("it would write no note")


def test_an_older_polars_is_written_by_pyarrow() -> None:
    frame = polars.DataFrame({"a": [1], "b": polars.Series(["u"], dtype=polars.Enum(["u", "v"]))})
    kind, data, _ = arrow_frames.write_polars(OldFrame(frame), "polars", None, lambda _: b"")
    assert kind == "parquet"
    assert data is not None
    assert note_of(data) == {"version": 3, "library": "polars"}
    assert arrow_frames.read_polars(data, None).equals(frame)


def test_types_that_parquet_changes_are_cast_back() -> None:
    table = pyarrow.table({"a": pyarrow.array([1, None], pyarrow.duration("s"))})
    _, data, _ = arrow_frames.write_table(table, "pyarrow", None, lambda _: b"")
    assert data is not None
    assert arrow_frames.read_table(data, note_of(data)).schema == table.schema


def test_a_table_that_parquet_cannot_hold_is_pickled() -> None:
    table = pyarrow.table({"a": pyarrow.array([(1, 2, 3)], pyarrow.month_day_nano_interval())})
    assert arrow_frames.write_table(table, "pyarrow", None, lambda _: b"x")[:2] == ("pickle", b"x")


def test_metadata_of_the_users_own_stays() -> None:
    table = pyarrow.table({"a": [1]}).replace_schema_metadata({"mine": "x"})
    _, data, _ = arrow_frames.write_table(table, "pyarrow", None, lambda _: b"")
    assert data is not None
    for result in (arrow_frames.read_table(data, None), arrow_frames.read_reader(data, None)):
        assert result.schema.metadata == {b"mine": b"x"}


@pytest.mark.parametrize("key", ["aqueduct", "ARROW:schema"])
def test_metadata_under_a_key_of_the_file_stays_too(key: str) -> None:
    table = pyarrow.table({"a": [1]}).replace_schema_metadata({key: "mine"})
    assert stored(table).schema.metadata == {key.encode(): b"mine"}
    with pytest.raises(CodecError, match=r"key.*remove_metadata"):
        stored(table.to_reader())


NESTED = [
    (pyarrow.list_(pyarrow.field("length", pyarrow.int64())), [1]),
    (pyarrow.large_list(pyarrow.int64()), [1]),
    (pyarrow.map_(pyarrow.string(), pyarrow.int64()), [("x", 1)]),
    (pyarrow.struct([("a", pyarrow.list_(pyarrow.int8()))]), {"a": [1]}),
]


@pytest.mark.parametrize(("kind", "cell"), NESTED, ids=str)
def test_the_names_of_nested_fields_stay(kind: Any, cell: Any) -> None:
    table = pyarrow.table({"column": pyarrow.array([cell, None], kind)})
    for value in (table, table.to_batches()[0], table.to_reader()):
        result = stored(value)
        schema = result.schema
        rows = result.read_all() if isinstance(result, pyarrow.RecordBatchReader) else result
        assert schema.equals(table.schema, check_metadata=True)
        assert rows.column(0).to_pylist() == [cell, None]


def test_names_that_only_a_pickle_keeps_are_pickled() -> None:
    kind = pyarrow.map_(pyarrow.field("k", pyarrow.string(), nullable=False), pyarrow.int64())
    table = pyarrow.table({"a": pyarrow.array([[("x", 1)]], kind)})
    assert stored(table).schema.equals(table.schema, check_metadata=True)


def test_rows_without_columns_are_refused_where_they_would_be_lost() -> None:
    table = pyarrow.table({"a": [1, 2]}).select([])
    for value in (table, table.to_reader()):
        with pytest.raises(CodecError, match=r"rows but no columns.*select at least one"):
            stored(value)
    assert stored(polars.DataFrame(height=3)).shape == (3, 0)


def test_a_struct_without_fields_stays_with_polars() -> None:
    schema = {"a": polars.List(polars.Struct([]))}
    frame = polars.DataFrame({"a": [[{}]]}, schema=schema)
    assert stored(frame).schema == frame.schema
    with pytest.raises(CodecError, match=r"column 'a' with a struct without fields: drop it"):
        stored(frame.lazy())


@pytest.mark.parametrize("rows", [0, 2])
def test_a_batch_comes_back_as_one_batch(rows: int) -> None:
    batch = pyarrow.RecordBatch.from_pydict({"a": pyarrow.array([1] * rows, pyarrow.int64())})
    _, data, _ = arrow_frames.write_table(batch, "pyarrow.RecordBatch", None, lambda _: b"")
    assert data is not None
    assert arrow_frames.read_batch(data, None).equals(batch)

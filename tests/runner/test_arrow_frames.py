"""The edges of single libraries; what holds for all of them is in ``test_frames.py``."""

from __future__ import annotations

from typing import Any

import polars
import pyarrow
import pytest

from aqueduct_provider.runner import arrow_frames
from aqueduct_provider.runner.parquet_files import note_of


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


@pytest.mark.parametrize("rows", [0, 2])
def test_a_batch_comes_back_as_one_batch(rows: int) -> None:
    batch = pyarrow.RecordBatch.from_pydict({"a": pyarrow.array([1] * rows, pyarrow.int64())})
    _, data, _ = arrow_frames.write_table(batch, "pyarrow.RecordBatch", None, lambda _: b"")
    assert data is not None
    assert arrow_frames.read_batch(data, None).equals(batch)

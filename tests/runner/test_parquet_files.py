from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from aqueduct_provider.runner.codec_error import CodecError, CodeRefused
from aqueduct_provider.runner.parquet_files import (
    changed_fields,
    in_memory,
    note,
    note_of,
    opened,
    read_table,
    write_batches,
    write_table,
)
from aqueduct_provider.runner.pickles import data_only

TABLE = pyarrow.table({"a": [1]}).replace_schema_metadata({"mine": "kept"})


def test_a_note_is_in_the_file_and_not_in_the_table(tmp_path: Path) -> None:
    path = str(tmp_path / "table")
    assert write_table(TABLE, note("pyarrow", seen=1), path) is None
    assert note_of(path) == {"version": 3, "library": "pyarrow", "seen": 1}
    assert read_table(path).schema.metadata == {b"mine": b"kept"}


def test_batches_have_a_note_too() -> None:
    data = write_batches(TABLE.schema, TABLE.to_batches(), note("pyarrow"), None)
    assert data is not None
    assert note_of(data) == note("pyarrow")
    assert read_table(data).equals(TABLE)


def test_a_file_of_another_program_has_no_note(tmp_path: Path) -> None:
    path = tmp_path / "table"
    pyarrow.parquet.write_table(TABLE, path)
    assert note_of(str(path)) is None


def test_a_file_of_a_newer_release_is_not_misread() -> None:
    data = in_memory(TABLE, {"version": 4, "library": "pyarrow"})
    with pytest.raises(CodecError, match="newer release"):
        note_of(data)


def test_arrow_reads_nothing_of_pythons() -> None:
    """Its threads let go of what they read when they please, and abort an interpreter that is just ending."""
    data = in_memory(TABLE, note("pyarrow"))
    references = sys.getrefcount(data)
    file = opened(data)
    assert isinstance(file, pyarrow.BufferReader)
    assert sys.getrefcount(data) == references
    assert file.read() == data


@pytest.mark.parametrize(
    "kind", [pyarrow.timestamp("s"), pyarrow.month_day_nano_interval(), pyarrow.decimal256(70, 0)]
)
def test_knows_what_parquet_changes(kind: Any) -> None:
    schema = pyarrow.schema({"same": pyarrow.int8(), "other": kind})
    expected = [] if pyarrow.types.is_decimal(kind) else ["other"]
    assert changed_fields(schema) == expected


def test_nothing_holds_the_bytes_when_the_table_is_there() -> None:
    # Arrow's threads would let go of them later, and abort a process that is just ending.
    data = in_memory(TABLE, note("pyarrow"))
    held = sys.getrefcount(data)
    for _ in range(300):
        read_table(data)
        assert sys.getrefcount(data) == held


def test_a_pickled_type_of_arrow_is_not_read_where_only_data_is() -> None:
    field = pyarrow.field("a", pyarrow.int64(), metadata={"ARROW:extension:name": "arrow.py_extension_type"})
    data = in_memory(pyarrow.table([[1]], schema=pyarrow.schema([field])), note("pyarrow"))
    with data_only(), pytest.raises(CodeRefused, match="a pickled type of Arrow"):
        note_of(data)
    with data_only():
        assert note_of(in_memory(TABLE, note("pyarrow"))) == note("pyarrow")

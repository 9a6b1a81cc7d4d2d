"""Stored tables as loads read them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aqueduct_provider.connectors.tables.arrow_types import plain
from aqueduct_provider.connectors.tables.model import KIND
from aqueduct_provider.connectors.tables.read_files import stored_batches
from aqueduct_provider.errors import LoadRefused
from aqueduct_provider.runner.codecs import encode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "content"


def read(path: Path, serialization_type: str) -> pa.Table:
    with stored_batches(path, serialization_type) as data:
        return pa.Table.from_batches(data.batches, data.schema)


def test_parquet_comes_piece_by_piece_with_its_notes(path: Path) -> None:
    schema = pa.schema([pa.field("n", pa.int64()), pa.field("j", pa.string(), metadata={KIND: b"json"})])
    pq.write_table(pa.table({"n": range(200_000), "j": ["[1]"] * 200_000}, schema), path)
    with stored_batches(path, "parquet") as data:
        assert data.schema.metadata is None
        assert data.schema.field("j").metadata[KIND] == b"json"
        sizes = [batch.num_rows for batch in data.batches]
    assert sum(sizes) == 200_000
    assert max(sizes) <= 65_536


def test_parquet_of_pandas_has_no_index_and_its_categories(path: Path) -> None:
    frame = pd.DataFrame({"k": pd.Categorical(["b", "a"]), "n": pd.array([1, None], "Int64")})
    path.write_bytes(encode(frame, "table", "parquet").data)
    assert list(read(path, "parquet").to_pydict().values()) == [["b", "a"], [1, None]]


def test_the_originals_json(path: Path) -> None:
    frame = pd.DataFrame(
        {
            "n": [1, 2],
            "x": [1.5, None],
            "t": ["ä", None],
            "at": pd.to_datetime(["2024-01-01 10:00", None]),
            "b": [True, False],
        }
    )
    path.write_bytes(encode(frame, "table").data)
    found = read(path, "table")
    assert found.schema.metadata is None
    assert found.to_pylist() == [
        {"n": 1, "x": 1.5, "t": "ä", "at": dt.datetime(2024, 1, 1, 10), "b": True},
        {"n": 2, "x": None, "t": None, "at": None, "b": False},
    ]


def test_a_table_of_mongodb(path: Path) -> None:
    path.write_bytes(b'[{"a": 1, "b": {"c": [1]}}, {"a": 2, "b": null}]')
    assert read(path, "bson_table").to_pylist() == [{"a": 1, "b": {"c": [1]}}, {"a": 2, "b": None}]


@pytest.mark.parametrize("serialization_type", ["table", "bson_table"])
def test_what_cannot_be_read_is_refused(path: Path, serialization_type: str) -> None:
    path.write_bytes(b"{nothing")
    with pytest.raises(LoadRefused, match=rf"^The artifact cannot be read as {serialization_type}: "):
        read(path, serialization_type)


@pytest.mark.parametrize("values", [[1, "x"], [{"a": 1}, 2]])
def test_a_column_of_mixed_types_is_refused(path: Path, values: list[Any]) -> None:
    path.write_bytes(encode(pd.DataFrame({"mixed": pd.Series(values, dtype=object)}), "table").data)
    with pytest.raises(
        LoadRefused, match=r"The table has a column that no database column can hold: .*mixed"
    ):
        read(path, "table")


def test_parquet_that_is_none_is_refused(path: Path) -> None:
    path.write_bytes(b"nothing")
    with pytest.raises(LoadRefused, match="cannot be read as parquet"):
        read(path, "parquet")


def test_the_index_of_a_table_is_not_loaded(path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key"))
    path.write_bytes(encode(frame, "table", "parquet").data)
    assert read(path, "parquet").to_pydict() == {"a": [1, 2]}


def test_columns_of_many_kinds_are_what_a_database_can_hold(path: Path) -> None:
    frame = pd.DataFrame(
        {
            "meta": [{"x": 1}, {"y": "k"}],
            "mixed": [7, "n/a"],
            "grade": pd.Categorical([3, 1], categories=[3, 1]),
            "band": pd.cut([1, 9], [0, 5, 10]),
        }
    )
    path.write_bytes(encode(frame, "table", "parquet").data)
    found = read(path, "parquet")
    assert found.to_pydict() == {
        "meta": ['{"x": 1}', '{"y": "k"}'],
        "mixed": ["7", '"n/a"'],
        "grade": [3, 1],
        "band": ["(0, 5]", "(5, 10]"],
    }
    assert [plain(field).kind for field in found.schema] == ["json", "json", "int64", "text"]


def test_pickled_cells_are_refused_by_the_name_of_their_column(path: Path) -> None:
    path.write_bytes(encode(pd.DataFrame({"a": [1], "pair": [(1, 2)]}), "table", "parquet").data)
    with pytest.raises(LoadRefused, match=r"Column 'pair' holds Python objects.*convert it"):
        [plain(field) for field in read(path, "parquet").schema]


def test_a_pickled_table_is_refused_and_never_loaded(path: Path) -> None:
    path.write_bytes(b"not even a pickle")
    with pytest.raises(LoadRefused, match=r"stored as a Python object.*plain DataFrame"):
        read(path, "pickle")

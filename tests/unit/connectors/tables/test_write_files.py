"""The files of table artifacts: Parquet that pandas reads with its types, and the original's JSON."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aqueduct_provider.connectors.tables.model import CELLS, KIND, Batches
from aqueduct_provider.connectors.tables.write_files import write_json, write_parquet
from aqueduct_provider.errors import StatementRefused
from aqueduct_provider.runner.codecs import decode, encode

UTC = dt.timezone.utc
MOMENT = dt.datetime(2024, 2, 29, 10, 30, 0, 250_000)
COLUMNS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "whole": (pa.int64(), [1, 2, 3]),
    "whole_null": (pa.int64(), [2**53 + 1, None, 3]),
    "small_null": (pa.uint8(), [None, 2, 3]),
    "truth": (pa.bool_(), [True, False, True]),
    "truth_null": (pa.bool_(), [True, None, False]),
    "fraction": (pa.float64(), [0.1, None, -1e300]),
    "short": (pa.float32(), [0.5, 1.5, None]),
    "price": (pa.decimal128(10, 2), [Decimal("1.50"), None, Decimal("-2.25")]),
    "words": (pa.string(), ['Zürich "x" \\ /', None, '"data":[{"']),
    "day": (pa.date32(), [dt.date(2024, 2, 29), None, dt.date(1900, 1, 1)]),
    "time": (pa.time64("us"), [dt.time(1, 2, 3), None, dt.time(0)]),
    "moment": (pa.timestamp("us"), [MOMENT, None, MOMENT]),
    "zoned": (pa.timestamp("us", "UTC"), [MOMENT.replace(tzinfo=UTC), None, MOMENT.replace(tzinfo=UTC)]),
    "items": (pa.list_(pa.int64()), [[1, 2], None, []]),
}


def table(*names: str) -> pa.Table:
    return pa.table(
        {
            name: pa.array(values, kind)
            for name, (kind, values) in COLUMNS.items()
            if name in (names or COLUMNS)
        }
    )


def in_pieces(data: pa.Table, rows: int) -> Batches:
    return Batches(data.schema, iter(data.to_batches(max_chunksize=rows)))


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_parquet_reads_as_it_was_with_its_types(tmp_path: Path, rows: int) -> None:
    schema = write_parquet(in_pieces(table(), rows), tmp_path / "out", tmp_path)
    frame = pd.read_parquet(tmp_path / "out")
    assert schema == [{name: str(dtype)} for name, dtype in frame.dtypes.items()]
    dtypes = [str(frame[name].dtype) for name in ("whole_null", "small_null", "truth_null")]
    assert dtypes == ["Int64", "UInt8", "boolean"]
    assert (str(frame["whole"].dtype), str(frame["truth"].dtype)) == ("int64", "bool")
    assert pq.read_table(tmp_path / "out").to_pylist() == table().to_pylist()
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_null_in_the_last_batch_counts(tmp_path: Path) -> None:
    data = pa.table({"n": pa.array([1, 2, 3, None], pa.int32())})
    assert write_parquet(in_pieces(data, 1), tmp_path / "out", tmp_path) == [{"n": "Int32"}]
    assert pd.read_parquet(tmp_path / "out")["n"].isna().tolist() == [False, False, False, True]


def test_notes_on_texts_go_into_parquet_and_decimals_become_decimals(tmp_path: Path) -> None:
    schema = pa.schema(
        [
            pa.field("d", pa.string(), metadata={KIND: b"decimal"}),
            pa.field("j", pa.string(), metadata={KIND: b"json"}),
        ]
    )
    write_parquet(
        in_pieces(pa.table({"d": ["1.5", "2.25"], "j": ["[1]", None]}, schema), 1), tmp_path / "out", tmp_path
    )
    found = pq.read_table(tmp_path / "out")
    assert found.column("d").to_pylist() == [Decimal("1.50"), Decimal("2.25")]
    assert found.schema.field("j").metadata[KIND] == b"json"
    assert KIND not in (found.schema.field("d").metadata or {})


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("name", COLUMNS)
def test_json_in_pieces_is_the_json_of_the_whole(tmp_path: Path, name: str, rows: int) -> None:
    write_json(in_pieces(table(name), rows), tmp_path / "out", tmp_path)
    text = (tmp_path / "out").read_bytes()
    (tmp_path / "out").unlink()
    write_json(in_pieces(table(name), 100), tmp_path / "out", tmp_path)
    assert text == (tmp_path / "out").read_bytes()
    # What pandas has read back, it writes again: the pieces are one table of its own.
    frame = decode(text, "table", "table")
    assert list(frame) == [name]
    assert len(frame) == 3


def test_json_is_what_pandas_makes_of_what_it_reads_from_a_database(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "whole": [1, 2, 3],
            "whole_null": [float(2**53 + 1), None, 3.0],
            "truth_null": pd.Series([True, None, False], dtype=object),
            "price": [1.5, None, -2.25],
            "words": pd.Series(COLUMNS["words"][1], dtype=object),
            "day": pd.Series(COLUMNS["day"][1], dtype=object),
            "moment": pd.Series(COLUMNS["moment"][1], dtype="datetime64[ns]"),
            "zoned": pd.Series(COLUMNS["zoned"][1], dtype="datetime64[ns, UTC]"),
        }
    )
    whole = encode(frame, "table")
    schema = write_json(in_pieces(table(*frame), 2), tmp_path / "out", tmp_path)
    found, expected = json.loads((tmp_path / "out").read_bytes()), json.loads(whole.data)
    assert found["data"] == expected["data"]
    assert found["schema"]["fields"] == expected["schema"]["fields"]
    assert [*map(dict, schema)][1:3] == [{"whole_null": "float64"}, {"truth_null": "object"}]


def test_json_columns_are_values_as_the_original_has_them(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("j", pa.string(), metadata={KIND: b"json"})])
    data = pa.table({"j": ['{"a": [1, null]}', None, '"text"']}, schema)
    write_json(in_pieces(data, 1), tmp_path / "out", tmp_path)
    rows = json.loads((tmp_path / "out").read_bytes())["data"]
    assert [row["j"] for row in rows] == [{"a": [1, None]}, None, "text"]


@pytest.mark.parametrize("batches", [[], table().schema.empty_table().to_batches()])
def test_no_rows(tmp_path: Path, batches: list[Any]) -> None:
    write_parquet(Batches(table().schema, iter(batches)), tmp_path / "parquet", tmp_path)
    write_json(Batches(table().schema, iter(batches)), tmp_path / "json", tmp_path)
    frame = pd.read_parquet(tmp_path / "parquet")
    assert (len(frame), list(frame)) == (0, list(COLUMNS))
    decoded = decode((tmp_path / "json").read_bytes(), "table", "table")
    assert (len(decoded), list(decoded)) == (0, list(COLUMNS))


@pytest.mark.parametrize("write", [write_parquet, write_json])
def test_columns_of_one_name_are_refused_before_anything_is_read(tmp_path: Path, write: Any) -> None:
    def never() -> Any:
        raise AssertionError("read")
        yield

    schema = pa.schema([pa.field("a", pa.int64()), pa.field("a", pa.int64())])
    with pytest.raises(StatementRefused, match="several columns named 'a'"):
        write(Batches(schema, never()), tmp_path / "out", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_cells_of_several_classes_are_objects_again(tmp_path: Path) -> None:
    schema = pa.schema(
        [pa.field("a", pa.string(), metadata={KIND: b"json", CELLS: b"json"}), pa.field("b", pa.int64())]
    )
    data = pa.table({"a": ["1.5", '"x"', None, "7"], "b": [1, 2, 3, 4]}, schema)
    assert write_parquet(in_pieces(data, 2), tmp_path / "out", tmp_path) == [{"a": "object"}, {"b": "int64"}]
    frame = decode((tmp_path / "out").read_bytes(), "parquet", "table")
    assert frame["a"].tolist() == [1.5, "x", None, 7]
    assert [str(dtype) for dtype in frame.dtypes] == ["object", "int64"]
    assert list(frame.columns) == ["a", "b"]
    # Other libraries, and databases, have no such column.
    assert pq.read_table(tmp_path / "out").column("a").to_pylist() == ["1.5", '"x"', None, "7"]


def test_large_tables_have_groups(tmp_path: Path) -> None:
    data = pa.table({"n": pa.array(range(300_000), pa.int32())})
    write_parquet(in_pieces(data, 300_000), tmp_path / "out", tmp_path)
    with pq.ParquetFile(tmp_path / "out") as file:
        assert file.num_row_groups == 3
        assert file.metadata.num_rows == 300_000


def test_lists_of_a_database_are_lists_of_python(tmp_path: Path) -> None:
    table = pa.table({"tags": [["a", "b"], []], "n": [1, None]})
    path = tmp_path / "content"
    write_parquet(Batches(table.schema, iter(table.to_batches())), path, tmp_path)
    frame = decode(path.read_bytes(), "parquet", "table")
    assert frame["tags"].tolist() == [["a", "b"], []]
    assert str(frame["n"].dtype) == "Int64"

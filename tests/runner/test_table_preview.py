from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from aqueduct_provider.runner.codecs import NATIVE, encode
from aqueduct_provider.runner.table_preview import table_preview, table_shape

TWO_LEVELS = pd.MultiIndex.from_tuples([(7, "x")], names=["id", None])


def _preview(value: Any, folder: Path) -> dict[str, Any]:
    """Return the preview of a frame that was stored as operators store it, as JSON has it."""
    path = str(folder / "table")
    encode(value, "table", NATIVE, path=path)
    preview = table_preview(value, path)
    assert (preview["rows"], preview["width"]) == table_shape(value, path)
    return json.loads(json.dumps(preview))


@pytest.mark.parametrize("library", ["pandas", "polars", "polars.LazyFrame", "pyarrow"])
def test_frames_of_all_libraries_have_the_same_preview(tmp_path: Path, library: str) -> None:
    table = pa.table({"number": [1.5, None, 3.5, 2.5], "word": ["a", "b", None, "d"]})
    made = {
        "pandas": table.to_pandas,
        "polars": lambda: pl.from_arrow(table),
        "polars.LazyFrame": lambda: pl.LazyFrame(pl.from_arrow(table)),
        "pyarrow": lambda: table,
    }[library]()

    preview = _preview(made, tmp_path)

    number, word = preview["columns"]
    assert (number["name"], number["nulls"], number["min"], number["max"]) == ("number", 0.25, 1.5, 3.5)
    assert number["bars"] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert (word["name"], word["nulls"], word["min"], word["bars"]) == ("word", 0.25, None, [])
    assert (preview["rows"], preview["sample"], preview["width"]) == (4, 4, 2)
    assert [row[1] for row in preview["head"][:2]] == ["a", "b"]
    assert preview["head"][0][0] == 1.5


def test_long_and_wide_tables_are_cut(tmp_path: Path) -> None:
    frame = pd.DataFrame({f"c{number}": range(150_000) for number in range(70)})

    preview = _preview(frame, tmp_path)

    assert (preview["rows"], preview["width"], preview["sample"]) == (150_000, 70, 100_000)
    assert len(preview["columns"]) == 60
    assert len(preview["head"]) == 50
    assert preview["columns"][0]["max"] == 99_999


def test_a_long_file_is_read_up_to_the_sample(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    parquet.write_table(pa.table({"n": range(250_000)}), path)
    assert table_preview(None, path)["sample"] == 100_000


def test_large_cells_are_held_up_to_a_limit(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    column = pa.chunked_array([pa.array(["x" * 20_000] * 1_000)] * 5)
    parquet.write_table(pa.table({"text": column}), path)
    preview = table_preview(None, path)
    assert (preview["rows"], preview["sample"]) == (5_000, 3_000)
    assert preview["head"][0] == ["x" * 100 + "..."]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2**60, str(2**60)),
        (float("inf"), "inf"),
        (Decimal("1.50"), "1.50"),
        (b"abc", "(3 bytes)"),
        (datetime(2026, 1, 2, 3), "2026-01-02 03:00:00"),
        ("x" * 200, "x" * 100 + "..."),
        ({"a": [1]}, "{'a': [1]}"),
    ],
)
def test_cells_become_json(tmp_path: Path, cell: Any, shown: Any) -> None:
    preview = table_preview(pd.DataFrame({"a": pd.Series([cell], dtype=object)}), str(tmp_path))
    assert preview["head"] == [[shown]]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2**60], dtype="Int64"),
        pd.Series([float("inf"), 1.0]),
        pd.Series([float("nan")] * 2),
        pd.Series([True, None], dtype="boolean"),
        pd.Series(pd.to_datetime(["2026-01-01", None], utc=True)),
        pd.Series([1 + 2j, 0j]),
        pd.Series(["a", "b"], dtype="category"),
        pd.Series([pd.Timedelta(1), None]),
        pd.Series(pd.period_range("2026-01", periods=2, freq="M")),
        pd.Series([], dtype="float64"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_columns_of_any_dtype_are_described(column: pd.Series) -> None:
    (described,) = table_preview(pd.DataFrame({"a": column}), "")["columns"]
    assert described["dtype"] == str(column.dtype)
    assert described["nulls"] == pytest.approx(float(column.isna().mean()) if len(column) else 0, abs=1e-4)


def test_a_table_without_columns_or_rows(tmp_path: Path) -> None:
    assert _preview(pd.DataFrame(), tmp_path)["head"] == []
    assert _preview(pa.table({"a": pa.array([], pa.int64())}), tmp_path)["columns"][0]["max"] is None


@pytest.mark.parametrize(
    ("frame", "names", "first"),
    [
        (pd.DataFrame({"n": [1, 2]}), [], [1]),
        (pd.DataFrame({"n": [1, 2]}, ["a", "b"]), ["index"], ["a", 1]),
        (pd.DataFrame({"n": [1, 2]}, pd.Index(["a", "b"], name="key")), ["key"], ["a", 1]),
        (pd.DataFrame({"n": [1, 2, 3]})[1:], ["index"], [1, 2]),
        (
            pd.DataFrame({"n": [1]}, TWO_LEVELS),
            ["id", "level 1"],
            [7, "x", 1],
        ),
    ],
)
def test_an_index_that_says_something_comes_first(frame: Any, names: list[str], first: list[Any]) -> None:
    preview = table_preview(frame, "")
    assert [column["name"] for column in preview["columns"] if column.get("index")] == names
    assert preview["head"][0] == first
    assert preview["width"] == 1


def test_columns_of_one_name() -> None:
    preview = table_preview(pd.DataFrame([[1, "a"]], columns=["n", "n"]), "")
    assert [column["name"] for column in preview["columns"]] == ["n", "n"]
    assert preview["head"] == [[1, "a"]]

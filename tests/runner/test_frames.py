"""Frames of every library through the codecs: as what they come back, in which types, in how much memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest

from aqueduct_provider.runner.codecs import CodecError, decode, decode_file, encode, infer_type
from aqueduct_provider.runner.frame_kinds import VIEWS, library_of

POLARS = polars.DataFrame(
    {
        "number": [1, 2],
        "text": ["x", None],
        "category": polars.Series(["u", "v"], dtype=polars.Categorical),
        "enum": polars.Series(["u", "v"], dtype=polars.Enum(["w", "v", "u"])),
        "list": [[1], [2, 3]],
        "struct": [{"q": 1}, {"q": 2}],
        "array": polars.Series([[1, 2], [3, 4]], dtype=polars.Array(polars.Int8, 2)),
        "span": [timedelta(1), None],
        "day": [date(2020, 1, 1), None],
        "time": [time(1, 2), None],
        "decimal": [Decimal("1.50"), None],
        "bytes": [b"x", None],
        "nothing": [None, None],
    }
)
ARROW = pyarrow.table(
    {
        "number": [1, None],
        "dictionary": pyarrow.array(["x", "y"]).dictionary_encode(),
        "seconds": pyarrow.array([1, 2], pyarrow.timestamp("s")),
        "list": [[1], []],
    }
)
BATCH = pyarrow.RecordBatch.from_pydict({"a": [1, 2]})


def stored(value: Any, path: Path | None = None) -> Any:
    """The value after it was written and read, in memory or in a file."""
    target = None if path is None else str(path)
    encoded = encode(value, infer_type(value), "parquet", path=target)
    if target is None:
        return decode(encoded.data, encoded.serialization_type, encoded.artifact_type)
    return decode_file(target, encoded.serialization_type, encoded.artifact_type)


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("value", [POLARS, ARROW, ARROW.slice(0, 0), BATCH, BATCH.slice(0, 0)])
def test_a_frame_comes_back_as_what_it_was(value: Any, on_disk: bool, tmp_path: Path) -> None:
    assert infer_type(value) == "table"
    result = stored(value, tmp_path / "table" if on_disk else None)
    assert type(result) is type(value)
    assert result.schema == value.schema
    assert result.equals(value)


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_lazy_frame_comes_back_lazy(on_disk: bool, tmp_path: Path) -> None:
    result = stored(POLARS.lazy().filter(polars.col("number") > 1), tmp_path / "t" if on_disk else None)
    assert isinstance(result, polars.LazyFrame)
    assert result.collect().equals(POLARS.filter(polars.col("number") > 1))


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_relation_of_duckdb_comes_back_as_one(on_disk: bool, tmp_path: Path) -> None:
    relation = duckdb.sql(
        "SELECT 1 AS a, 'x' AS b, [1, 2] AS c, DATE '2020-01-01' AS d, 1.5::DECIMAL(9,2) AS e"
    )
    result = stored(relation, tmp_path / "table" if on_disk else None)
    assert type(result) is type(relation)
    assert result.types == relation.types
    assert result.fetchall() == relation.fetchall()


def test_a_reader_comes_back_as_a_reader(tmp_path: Path) -> None:
    reader = pyarrow.RecordBatchReader.from_batches(BATCH.schema, [BATCH, BATCH])
    result = stored(reader, tmp_path / "table")
    assert isinstance(result, pyarrow.RecordBatchReader)
    assert result.read_all().num_rows == 4


def test_a_generator_of_batches_is_a_table() -> None:
    def batches() -> Iterator[Any]:
        yield BATCH
        yield pyarrow.Table.from_batches([BATCH, BATCH])
        yield pyarrow.table({"a": pyarrow.array([], pyarrow.int64())})

    result = stored(batches())
    assert isinstance(result, pyarrow.Table)
    assert result["a"].to_pylist() == [1, 2] * 3


def test_any_other_stream_of_arrow_comes_back_as_an_arrow_table() -> None:
    class Frame:
        columns = ("a",)

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return pyarrow.table({"a": [1]}).__arrow_c_stream__(requested_schema)

    assert infer_type(Frame()) == "table"
    assert stored(Frame()).to_pydict() == {"a": [1]}


@pytest.mark.parametrize("value", [polars.Series([1]), pyarrow.chunked_array([[1]]), pandas.Series([1])])
def test_a_series_is_not_a_table(value: Any) -> None:
    assert infer_type(value) == "picklable"
    assert type(stored(value)) is type(value)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("value", [POLARS, ARROW, POLARS.to_pandas(), duckdb.sql("SELECT 1 AS number")])
def test_a_reader_chooses_the_library(value: Any, view: str, tmp_path: Path) -> None:
    encoded = encode(value, "table", "parquet", path=str(tmp_path / "table"))
    result = decode_file(str(tmp_path / "table"), encoded.serialization_type, "table", view)
    assert library_of(type(result)) == view


@pytest.mark.parametrize("serialization", ["table", "bson_table", "pickle"])
def test_a_table_that_is_not_parquet_can_be_seen_as_another_librarys(serialization: str) -> None:
    table = pandas.DataFrame({"a": [1, 2]})
    data = {
        "table": encode(table, "table").data,
        "bson_table": encode(table, "table", from_mongodb=True).data,
        "pickle": encode(table, "picklable", "parquet").data,
    }[serialization]
    assert decode(data, serialization, "table", "polars").to_dict(as_series=False) == {"a": [1, 2]}
    assert type(decode(data, serialization, "table", "pandas")) is pandas.DataFrame


def test_a_frame_that_parquet_cannot_keep_has_no_other_view() -> None:
    encoded = encode(pandas.DataFrame({"a": [1j]}), "table", "parquet")
    with pytest.raises(CodecError, match=r"cannot be given as polars.*annotation"):
        decode(encoded.data, encoded.serialization_type, "table", "polars")


def test_lists_and_structs_of_other_libraries_are_pythons_in_pandas() -> None:
    encoded = encode(POLARS, "table", "parquet")
    table = decode(encoded.data, "parquet", "table", "pandas")
    assert table["list"].tolist() == [[1], [2, 3]]
    assert type(table["list"][0]) is list
    assert table["struct"].tolist() == [{"q": 1}, {"q": 2}]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (duckdb.sql("SELECT 1::HUGEINT AS a"), r"column 'a' of type HUGEINT.*CAST"),
        (duckdb.sql("SELECT INTERVAL 1 DAY AS a"), r"column 'a' of type month_day_nano_interval.*cast"),
        (polars.DataFrame({"a": [object()]}), r"column 'a' of type Object.*turn its cells"),
        (polars.LazyFrame({"a": polars.Series([1], dtype=polars.Int128)}), r"cast it to another type"),
        (pyarrow.table([[1], [2]], names=["a", "a"]), r"several columns of the same name: a"),
        ((number for number in [1]), r"generator that yields a int.*make it a list"),
        ((batch for batch in ()), r"generator that yields nothing"),
        (
            (b for b in (BATCH, pyarrow.RecordBatch.from_pydict({"b": [1]}))),
            r"batch 2 has the columns b: int64",
        ),
    ],
)
def test_what_would_change_is_refused(value: Any, message: str) -> None:
    with pytest.raises(CodecError, match=message):
        stored(value)


def test_integers_of_128_bits_stay_with_polars() -> None:
    frame = polars.DataFrame({"a": polars.Series([2**100], dtype=polars.Int128)})
    assert stored(frame).equals(frame)


def test_without_its_library_a_frame_is_one_of_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = encode(POLARS.select("number"), "table", "parquet")
    monkeypatch.setitem(sys.modules, "polars", None)
    assert type(decode(encoded.data, "parquet", "table")) is pandas.DataFrame
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert type(decode(encoded.data, "parquet", "table")) is pyarrow.Table


SCAN = """
import resource, sys
sys.path.insert(0, {root!r})
import polars
from aqueduct_provider.runner.codecs import decode_file, encode

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{body}
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
BIG = """
import numpy, pyarrow
def batches():
    for number in range(200):
        yield pyarrow.RecordBatch.from_pydict({{"a": numpy.random.default_rng(number).random(500_000)}})
encode(batches(), "table", "parquet", path={path!r})
"""


def _megabytes(body: str) -> int:
    script = SCAN.format(root=str(Path(__file__).parents[2]), body=body)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout)


def test_a_table_larger_than_memory_passes_in_pieces(tmp_path: Path) -> None:
    # 800 MB of numbers that do not compress; the bound leaves room for what the libraries load.
    big, copy = str(tmp_path / "big"), str(tmp_path / "copy")
    assert _megabytes(BIG.format(path=big)) < 350
    assert Path(big).stat().st_size > 600_000_000
    body = (
        f"frame = decode_file({big!r}, 'parquet', 'table', 'polars.LazyFrame')\n"
        f"encode(frame.filter(polars.col('a') < 0.1), 'table', 'parquet', path={copy!r})"
    )
    assert _megabytes(body) < 350


class Sales(polars.DataFrame):
    """A frame of the user's own kind."""


def test_a_class_derived_from_polars_comes_back_as_itself() -> None:
    frame = Sales({"a": [1, 2]})
    encoded = encode(frame, "table", "parquet")
    back = decode(encoded.data, encoded.serialization_type, "table")
    assert type(back) is Sales
    assert back.equals(frame)

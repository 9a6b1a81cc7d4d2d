"""A table in a file: what is known of it at its end, and that it is not held in memory."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.tables.model import KIND, Batches
from aqueduct_provider.connectors.tables.spool import check_names, kind_of, several_columns, spool, with_nulls
from aqueduct_provider.errors import StatementRefused

DECIMAL = pa.field("d", pa.string(), metadata={KIND: b"decimal"})


def in_pieces(table: pa.Table, rows: int = 1) -> Batches:
    return Batches(table.schema, iter(table.to_batches(max_chunksize=rows)))


def test_rows_nulls_and_digits_are_those_of_all_batches(tmp_path: Path) -> None:
    schema = pa.schema([DECIMAL, pa.field("n", pa.int64()), pa.field("t", pa.string())])
    data = pa.table({"d": ["1.5", "22.375", None], "n": [1, 2, 3], "t": ["x", None, None]}, schema)
    found = spool(in_pieces(data), tmp_path / "rows")
    assert (found.rows, found.nulls) == (3, {"d", "t"})
    assert found.schema.types == [pa.decimal128(38, 3), pa.int64(), pa.string()]
    assert kind_of(found.schema.field("d")) == b""
    read = pa.Table.from_batches(found.batches(), found.schema)
    assert read.column("d").to_pylist() == [Decimal("1.500"), Decimal("22.375"), None]
    # A second time: the file is there.
    assert pa.Table.from_batches(found.batches(), found.schema).equals(read)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1.5", "NaN"], [1.5, "nan"]),
        (["9" * 77, "1"], ["9" * 77, "1"]),
        (["1.5", "abc"], ["1.5", "abc"]),
        (["9" * 50 + ".5"], [Decimal("9" * 50 + ".5")]),
    ],
)
def test_what_is_no_decimal_of_arrow(tmp_path: Path, texts: list[str], values: list[Any]) -> None:
    found = spool(in_pieces(pa.table({"d": texts}, pa.schema([DECIMAL]))), tmp_path / "rows")
    read = pa.Table.from_batches(found.batches(), found.schema).column(0).to_pylist()
    assert [str(value) if value != value else value for value in read] == values


def test_no_rows_at_all(tmp_path: Path) -> None:
    schema = pa.schema([DECIMAL, pa.field("n", pa.int64())])
    for number, batches in enumerate([[], schema.empty_table().to_batches()]):
        found = spool(Batches(schema, iter(batches)), tmp_path / str(number))
        assert (found.rows, found.nulls, found.schema.types) == (0, set(), [pa.decimal128(38, 0), pa.int64()])
        assert sum(batch.num_rows for batch in found.batches()) == 0


def test_batches_are_not_held(tmp_path: Path) -> None:
    alive: list[weakref.ref[Any]] = []
    most = 0

    def made() -> Iterator[pa.RecordBatch]:
        nonlocal most
        for number in range(50):
            batch = pa.record_batch({"n": pa.array([number] * 1000)})
            alive.append(weakref.ref(batch))
            yield batch
            del batch
            gc.collect()
            most = max(most, sum(ref() is not None for ref in alive))

    schema = pa.schema([pa.field("n", pa.int64())])
    assert spool(Batches(schema, made()), tmp_path / "rows").rows == 50_000
    # Those that wait between the thread that reads and the one that writes, and one in each.
    assert 0 < most <= 5


def test_what_ends_the_rows_ends_the_spool(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"n": pa.array([1])})
        raise StatementRefused("in the middle")

    with pytest.raises(StatementRefused, match="in the middle"):
        spool(Batches(pa.schema([pa.field("n", pa.int64())]), broken()), tmp_path / "rows")


def test_columns_of_one_name() -> None:
    check_names(["a", "A", "b"])
    check_names([])
    with pytest.raises(
        StatementRefused, match=r"^The result has several columns named 'a', 'c': give each its own"
    ):
        check_names(["c", "a", "b", "a", "c", "a"])
    assert "named 'x'" in str(several_columns(["x"]))


def test_columns_with_nulls() -> None:
    batch = pa.record_batch({"a": pa.array([1, None]), "b": pa.array([1, 2]), "c": pa.nulls(2)})
    assert with_nulls(batch) == {"a", "c"}
    assert with_nulls(batch.slice(0, 1)) == {"c"}

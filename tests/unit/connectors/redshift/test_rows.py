from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.redshift.rows import ArrivingRows, chunks, result_field
from aqueduct_provider.connectors.tables.model import KIND, Batches
from aqueduct_provider.errors import StatementRefused


@pytest.mark.parametrize(
    ("oid", "modifier", "kind", "note"),
    [
        (16, -1, pa.bool_(), None),
        (20, -1, pa.int64(), None),
        (1700, (18 << 16 | 4) + 4, pa.decimal128(18, 4), None),
        (1700, (50 << 16 | 4) + 4, pa.decimal256(50, 4), None),
        (1700, -1, pa.string(), b"decimal"),
        (4000, -1, pa.string(), b"json"),
        (6551, -1, pa.binary(), None),
        (1266, -1, pa.string(), None),
        (3000, -1, pa.string(), None),
        (1184, -1, pa.timestamp("us", "UTC"), None),
    ],
)
def test_types_of_redshift(oid: int, modifier: int, kind: pa.DataType, note: bytes | None) -> None:
    field = result_field("c", oid, modifier)
    assert field.type == kind
    assert (field.metadata or {}).get(KIND) == note


def cursor(*oids: int) -> Any:
    """What the driver's cursor knows when the first row comes."""
    names = [(f"c{n}", oid) for n, oid in enumerate(oids)]
    return SimpleNamespace(description=names, ps={"row_desc": [{} for _ in oids]})


def test_bytes_come_as_hexadecimal_digits() -> None:
    """PostgreSQL has no VARBYTE: this is what the driver gives for one of Redshift's."""
    rows = ArrivingRows(cursor(6551, 20), io.BytesIO())
    for row in (["00ff", 1], [None, None], [b"a", 2]):
        rows.append(row)
    data = rows.table()
    assert pa.Table.from_batches(data.batches, data.schema).to_pydict() == {
        "c0": [b"\x00\xff", None, b"a"],
        "c1": [1, None, 2],
    }


def test_after_a_refusal_rows_are_read_and_forgotten() -> None:
    rows = ArrivingRows(cursor(20), io.BytesIO())
    for number in range(12_000):
        rows.append([number if number != 10 else "many"])
    assert len(rows) == 0
    with pytest.raises(StatementRefused, match="row 11 of"):
        rows.table()


def test_a_statement_without_a_table() -> None:
    with pytest.raises(StatementRefused, match="gives no table"):
        ArrivingRows(SimpleNamespace(description=None), io.BytesIO()).table()


def data_of(table: pa.Table) -> Batches:
    return Batches(table.schema, iter(table.to_batches()))


def test_rows_for_one_insert() -> None:
    table = pa.table({"a": [1, None], "b": [b"\xff", None]})
    assert list(chunks(data_of(table))) == [
        ("($1, from_hex($2)), ($3, from_hex($4))", [1, "ff", None, None], 2)
    ]


def test_statements_keep_within_what_redshift_takes() -> None:
    table = pa.table({"a": range(40_000), "b": range(40_000)})
    parts = list(chunks(data_of(table)))
    assert [count for _, _, count in parts] == [8192, 8192, 8192, 8192, 4096, 2048, 1024, 64]
    assert all(len(values) <= 32767 for _, values, _ in parts)
    assert [value for _, values, _ in parts for value in values[::2]] == [*range(40_000)]
    long = pa.table({"a": ["x" * 1_000_000] * 10})
    assert [count for _, _, count in chunks(data_of(long))] == [4, 4, 2]
    assert list(chunks(data_of(table.slice(0, 0)))) == []

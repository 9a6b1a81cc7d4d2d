"""How many digits the texts of a decimal column need."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqueduct_provider.connectors.tables.decimals import Digits, with_floats
from aqueduct_provider.connectors.tables.model import KIND, Batches
from aqueduct_provider.errors import StatementRefused


def kind(*pieces: list[str | None]) -> pa.DataType:
    """The type that a column of these texts gets, with the texts coming piece by piece."""
    digits = Digits()
    for piece in pieces:
        digits.add(pa.array(piece, pa.string()))
    found = digits.type()
    for piece in pieces:
        pa.array(piece, pa.string()).cast(found)
    return found


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], pa.decimal128(38, 0)),
        ([None, None], pa.decimal128(38, 0)),
        (["1"], pa.decimal128(38, 0)),
        (["1.50", None, "-22.5"], pa.decimal128(38, 2)),
        (["0." + "1" * 37], pa.decimal128(38, 37)),
        (["1" * 38], pa.decimal128(38, 0)),
        (["1" * 39], pa.decimal256(39, 0)),
        (["-" + "9" * 38], pa.decimal256(39, 0)),
        (["1" * 40 + ".25"], pa.decimal256(42, 2)),
        (["1" * 76], pa.decimal256(76, 0)),
        (["1" * 77], pa.string()),
        (["1" * 40, "0." + "1" * 37], pa.string()),
        (["1.5", "NaN"], pa.float64()),
        (["nan", "Infinity", "-Infinity"], pa.float64()),
        (["1e5", "-1.5E-7", "inf"], pa.float64()),
        (["1.5", "abc"], pa.string()),
        (["NaN", "abc", "1"], pa.string()),
        ([""], pa.string()),
        (["1\n"], pa.string()),
        (["1."], pa.string()),
    ],
)
def test_the_type_is_what_all_texts_need(texts: list[str | None], expected: pa.DataType) -> None:
    assert kind(texts) == expected
    assert kind(*([text] for text in texts)) == expected
    assert kind(*([text] for text in reversed(texts))) == expected


def test_a_piece_of_nulls_changes_nothing() -> None:
    assert kind(["1.25"], [None], [], ["3"]) == pa.decimal128(38, 2)


def test_decimals_as_floats() -> None:
    text = pa.field("text", pa.string(), metadata={KIND: b"decimal"})
    schema = pa.schema([pa.field("n", pa.int64()), pa.field("exact", pa.decimal128(5, 2)), text])
    values = [[1, 2], [Decimal("0.10"), None], ["1e3", "-Infinity"]]
    batch = pa.record_batch([pa.array(v, f.type) for v, f in zip(values, schema, strict=True)], schema=schema)
    found = with_floats(Batches(schema, iter([batch])))
    assert [str(one.type) for one in found.schema] == ["int64", "double", "double"]
    assert pa.Table.from_batches(found.batches, found.schema).to_pydict() == {
        "n": [1, 2],
        "exact": [0.1, None],
        "text": [1000.0, float("-inf")],
    }
    bad = pa.record_batch([pa.array(["abc"])], schema=pa.schema([text]))
    with pytest.raises(StatementRefused, match=r"'text' cannot be read as floats.*'abc'"):
        list(with_floats(Batches(bad.schema, iter([bad]))).batches)
    # Without decimals it is the same table.
    plain = Batches(pa.schema([pa.field("n", pa.int64())]), iter(()))
    assert with_floats(plain) is plain


@given(st.lists(st.decimals(-(10**30), 10**30, places=7)))
def test_each_float_is_the_nearest(values: list[Decimal]) -> None:
    schema = pa.schema([pa.field("d", pa.decimal128(38, 7))])
    batch = pa.record_batch([pa.array(values, schema[0].type)], schema=schema)
    (found,) = with_floats(Batches(schema, iter([batch]))).batches
    assert found.column(0).to_pylist() == [float(value) for value in values]

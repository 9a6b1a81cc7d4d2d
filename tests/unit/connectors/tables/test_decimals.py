"""How many digits the texts of a decimal column need."""

from __future__ import annotations

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.tables.decimals import Digits


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

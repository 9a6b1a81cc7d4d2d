from __future__ import annotations

from typing import Any

import duckdb
import pandas
import polars
import pyarrow
import pytest

from aqueduct_provider.sdk.authoring.table_rows import first_rows, shown_rows

ARROW = pyarrow.table({"a": list(range(20)), "b": ["x"] * 20})


@pytest.mark.parametrize(
    ("table", "shape"),
    [
        (ARROW.to_pandas(), "20 rows x 2 columns"),
        (polars.from_arrow(ARROW), "20 rows x 2 columns"),
        (polars.from_arrow(ARROW).lazy(), "2 columns"),  # type: ignore[union-attr]
        (ARROW, "20 rows x 2 columns"),
        (ARROW.to_batches()[0], "20 rows x 2 columns"),
        (ARROW.to_reader(), "2 columns"),
        (ARROW.slice(0, 0).to_reader(), "2 columns"),
        (duckdb.from_arrow(ARROW), "20 rows x 2 columns"),
    ],
)
def test_a_table_of_any_library_can_be_looked_at(table: Any, shape: str) -> None:
    rows, words = shown_rows(table, 3)
    assert type(rows) is pandas.DataFrame
    assert rows["a"].tolist() in ([0, 1, 2], [])
    assert words == shape


def test_types_that_only_polars_has_are_shown_as_it_prints_them() -> None:
    frame = polars.DataFrame({"a": polars.Series([2**100], dtype=polars.Int128)})
    assert str(2**100)[:20] in shown_rows(frame, 3)[0].to_string()


def test_the_first_rows_are_of_the_same_library() -> None:
    assert type(first_rows(polars.DataFrame({"a": [1, 2]}), 1)) is polars.DataFrame
    assert first_rows(ARROW, 2).num_rows == 2

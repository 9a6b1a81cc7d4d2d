from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pandas
import polars
import polars as pl
import pyarrow
import pytest

from aqueduct_provider.sdk.authoring.frame_views import frame_views

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def lazy(t: pl.LazyFrame) -> None: ...
def eager(t: polars.DataFrame) -> None: ...
def arrow(t: pyarrow.Table) -> None: ...
def reader(t: pyarrow.RecordBatchReader) -> None: ...
def plain(t: pandas.DataFrame) -> None: ...
def maybe(t: pl.DataFrame | None = None) -> None: ...
def or_none(t: pl.DataFrame | None = None) -> None: ...
def for_checkers(t: pd.DataFrame) -> None: ...
def for_checkers_too(t: pa.Table) -> None: ...


@pytest.mark.parametrize(
    ("function", "view"),
    [
        (lazy, "polars.LazyFrame"),
        (eager, "polars"),
        (arrow, "pyarrow"),
        (reader, "pyarrow.RecordBatchReader"),
        (plain, "pandas"),
        (maybe, "polars"),
        (or_none, "polars"),
        (for_checkers, "pandas"),
        (for_checkers_too, "pyarrow"),
    ],
)
def test_an_annotation_chooses_the_library(function: Any, view: str) -> None:
    assert frame_views(function, ["t"]) == (view,)


def two(a: pl.DataFrame | pandas.DataFrame, b: int, c: Any, d: nowhere.Frame, e: list[pl.DataFrame]) -> None:  # type: ignore[name-defined] # noqa: F821
    ...


def test_other_annotations_choose_nothing() -> None:
    assert frame_views(two, "abcd") == ()
    assert frame_views(lambda t: t, ["t"]) == ()
    assert frame_views(len, ["t"]) == ()


def many(first: int, *tables: pl.DataFrame) -> None: ...


def test_arguments_keep_their_order() -> None:
    assert frame_views(many, ["first", "tables", "tables"]) == ("", "polars", "polars")


def test_a_wrapper_is_looked_through() -> None:
    @functools.wraps(lazy)
    def wrapped(*args: Any) -> None:
        lazy(*args)

    assert frame_views(wrapped, ["t"]) == ("polars.LazyFrame",)

from __future__ import annotations

import typing

import duckdb
import pandas
import polars
import pyarrow
import pytest

from aqueduct_provider.runner.codec_error import CodecError
from aqueduct_provider.runner.frame_kinds import VIEWS, check_columns, library_of
from aqueduct_provider.spec.models import View


def test_classes_are_known_by_their_package() -> None:
    assert library_of(pandas.DataFrame) == "pandas"
    assert library_of(polars.LazyFrame) == "polars.LazyFrame"
    assert library_of(pyarrow.Table) == "pyarrow"
    assert library_of(duckdb.DuckDBPyRelation) == "duckdb"
    assert library_of(type("Frame", (pandas.DataFrame,), {})) == "pandas"
    assert library_of(polars.Series) == library_of(int) == library_of("pandas.DataFrame") == ""


def test_specs_have_the_same_views() -> None:
    assert {"", *VIEWS} == set(typing.get_args(View))


def test_columns_have_names_of_their_own() -> None:
    check_columns(["a", "b"])
    with pytest.raises(CodecError, match="Non-String column names are not supported: 1"):
        check_columns(["a", 1])
    with pytest.raises(CodecError, match="several columns of the same name: a"):
        check_columns(["a", "a"])

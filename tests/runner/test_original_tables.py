from __future__ import annotations

import math

import pandas
import pytest

from aqueduct_provider.runner.original_tables import (
    read_bson,
    read_json,
    same_as_bson,
    schema_of,
    write_bson,
    write_json,
)

TABLE = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})


def test_the_originals_json_comes_back() -> None:
    assert read_json(write_json(TABLE))["b"].tolist() == ["x", "y"]
    assert schema_of(TABLE) == [{"a": "int64"}, {"b": "object"}]


def test_mongodbs_json_comes_back() -> None:
    assert read_bson(write_bson(TABLE)).to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("table", "same"),
    [
        (TABLE, True),
        (pandas.DataFrame({"a": [{"x": 1}, {"y": [1]}]}), True),
        (TABLE.set_index("a"), False),
        (TABLE.assign(c=pandas.Categorical(["u", "v"])), False),
        (pandas.DataFrame({"a": [(1,), (2,)]}), False),
        (pandas.DataFrame({"a": [{1}, {2}]}), False),
        (pandas.DataFrame({"a": pandas.Series([1, math.nan, "x"], dtype=object)}), True),
    ],
)
def test_knows_what_mongodbs_json_would_change(table: pandas.DataFrame, same: bool) -> None:
    assert same_as_bson(table) is same


def test_what_stands_beside_the_cells_is_seen_too() -> None:
    table = TABLE.copy()
    table.attrs["read"] = "today"
    assert not same_as_bson(table)
    assert not same_as_bson(TABLE.set_flags(allows_duplicate_labels=False))
    assert not same_as_bson(TABLE.rename_axis(columns="measure"))
    assert not same_as_bson([1])


def test_a_class_of_ones_own_is_not_mongodbs_json() -> None:
    class DataFrame(pandas.DataFrame):
        pass

    assert not same_as_bson(DataFrame(TABLE))

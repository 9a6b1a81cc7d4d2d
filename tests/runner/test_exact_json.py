from __future__ import annotations

import collections
import enum
import json
import math
import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy
import pandas
import pytest

from aqueduct_provider.runner.exact_json import (
    dump_numpy_scalar,
    is_finite_json,
    is_numpy_scalar,
    is_tree,
    load_numpy_scalar,
    same,
    survives_json,
)


class Level(enum.IntEnum):
    LOW = 1


class Text(str):
    __slots__ = ()


Point = collections.namedtuple("Point", "x y")

nested: Any = 1
for _ in range(500):
    nested = [nested]


@pytest.mark.parametrize(
    "value",
    [1, True, None, "ü\ud800", 0.1, -0.0, math.inf, 2**70, {"a": [1, {"b": None}]}, [], (1, "x"), ([1],)],
)
def test_json_gives_these_back(value: Any) -> None:
    assert survives_json(value)
    back = json.loads(json.dumps(value))
    assert same(tuple(back) if isinstance(value, tuple) else back, value)


@pytest.mark.parametrize(
    "value",
    [
        {0: 1.0},
        {None: 1},
        {True: 1},
        {"a": {1: 2}},
        {Text("a"): 1},
        [(1, 2)],
        {"a": (1,)},
        ((1,), 2),
        Point(1, 2),
        [Point(1, 2)],
        Level.LOW,
        [Level.LOW],
        Text("x"),
        collections.OrderedDict(a=1),
        collections.Counter("aa"),
        collections.defaultdict(list),
        numpy.float64(1),
        [numpy.int64(1)],
        b"x",
        {1, 2},
        pytest.param(10**5000, id="5000 digits"),
        pytest.param(nested, id="500 levels"),
    ],
)
def test_json_would_change_or_refuse_these(value: Any) -> None:
    assert not survives_json(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (True, 1),
        ([1], (1,)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (0.0, -0.0),
        ([1, [2]], [1, [2.0]]),
        (Point(1, 2), (1, 2)),
        (numpy.float64(1), 1.0),
        (Decimal("-0.0"), Decimal("0.0")),
        (Decimal("NaN"), Decimal("-NaN")),
        (pandas.Timestamp(0).as_unit("s"), pandas.Timestamp(0).as_unit("ns")),
        (pandas.Timedelta(0).as_unit("s"), pandas.Timedelta(0).as_unit("ns")),
        (datetime(2020, 1, 1, tzinfo=timezone.utc), datetime(2020, 1, 1, tzinfo=ZoneInfo("UTC"))),
    ],
)
def test_what_is_equal_but_of_another_type_is_not_the_same(one: Any, other: Any) -> None:
    assert not same(one, other)


def test_what_is_shared_or_holds_itself_is_left_to_pickle() -> None:
    shared: Any = [1]
    for _ in range(40):
        shared = [shared, shared]
    tree: dict[str, Any] = {"children": []}
    tree["children"].append({"parent": tree})
    endless: list[Any] = []
    endless += [endless, endless]
    empty: list[Any] = []
    for value in (shared, tree, endless, [empty, empty], {"a": empty, "b": empty}, (empty, empty)):
        assert not survives_json(value)
        assert not is_tree(value)


@pytest.mark.parametrize("value", [1, "x", [[], []], {"a": [1], "b": [1]}, [(), ()], [1, 1, "x", "x"]])
def test_a_value_in_which_nothing_is_met_twice_is_a_tree(value: Any) -> None:
    assert is_tree(value)


def test_nan_is_the_same_as_nan() -> None:
    assert same([math.nan], [math.nan])
    assert same(Decimal("NaN"), Decimal("NaN"))
    assert not same(math.nan, 1.0)


def test_infinity_is_not_json_that_everybody_reads() -> None:
    assert is_finite_json({"a": [1.5]})
    assert not is_finite_json({"a": [math.inf]})


@pytest.mark.parametrize("name", "bool int8 uint16 int32 int64 uint64 float16 float32 float64".split())
def test_a_numpy_scalar_comes_back_with_its_dtype(name: str) -> None:
    for number in (0, 1, 0.1):
        value = numpy.dtype(name).type(number)
        assert is_numpy_scalar(value)
        assert same(load_numpy_scalar(dump_numpy_scalar(value)), value)


@pytest.mark.parametrize("value", [1.5, numpy.complex128(1), numpy.longdouble(1), numpy.datetime64("2020")])
def test_other_scalars_are_left_to_pickle(value: Any) -> None:
    assert not is_numpy_scalar(value)


def test_without_numpy_the_scalar_is_a_number_of_pythons() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.modules['numpy'] = None\n"
        "from aqueduct_provider.runner.exact_json import load_numpy_scalar\n"
        "print(repr(load_numpy_scalar(sys.argv[2].encode())))"
    )
    data = dump_numpy_scalar(numpy.float32(0.5)).decode()
    command = [sys.executable, "-I", "-c", script, str(Path(__file__).parents[2]), data]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "0.5\n"

"""Values that are the same, and values that ``==`` calls equal though they are not."""

from __future__ import annotations

import copy
import enum
import pickle
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy
import pandas
import pyarrow
import pytest
from PIL import Image

from aqueduct_provider.sdk.authoring.same_value import same_value

NAN = float("nan")
Point = namedtuple("Point", "x y")


class Colour(enum.IntEnum):
    RED = 1


@dataclass
class Settings:
    rate: float


class Named(list[Any]):
    def __init__(self, items: Any, name: str) -> None:
        super().__init__(items)
        self.name = name


class Plain:
    def __init__(self, size: int) -> None:
        self.size = size


class Unclear:
    def __eq__(self, other: object) -> bool:
        raise ValueError("cannot be compared")

    __hash__ = None  # type: ignore[assignment]


def itself() -> list[Any]:
    found: list[Any] = [1]
    found.append(found)
    return found


def deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


def image(colour: int) -> Any:
    return Image.new("L", (2, 2), colour)


def frame(**changed: Any) -> pandas.DataFrame:
    columns = {
        "a": [1, 2],
        "b": [0.5, NAN],
        "c": ["x", None],
        "d": pandas.to_datetime(["2026-01-01", None]),
        "e": [[1], {"k": (1,)}],
        "f": pandas.Categorical(["x", "y"]),
        "g": pandas.array([1, None], dtype="Int64"),
        "h": pandas.arrays.SparseArray([0, 1]),
        "i": pandas.arrays.IntervalArray.from_breaks([0, 1, 2]),
        **changed,
    }
    return pandas.DataFrame(columns)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        5,
        NAN,
        complex(1, NAN),
        "text",
        b"bytes",
        Decimal("1.50"),
        Decimal("NaN"),
        Fraction(1, 3),
        Path("a/b"),
        UUID(int=5),
        [1, (2.0, {"k": {3, NAN}}), frozenset({1})],
        {0: 1.0, (1, 2): Colour.RED},
        Point(1, 2.5),
        OrderedDict(a=1),
        Counter("abca"),
        defaultdict(list, a=[1]),
        deque([1], maxlen=3),
        date(2026, 1, 2),
        datetime(2026, 1, 2, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 1, 2, fold=1),
        timedelta(1),
        Settings(1.5),
        Named([1], "x"),
        numpy.float32(1.5),
        numpy.datetime64("NaT"),
        numpy.array([[1.0, NAN]]),
        numpy.array([1, "x", None], dtype=object),
        numpy.array([(1, NAN)], dtype=[("a", "i4"), ("b", "f8")]),
        numpy.ma.masked_array([1, 2], [True, False]),
        pandas.Timestamp("2026-01-02", tz="UTC"),
        pandas.NaT,
        pandas.NA,
        pandas.Series([1, NAN], name="s", index=["a", "b"]),
        pandas.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["n", None]),
        pandas.date_range("2026-01-01", periods=3, tz="UTC"),
        pandas.period_range("2026-01", periods=2, freq="M"),
        frame(),
        pyarrow.table({"a": [1, None]}),
        image(5),
        itself(),
    ],
    ids=repr,
)
def test_a_copy_is_the_same(value: Any) -> None:
    assert same_value(value, copy.deepcopy(value))
    assert same_value(value, pickle.loads(pickle.dumps(value)))
    assert not same_value(value, [value])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (complex(0.0, 0.0), complex(0.0, -0.0)),
        ([1], (1,)),
        ([1], [1, 2]),
        ([[1]], [[1.0]]),
        ({0: 1}, {"0": 1}),
        ({0: 1}, {False: 1}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1, 2}, {1.0, 2}),
        ({1}, {2}),
        (Point(1, 2), (1, 2)),
        (Colour.RED, 1),
        (Counter("a"), {"a": 1}),
        (defaultdict(list), defaultdict(set)),
        (deque([1], 2), deque([1], 3)),
        (Named([1], "x"), Named([1], "y")),
        (Settings(1), Settings(1.0)),
        (Plain(1), Plain(1)),
        (object(), object()),
        (Unclear(), Unclear()),
        (Decimal("1.0"), Decimal("1.00")),
        (int, float),
        (lambda: 1, lambda: 1),
        (datetime(2026, 1, 2), datetime(2026, 1, 2, tzinfo=timezone.utc)),
        (
            datetime(2026, 1, 2, 1, tzinfo=ZoneInfo("Europe/Berlin")),
            datetime(2026, 1, 2, 0, tzinfo=timezone.utc),
        ),
        (datetime(2026, 1, 2), datetime(2026, 1, 2, fold=1)),
        (numpy.float32(1), numpy.float64(1)),
        (numpy.float64(1), 1.0),
        (numpy.array([1]), numpy.array([1.0])),
        (numpy.array([1]), numpy.array([[1]])),
        (numpy.array([0.0]), numpy.array([-0.0])),
        (numpy.array([1], dtype=object), numpy.array([1.0], dtype=object)),
        (numpy.ma.masked_array([1], [True]), numpy.ma.masked_array([1], [False])),
        (pandas.Timestamp("2026-01-02", tz="UTC"), pandas.Timestamp("2026-01-02")),
        (pandas.Timestamp("2026-01-02").as_unit("s"), pandas.Timestamp("2026-01-02").as_unit("ns")),
        (pandas.Series([1], name="a"), pandas.Series([1], name="b")),
        (pandas.Series([None], dtype=object), pandas.Series([NAN], dtype=object)),
        (pandas.Series([1], index=[0]), pandas.Series([1])),
        (frame(), frame(a=[1.0, 2.0])),
        (frame(), frame(c=["x", "y"])),
        (frame(), frame(e=[[1], {"k": [1]}])),
        (frame(), frame(e=[numpy.array([1]), {"k": (1,)}])),
        (frame(), frame(f=pandas.Categorical(["x", "y"], ["y", "x"]))),
        (frame(), frame(f=pandas.Categorical(["x", "y"], ordered=True))),
        (frame(), frame(g=pandas.array([1, 2], dtype="Int64"))),
        (frame(), frame().rename(columns={"a": "A"})),
        (frame(), frame().set_index("a")),
        (frame(), frame().iloc[:1]),
        (pyarrow.table({"a": [1]}), pyarrow.table({"a": [1.0]})),
        (image(5), image(6)),
        (deep(5), deep(6)),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_differs(one: Any, other: Any) -> None:
    assert not same_value(one, other)
    assert not same_value(other, one)
    assert same_value(one, one)


def test_attributes_of_tables_count() -> None:
    one, other = frame(), frame()
    other.attrs["unit"] = "m"
    assert not same_value(one, other)


def test_deep_values_and_those_that_hold_themselves() -> None:
    assert same_value(deep(100_000), deep(100_000))
    one, other = itself(), itself()
    other[1].append(2)
    assert not same_value(one, other)

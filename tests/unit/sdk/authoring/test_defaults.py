"""Which defaults become parameters, and which stay in the function."""

from __future__ import annotations

import enum
import inspect
import math
import threading
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy
import pandas
import polars
import pyarrow
import pytest
from sklearn.linear_model import LogisticRegression

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.artifacts import artifact_for
from aqueduct_provider.sdk.authoring.decorators import op
from aqueduct_provider.sdk.authoring.defaults import parameter_defaults
from aqueduct_provider.sdk.authoring.parameters import parameter_node

Point = namedtuple("Point", "x y")
_MISSING = object()


class Colour(enum.IntEnum):
    RED = 1


class Broken:
    def __reduce__(self) -> Any:
        raise RuntimeError("cannot be stored")


class Comparing:
    """Equal to itself only, as most classes are."""


@dataclass
class Settings:
    rate: float
    fallback: Any = None


class Forgetful:
    """Leaves out of its pickle what it is compared by."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __getstate__(self) -> dict[str, Any]:
        return {"size": 0}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Forgetful) and other.size == self.size

    __hash__ = None  # type: ignore[assignment]


class Unclear:
    def __eq__(self, other: object) -> bool:
        raise ValueError("cannot be compared")

    __hash__ = None  # type: ignore[assignment]


def itself() -> list[Any]:
    found: list[Any] = [(1,)]
    found.append(found)
    return found


def looks(value: Any) -> tuple[type, str]:
    return type(value), repr(value)


def defaults_of(function: Callable[..., Any]) -> dict[str, Any]:
    return parameter_defaults(inspect.signature(function))


def of(default: Any) -> dict[str, Any]:
    def function(x: Any, y: Any = default) -> Any:
        return x, y

    return defaults_of(function)


@pytest.mark.parametrize(
    "default",
    [
        None,
        True,
        5,
        math.nan,
        math.inf,
        "text",
        b"bytes",
        (1, 2),
        [1, "x", None, {"k": [1.5]}],
        {"rate": 0.5},
        Decimal("1.50"),
        date(2026, 1, 2),
        numpy.array([1.0, math.nan]),
        pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        # Containers, in all their types.
        {0: 1.0, (1, 2): Colour.RED},
        OrderedDict(a=1),
        Counter("abca"),
        defaultdict(list, a=[1]),
        deque([1, math.nan], maxlen=3),
        {"x", "y"},
        Point(1, math.nan),
        itself(),
        # Objects that can be compared.
        Fraction(1, 3),
        Path("a/b"),
        UUID(int=5),
        Settings(math.nan),
        complex(1, math.nan),
        Decimal("NaN"),
        datetime(2026, 1, 2, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        # Arrays and tables.
        numpy.float32(1.5),
        numpy.datetime64("NaT"),
        numpy.array([1, "x", None], dtype=object),
        numpy.array([(1, math.nan)], dtype=[("a", "i4"), ("b", "f8")]),
        pandas.Series([1, math.nan], name="s", index=["a", "b"]),
        pandas.date_range("2026-01-01", periods=3, tz="UTC"),
        pandas.DataFrame({"a": [[1], {"k": (1,)}], "b": pandas.Categorical(["x", "y"])}),
        polars.DataFrame({"a": [1, None]}),
        pyarrow.table({"a": [1, None]}),
    ],
    ids=repr,
)
def test_what_survives_is_a_parameter(default: Any) -> None:
    assert looks(of(default)["y"]) == looks(default)


@pytest.mark.parametrize(
    "default",
    [
        _MISSING,
        len,
        lambda: 1,
        int,
        numpy.sqrt,
        numpy,
        math,
        op(requirements=[])(lambda: 1),
        threading.Lock(),
        (number for number in [1]),
        Broken(),
        Comparing(),
        LogisticRegression(),
        numpy.random.default_rng(1),
        [_MISSING],
        {"key": (_MISSING,)},
        {_MISSING},
        Settings(1.0, fallback=_MISSING),
        numpy.array([_MISSING], dtype=object),
        pandas.DataFrame({"a": [_MISSING]}),
        Forgetful(5),
        Unclear(),
    ],
    ids=lambda default: type(default).__name__,
)
def test_what_does_not_survive_stays_in_the_function(default: Any) -> None:
    assert of(default) == {}


@pytest.mark.parametrize("default", [{0: 1.0}, [(1, 2)], Point(1, 2), Counter("ab"), numpy.float32(1.5)])
def test_no_default_is_changed(default: Any) -> None:
    """Whether it is a parameter is up to the codecs; if it is, it has its value and its type."""
    assert all(looks(found) == looks(default) for found in of(default).values())


def test_arguments_without_a_default() -> None:
    assert defaults_of(lambda x, *y, **z: 1) == {}
    assert defaults_of(lambda x, /, y=1, *, z=2: 1) == {"y": 1, "z": 2}


def test_a_generator_is_left_as_it_is() -> None:
    numbers = (number for number in [1, 2])
    assert of(numbers) == {}
    assert list(numbers) == [1, 2]


def test_later_changes_of_a_default_change_nothing() -> None:
    default: list[Any] = [[1]]
    found = of(default)
    default[0].append(2)
    assert found == {"y": [[1]]}


def test_an_artifact_is_an_input() -> None:
    artifact = artifact_for(parameter_node("p", 1, "", implicit=False))
    assert of(artifact)["y"] is artifact
    with pytest.raises(AuthoringError, match="holds an artifact"):
        op(requirements=[])(lambda x=[artifact]: x).lazy()

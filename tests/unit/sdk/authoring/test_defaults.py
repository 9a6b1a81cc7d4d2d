"""Which defaults become parameters, and which stay in the function."""

from __future__ import annotations

import inspect
import math
import threading
from collections import Counter, namedtuple
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import numpy
import pandas
import pytest
from sklearn.linear_model import LogisticRegression

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.artifacts import artifact_for
from aqueduct_provider.sdk.authoring.decorators import op
from aqueduct_provider.sdk.authoring.defaults import parameter_defaults
from aqueduct_provider.sdk.authoring.parameters import parameter_node
from aqueduct_provider.sdk.authoring.same_value import same_value

Point = namedtuple("Point", "x y")
_MISSING = object()


class Broken:
    def __reduce__(self) -> Any:
        raise RuntimeError("cannot be stored")


class Comparing:
    """Equal to itself only, as most classes are."""


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
    ],
    ids=repr,
)
def test_what_survives_is_a_parameter(default: Any) -> None:
    assert same_value(of(default), {"y": default})


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
    ],
    ids=lambda default: type(default).__name__,
)
def test_what_does_not_survive_stays_in_the_function(default: Any) -> None:
    assert of(default) == {}


@pytest.mark.parametrize("default", [{0: 1.0}, [(1, 2)], Point(1, 2), Counter("ab"), numpy.float32(1.5)])
def test_no_default_is_changed(default: Any) -> None:
    """Whether it is a parameter is up to the codecs; if it is, it has its value and its type."""
    assert all(same_value(found, default) for found in of(default).values())


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

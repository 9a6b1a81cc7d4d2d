"""Every kind of callable: it becomes an operator that works, or is refused where it is decorated."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import numpy
import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.callables import operator_function
from aqueduct_provider.sdk.authoring.decorators import check, metric, op, to_operator


class Scale:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def times(self, value: int) -> int:
        return value * self.factor

    def __call__(self, value: int) -> int:
        return self.times(value)

    @staticmethod
    def doubled(value: int) -> int:
        return value * 2

    @classmethod
    def tripled(cls, value: int) -> int:
        return value * 3

    async def later(self, value: int) -> int:
        return value


def synced(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*values: Any) -> Any:
        return asyncio.run(function(*values))

    return call


@synced
async def waits(value: int) -> int:
    return value + 1


def listed(function: Callable[..., Any]) -> Callable[..., Any]:
    return functools.wraps(function)(lambda *values: list(function(*values)))


@listed
def yields(value: int) -> Any:
    yield value


@functools.cache
def cached(value: int) -> int:
    return value


@pytest.mark.parametrize(
    ("function", "value", "result"),
    [
        (Scale(3).times, 2, 6),
        (Scale(3), 2, 6),
        (Scale.doubled, 2, 4),
        (Scale.tripled, 2, 6),
        (staticmethod(lambda value: value), 2, 2),
        (functools.partial(pow, 2), 3, 8),
        (functools.partial(Scale.times, Scale(3)), 2, 6),
        (len, [1, 2], 2),
        (sorted, [2, 1], [1, 2]),
        (str.upper, "a", "A"),
        (numpy.sqrt, 4.0, 2.0),
        (waits, 1, 2),
        (yields, 1, [1]),
        (cached, 1, 1),
        (lambda value: value, 1, 1),
    ],
)
def test_what_can_be_called(function: Any, value: Any, result: Any) -> None:
    assert to_operator(function, name="mine", requirements=[])(value).get() == result


def test_a_static_method() -> None:
    class Model:
        @op(requirements=[])
        @staticmethod
        def doubled(value: int) -> int:
            return value * 2

    assert (Model.doubled(2).get(), Model().doubled(2).get()) == (4, 4)


@pytest.mark.parametrize("decorator", [op, metric, check])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda method: method,
        classmethod,
        property,
        functools.partialmethod,
        lambda method: functools.wraps(method)(lambda *values: method(*values)),
    ],
)
def test_a_method_is_refused(decorator: Any, wrap: Any) -> None:
    message = r"^@\w+ '\w+': a method cannot be an operator.* outside of the class .* above @staticmethod\.$"
    with pytest.raises(AuthoringError, match=message):

        class Model:
            @decorator(requirements=[])
            @wrap
            def f(self, value: int) -> int:
                return value


def test_a_method_without_parentheses_is_refused() -> None:
    with pytest.raises(AuthoringError, match=r"^@op 'f': a method cannot be an operator"):

        class Model:
            @op
            def f(self, value: int) -> int:
                return value


def test_a_function_of_a_finished_class_takes_the_object_as_an_argument() -> None:
    assert to_operator(Scale.times, requirements=[])(Scale(3), 2).get() == 6


def test_an_async_method_of_an_object() -> None:
    with pytest.raises(AuthoringError, match=r"^@op 'x': an async function cannot be an operator"):
        operator_function("@op 'x'", Scale(1).later, in_class=True)

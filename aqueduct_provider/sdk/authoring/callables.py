"""Decide which callables can be operators; what cannot be one is refused with the reason and the fix."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.packaging.user_function import name_of


class DecoratedFunction:
    """Base of what the decorators return: it is an operator already."""

    __name__: str


def operator_function(where: str, given: Any, *, in_class: bool) -> Callable[..., Any]:
    """Return the function that an operator calls.

    :param where: begins error messages: it names the decorator and the operator.
    :param given: what was decorated.
    :param in_class: whether a function of a class is accepted.
    :raises AuthoringError: it cannot be an operator.
    """
    if isinstance(given, staticmethod):
        function: Any = given.__func__
    else:
        function = given
        _refuse_methods(where, function, in_class=in_class)
    _refuse_other_values(where, function)
    _refuse_coroutines(where, _called(function))
    checked: Callable[..., Any] = function
    return checked


def _refuse_methods(where: str, function: Any, *, in_class: bool) -> None:
    """Refuse what is defined in a class: an operator is not bound to an instance, so it gets no ``self``."""
    is_class_method = isinstance(function, classmethod | functools.partialmethod | property)
    if not is_class_method and (in_class or not _is_in_class_body(function)):
        return
    raise AuthoringError(
        f"{where}: a method cannot be an operator, for no object would be passed to it as its first "
        "argument. Decorate a function outside of the class that takes the object as an argument; or, where "
        "it needs no object, make it a static method and write the decorator above @staticmethod."
    )


def _is_in_class_body(function: Any) -> bool:
    if not isinstance(function, FunctionType):
        return False
    owner = function.__qualname__.rpartition(".")[0]
    return bool(owner) and not owner.endswith("<locals>")


def _refuse_other_values(where: str, function: Any) -> None:
    if isinstance(function, DecoratedFunction):
        raise AuthoringError(
            f"{where}: the function is an operator already. Use one decorator only, or decorate its plain "
            f"function, {function.__name__}.__wrapped__."
        )
    if inspect.isclass(function) or not callable(function):
        found = "the class" if inspect.isclass(function) else "a value of type"
        raise AuthoringError(
            f"{where}: only functions can be operators, not {found} {name_of(function)}. Write a function "
            "that takes values and returns a value."
        )


def _refuse_coroutines(where: str, function: Any) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise AuthoringError(
            f"{where}: an async function cannot be an operator. Write 'def', and asyncio.run(...) in it "
            "where it must wait for a coroutine."
        )


def _called(function: Any) -> Any:
    """Return the function that is called first; for a decorated function, the decorator's own."""
    while isinstance(function, functools.partial):
        function = function.func
    return function if inspect.isroutine(function) else type(function).__call__

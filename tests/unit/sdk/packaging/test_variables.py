from __future__ import annotations

import functools
import importlib
import sys
import types
from collections.abc import Callable
from typing import Any, Optional

import pytest

from aqueduct_provider.sdk.packaging.variables import (
    globals_in,
    names_in,
    texts_looked_up,
    variables_of,
    without_hints,
)

LIMIT = 3


def helper() -> int:
    return LIMIT


def closure(bound: int) -> Any:
    def inner(x: int, first: str = "a", *, second: str = "b") -> Any:
        return [helper() for _ in range(bound)], x.real, unknown  # type: ignore[name-defined]  # noqa: F821

    return inner


class Model:
    def __init__(self) -> None:
        self.size = 3

    def fit(self) -> int:
        return LIMIT


def test_of_a_function() -> None:
    found = dict(variables_of(closure(2)))
    notes = {f"annotation of {name}": value for name, value in closure(2).__annotations__.items()}
    assert found == {"helper": helper, "bound": 2, "first": "a", "second": "b", **notes}


def test_a_variable_that_is_not_assigned_yet_is_left_out() -> None:
    def early() -> Any:
        return later

    assert "later" not in dict(variables_of(early))
    later = 3
    assert dict(variables_of(early))["later"] == 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (functools.partial(helper, 1, key=2), {"argument 1": 1, "key": 2, "LIMIT": 3}),
        (Model(), {"size": 3}),
        (3, {}),
    ],
)
def test_of_other_objects(value: object, expected: dict[str, object]) -> None:
    found = dict(variables_of(value))
    found.pop("annotation of return", None)
    assert found == expected


def test_of_a_method_and_of_a_module() -> None:
    model, module = Model(), types.ModuleType("own")
    module.__dict__["x"] = 3
    assert dict(variables_of(model.fit)).items() >= {"self": model, "LIMIT": 3}.items()
    assert dict(variables_of(module))["x"] == 3


def test_names_in_code_and_in_the_functions_of_it() -> None:
    assert {"helper", "range", "real", "unknown"} <= set(names_in(closure.__code__))


def test_globals_that_code_reads_sets_and_deletes() -> None:
    code = compile(
        "def f():\n global a, b\n a = b\n def g():\n  global c\n  del c\n  return len", "f", "exec"
    )
    function = next(constant for constant in code.co_consts if isinstance(constant, types.CodeType))
    assert sorted(globals_in(function)) == ["a", "b", "c", "len"]


def look_up(name: str) -> object:
    """Not these words."""
    return globals()["small"] or eval("small.part + other") or [globals()[one] for one in ("third",)]


def of_modules() -> object:
    return getattr(sys.modules[__name__], "SMALL")  # noqa: B009


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (look_up, {"small", "small.part", "other", "third"}),
        (of_modules, {"SMALL"}),
        (lambda: importlib.import_module("package.part"), {"package.part", "package"}),
        (lambda model: model.modules("part"), set()),
        (lambda: "globals", set()),
    ],
)
def test_texts_that_may_be_names(function: types.FunctionType, expected: set[str]) -> None:
    found = {text for text in texts_looked_up(function.__code__) if not text.startswith("<")}
    assert found == expected


# --- annotations


class Unwanted:
    pass


@pytest.mark.parametrize(
    "hint",
    [
        Unwanted,
        Optional[Unwanted],  # noqa: UP045 (has another class than what | makes)
        Unwanted | None,
        list[Unwanted],
        dict[str, tuple[Unwanted, ...]],
        Callable[[Unwanted], int],
        Callable[[int], Unwanted],
    ],
)
def test_what_holds_something_unwanted_is_left_out(hint: Any) -> None:
    hints = {"a": hint, "b": int, "return": hint}
    assert without_hints(hints, lambda one: one is Unwanted) == {"b": int}


@pytest.mark.parametrize("hint", ["Unwanted", int, list[int], None, 5, lambda: 1, Callable[[int], int]])
def test_everything_else_stays(hint: Any) -> None:
    assert without_hints({"a": hint}, lambda one: one is Unwanted) == {"a": hint}

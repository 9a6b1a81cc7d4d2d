from __future__ import annotations

import sqlite3
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.packaging.local_modules import pickled_by_value
from aqueduct_provider.sdk.packaging.pickling import pickled
from aqueduct_provider.sdk.packaging.unpicklable import unpicklable

LOCK = threading.Lock()
OPTIONS = {"deep": [{"lock": LOCK}]}


class Client:
    def __init__(self) -> None:
        self.lock = threading.Lock()


CLIENT = Client()


class Broken:
    def __reduce__(self) -> Any:
        raise RuntimeError("first line\nsecond line")


def uses_lock() -> Any:
    return LOCK


def uses_client() -> Any:
    return CLIENT


def uses_helper() -> Any:
    return uses_client()


def uses_options() -> Any:
    return OPTIONS


def has_default(lock: Any = LOCK) -> Any:
    return lock


def refusal(call: Callable[..., Any], by_value: tuple[str, ...] = (__name__,)) -> str:
    with pytest.raises(Exception) as raised, pickled_by_value(by_value):  # noqa: PT011
        pickled(call, by_value)
    error = unpicklable(raised.value, "train")
    assert isinstance(error, PackagingError)
    return str(error)


@pytest.mark.parametrize(
    ("function", "variable", "kind"),
    [
        (uses_lock, "the variable 'LOCK' of 'uses_lock'", "a lock"),
        (uses_client, "the variable 'CLIENT' of 'uses_client'", "a lock"),
        (uses_helper, "the variable 'CLIENT' of 'uses_client'", "a lock"),
        (uses_options, "the variable 'OPTIONS' of 'uses_options'", "a lock"),
        (has_default, "the variable 'lock' of 'has_default'", "a lock"),
    ],
)
def test_the_variable_is_named(function: Callable[..., Any], variable: str, kind: str) -> None:
    text = refusal(function)
    assert text.startswith(f"'train' cannot be pickled: {variable} is or holds {kind} (cannot pickle")
    assert text.endswith("Create it inside the function, where it is used.")


def test_a_captured_variable_is_named(tmp_path: Path) -> None:
    def captured(value: object) -> Any:
        return lambda: value

    connection = sqlite3.connect(":memory:")
    name = "the variable 'value' of '.*captured.<locals>.<lambda>' is or holds"
    with (tmp_path / "file.txt").open("w") as file:
        for value, kind in [
            (file, "an open file"),
            (connection, "a Connection"),
            ((number for number in range(3)), "a generator"),
            (Broken(), r"a Broken \(first line\)"),
        ]:
            with pytest.raises(PackagingError, match=f"{name} {kind}"):
                raise PackagingError(refusal(captured(value)))
    connection.close()


def test_a_variable_of_a_module_that_travels_whole_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("own_module")
    module.__dict__["handle"] = threading.Lock()
    monkeypatch.setitem(sys.modules, "own_module", module)
    assert "the variable 'handle' of 'own_module' is or holds a lock" in refusal(
        lambda: module, ("own_module",)
    )


def test_what_has_no_variable_is_the_function_itself() -> None:
    assert "'train' cannot be pickled: it is or holds a lock" in refusal(CLIENT.__init__)  # type: ignore[misc]


def test_what_never_ends() -> None:
    class Endless:
        def __reduce__(self) -> Any:
            return Endless, (Endless(),)

    endless = Endless()
    assert refusal(lambda: endless).endswith("is nested too deeply. Pass it as an argument.")

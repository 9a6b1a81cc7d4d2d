"""Functions that name files of this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.sdk.authoring.calls import by_position
from aqueduct_provider.sdk.packaging.machine_paths import machine_path_warnings
from aqueduct_provider.sdk.packaging.user_function import UserFunction

HERE = Path(__file__).resolve()
NEIGHBOUR = HERE.with_name("test_variables.py")
AS_TEXT = str(NEIGHBOUR)
ELSEWHERE = Path("/dev/null")
NOT_THERE = str(HERE.with_name("no_such_file.csv"))
SENTENCE = (
    f"'f' uses {{}}, the path of a file in {HERE.parent} on this machine, which leads nowhere on a worker: "
    "declare it, file_dependencies=['test_variables.py'], and open 'test_variables.py'."
)


def of(call: Callable[..., Any]) -> list[str]:
    return machine_path_warnings(UserFunction(call, (), (), HERE.parent), "f")


def by_default(x: Any, path: Path = NEIGHBOUR) -> Any:
    return path


@pytest.mark.parametrize(
    ("call", "used"),
    [
        (lambda: NEIGHBOUR.read_text(), "NEIGHBOUR"),
        (lambda: open(AS_TEXT), "AS_TEXT"),  # noqa: PTH123, SIM115
        (lambda: [NEIGHBOUR for _ in range(2)], "NEIGHBOUR"),
        (by_default, "path"),
        (by_position(by_default, ("path",)), "path"),
        (eval(f"lambda: open({AS_TEXT!r})"), AS_TEXT),
    ],
)
def test_a_file_of_the_functions_folder(call: Callable[..., Any], used: str) -> None:
    assert of(call) == [SENTENCE.format(used)]


def test_the_path_of_the_script() -> None:
    (warning,) = of(lambda: Path(__file__).parent / "data.csv")
    assert warning.startswith("'f' uses __file__, which is a path of this machine")


def test_the_path_of_the_script_beside_declared_files() -> None:
    def call() -> Path:
        return Path(__file__).parent / "data.csv"

    assert machine_path_warnings(UserFunction(call, (), ("data.csv",), HERE.parent), "f") == []


@pytest.mark.parametrize(
    "call",
    [
        lambda: ELSEWHERE.read_text(),
        lambda: NOT_THERE,
        lambda: "test_variables.py",
        lambda: "/",
        lambda: "/\0",
        lambda: "/" + "x" * 5000,
        len,
    ],
)
def test_nothing_is_said_of_other_paths(call: Callable[..., Any]) -> None:
    assert of(call) == []

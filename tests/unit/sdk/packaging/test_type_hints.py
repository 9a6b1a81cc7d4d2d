from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

import pytest

from aqueduct_provider.sdk.packaging.type_hints import without_hints


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

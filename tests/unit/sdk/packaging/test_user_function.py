"""What Python knows about a user's function."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.sdk.packaging.user_function import folder_of, innermost
from tests.support.function_archives import function_in, function_of_a_notebook


def test_the_innermost_function(tmp_path: Path) -> None:
    inner = function_in(tmp_path)

    @functools.wraps(inner)
    def wrapper(table: Any) -> Any:
        return inner(table)

    class Model:
        def __call__(self, table: Any) -> Any:
            return table

    assert innermost(functools.partial(wrapper, 1)) is inner
    assert innermost(Model()) is Model.__call__
    assert folder_of(functools.partial(wrapper)) == tmp_path
    assert folder_of(Model()) == Path(__file__).parent


@pytest.mark.parametrize("function", [len, functools.partial(dict), function_of_a_notebook()])
def test_the_folder_of_what_lies_in_no_file(
    function: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder_of(function) == tmp_path


def test_cells_that_jupyter_writes_to_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function = function_in(tmp_path / "ipykernel_4711")
    monkeypatch.chdir(tmp_path)
    assert folder_of(function) == tmp_path

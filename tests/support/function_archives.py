"""Functions of the tests as function archives."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aqueduct_provider.sdk.packaging.package import package
from aqueduct_provider.sdk.packaging.user_function import UserFunction


def function_archive(function: Callable[..., Any], requirements: Sequence[str] = ()) -> bytes:
    """The archive of a function.

    :param requirements: what the function imports, as pip has it.
    """
    user = UserFunction(function, tuple(requirements), (), Path(__file__).parent)
    return package(user, getattr(function, "__name__", "function")).data


def function_in(folder: Path, text: str = "def churn(table):\n    return table\n") -> Callable[..., Any]:
    """The function ``churn`` of a module in the folder."""
    folder.mkdir(exist_ok=True)
    path = folder / "user_code.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("user_code", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[..., Any] = module.churn
    return function


def function_of_a_notebook() -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(compile("def churn(table):\n    return table\n", "<ipython-input-1>", "exec"), scope)
    function: Callable[..., Any] = scope["churn"]
    return function

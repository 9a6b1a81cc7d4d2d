"""Functions of the tests as function archives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aqueduct_provider.sdk.authoring.nodes import UserFunction
from aqueduct_provider.sdk.packaging.package import package


def function_archive(function: Callable[..., Any], requirements: Sequence[str] = ()) -> bytes:
    """The archive of a function.

    :param requirements: what the function imports, as pip has it.
    """
    user = UserFunction(function, tuple(requirements), (), Path(__file__).parent)
    return package(user, getattr(function, "__name__", "function")).data

"""A user's function that is to be packaged, and what Python knows about it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from aqueduct_provider.sdk.packaging.pickling import Pickled


class RecordedState(Protocol):
    """A function as it was when its call was recorded."""

    @property
    def pickled(self) -> Pickled | None:
        """Its pickle; None where it is pickled when it is published."""
        ...

    def run(self) -> AbstractContextManager[None]:
        """Keep what the function changes while it runs out of the pickle."""
        ...


@dataclass(frozen=True)
class UserFunction:
    """A function to be packaged, and what it needs.

    :param requirements: pip requirements, without the pin of cloudpickle.
    :param file_dependencies: paths as the user gave them, relative to ``folder``.
    :param folder: where the function's file is; the working directory for functions of a notebook.
    :param views: for each input, as which library's frame it takes a table; see ``frame_kinds.VIEWS``.
    :param snapshot: the function as it was when its call was recorded; None: it is published as it is then.
    """

    call: Callable[..., Any]
    requirements: tuple[str, ...]
    file_dependencies: tuple[str, ...]
    folder: Path
    views: tuple[str, ...] = ()
    snapshot: RecordedState | None = field(default=None, compare=False, repr=False)


def folder_of(function: Callable[..., Any]) -> Path:
    """Return where the function's file is; the working directory for functions of a notebook."""
    code = getattr(innermost(function), "__code__", None)
    file = Path(code.co_filename) if code else None
    # With its debugger on, Jupyter writes each cell to a file of its own.
    if file is None or not file.is_file() or file.parent.name.startswith("ipykernel_"):
        return Path.cwd()
    return file.resolve().parent


def innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that a partial, a decorated function or a callable object calls in the end."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            break
    return function if inspect.isroutine(function) else type(function).__call__


def name_of(function: Callable[..., Any]) -> str:
    """Return what users call the function; for those that have no name, their class."""
    return str(getattr(function, "__name__", "") or type(function).__name__)

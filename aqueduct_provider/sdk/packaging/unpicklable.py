"""A function that cannot be pickled -> an error that names what cannot, in its author's words.

In: what the pickler raised. Out: a ``PackagingError``. Imports nothing of the user's.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterator

from aqueduct_provider.errors import PackagingError
from aqueduct_provider.sdk.packaging.pickling import is_save_frame
from aqueduct_provider.sdk.packaging.variables import variables_of


def unpicklable(error: Exception, name: str) -> PackagingError:
    """Return the error for the user.

    :param error: what :func:`~aqueduct_provider.sdk.packaging.pickling.pickled` raised, with its traceback.
    :param name: the operator's.
    """
    if isinstance(error, RecursionError):
        return PackagingError(
            f"{name!r} cannot be pickled: what it refers to is nested too deeply. Pass it as an argument."
        )
    where, value = _culprit(error)
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    kind = "an open file" if isinstance(value, io.IOBase) else f"a {type(value).__qualname__}"
    return PackagingError(
        f"{name!r} cannot be pickled: {where or 'it'} is or holds {kind} ({reason}). Create it inside the "
        "function, where it is used."
    )


def _culprit(error: Exception) -> tuple[str, object]:
    """Return what the user calls the value that cannot be pickled, and the value."""
    path = list(_being_saved(error))
    for place in range(len(path) - 1, -1, -1):
        owner, below = path[place], path[place + 1 :]
        if not inspect.isfunction(owner) and not inspect.ismodule(owner):
            continue
        for variable, value in variables_of(owner):
            if any(value is other for other in below):
                home = getattr(owner, "__qualname__", owner.__name__)
                return f"the variable {variable!r} of {home!r}", path[-1]
    return "", path[-1] if path else None


def _being_saved(error: Exception) -> Iterator[object]:
    """Yield what the pickler was at when it failed, from the function inwards."""
    frames = error.__traceback__
    while frames:
        if is_save_frame(frames.tb_frame):
            yield frames.tb_frame.f_locals["obj"]
        frames = frames.tb_next

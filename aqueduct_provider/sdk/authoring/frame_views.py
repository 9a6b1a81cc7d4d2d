"""As which library's frame a function takes a table: what the annotation of the argument says.

``def f(t: pl.LazyFrame)`` gets a scan of the file on disk, whatever library made the table.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable
from typing import Any

from aqueduct_provider.runner.frame_kinds import VIEWS, library_of

# Usual aliases, for annotations that are strings and name what is not imported at run time.
_ALIASES = {"pd": "pandas", "pl": "polars", "pa": "pyarrow"}
_CLASSES = {"pandas.DataFrame": "pandas", "polars.DataFrame": "polars", "pyarrow.Table": "pyarrow"}


def frame_views(function: Callable[..., Any], arguments: Iterable[str]) -> tuple[str, ...]:
    """Return for each argument one of ``frame_kinds.VIEWS``, or nothing where the annotation names no frame.

    :param function: the user's function.
    :param arguments: the names of its arguments, in the order of the inputs; ``*args`` may be in it often.
    """
    annotations = getattr(inspect.unwrap(function), "__annotations__", {})
    if not annotations:
        return ()
    namespace = getattr(inspect.unwrap(function), "__globals__", {})
    views = tuple(_view(annotations.get(name), namespace) for name in arguments)
    return views if any(views) else ()


def _view(annotation: Any, namespace: dict[str, Any]) -> str:
    if isinstance(annotation, str):
        annotation = _evaluated(annotation, namespace)
    if isinstance(annotation, str):
        return _named(annotation)
    # Optional[...] and unions: one frame, whatever else.
    found = {view for kind in (annotation, *typing.get_args(annotation)) if (view := library_of(kind))}
    return found.pop() if len(found) == 1 else ""


def _evaluated(annotation: str, namespace: dict[str, Any]) -> Any:
    try:
        return eval(annotation, dict(namespace))
    except Exception:
        return annotation  # Imported for type checkers only.


def _named(annotation: str) -> str:
    """Return the view that the text of an annotation names."""
    package, _, name = annotation.strip().partition(".")
    full = f"{_ALIASES.get(package, package)}.{name}"
    return _CLASSES.get(full, full if full in VIEWS else "")

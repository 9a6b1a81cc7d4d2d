"""The annotations of a function that travel with it.

Code of the original annotates arguments with the classes of artifacts. No worker has these classes, and a
function gets values there.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any


def without_hints(annotations: Mapping[str, Any], is_unwanted: Callable[[Any], bool]) -> dict[str, Any]:
    """Leave out the annotations in which something unwanted is, at any depth.

    :param annotations: by the name of the argument.
    """
    return {name: hint for name, hint in annotations.items() if not _holds(hint, is_unwanted)}


def _holds(hint: Any, is_unwanted: Callable[[Any], bool]) -> bool:
    parts = hint if isinstance(hint, list) else typing.get_args(hint)
    return is_unwanted(hint) or any(_holds(part, is_unwanted) for part in parts)

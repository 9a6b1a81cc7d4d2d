"""Check what users give to methods, where a wrong value would fail later and far away (pure)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.storage.files import expanded


def check_limit(method: str, limit: Any) -> int:
    """Return how many a user wants at most.

    :raises AuthoringError: it is not an integer above 0.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise AuthoringError(f"{method}: limit must be an integer above 0, such as 50, not {limit!r}.")
    return limit


def check_seconds(method: str, argument: str, seconds: Any) -> float:
    """Return for how long a user wants to wait.

    :raises AuthoringError: it is not a number of 0 or more.
    """
    wrong = isinstance(seconds, bool) or not isinstance(seconds, (int, float))
    if wrong or not (math.isfinite(seconds) and seconds >= 0):
        raise AuthoringError(
            f"{method}: {argument} must be a number of seconds, such as 600, not {seconds!r}."
        )
    return float(seconds)


def check_name(what: str, name: Any) -> str:
    """Return a name.

    :param what: such as ``operator``.
    :raises AuthoringError: it is not text.
    """
    if not isinstance(name, str):
        raise AuthoringError(f"Name the {what} with text, such as 'train', not {name!r}.")
    return name


def check_folder(method: str, folder: Any) -> Path:
    """Return the folder that a user names, with ``~`` replaced.

    :raises AuthoringError: it cannot be the path of one.
    """
    path = fspath(folder) if isinstance(folder, (str, PathLike)) else ""
    if not isinstance(path, str) or not path or "\0" in path:
        raise AuthoringError(f"{method}: folder must be a path, such as 'review/churn', not {folder!r}.")
    return expanded(path)


def check_mapping(argument: str, given: Any, example: str) -> Mapping[str, Any]:
    """Return what a user gives by name.

    :param example: of a right value.
    :raises AuthoringError: it has no names, or other ones than text.
    """
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise AuthoringError(f"{argument} must be a dict by name, such as {example}, not {given!r}.")
    return given

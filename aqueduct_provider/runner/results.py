"""Turn what an operator's code returned into the values to store, with their types (pure).

The rules of the formats, section 6, for functions, metrics, checks and parameters. The runner writes the
values into the job folder; the SDK keeps them in the notebook's process. Standard library only.
"""

from __future__ import annotations

import sys
from typing import Any, List

from .codec_error import shortened
from .codecs import CodecError, accepted_type, describe, infer_type

# Characters of a message in one line.
_LONGEST_LINE = 500


class ResultError(Exception):
    """The operator returned something else than it must; ``str()`` is a sentence for its user."""


def split_results(value: Any, count: int) -> List[Any]:
    """Return the outputs of a function; a single output is the value itself, even if it is a tuple.

    :raises ResultError: when it returned another number of outputs.
    """
    if count == 1:
        return [value]
    if not count:
        return []
    if not isinstance(value, (list, tuple)):
        raise ResultError(
            f"The function must return a tuple of {count} outputs, but returned one {_name(value)}."
        )
    if len(value) != count:
        raise ResultError(f"The function must return {count} outputs, but returned {len(value)}.")
    return list(value)


def typed_output(value: Any, expected: str, what: str) -> str:
    """Return the artifact type of ``value``, and check that it is the expected one.

    :param what: how the message calls it, ``Output 'predictions'``.
    :raises ResultError: when it is of another type.
    """
    try:
        return accepted_type(value, expected)
    except CodecError as exc:
        raise ResultError(f"{what} {exc}.") from exc


def metric_type(value: Any) -> str:
    """Return the artifact type of what a metric returned: a number. Raises ``ResultError``."""
    kind = infer_type(value)
    # The original takes booleans for numbers here, as Python does.
    if kind not in ("numeric", "boolean"):
        raise ResultError(f"The computed result is not of type numeric: it is {kind} ({_name(value)}).")
    return kind


def plain_number(value: Any) -> Any:
    """Return a metric's value as a Python number, whatever library made it."""
    value = value.item() if hasattr(value, "item") else value
    if type(value) in (bool, int, float):
        return value
    return int(value) if isinstance(value, int) else float(value)


def check_result(value: Any) -> bool:
    """Return what a check returned: a bool, numpy's bool or a Series of them. Raises ``ResultError``."""
    if _is_bool_series(value):
        return bool(value.all())
    kind = infer_type(value)
    if kind != "boolean":
        raise ResultError(f"The computed result is not of type bool: it is {kind} ({_name(value)}).")
    return bool(value)


def output_name(name: str, number: int) -> str:
    """Return how messages call an output: by its name, or by its number (from 1) when it has none."""
    return f"Output {name!r}" if name else f"Output {number}"


def one_line(error: BaseException) -> str:
    """Return the class and the first line of the message, shortened if it is long."""
    return shortened(describe(error).split("\n")[0], _LONGEST_LINE)


def _is_bool_series(value: Any) -> bool:
    series = getattr(sys.modules.get("pandas"), "Series", None)
    return series is not None and isinstance(value, series) and str(value.dtype) in ("bool", "boolean")


def _name(value: Any) -> str:
    return type(value).__name__

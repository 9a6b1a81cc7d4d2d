"""JSON for values that come back from it with the very same types, and for numpy's scalars.

JSON knows no tuples, no keys but strings, and no subclasses: ``json.dumps`` takes them all and gives back
something else. A value is stored as JSON because it survives, not because the encoder accepts it.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, List, Set

# What JSON gives back as it was. A subclass (IntEnum, OrderedDict, a named tuple) is something else.
_LEAVES = (str, int, float, bool, type(None))
# What may hold other values; only these can be shared or hold themselves.
_CONTAINERS = (list, dict, tuple, set, frozenset)
# Decoding recurses: what is nested deeper might be written here and not be readable elsewhere.
_MAX_DEPTH = 200
# Python refuses to convert longer integers from text (sys.get_int_max_str_digits).
_MAX_INTEGER = 10**4000
# Scalars that are a number of up to 64 bits; others (long double, complex) are pickled.
_NUMPY_KINDS = "biuf"
_NUMPY_BYTES = 8


def survives_json(value: Any) -> bool:
    """Check that ``value`` comes back from JSON with the types that it has; its outermost tuple may be one.

    A list or dict that is met twice does not: JSON would make two of it.

    :param value: any value; a tuple is checked as the list of its elements, for the artifact type says
        that it is a tuple.
    """
    level: List[Any] = list(value) if type(value) is tuple else [value]
    seen: Set[int] = set()
    for _ in range(_MAX_DEPTH):
        if not all(map(_fits, level)) or not _all_new(level, seen):
            return False
        level = [child for item in level for child in _children(item)]
        if not level:
            return True
    return False


def is_tree(value: Any) -> bool:
    """Check that no list, dict, tuple or set in ``value`` is met twice, and that it is not nested too deep.

    A walk over such a value ends, in a time that its size bounds.
    """
    level: List[Any] = [value] if isinstance(value, _CONTAINERS) else []
    seen: Set[int] = set()
    for _ in range(_MAX_DEPTH):
        if not level:
            return True
        if not _all_new(level, seen):
            return False
        level = [child for item in level for child in _contents(item) if isinstance(child, _CONTAINERS)]
    return False


def _contents(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container


def _all_new(level: List[Any], seen: Set[int]) -> bool:
    """Check that none of these containers was met before, and remember them."""
    # Python has one empty tuple, whoever uses it.
    ids = [id(item) for item in level if isinstance(item, _CONTAINERS) and item != ()]
    before = len(seen)
    seen.update(ids)
    return len(seen) == before + len(ids)


def is_finite_json(value: Any) -> bool:
    """Check that every JSON reader takes it: ``NaN`` and ``Infinity`` are an extension of Python's."""
    if type(value) is float:
        return math.isfinite(value)
    return all(map(is_finite_json, _children(value)))


def same(one: Any, other: Any) -> bool:
    """Check that two values are equal and of the same types, down to the cells of lists, tuples and dicts.

    NaN is the same as NaN; the order of a dict's keys counts.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one), list(other)) and all(map(same, one.values(), other.values()))
    if isinstance(one, float):
        # The sign of a zero, too.
        return repr(one) == repr(other)
    if isinstance(one, Decimal):
        return _same_decimals(one, other)
    if isinstance(one, (datetime, time, timedelta)):
        return _same_times(one, other)
    if one is other or one == other:
        return True
    # NaN of other classes than float.
    return bool(one != one and other != other)


def same_zone(one: Any, other: Any) -> bool:
    """Check that two time zones, or None, are of the same class and name."""
    return type(one) is type(other) and repr(one) == repr(other)


def _same_times(one: Any, other: Any) -> bool:
    """Check for the same moment or span: pandas' have a resolution, and equal hours of autumn differ."""
    if not same_zone(getattr(one, "tzinfo", None), getattr(other, "tzinfo", None)):
        return False
    return repr(one) == repr(other) and getattr(one, "unit", None) == getattr(other, "unit", None)


def _same_decimals(one: Decimal, other: Decimal) -> bool:
    """Check for the same number and sign; a column may give its numbers more digits after the point."""
    if one.is_finite() and other.is_finite():
        return one == other and one.is_signed() == other.is_signed()
    return one.as_tuple() == other.as_tuple()


def is_numpy_scalar(value: Any) -> bool:
    """Check for a number or truth value of numpy's that :func:`dump_numpy_scalar` can store."""
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.generic):
        return False
    dtype = value.dtype
    exact = type(value) is dtype.type
    return bool(exact and dtype.kind in _NUMPY_KINDS and dtype.itemsize <= _NUMPY_BYTES)


def dump_numpy_scalar(value: Any) -> bytes:
    """Return a numpy scalar as JSON: the number and the name of its dtype."""
    return json.dumps({"dtype": value.dtype.name, "value": value.item()}).encode()


def load_numpy_scalar(data: bytes) -> Any:
    """Return the numpy scalar, or a Python number if numpy is not installed."""
    stored = json.loads(data)
    try:
        numpy = importlib.import_module("numpy")
    except ImportError:
        return stored["value"]
    return numpy.dtype(stored["dtype"]).type(stored["value"])


def _fits(value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return all(type(key) is str for key in value)
    if kind is int:
        return bool(-_MAX_INTEGER < value < _MAX_INTEGER)
    return kind is list or kind in _LEAVES


def _children(value: Any) -> List[Any]:
    if type(value) is dict:
        return list(value.values())
    return value if type(value) is list else []

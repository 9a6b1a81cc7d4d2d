"""Describe the values of a column: its type, its range and distribution, or its most frequent values.

In: a column of pandas, or one of pyarrow. Out: small JSON. Columns in an order have a range and bars;
booleans, categories and words the values that are there most often; any other column has its type alone.
"""

from __future__ import annotations

import datetime
import decimal
import math
from collections import Counter
from typing import Any, Callable, Dict, List, Tuple

_BARS, _TOP = 10, 3
# Values of which the frequent ones are found, and the types of objects: counting all would take too long.
_COUNTED_VALUES = 10_000
# Kinds of dtypes, in numpy's letters: integers and floats; moments and durations.
_NUMBERS, _TIMES = ("i", "u", "f"), ("M", "m")
# Characters of a cell, and types that a mixed column names.
_CELL, _TYPES = 100, 3
# Types of objects in an order, and the number that each is for its bars.
_ORDERED: Dict[type, Callable[[Any], float]] = {
    datetime.date: lambda day: float(day.toordinal()),
    datetime.datetime: lambda moment: float(moment.timestamp()),
    datetime.timedelta: lambda span: float(span.total_seconds()),
    decimal.Decimal: float,
    int: float,
    float: float,
}
_COUNTED = (str, bool)

Statistics = Dict[str, Any]


def of_pandas(column: Any) -> Statistics:
    """Return the statistics of a column of pandas; what it has not is None or empty.

    ``dtype``; ``nulls``, the share that is missing; ``min`` and ``max``; ``bars``, how many values lie in
    each tenth of that range; ``top``, the most frequent values, each with how often it is there;
    ``distinct``, how many different ones there are; ``counted``, in how many values.
    """
    known = column.dropna()
    found = _nothing(str(column.dtype), 1 - len(known) / len(column) if len(column) else 0.0)
    if not len(known):
        return found
    try:
        found.update(_of_known(known, getattr(column.dtype, "kind", "")))
    except Exception:
        # Objects of any kind may be in a column, and no statistics are worth a preview.
        found.update(_nothing(found["dtype"], found["nulls"]))
    return found


def _of_known(known: Any, kind: str) -> Statistics:
    if kind in _NUMBERS:
        return _numbers(known.to_numpy())
    if kind in _TIMES:
        return _range(known.min(), known.max(), known.astype("int64").to_numpy())
    values = known.iloc[:_COUNTED_VALUES].tolist()
    if str(known.dtype) != "object":
        return _frequent(values)
    types = Counter(map(type, values))
    names = [one.__name__ for one, _ in types.most_common(_TYPES + 1)]
    if len(types) > 1:
        listed = ", ".join([*names[:_TYPES], *(["..."] if len(names) > _TYPES else [])])
        return {"dtype": f"object ({listed})"}
    (only,) = types
    found: Statistics = {"dtype": names[0]}
    if only in _ORDERED:
        values = known.tolist()
        found.update(_range(min(values), max(values), [_ORDERED[only](value) for value in values]))
    elif only in _COUNTED:
        found.update(_frequent(values))
    return found


def of_arrow(column: Any) -> Statistics:
    """Return the same of a column of pyarrow."""
    known = column.drop_null()
    found = _nothing(str(column.type), column.null_count / len(column) if len(column) else 0.0)
    if not len(known):
        return found
    try:
        found.update(_of_known_arrow(known))
    except Exception:
        found.update(_nothing(found["dtype"], found["nulls"]))
    return found


def _of_known_arrow(known: Any) -> Statistics:
    from pyarrow import compute, types

    kind = known.type
    if types.is_integer(kind) or types.is_floating(kind):
        return _numbers(known.to_numpy())
    if types.is_temporal(kind) or types.is_decimal(kind):
        width = "float64" if types.is_decimal(kind) else "int32" if kind.bit_width == 32 else "int64"
        numbers = compute.cast(known, width).to_numpy()
        lowest, highest = (known[int(place)].as_py() for place in (numbers.argmin(), numbers.argmax()))
        return _range(lowest, highest, numbers)
    if types.is_boolean(kind) or types.is_dictionary(kind) or str(kind).endswith(("string", "string_view")):
        return _frequent(known.slice(0, _COUNTED_VALUES).to_pylist())
    return {}


def _nothing(dtype: str, nulls: float) -> Statistics:
    ends: Statistics = {"min": None, "max": None, "bars": [], "top": [], "distinct": None, "counted": None}
    return {"dtype": dtype, "nulls": round(nulls, 4), **ends}


def _numbers(values: Any) -> Statistics:
    import numpy

    numbers = numpy.asarray(values, dtype=float)
    if not len(numbers[numpy.isfinite(numbers)]):
        return {}
    # Integers keep all their digits.
    return _range(values.min(), values.max(), numbers)


def _range(lowest: Any, highest: Any, values: Any) -> Statistics:
    import numpy

    numbers = numpy.asarray(values, dtype=float)
    bars = numpy.histogram(numbers[numpy.isfinite(numbers)], bins=_BARS)[0]
    ends = (cell(end.item() if isinstance(end, numpy.generic) else end) for end in (lowest, highest))
    return {**dict(zip(("min", "max"), ends)), "bars": [int(bar) for bar in bars]}


def _frequent(values: List[Any]) -> Statistics:
    """Return the most frequent values; of values that are there once each, only how many there are."""
    counts = Counter(values)
    top: List[Tuple[Any, int]] = counts.most_common(_TOP)
    shown = [[cell(value), count] for value, count in top] if top[0][1] > 1 else []
    return {"top": shown, "distinct": len(counts), "counted": len(values)}


def cell(value: Any) -> Any:
    """Return a cell as JSON can hold it: a number, a boolean, or text that is cut."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return f"({len(value):,} byte{'s' * (len(value) != 1)})"
    text = str(value)
    return text if len(text) <= _CELL else f"{text[:_CELL]}..."

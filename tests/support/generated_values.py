"""Values and frames of every kind, generated, and what it means that two of them are the same.

The comparison is one of its own: that of the codecs must not judge itself.
"""

from __future__ import annotations

import collections
import enum
import math
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import numpy
import pandas
from hypothesis import strategies as st


class Score(NamedTuple):
    """A tuple with names."""

    auc: Any
    rows: Any


class Level(enum.IntEnum):
    """An integer that is more than one."""

    LOW = 1
    HIGH = 2


class Colour(str, enum.Enum):
    """A string that is more than one."""

    RED = "red"


class Ticket:
    """An object whose text is its address, as that of most objects."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: Any) -> bool:
        return type(other) is Ticket and other.number == self.number

    def __hash__(self) -> int:
        return hash(self.number)


def alike(one: Any, other: Any, seen: set[tuple[int, int]] | None = None) -> bool:
    """Whether two values are equal and of the same types, recursively; NaN is NaN.

    :param seen: the ids of containers that are being compared, which may hold themselves.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, pandas.DataFrame):
        return alike_frames(one, other)
    if isinstance(one, numpy.ndarray):
        return one.dtype == other.dtype and alike(one.tolist(), other.tolist())
    if isinstance(one, list | tuple | dict):
        seen = set() if seen is None else seen
        if (id(one), id(other)) in seen:
            return True
        seen.add((id(one), id(other)))
        if isinstance(one, dict):
            return alike(list(one), list(other)) and _all_alike(
                list(one.values()), list(other.values()), seen
            )
        return _all_alike(one, other, seen)
    if isinstance(one, float | numpy.floating):
        return bool(math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    if isinstance(one, Decimal):
        # A column may give its numbers more digits after the point.
        same = (one.is_nan() and other.is_nan()) or one == other
        return same and one.is_signed() == other.is_signed()
    if isinstance(one, datetime | time | timedelta):
        return _moment(one) == _moment(other)
    return bool(one is other or one == other)


def _all_alike(ones: Any, others: Any, seen: set[tuple[int, int]]) -> bool:
    pairs = zip(ones, others, strict=False)
    return len(ones) == len(others) and all(alike(one, other, seen) for one, other in pairs)


def _moment(one: Any) -> tuple[Any, ...]:
    zone = getattr(one, "tzinfo", None)
    return repr(one), getattr(one, "unit", None), type(zone), repr(zone)


def sharing(value: Any) -> list[int]:
    """Number the lists and dicts in a value in the order of a walk; one that is met again has its number."""
    numbers: dict[int, int] = {}
    walk, waiting = [], [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list | dict):
            known = id(item) in numbers
            walk.append(numbers.setdefault(id(item), len(numbers)))
            if known:
                continue
        if isinstance(item, list | tuple | dict):
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return walk


def alike_frames(one: pandas.DataFrame, other: pandas.DataFrame) -> bool:
    """Whether two frames are: types, cells, index, names, attrs, flags."""
    plain = [str(dtype) != "object" for dtype in one.dtypes]
    objects = [name for name, dtype in one.dtypes.items() if str(dtype) == "object"]
    # pandas compares everything else; of dicts and lists in cells it takes NaN for another value.
    pandas.testing.assert_frame_equal(
        other.loc[:, plain],
        one.loc[:, plain],
        check_exact=True,
        check_freq=True,
        check_column_type=True,
    )
    for name in objects:
        assert str(other[name].dtype) == "object"
        assert alike(list(one[name]), list(other[name])), (list(one[name]), list(other[name]))
    assert alike(list(one.columns), list(other.columns))
    assert _index(one.columns) == _index(other.columns)
    assert _index(one.index) == _index(other.index)
    assert alike(list(one.index.names), list(other.index.names))
    assert alike(list(one.columns.names), list(other.columns.names))
    assert alike(one.attrs, other.attrs)
    assert sharing(one.attrs) == sharing(other.attrs)
    assert one.flags.allows_duplicate_labels == other.flags.allows_duplicate_labels
    for name, dtype in one.dtypes.items():
        assert _dtype(dtype) == _dtype(other[name].dtype)
    return True


def _dtype(dtype: Any) -> tuple[Any, ...]:
    """What two dtypes may differ in, though they call themselves equal."""
    zone, categories = getattr(dtype, "tz", None), getattr(dtype, "categories", None)
    if categories is not None:
        return type(dtype), dtype.ordered, _index(categories), list(categories)
    storage = getattr(dtype, "storage", None), repr(getattr(dtype, "na_value", None))
    return type(dtype), str(dtype), type(zone), repr(zone), storage


def _index(index: Any) -> tuple[Any, ...]:
    if index.nlevels > 1:
        return tuple(_index(index.get_level_values(level)) for level in range(index.nlevels))
    freq = getattr(index, "freq", None)
    options = freq and (
        type(freq),
        freq.n,
        freq.normalize,
        str(freq.freqstr),
        repr(freq.kwds.get("holidays")),
    )
    return type(index), _dtype(index.dtype), index.name, options, [type(label) for label in index]


TEXT = st.text(max_size=8)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXT,
    st.binary(max_size=8),
    st.decimals(allow_nan=None),
    st.dates(),
    st.datetimes(timezones=st.just(timezone.utc)),
    st.timedeltas(),
    st.uuids(),
    st.complex_numbers(allow_nan=False),
    st.sampled_from([Level.LOW, Colour.RED, date.today]),
    st.sampled_from("bool int8 uint64 float16 float32 float64".split()).map(lambda n: numpy.dtype(n).type(1)),
    st.floats(width=32).map(numpy.float32),
)
KEYS = st.one_of(TEXT, st.integers(), st.booleans(), st.none(), st.tuples(st.integers(), TEXT))


def _containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    few = st.lists(children, max_size=3)
    return st.one_of(
        few,
        few.map(tuple),
        st.dictionaries(KEYS, children, max_size=3),
        st.dictionaries(TEXT, children, max_size=3),
        st.dictionaries(TEXT, children, max_size=3).map(collections.OrderedDict),
        st.tuples(children, children).map(lambda pair: Score(*pair)),
        st.frozensets(st.integers(), max_size=3),
        st.lists(st.integers(0, 5)).map(collections.Counter),
    )


def _tree(leaf: Any) -> Any:
    """A dict whose child knows its parent."""
    parent: dict[str, Any] = {"children": [], "leaf": leaf}
    parent["children"].append({"parent": parent})
    return parent


def _deep(leaf: Any) -> Any:
    """A list that a walk without a memory visits in 2 ** 40 steps."""
    for _ in range(40):
        leaf = [leaf, leaf]
    return leaf


_SHARED = st.builds(
    lambda make, part: make(part), st.sampled_from([_tree, _deep, lambda one: [[one]] * 2]), LEAVES
)
VALUES = st.one_of(st.recursive(LEAVES, _containers, max_leaves=8), _SHARED)

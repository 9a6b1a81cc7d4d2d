"""Compare two values in value and in type, at every depth.

``==`` calls 1, 1.0 and True equal, NaN different from itself, and raises for arrays and tables. Here two
values are the same when nothing that the user's code can do distinguishes them, their identities excepted.
Where an object's class defines no ``==``, only the object itself is the same.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

# Pairs that must be the same for the values to be; None: the values differ.
_Pairs: TypeAlias = "Iterable[tuple[Any, Any]] | None"

_Compare: TypeAlias = Callable[[Any, Any], _Pairs]

_PLAIN = (str, bytes, bytearray, int, bool, range, date, timedelta)
# Objects that are what they are by identity, whatever their class says of ==.
_BY_IDENTITY = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


def same_value(one: Any, other: Any) -> bool:
    """Return whether two values are the same in value and type, at every depth.

    NaN is the same as NaN, 0.0 is not -0.0, 1 is not 1.0, a list is not a tuple, a subclass is not its base.
    Dicts must have their keys in the same order. Of pandas objects, the dtypes, indexes, names and ``attrs``
    count. Values that hold themselves can be compared, and so can deep ones: nothing here is recursive.

    :param one: a value of any type.
    :param other: the value to compare it with.
    """
    waiting = [(one, other)]
    seen = set[tuple[int, int]]()
    # What is made on the way must live as long as its id is remembered.
    alive = list[tuple[Any, Any]]()
    while waiting:
        pair = waiting.pop()
        key = (id(pair[0]), id(pair[1]))
        if key in seen:
            continue
        seen.add(key)
        alive.append(pair)
        parts = _compare(*pair)
        if parts is None:
            return False
        waiting.extend(parts)
    return True


def _compare(one: Any, other: Any) -> _Pairs:
    if one is other:
        return ()
    kind = type(one)
    if kind is not type(other) or isinstance(one, _BY_IDENTITY):
        return None
    if exact := _BUILT_IN.get(kind):
        return exact(one, other)
    for known, compare in _imported():
        if isinstance(one, known):
            return compare(one, other)
    for base in kind.__mro__:
        if built_in := _BUILT_IN.get(base):
            parts = built_in(one, other)
            # What the subclass adds must be the same, too.
            return None if parts is None else [*parts, *_attributes(one, other)]
    return _compare_objects(one, other)


def _attributes(one: Any, other: Any) -> list[tuple[Any, Any]]:
    """Pair the objects' own attributes, in ``__dict__`` and in slots."""
    missing = object()
    names = [name for kind in type(one).__mro__ for name in _slots(kind)]
    slots = [(getattr(one, name, missing), getattr(other, name, missing)) for name in names]
    return [*slots, (getattr(one, "__dict__", None), getattr(other, "__dict__", None))]


def _slots(kind: type) -> list[str]:
    slots = vars(kind).get("__slots__", ())
    names = [slots] if isinstance(slots, str) else list(slots)
    return [name for name in names if not name.startswith("__")]


def _compare_objects(one: Any, other: Any) -> _Pairs:
    if getattr(type(one), "__eq__", None) is object.__eq__:
        return None
    if dataclasses.is_dataclass(one):
        # Their own == calls 1 and 1.0 equal.
        names = [known.name for known in dataclasses.fields(one)]
        return [(getattr(one, name, None), getattr(other, name, None)) for name in names]
    try:
        return () if bool(one == other) else None
    # Whatever the class's own == raises: it does not call them equal.
    except Exception:
        return None


# --- Python's own types


def _compare_plain(one: Any, other: Any) -> _Pairs:
    return () if one == other else None


def _compare_floats(one: float, other: float) -> _Pairs:
    if math.isnan(one) or math.isnan(other):
        return () if math.isnan(one) and math.isnan(other) else None
    return () if one == other and math.copysign(1, one) == math.copysign(1, other) else None


def _compare_complex(one: complex, other: complex) -> _Pairs:
    return (one.real, other.real), (one.imag, other.imag)


def _compare_decimals(one: Decimal, other: Decimal) -> _Pairs:
    return () if one.as_tuple() == other.as_tuple() else None


def _compare_datetimes(one: Any, other: Any) -> _Pairs:
    if one.tzinfo is None or other.tzinfo is None:
        return () if one == other and one.tzinfo is other.tzinfo and one.fold == other.fold else None
    plain = one.replace(tzinfo=None), other.replace(tzinfo=None)
    return () if one.fold == other.fold and plain[0] == plain[1] and _zone(one) == _zone(other) else None


def _zone(moment: Any) -> tuple[type, str]:
    # Two objects of one time zone need not be equal: those of dateutil and pytz, and zones of a pickle.
    return type(moment.tzinfo), str(moment.tzinfo)


def _compare_sequences(one: Any, other: Any) -> _Pairs:
    return zip(one, other, strict=True) if len(one) == len(other) else None


def _compare_deques(one: deque[Any], other: deque[Any]) -> _Pairs:
    return _compare_sequences(one, other) if one.maxlen == other.maxlen else None


def _compare_dicts(one: dict[Any, Any], other: dict[Any, Any]) -> _Pairs:
    if len(one) != len(other):
        return None
    return [*zip(one.keys(), other.keys(), strict=True), *zip(one.values(), other.values(), strict=True)]


def _compare_default_dicts(one: defaultdict[Any, Any], other: defaultdict[Any, Any]) -> _Pairs:
    parts = _compare_dicts(one, other)
    return None if parts is None else [(one.default_factory, other.default_factory), *parts]


def _compare_sets(one: Any, other: Any) -> _Pairs:
    if len(one) != len(other):
        return None
    # Equal elements of other types are found, too, and then differ; NaN is found by itself alone.
    counterparts = {element: element for element in other}
    left = [element for element in one if element not in counterparts]
    pairs = [(element, counterparts.pop(element)) for element in one if element in counterparts]
    for element in left:
        match = next((item for item in counterparts if same_value(element, item)), None)
        if match is None:
            return None
        del counterparts[match]
    return pairs


_BUILT_IN: dict[type, _Compare] = {
    **dict.fromkeys(_PLAIN, _compare_plain),
    float: _compare_floats,
    complex: _compare_complex,
    Decimal: _compare_decimals,
    list: _compare_sequences,
    tuple: _compare_sequences,
    dict: _compare_dicts,
    defaultdict: _compare_default_dicts,
    set: _compare_sets,
    frozenset: _compare_sets,
    deque: _compare_deques,
    datetime: _compare_datetimes,
    time: _compare_datetimes,
}


# --- arrays and tables, where their library is imported


def _imported() -> Iterator[tuple[type, _Compare]]:
    for path, compare in _OF_LIBRARIES.items():
        module, _, name = path.partition(":")
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type):
            yield kind, compare


def _compare_arrays(one: Any, other: Any) -> _Pairs:
    if one.dtype != other.dtype or one.shape != other.shape:
        return None
    mask = getattr(one, "mask", None)
    also = [] if mask is None else [(mask, other.mask), (one.fill_value, other.fill_value)]
    if one.dtype.hasobject:
        return [*also, (one.tolist(), other.tolist())]
    return also if _same_bits(_plain_array(one), _plain_array(other)) else None


def _plain_array(array: Any) -> Any:
    """Return the bare data: a masked array, a matrix and their like compare as they please."""
    import numpy

    return numpy.asarray(array)


def _same_bits(one: Any, other: Any) -> bool:
    import numpy

    if one.dtype.names:
        return all(_same_bits(one[name], other[name]) for name in one.dtype.names)
    if one.dtype.kind not in "fc":
        return bool(one.tobytes() == other.tobytes())
    # NaN has many patterns of bits, and 0.0 has two.
    signs = all(
        numpy.array_equal(numpy.signbit(a), numpy.signbit(b))
        for a, b in zip(_zeros(one), _zeros(other), strict=True)
    )
    return bool(signs and numpy.array_equal(one, other, equal_nan=True))


def _zeros(array: Any) -> list[Any]:
    parts = [array.real, array.imag] if array.dtype.kind == "c" else [array]
    return [part[part == 0] for part in parts]


def _compare_array_scalars(one: Any, other: Any) -> _Pairs:
    return _compare_arrays(_plain_array(one), _plain_array(other))


def _compare_frames(one: Any, other: Any) -> _Pairs:
    if one.shape != other.shape:
        return None
    columns = [(one.iloc[:, at].array, other.iloc[:, at].array) for at in range(one.shape[1])]
    return [(one.columns, other.columns), (one.index, other.index), (one.attrs, other.attrs), *columns]


def _compare_series(one: Any, other: Any) -> _Pairs:
    pairs = [(one.name, other.name), (one.index, other.index), (one.attrs, other.attrs)]
    return [*pairs, (one.array, other.array)]


def _compare_indexes(one: Any, other: Any) -> _Pairs:
    if len(one) != len(other) or one.dtype != other.dtype:
        return None
    pairs = [
        (list(one.names), list(other.names)),
        (str(getattr(one, "freq", "")), str(getattr(other, "freq", ""))),
    ]
    if hasattr(one, "levels"):
        return [
            *pairs,
            *((one.get_level_values(at), other.get_level_values(at)) for at in range(one.nlevels)),
        ]
    return [*pairs, (one.array, other.array)]


def _compare_columns(one: Any, other: Any) -> _Pairs:
    """Compare columns of pandas: the cells, and what their dtype says."""
    if len(one) != len(other) or one.dtype != other.dtype:
        return None
    if hasattr(one, "categories"):
        # dtypes whose categories have another order are equal.
        return (one.categories, other.categories), (one.codes, other.codes)
    if hasattr(one, "asi8"):
        return [(one.asi8, other.asi8)]
    if type(one).__name__ == "NumpyExtensionArray":
        return [(one.to_numpy(), other.to_numpy())]
    return [(list(one), list(other))]


def _compare_moments(one: Any, other: Any) -> _Pairs:
    unit = getattr(one, "unit", None), getattr(other, "unit", None)
    return [unit, (str(getattr(one, "tz", None)), str(getattr(other, "tz", None)))] if one == other else None


def _compare_arrow(one: Any, other: Any) -> _Pairs:
    try:
        equal = one.equals(other, check_metadata=True)
    except TypeError:
        equal = one.equals(other)
    return () if equal else None


def _compare_polars(one: Any, other: Any) -> _Pairs:
    same = getattr(one, "schema", None) == getattr(other, "schema", None) and one.equals(
        other, null_equal=True
    )
    names = getattr(one, "name", None), getattr(other, "name", None)
    return [names, (str(getattr(one, "dtype", "")), str(getattr(other, "dtype", "")))] if same else None


def _compare_images(one: Any, other: Any) -> _Pairs:
    same = (one.mode, one.size, one.getpalette()) == (other.mode, other.size, other.getpalette())
    return [(one.tobytes(), other.tobytes())] if same else None


_OF_LIBRARIES: dict[str, _Compare] = {
    "numpy:ndarray": _compare_arrays,
    "numpy:generic": _compare_array_scalars,
    "pandas:DataFrame": _compare_frames,
    "pandas:Series": _compare_series,
    "pandas:Index": _compare_indexes,
    "pandas.api.extensions:ExtensionArray": _compare_columns,
    "pandas:Timestamp": _compare_moments,
    "pandas:Timedelta": _compare_moments,
    "pyarrow:Table": _compare_arrow,
    "pyarrow:RecordBatch": _compare_arrow,
    "pyarrow:Array": _compare_arrow,
    "pyarrow:ChunkedArray": _compare_arrow,
    "polars:DataFrame": _compare_polars,
    "polars:Series": _compare_polars,
    "PIL.Image:Image": _compare_images,
}

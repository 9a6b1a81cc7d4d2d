"""Values and frames of every kind, generated, and what it means that two of them are the same.

The comparison is one of its own: that of the codecs must not judge itself.
"""

from __future__ import annotations

import collections
import enum
import math
import string
import uuid
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


def alike(one: Any, other: Any) -> bool:
    """Whether two values are equal and of the same types, recursively; NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, pandas.DataFrame):
        return alike_frames(one, other)
    if isinstance(one, numpy.ndarray):
        return one.dtype == other.dtype and alike(one.tolist(), other.tolist())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return alike(list(one.items()), list(other.items()))
    if isinstance(one, float | numpy.floating):
        return bool(math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    if isinstance(one, Decimal):
        return (one.is_nan() and other.is_nan()) or one == other
    if isinstance(one, datetime | time):
        return repr(one) == repr(other)
    return bool(one is other or one == other)


def alike_frames(one: pandas.DataFrame, other: pandas.DataFrame) -> bool:
    """Whether two frames are: types, cells, index, names, attrs."""
    objects = [name for name, dtype in one.dtypes.items() if str(dtype) == "object"]
    # pandas compares everything else; of dicts and lists in cells it takes NaN for another value.
    pandas.testing.assert_frame_equal(
        other.drop(columns=objects),
        one.drop(columns=objects),
        check_exact=True,
        check_freq=True,
        check_column_type=True,
    )
    for name in objects:
        assert str(other[name].dtype) == "object"
        assert alike(list(one[name]), list(other[name])), (list(one[name]), list(other[name]))
    assert list(one.columns) == list(other.columns)
    assert one.columns.dtype == other.columns.dtype
    assert type(one.index) is type(other.index)
    assert alike(list(one.index.names), list(other.index.names))
    assert alike(list(one.columns.names), list(other.columns.names))
    assert alike(one.attrs, other.attrs)
    assert all(dtype == other[name].dtype for name, dtype in one.dtypes.items())
    return True


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


VALUES = st.recursive(LEAVES, _containers, max_leaves=8)


# --- frames

ROWS = 4


def _cells(cell: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(cell, min_size=ROWS, max_size=ROWS)


def _objects(cell: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _cells(cell).map(lambda cells: pandas.Series(cells, dtype=object))


def _numbers(name: str) -> st.SearchStrategy[Any]:
    dtype = numpy.dtype(name)
    if dtype.kind == "f":
        cell: st.SearchStrategy[Any] = st.floats(width=dtype.itemsize * 8)
    else:
        cell = st.integers(int(numpy.iinfo(dtype).min), int(numpy.iinfo(dtype).max))
    return _cells(cell).map(lambda cells: pandas.Series(cells, dtype=dtype))


_MOMENTS = st.one_of(st.none(), st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)))


def _times(unit: str, zone: str | None) -> st.SearchStrategy[Any]:
    def column(cells: list[Any]) -> Any:
        plain = pandas.Series(pandas.to_datetime(pandas.Series(cells, dtype="datetime64[us]")))
        found = plain.astype(f"datetime64[{unit}]")
        return found if zone is None else found.dt.tz_localize("UTC").dt.tz_convert(zone)

    return _cells(_MOMENTS).map(column)


def _masked(name: str) -> st.SearchStrategy[Any]:
    cells = {
        "boolean": st.booleans(),
        "string": TEXT,
        "Float64": st.floats(allow_nan=False),
    }.get(name, st.integers(0, 100))
    return _cells(st.one_of(st.none(), cells)).map(lambda found: pandas.Series(found, dtype=name))


@st.composite
def _categories(draw: Any) -> Any:
    kinds = [
        st.text(string.ascii_letters, min_size=1, max_size=3),
        st.integers(-5, 5),
        st.floats(allow_nan=False, width=16),
        st.booleans(),
        st.dates(date(2000, 1, 1), date(2010, 1, 1)).map(pandas.Timestamp),
        st.dates(date(2000, 1, 1), date(2010, 1, 1)),
        st.tuples(st.integers(0, 3), st.integers(0, 3)),
    ]
    found = draw(st.lists(draw(st.sampled_from(kinds)), min_size=1, max_size=4, unique=True))
    cells = draw(_cells(st.one_of(st.none(), st.sampled_from(found))))
    codes = [-1 if cell is None else found.index(cell) for cell in cells]
    index = pandas.Index(found, tupleize_cols=False)
    return pandas.Series(pandas.Categorical.from_codes(codes, index, ordered=draw(st.booleans())))


def _arrays() -> st.SearchStrategy[Any]:
    array = st.lists(st.floats(width=32), max_size=3).map(lambda cells: numpy.array(cells, "float32"))
    return _cells(st.one_of(st.none(), array)).map(lambda cells: pandas.Series(cells, dtype=object))


_SCALARS = [
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXT,
    st.binary(max_size=4),
    st.decimals(allow_nan=None),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from([pandas.Timestamp("2020-01-01", tz="UTC"), pandas.Timedelta(1, "h")]),
    st.floats(width=32).map(numpy.float32),
    st.just(uuid.UUID(int=1)),
    st.just(time(1, tzinfo=timezone.utc)),
    st.just(timedelta(1)),
]
_MISSING = st.sampled_from([None, math.nan, pandas.NA, pandas.NaT])
_PLAIN = st.recursive(
    st.one_of(st.integers(), st.floats(), TEXT, st.none(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=4,
)


@st.composite
def _missing_here_and_there(draw: Any) -> Any:
    kind = draw(st.sampled_from(_SCALARS))
    missing = draw(_MISSING)
    return draw(_objects(st.one_of(kind, st.just(missing))))


COLUMNS = st.one_of(
    st.sampled_from("int8 int64 uint8 uint64 float16 float32 float64".split()).flatmap(_numbers),
    _cells(st.booleans()).map(lambda cells: pandas.Series(cells, dtype=bool)),
    st.sampled_from("Int8 Int64 UInt16 Float64 boolean string".split()).flatmap(_masked),
    st.builds(lambda unit, zone: (unit, zone), st.sampled_from("s ms us ns".split()), st.sampled_from(
        [None, "UTC", "Europe/Berlin"])).flatmap(lambda pair: _times(*pair)),
    _cells(st.one_of(st.none(), st.timedeltas(timedelta(-999), timedelta(999)))).map(
        lambda cells: pandas.Series(pandas.to_timedelta(pandas.Series(cells, dtype="timedelta64[us]")))),
    _categories(),
    _arrays(),
    _missing_here_and_there(),
    _objects(_PLAIN),
    _objects(st.dictionaries(TEXT, _PLAIN, max_size=3)),
    _objects(st.lists(st.integers(0, 9), max_size=3)),
    _objects(st.lists(_PLAIN, max_size=2).map(tuple)),
    _objects(st.frozensets(st.integers(), max_size=3).map(set)),
    _objects(st.one_of(_MISSING, *_SCALARS)),
    _cells(st.complex_numbers(allow_nan=False)).map(lambda cells: pandas.Series(cells, dtype="complex128")),
    _cells(st.integers(0, 1)).map(lambda cells: pandas.Series(pandas.arrays.SparseArray(cells))),
    _cells(st.integers(0, 99)).map(lambda cells: pandas.Series(pandas.cut([*cells, 0, 100], 3)[:ROWS])),
    _cells(st.integers(0, 99)).map(lambda cells: pandas.Series(pandas.arrays.IntervalArray.from_breaks(
        [*sorted(cells), 100]))),
    st.just(pandas.Series(pandas.period_range("2020-01", periods=ROWS, freq="M"))),
    _cells(TEXT).map(lambda cells: pandas.Series(cells)),
)  # fmt: skip

NAMES = st.one_of(st.none(), TEXT)
INDEXES = st.one_of(
    st.builds(lambda start, name: pandas.RangeIndex(start, start + 2 * ROWS, 2, name=name),
              st.integers(-5, 5), NAMES),
    st.builds(lambda cells, name: pandas.Index(cells, name=name), _cells(st.integers(0, 9)), NAMES),
    st.builds(lambda cells, name: pandas.Index(cells, name=name), _cells(TEXT), NAMES),
    st.builds(lambda cells, name: pandas.Index(cells, name=name), _cells(st.integers(0, 9)), st.integers()),
    st.builds(lambda cells: pandas.Index(cells, dtype=object), _cells(st.one_of(TEXT, st.integers()))),
    st.sampled_from([None, "UTC", "Europe/Berlin"]).map(
        lambda zone: pandas.date_range("2020", periods=ROWS, freq="D", tz=zone)),
    st.just(pandas.period_range("2020", periods=ROWS, freq="M")),
    st.builds(lambda cells, names: pandas.MultiIndex.from_tuples(cells, names=names),
              _cells(st.tuples(st.integers(0, 9), TEXT)), st.tuples(NAMES, NAMES)),
    st.just(pandas.CategoricalIndex(["b", "a", "b", "a"], ["a", "b", "c"])),
    st.just(pandas.interval_range(0, ROWS)),
)  # fmt: skip


@st.composite
def frames(draw: Any) -> pandas.DataFrame:
    """A DataFrame of up to four columns of any kind, with an index, names and attrs."""
    columns = draw(st.dictionaries(st.text(string.printable, min_size=1, max_size=5), COLUMNS, max_size=4))
    frame = pandas.DataFrame({name: column.reset_index(drop=True) for name, column in columns.items()})
    if len(frame):
        frame.index = draw(INDEXES)
    if draw(st.booleans()):
        frame = frame.iloc[:0]
    frame.columns.name = draw(NAMES)
    frame.attrs = draw(st.dictionaries(TEXT, VALUES, max_size=2))
    return frame

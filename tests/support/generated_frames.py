"""DataFrames of every kind, generated."""

from __future__ import annotations

import math
import string
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import dateutil.tz
import numpy
import pandas
from hypothesis import strategies as st

from tests.support.generated_values import TEXT, VALUES, Colour, Ticket

ZONES = [
    None,
    "UTC",
    "Europe/Berlin",
    timezone.utc,
    timezone(timedelta(hours=-5)),
    timezone(timedelta(hours=5, minutes=30), "IST"),
    ZoneInfo("UTC"),
    dateutil.tz.gettz("Europe/Berlin"),
    dateutil.tz.tzutc(),
]

ROWS = 4
NAMES = st.one_of(st.none(), TEXT)
# With options that their text does not have.
FREQUENCIES = [
    "D",
    "-1D",
    "3h",
    "W-TUE",
    pandas.DateOffset(months=1),
    pandas.offsets.CustomBusinessDay(holidays=["2020-01-03"]),
    pandas.offsets.BusinessHour(start="10:00", end="12:00"),
    pandas.offsets.MonthEnd(normalize=True),
    pandas.offsets.Easter(),
]


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


def _times(unit: str, zone: Any) -> st.SearchStrategy[Any]:
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
        st.integers(0, 3).map(lambda number: Decimal(number) / 10),
        st.integers(0, 3).map(Ticket),
        st.frozensets(st.sampled_from("abc")),
        st.just(Colour.RED),
    ]
    found = draw(st.lists(draw(st.sampled_from(kinds)), min_size=1, max_size=4, unique=True))
    cells = draw(_cells(st.one_of(st.none(), st.sampled_from(found))))
    codes = [-1 if cell is None else found.index(cell) for cell in cells]
    dtype = draw(st.sampled_from([None, object]))
    index = pandas.Index(found, dtype=dtype, tupleize_cols=False, name=draw(NAMES))
    return pandas.Series(pandas.Categorical.from_codes(codes, index, ordered=draw(st.booleans())))


# Indexes of categories that are more than their values.
_SPECIAL = [
    pandas.RangeIndex(1, 9, 2),
    pandas.date_range("2020", periods=4, freq="D"),
    pandas.timedelta_range("1D", periods=4, freq="D"),
    pandas.period_range("2020", periods=4, freq="M"),
    pandas.interval_range(0, 4),
    pandas.Index(list("abcd"), dtype="string[python]"),
    pandas.Index(list(pandas.period_range("2020", periods=4, freq="M")), dtype=object),
]


def _special_categories() -> st.SearchStrategy[Any]:
    return st.builds(
        lambda index, codes: pandas.Series(pandas.Categorical.from_codes(codes, index)),
        st.sampled_from(_SPECIAL),
        _cells(st.integers(-1, 3)),
    )


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
    st.builds(
        lambda unit, zone: pandas.Timestamp("2020-01-01", tz=zone).as_unit(unit),
        st.sampled_from("s ms us ns".split()),
        st.sampled_from(ZONES),
    ),
    st.sampled_from("s ms us ns".split()).map(lambda unit: pandas.Timedelta(1, "h").as_unit(unit)),
    st.sampled_from([Decimal("-0.0"), Decimal("1.5")]),
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
    st.tuples(st.sampled_from("s ms us ns".split()), st.sampled_from(ZONES)).flatmap(
        lambda pair: _times(*pair)),
    _cells(st.one_of(st.none(), st.timedeltas(timedelta(-999), timedelta(999)))).map(
        lambda cells: pandas.Series(pandas.to_timedelta(pandas.Series(cells, dtype="timedelta64[us]")))),
    _categories(),
    _special_categories(),
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

INDEXES = st.one_of(
    st.builds(lambda start, name: pandas.RangeIndex(start, start + 2 * ROWS, 2, name=name),
              st.integers(-5, 5), NAMES),
    st.builds(lambda cells, name: pandas.Index(cells, name=name), _cells(st.integers(0, 9)), NAMES),
    st.builds(lambda cells, name: pandas.Index(cells, name=name), _cells(TEXT), NAMES),
    st.builds(lambda cells, name: pandas.Index(cells, name=name), _cells(st.integers(0, 9)), st.integers()),
    st.builds(lambda cells: pandas.Index(cells, dtype=object), _cells(st.one_of(TEXT, st.integers()))),
    st.builds(lambda zone, freq: pandas.date_range("2020", periods=ROWS, freq=freq, tz=zone),
              st.sampled_from(ZONES), st.sampled_from(FREQUENCIES)),
    st.sampled_from(ZONES).map(lambda zone: pandas.MultiIndex.from_arrays(
        [pandas.date_range("2020", periods=ROWS, tz=zone), list("abba")], names=["a", "a"])),
    st.just(pandas.period_range("2020", periods=ROWS, freq="M")),
    st.builds(lambda cells, names: pandas.MultiIndex.from_tuples(cells, names=names),
              _cells(st.tuples(st.integers(0, 9), TEXT)), st.tuples(NAMES, NAMES)),
    st.sampled_from(["ab", "ba", "abc"]).map(
        lambda found: pandas.CategoricalIndex(list("baba"), list(found))),
    st.just(pandas.interval_range(0, ROWS)),
)  # fmt: skip


# Names of columns: those of levels without a name, and some that are more than text.
_LABELS = st.one_of(
    st.text(string.printable, min_size=1, max_size=5),
    st.sampled_from(["__index_level_0__", "index", "", "\udc80", Colour.RED, numpy.str_("a")]),
)


@st.composite
def frames(draw: Any) -> pandas.DataFrame:
    """A DataFrame of up to four columns of any kind, with an index, names, attrs and flags."""
    columns = draw(st.dictionaries(_LABELS, COLUMNS, max_size=4))
    parts = [column.reset_index(drop=True) for column in columns.values()]
    frame = pandas.DataFrame(dict(enumerate(parts)), index=None if parts else range(ROWS))
    frame.columns = pandas.Index(list(columns), dtype=draw(_dtypes_of(list(columns))))
    frame.index = draw(INDEXES)
    if columns and frame.index.nlevels == 1 and draw(st.booleans()):
        frame.index.name = draw(st.sampled_from(list(columns)))
    if draw(st.booleans()):
        frame = frame.iloc[:0]
    frame.columns.name = draw(NAMES)
    frame.attrs = draw(st.dictionaries(TEXT, VALUES, max_size=2))
    if frame.index.is_unique and draw(st.integers(0, 9)) == 0:
        return frame.set_flags(allows_duplicate_labels=False)
    return frame


def _dtypes_of(names: list[Any]) -> st.SearchStrategy[Any]:
    if all(type(name) is str and name.isascii() for name in names):
        return st.sampled_from([None, object, "string[python]"])
    return st.just(object)

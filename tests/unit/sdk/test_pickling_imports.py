"""Whoever pickles notes what unpickling will import; the judge is an unpickler."""

from __future__ import annotations

import collections
import concurrent.futures
import datetime
import decimal
import enum
import fractions
import functools
import io
import logging
import os.path
import pickle
import re
import typing
import xml.dom.minidom
from typing import Any

import numpy
import pandas
import pytest

from aqueduct_provider.sdk.packaging.local_modules import pickled_by_value
from aqueduct_provider.sdk.packaging.pickling import pickled


class Recorder(pickle.Unpickler):
    """An unpickler that notes what it imports."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.modules = set[str]()

    def find_class(self, module: str, name: str) -> Any:
        self.modules.add(module)
        found = super().find_class(module, name)
        if name != "subimport":
            return found

        def noted(wanted: str) -> Any:
            self.modules.add(wanted)
            return found(wanted)

        return noted


class Named:
    """Pickled by the name that it gives."""

    def __reduce__(self) -> str:
        return "NAMED"


NAMED = Named()


def submodules() -> Any:
    return xml.dom.minidom.parseString, concurrent.futures.ThreadPoolExecutor, os.path.join


def twice(first: decimal.Decimal, second: decimal.Decimal = decimal.Decimal(2)) -> Any:
    return decimal.Decimal(first), second, decimal, os


@functools.lru_cache
def cached() -> Any:
    return decimal, fractions.Fraction


class Money(decimal.Decimal):
    note = fractions.Fraction(1, 2)


class Color(enum.Enum):
    RED = decimal.Decimal(1)


VALUES = [
    submodules,
    twice,
    lambda: (submodules, twice, Money, Color.RED),
    Money,
    NAMED,
    [
        datetime.date(2020, 1, 2),
        datetime.date(2021, 1, 2),
        collections.OrderedDict(a=1),
        "decimal",
        "subimport",
    ],
    [f"text {number}" for number in range(300)] + [twice, os, decimal, twice],
    # Frames and memo numbers of more than one byte.
    ["x" * 70_000, os, "y" * 70_000, decimal.Decimal(1), fractions],
    collections.Counter,
    ("subimport", "os"),
    3,
    None,
    type(None),
    [len, os.getpid, str.upper, dict.fromkeys, decimal.Decimal("1").sqrt],
    # What knows no module of its own.
    [numpy.add, numpy.float64(1), numpy.arange(3), numpy.dtype("int8"), numpy.random.default_rng(1)],
    pandas.DataFrame({"a": [1], "b": ["x"]}),
    [re.compile("x"), logging.getLogger("x"), functools.partial(max, 1), cached],
    [list[int], typing.Callable, typing.TypeVar("T"), collections.namedtuple("Pair", "a b")],
    [ValueError("x"), frozenset([1, 2]), Ellipsis, range(3), slice(1), 1j, bytearray(b"x"), {}.keys()],
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("by_value", [False, True], ids=["by-name", "by-value"])
def test_it_is_what_unpickling_imports(value: object, by_value: bool) -> None:
    names = [__name__] if by_value else []
    with pickled_by_value(names):
        made = pickled(value, names)
    recorder = Recorder(made.data)
    recorder.load()
    assert made.imports == recorder.modules


def test_names_of_modules_in_texts_do_not_count() -> None:
    assert pickled(["sklearn", ("sklearn", "fit")]).imports == frozenset()

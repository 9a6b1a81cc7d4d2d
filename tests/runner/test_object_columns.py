from __future__ import annotations

import math
import threading
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import bson
import numpy
import pandas
import pytest

from aqueduct_provider.runner.codec_error import CodecError
from aqueduct_provider.runner.object_columns import CELLS, KIND, restore_cells, same_cells, store_cells
from aqueduct_provider.runner.pickles import dump_pickle

SHARED = [1]


class Model:
    def __eq__(self, other: Any) -> bool:
        return type(other) is type(self)

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("cells", "encoding", "kind"),
    [
        (["x", "ü", None], "text", None),
        (["x", math.nan], "text", None),
        (["x", pandas.NA], "text", None),
        ([1, 2, None], "cells", None),
        ([True, None], "cells", None),
        ([b"\xff", None], "cells", None),
        ([date(2020, 1, 1), None], "cells", None),
        ([Decimal("1.5"), Decimal("2.25")], "cells", None),
        ([[1, 2], [], None], "cells", None),
        ([{"x": 1, "y": [2]}, {"x": 3, "y": []}], "cells", None),
        ([{"x": 1}, {"y": "k"}], "json", b"json"),
        ([7, "n/a"], "json", b"json"),
        ([1, 2.5], "json", b"json"),
        ([2**70, 1], "json", b"json"),
        ([uuid.UUID(int=1), None], "scalars", b"uuid"),
        ([pandas.Timestamp("2020-01-01"), pandas.NaT], "scalars", None),
        ([numpy.float32(1.5), None], "scalars", None),
        ([numpy.array([1, 2], "float32"), numpy.array([3], "float32")], "arrays", None),
        ([(1, 2), (3, 4)], "pickles", b"pickle"),
        ([{1}, {2}], "pickles", b"pickle"),
        ([{1: 2}], "pickles", b"pickle"),
        ([Decimal("NaN"), Decimal(1)], "pickles", b"pickle"),
        ([{"x": math.inf}, {"y": 1}], "pickles", b"pickle"),
        (["\ud800"], "pickles", b"pickle"),
        (["x", None, math.nan], "pickles", b"pickle"),
        ([Model()], "pickles", b"pickle"),
        ([numpy.zeros((2, 2))], "pickles", b"pickle"),
        ([{}, {}], "json", b"json"),
        ([bson.ObjectId(), None], "bson", b"bson"),
        ([{"ref": bson.ObjectId()}, {"other": bson.Int64(1)}], "pickles", b"pickle"),
        ([datetime(2020, 1, 1), None], "cells", None),
        ([pandas.Timestamp(0).as_unit("s"), None], "scalars", None),
        ([pandas.Timestamp(0, tz="Europe/Berlin").as_unit("ns")], "scalars", None),
        ([pandas.Timestamp(0).as_unit("s"), pandas.Timestamp(0).as_unit("ns")], "pickles", b"pickle"),
        ([Decimal("-0.0"), Decimal("1.5")], "pickles", b"pickle"),
        ([[SHARED, SHARED]], "pickles", b"pickle"),
    ],
)
def test_each_column_is_kept_in_the_most_readable_way_that_changes_nothing(
    cells: list[Any], encoding: str, kind: bytes | None
) -> None:
    array, note, metadata = store_cells("a", cells, dump_pickle)
    assert (note["as"], metadata.get(KIND)) == (encoding, kind)
    assert same_cells(restore_cells(array, note), cells)


@pytest.mark.parametrize(
    ("cells", "marked"),
    [
        ([1, "x"], True),
        (["x", None, True], True),
        ([1, 2.5], False),
        ([{"a": "x"}, "x"], False),
        ([["x"], "x"], False),
    ],
)
def test_numbers_next_to_text_are_marked(cells: list[Any], marked: bool) -> None:
    _, note, metadata = store_cells("a", cells, dump_pickle)
    assert (note["as"], CELLS in metadata) == ("json", marked)


def test_what_cannot_be_kept_at_all_is_named_with_its_place() -> None:
    with pytest.raises(CodecError, match=r"column 'model', row 1, a lock.*turn it into") as caught:
        store_cells("model", [1, threading.Lock()], dump_pickle)
    assert isinstance(caught.value.__cause__, TypeError)


def test_cells_are_the_same_by_value_and_type() -> None:
    assert same_cells([math.nan, [1]], [math.nan, [1]])
    assert not same_cells([1], [1.0])
    assert not same_cells([1], [1, 2])
    assert not same_cells([None], [math.nan])
    assert not same_cells([numpy.array([1])], [numpy.array([1.0])])

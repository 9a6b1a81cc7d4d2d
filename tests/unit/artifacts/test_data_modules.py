"""Which modules the pickles of real values need."""

from __future__ import annotations

import datetime
import decimal
import pickle
import sys
from pathlib import Path
from typing import Any

import bson
import cloudpickle
import dateutil.tz
import numpy
import pandas
import polars
import pyarrow
import pytest
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from aqueduct_provider.artifacts.data_modules import packages_needed
from aqueduct_provider.runner.codecs import Encoded, encode, infer_type
from aqueduct_provider.sdk.authoring.encode_values import encoded_value


def model() -> Any:
    steps = make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0))
    return steps.fit([[0.0], [1.0]], [0, 1])


def tops(value: Any) -> set[str]:
    """The top-level modules that a value needs, those of the standard library apart."""
    encoded = encode(value, infer_type(value), "parquet")
    named = {name.partition(".")[0] for name in packages_needed(encoded)}
    return {name for name in named if name not in sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("value", "needed"),
    [
        (1, set()),
        ("text", set()),
        ({"a": [1, None]}, set()),
        (decimal.Decimal(1), set()),
        ([datetime.date(2026, 1, 1), {1, 2}], set()),
        ("c" * 10, set()),
        (pandas.DataFrame({"a": [1]}), set()),
        (Image.new("L", (1, 1)), set()),
        (numpy.array([1]), {"numpy"}),
        (pandas.Timestamp("2026-01-01"), {"pandas"}),
        ({"m": numpy.array([1])}, {"numpy"}),
        (StandardScaler(), {"sklearn"}),
        ((lambda: numpy), {"cloudpickle", "numpy"}),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_a_value_needs(value: Any, needed: set[str]) -> None:
    assert tops(value) == needed


def test_a_fitted_model() -> None:
    assert {"sklearn", "numpy"} <= tops(model())


def test_frames_of_other_libraries_than_pandas() -> None:
    assert tops(polars.DataFrame({"a": [1]})) == {"polars"}
    assert tops(polars.LazyFrame({"a": [1]})) == {"polars"}
    assert tops(pyarrow.table({"a": [1]})) == set()
    encoded = encode(polars.DataFrame({"a": [1]}), "table", "parquet")
    assert packages_needed(encoded, "pandas") == frozenset()
    assert packages_needed(encoded, "duckdb") == {"duckdb"}


def test_elements_of_lists_and_tuples() -> None:
    assert {"pandas"} <= tops([pandas.DataFrame({"a": [1]}), b"x"])
    assert {"PIL"} <= tops((Image.new("L", (1, 1)), b"x"))
    assert {"sklearn"} <= tops([model(), b"c" * 100])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(protocol: int) -> None:
    data = pickle.dumps([StandardScaler(), StandardScaler(), decimal.Decimal(1)], protocol)
    found = packages_needed(Encoded(data, "picklable", "pickle", "list"))
    assert {"sklearn.preprocessing._data", "decimal"} <= found


def test_the_default_of_a_parameter() -> None:
    assert "numpy" in {
        name.partition(".")[0] for name in packages_needed(encoded_value(model(), "untyped", "x"))
    }


def test_nothing_is_imported_or_run() -> None:
    evil = b"cno_such_module\nstart\n(Vx\ntR."
    assert packages_needed(Encoded(evil, "picklable", "pickle", "x")) == {"no_such_module"}
    old = b"(ino_such_module\nThing\n."
    assert packages_needed(Encoded(old, "picklable", "pickle", "x")) == {"no_such_module"}


@pytest.mark.parametrize("data", [b"", b"c", b"junk", b"\x80\x05\x93.", cloudpickle.dumps(model())[:-50]])
def test_what_is_no_pickle_needs_what_can_be_seen(data: bytes) -> None:
    packages_needed(Encoded(data, "picklable", "pickle", "x"))


def test_what_is_in_the_cells_of_a_table_is_found() -> None:
    models, ids = [LinearRegression(), None], [bson.ObjectId(), None]
    stored = encode(pandas.DataFrame({"model": models, "id": ids, "n": [1, 2]}), "table", "parquet")
    tops = {name.partition(".")[0] for name in packages_needed(stored)}
    assert {"bson", "sklearn"} <= tops
    # polars would give the cells as they are stored.
    assert packages_needed(stored, "polars") == {"polars"}


def test_a_pickle_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model()))
    stored = Encoded(b"", "picklable", "pickle", "Pipeline", path=str(path))
    assert {name.partition(".")[0] for name in packages_needed(stored)} >= {"sklearn", "numpy"}
    path.write_bytes(b"no pickle")
    assert packages_needed(stored) == frozenset()


def test_what_is_pickled_in_the_note_of_a_table() -> None:
    table = pandas.DataFrame({"a": [1]})
    table.attrs["scaler"] = StandardScaler()
    assert tops(table) >= {"sklearn"}
    grouped = pandas.DataFrame({"g": pandas.Categorical.from_codes([0], pandas.Index([StandardScaler()]))})
    assert tops(grouped) >= {"sklearn"}
    zoned = pandas.DataFrame({"t": pandas.to_datetime(["2026-01-01"]).tz_localize(dateutil.tz.tzutc())})
    assert tops(zoned) >= {"dateutil"}

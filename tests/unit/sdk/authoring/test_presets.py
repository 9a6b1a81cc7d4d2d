from __future__ import annotations

import operator
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import pandas
import pytest

from aqueduct_provider.sdk.authoring import presets

TABLE = pandas.DataFrame({"a": [1.0, 2.0, None], "b": ["x", None, "z"], "c": [1, 2, 3]})


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (presets.missing_in_column("a"), 1),
        (presets.missing_in_column("c"), 0),
        (presets.missing_in_row(1), 1),
        (presets.missing_in_row(0), 0),
        (presets.number_of_rows, 3),
        (presets.column_statistic("max", "a"), 2),
        (presets.column_statistic("min", "c"), 1),
        (presets.column_statistic("mean", "a"), 1.5),
        (presets.column_statistic("std", "c"), 1),
    ],
)
def test_metrics_of_tables(metric: presets.Metric, value: float) -> None:
    result = metric(TABLE)
    assert type(result) is float
    assert result == value


@pytest.mark.parametrize(
    "make",
    [
        presets.missing_in_column,
        partial(presets.column_statistic, "max"),
        partial(presets.column_statistic, "min"),
        partial(presets.column_statistic, "mean"),
        partial(presets.column_statistic, "std"),
    ],
)
def test_a_column_that_is_not_there(make: Callable[[Any], presets.Metric]) -> None:
    with pytest.raises(ValueError, match="the table has no column 'zz', it has: 'a', 'b', 'c'"):
        make("zz")(TABLE)


def test_a_row_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="the table has no row 3, it has 3 rows, counted from 0"):
        presets.missing_in_row(3)(TABLE)


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above", "missing"),
    [
        (operator.lt, True, False, False, False),
        (operator.gt, False, False, True, False),
        (operator.eq, False, True, False, False),
        (operator.ne, True, False, True, True),
    ],
)
def test_bounds_are_those_of_the_original(
    comparison: Callable[[Any, Any], Any], below: bool, at: bool, above: bool, missing: bool
) -> None:
    passes = presets.bound(comparison, 3)
    assert [passes(value) for value in (2, 3.0, 4, float("nan"))] == [below, at, above, missing]


def test_requirements_are_what_is_installed_here() -> None:
    assert presets.table_requirements()[0] == f"pandas=={version('pandas').partition('+')[0]}"
    assert presets._pinned("no-such-package-here") == "no-such-package-here"


def test_they_unpickle_where_this_package_is_missing() -> None:
    # In a process of its own: cloudpickle keeps a list of such modules.
    program = (
        "import sys, cloudpickle; from aqueduct_provider.sdk.authoring import presets; "
        "cloudpickle.register_pickle_by_value(presets); "
        "made = [presets.column_statistic('max', 'zz'), presets.number_of_rows]; "
        "sys.stdout.buffer.write(cloudpickle.dumps(made))"
    )
    data = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout
    largest, number_of_rows = pickle.loads(data)
    assert number_of_rows(TABLE) == 3
    with pytest.raises(ValueError, match="no column 'zz'"):
        largest(TABLE)
    checks = (
        "import sys, pickle; sys.modules['aqueduct_provider'] = None; "
        "number_of_rows = pickle.loads(sys.stdin.buffer.read())[1]; print(number_of_rows('abc'))"
    )
    ran = subprocess.run([sys.executable, "-c", checks], input=data, check=True, capture_output=True)
    assert ran.stdout.decode().strip() == "3.0"

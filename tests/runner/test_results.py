from __future__ import annotations

from typing import Any

import numpy
import pandas
import pytest

from aqueduct_provider.runner.results import (
    ResultError,
    check_result,
    metric_type,
    one_line,
    output_name,
    split_results,
    typed_output,
)


@pytest.mark.parametrize(
    ("value", "count", "outputs"),
    [((1, 2), 1, [(1, 2)]), ((1, 2), 2, [1, 2]), ([1, 2], 2, [1, 2]), (5, 0, [])],
)
def test_outputs_in_what_was_returned(value: Any, count: int, outputs: list[Any]) -> None:
    assert split_results(value, count) == outputs


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ((1, 2, 3), "must return 2 outputs, but returned 3"),
        ("ab", "a tuple of 2 outputs, but returned one str"),
        ({1, 2}, "a tuple of 2 outputs, but returned one set"),
    ],
)
def test_a_wrong_number_of_outputs(value: Any, words: str) -> None:
    with pytest.raises(ResultError, match=words):
        split_results(value, 2)


def test_an_output_has_the_expected_type() -> None:
    assert typed_output(1, "untyped", "Output 1") == "numeric"
    assert typed_output("[1]", "string", "Output 1") == "string"
    with pytest.raises(
        ResultError, match=r"^Output 'n' is of type numeric \(int\), but must be of type table\.$"
    ):
        typed_output(1, "table", output_name("n", 1))


@pytest.mark.parametrize(
    ("value", "kind"), [(1, "numeric"), (numpy.float32(1), "numeric"), (True, "boolean")]
)
def test_a_metric_is_a_number(value: Any, kind: str) -> None:
    assert metric_type(value) == kind


@pytest.mark.parametrize("value", ["1", None, [1]])
def test_a_metric_is_nothing_else(value: Any) -> None:
    with pytest.raises(ResultError, match=f"not of type numeric: it is .*{type(value).__name__}"):
        metric_type(value)


@pytest.mark.parametrize(
    ("value", "passed"),
    [
        (True, True),
        (numpy.bool_(False), False),
        (pandas.Series([True, True]), True),
        (pandas.Series([True, False], dtype="boolean"), False),
    ],
)
def test_a_check_is_a_bool_or_a_series_of_them(value: Any, passed: bool) -> None:
    assert check_result(value) is passed


@pytest.mark.parametrize("value", [1, "yes", None, pandas.Series([1, 0])])
def test_a_check_is_nothing_else(value: Any) -> None:
    with pytest.raises(ResultError, match="not of type bool: it is "):
        check_result(value)


def test_outputs_without_a_name_are_counted() -> None:
    assert (output_name("x", 2), output_name("", 2)) == ("Output 'x'", "Output 2")


def test_an_error_in_one_line() -> None:
    assert one_line(ValueError("a\nb")) == "ValueError: a"
    long = one_line(ValueError("a" * 999 + " no column 'price'"))
    assert long.startswith("ValueError: aaa")
    assert long.endswith(" no column 'price'")
    assert len(long) == 500

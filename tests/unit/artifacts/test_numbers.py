from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

import pytest

from aqueduct_provider.artifacts.numbers import counted, duration, moment, number, size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9956, "0.9956"),
        (1 / 3, "0.333333"),
        (133, "133"),
        (1234567, "1,234,567"),
        (2.0, "2"),
        (1e-9, "1e-09"),
        (0.0, "0"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (10**400, str(10**400)),
        (True, "True"),
        ("x", "x"),
    ],
)
def test_number(value: object, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 rows"), (1, "1 row"), (1500, "1,500 rows")])
def test_counted(count: int, text: str) -> None:
    assert counted(count, "row") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (math.inf, ""),
        (0.0123, "12 ms"),
        (1.26, "1.3 s"),
        (42, "42 s"),
        (59.9, "1 min"),
        (75, "1 min 15 s"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (86400, "1 d"),
        (100_000, "1 d 3 h"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_moment() -> None:
    east = timezone(timedelta(hours=2))
    assert moment(datetime(2026, 1, 1, 1, tzinfo=east)) == "2025-12-31 23:00 UTC"
    assert moment(None) == ""


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (2_749, "2.75 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (999_999_999, "1 GB"),
        (5 * 10**14, "500 TB"),
    ],
)
def test_sizes(count: int, shown: str) -> None:
    assert size(count) == shown

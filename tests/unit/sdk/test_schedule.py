"""Cron text from whole numbers and from the classes that name them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.schedule import (
    CronText,
    DayOfMonth,
    DayOfWeek,
    Hour,
    Minute,
    OnAssets,
    cron,
    daily,
    hourly,
    monthly,
    on_assets,
    weekly,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (hourly(), "0 * * * *"),
        (hourly(5), "5 * * * *"),
        (hourly(Minute(59)), "59 * * * *"),
        (daily(), "0 0 * * *"),
        (daily(3, 4), "4 3 * * *"),
        (daily(hour=Hour(23), minute=Minute(4)), "4 23 * * *"),
        (weekly(DayOfWeek.SUNDAY), "0 0 * * 7"),
        (weekly(DayOfWeek.SUNDAY, Hour(3), Minute(4)), "4 3 * * 7"),
        (weekly(1, 3, 4), "4 3 * * 1"),
        (monthly(DayOfMonth(31)), "0 0 31 * *"),
        (monthly(5, 3, minute=4), "4 3 5 * *"),
    ],
)
def test_schedules_are_those_of_the_original(text: CronText, expected: str) -> None:
    assert text == expected
    assert text.timezone == "UTC"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hourly(60), "minute must be between 0 and 59, not 60"),
        (lambda: Minute(-1), "minute must be between 0 and 59, not -1"),
        (lambda: daily(24), "hour must be between 0 and 23, not 24"),
        (lambda: weekly(0), "day of the week must be between 1 and 7, not 0"),
        (lambda: weekly(8), "day of the week must be between 1 and 7, not 8"),
        (lambda: monthly(0), "day of the month must be between 1 and 31, not 0"),
        (lambda: monthly(DayOfMonth(32)), "day of the month must be between 1 and 31, not 32"),
        (lambda: hourly("5"), "minute must be an integer, not str"),  # type: ignore[arg-type]
        (lambda: hourly(True), "minute must be an integer, not bool"),
        (lambda: daily(1.0), "hour must be an integer, not float"),  # type: ignore[arg-type]
        (lambda: daily(Minute(3)), "hour must be an integer, not Minute"),  # type: ignore[arg-type]
        (lambda: weekly("monday"), "day of the week must be an integer"),  # type: ignore[arg-type]
    ],
)
def test_what_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        make()


def test_numbers_are_values() -> None:
    assert Hour(3) == Hour(3)
    assert Hour(3) != Minute(3)
    assert len({Hour(3), Hour(3), Hour(4)}) == 2
    assert repr(DayOfMonth(7)) == "DayOfMonth(7)"
    assert Hour(3).val == 3


@pytest.mark.parametrize("make", [hourly, daily, lambda timezone: weekly(1, timezone=timezone)])
def test_a_time_zone(make: Callable[..., CronText]) -> None:
    assert make(timezone="Europe/Berlin").timezone == "Europe/Berlin"
    with pytest.raises(AuthoringError, match=r"Unknown time zone 'Europe/Atlantis'.*'Europe/Berlin'"):
        make(timezone="Europe/Atlantis")


def test_cron() -> None:
    text = cron("0 6 * * 1-5", timezone="Europe/Berlin")
    assert (text, text.timezone) == ("0 6 * * 1-5", "Europe/Berlin")
    assert cron("@daily").timezone == "UTC"


@pytest.mark.parametrize("expression", ["", "every day", "0 0 31 2 *", "* * * * * *", 5, None])
def test_a_cron_that_never_fires(expression: Any) -> None:
    with pytest.raises(AuthoringError, match="not a cron expression that fires at fixed times"):
        cron(expression)


@pytest.mark.parametrize("timezone", ["", "Mars", 5])
def test_a_cron_in_no_time_zone(timezone: Any) -> None:
    with pytest.raises(AuthoringError, match="Unknown time zone"):
        cron("@daily", timezone)


def test_cron_text_is_text_that_keeps_its_time_zone() -> None:
    text = monthly(1, timezone="Asia/Tokyo")
    assert isinstance(text, str)
    for again in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert (again, again.timezone) == (text, "Asia/Tokyo")


# --- assets


def test_assets() -> None:
    found = on_assets("s3://bucket/sales.parquet", "aqueduct://churn")
    assert found == OnAssets(("s3://bucket/sales.parquet", "aqueduct://churn"))
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("uris", "message"),
    [
        ((), r"needs the URI of an asset: aq.on_assets\("),
        (("s3://b/a", "airflow://b"), "Asset 2 of on_assets: Airflow keeps the scheme"),
        ((["s3://b/a"],), "Asset 1 of on_assets must be a URI, as text, not list"),
    ],
)
def test_assets_that_cannot_be_waited_for(uris: Any, message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        on_assets(*uris)


def test_a_password_in_a_uri_is_not_told() -> None:
    with pytest.raises(AuthoringError) as caught:
        on_assets("postgres://ada:s3cret@db/shop")
    assert "s3cret" not in str(caught.value)

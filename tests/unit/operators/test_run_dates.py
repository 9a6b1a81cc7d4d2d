"""The dates of a run, from what Airflow gives an operator."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from aqueduct_provider.operators.run_dates import run_dates

BERLIN = timezone(timedelta(hours=1))
START = datetime(2026, 11, 21, 0, 30, tzinfo=BERLIN)


def dates(run: dict[str, Any], **context: Any) -> dict[str, str]:
    found = run_dates({"dag_run": SimpleNamespace(**run), **context})
    # The one that changes from try to try.
    assert abs(
        datetime.fromisoformat(f"{found.pop('today')}T12:00+00:00") - datetime.now(timezone.utc)
    ) < timedelta(days=1)
    return found


def test_a_scheduled_run_has_its_interval() -> None:
    run = {"start_date": datetime.now(timezone.utc)}
    interval = {"data_interval_start": START, "data_interval_end": START + timedelta(days=1)}
    assert dates(run, **interval, logical_date=START) == {
        "ds": "2026-11-20",
        "data_interval_start": "2026-11-20 23:30:00",
        "data_interval_end": "2026-11-21 23:30:00",
    }


@pytest.mark.parametrize(
    "run",
    [
        {"run_after": START, "start_date": None},
        {"run_after": None, "start_date": START},
        {"start_date": START},
    ],
)
@pytest.mark.parametrize(
    "context", [{}, {"data_interval_start": None, "data_interval_end": None, "logical_date": None}]
)
def test_a_run_without_an_interval_has_its_time(run: dict[str, Any], context: dict[str, Any]) -> None:
    assert dates(run, **context) == {
        "ds": "2026-11-20",
        "data_interval_start": "2026-11-20 23:30:00",
        "data_interval_end": "2026-11-20 23:30:00",
    }


def test_the_logical_date_is_the_day() -> None:
    found = dates({"start_date": START}, logical_date=datetime(2020, 2, 29, tzinfo=timezone.utc))
    assert found["ds"] == "2020-02-29"

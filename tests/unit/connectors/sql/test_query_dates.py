"""Dates as queries write them, in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from aqueduct_provider.connectors.sql.query_dates import query_dates

BERLIN = timezone(timedelta(hours=2))


def test_dates_are_those_of_utc() -> None:
    midnight = datetime(2026, 11, 22, 0, 30, 15, 999, tzinfo=BERLIN)
    assert query_dates(
        today=midnight,
        day=midnight + timedelta(days=1),
        start=midnight,
        end=datetime(2026, 11, 22, tzinfo=timezone.utc),
    ) == {
        "today": "2026-11-21",
        "ds": "2026-11-22",
        "data_interval_start": "2026-11-21 22:30:15",
        "data_interval_end": "2026-11-22 00:00:00",
    }

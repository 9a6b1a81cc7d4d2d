"""Format the dates of a run for use in queries, all in UTC (pure)."""

from __future__ import annotations

from datetime import datetime, timezone


def query_dates(*, today: datetime, day: datetime, start: datetime, end: datetime) -> dict[str, str]:
    """Return points in time, given with their zones, as SQL takes them: without quotes, in UTC."""
    return {
        "today": _utc(today).strftime("%Y-%m-%d"),
        "ds": _utc(day).strftime("%Y-%m-%d"),
        "data_interval_start": _utc(start).strftime("%Y-%m-%d %H:%M:%S"),
        "data_interval_end": _utc(end).strftime("%Y-%m-%d %H:%M:%S"),
    }


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)

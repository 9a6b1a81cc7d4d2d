"""Format numbers, moments, durations and sizes for logs, terminals, messages and pages (pure)."""

from __future__ import annotations

import math
from datetime import datetime, timezone


def number(value: object) -> str:
    """Return a number with at most six significant digits; what is not a number as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else f"{value:.6g}" if abs(value) < 10**300 else str(value)
    if math.isfinite(value) and value == int(value) and abs(value) < 10**15:
        return f"{int(value):,}"
    return f"{value:,.6g}" if 1e-4 <= abs(value) < 1e9 else f"{value:.6g}"


def counted(count: int, noun: str) -> str:
    """Return a number with what it counts: ``1 row``, ``1,500 rows``.

    :param noun: for one, with a regular plural.
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def moment(when: datetime | None) -> str:
    """Return a moment in UTC to the minute; empty where there is none."""
    return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC" if when else ""


def duration(seconds: float | None) -> str:
    """Return a duration in the units that suit it; empty where there is none."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.5:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def size(count: int) -> str:
    """Return a number of bytes with its unit, in powers of 1,000."""
    if count < 1000:
        return counted(count, "byte")
    amount, units = count / 1000, iter(("kB", "MB", "GB", "TB"))
    unit = next(units)
    # As it is rounded: 999.7 kB are 1 MB.
    while amount >= 999.5 and unit != "TB":
        amount, unit = amount / 1000, next(units)
    return f"{amount:.3g} {unit}"

"""When a flow runs: cron text with a time zone, or the assets that it waits for.

In: integers, or the classes that name what they count; URIs. Out: :class:`CronText`, :class:`OnAssets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.keywords import suggest_keywords


class CronText(str):
    """Five fields of cron, or a preset such as ``@daily``, with the time zone that they are read in.

    :param timezone: IANA name.
    """

    timezone: str

    def __new__(cls, expression: str, timezone: str = "UTC") -> CronText:
        text = super().__new__(cls, expression)
        text.timezone = timezone
        return text


@dataclass(frozen=True)
class OnAssets:
    """A run whenever all of these assets have been updated since the last one.

    :param uris: of Airflow's assets.
    """

    uris: tuple[str, ...]


class DayOfWeek(Enum):
    """A day of the week."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7


@dataclass(frozen=True, repr=False)
class _Number:
    """An integer that says what it counts.

    :raises AuthoringError: it is none, or out of range.
    """

    val: int
    what: ClassVar[str]
    lowest: ClassVar[int]
    highest: ClassVar[int]

    def __post_init__(self) -> None:
        val = self.val
        if isinstance(val, bool) or not isinstance(val, int):
            raise AuthoringError(f"A schedule's {self.what} must be an integer, not {type(val).__name__}.")
        if not self.lowest <= val <= self.highest:
            raise AuthoringError(
                f"A schedule's {self.what} must be between {self.lowest} and {self.highest}, not {val}."
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.val})"


class Minute(_Number):
    """A minute of an hour, 0 to 59."""

    what: ClassVar[str] = "minute"
    lowest: ClassVar[int] = 0
    highest: ClassVar[int] = 59


class Hour(_Number):
    """An hour of a day, 0 to 23."""

    what: ClassVar[str] = "hour"
    lowest: ClassVar[int] = 0
    highest: ClassVar[int] = 23


class DayOfMonth(_Number):
    """A day of a month, 1 to 31; months that lack the day are skipped."""

    what: ClassVar[str] = "day of the month"
    lowest: ClassVar[int] = 1
    highest: ClassVar[int] = 31


class _WeekDay(_Number):
    what, lowest, highest = "day of the week", DayOfWeek.MONDAY.value, DayOfWeek.SUNDAY.value


@suggest_keywords
def hourly(minute: int | Minute = 0, *, timezone: str = "UTC") -> CronText:
    """Run once an hour.

    :param minute: 0 to 59.
    :param timezone: IANA name, such as ``Europe/Berlin``.
    :raises AuthoringError: out of range, or no such time zone.
    """
    return _text(f"{_number(minute, Minute)} * * * *", timezone)


@suggest_keywords
def daily(hour: int | Hour = 0, minute: int | Minute = 0, *, timezone: str = "UTC") -> CronText:
    """Run once a day.

    :param hour: 0 to 23.
    :param minute: 0 to 59.
    :param timezone: IANA name, such as ``Europe/Berlin``.
    :raises AuthoringError: out of range, or no such time zone.
    """
    return _text(f"{_number(minute, Minute)} {_number(hour, Hour)} * * *", timezone)


@suggest_keywords
def weekly(
    day: int | DayOfWeek, hour: int | Hour = 0, minute: int | Minute = 0, *, timezone: str = "UTC"
) -> CronText:
    """Run once a week.

    :param day: ``DayOfWeek.MONDAY`` or 1, to ``DayOfWeek.SUNDAY`` or 7.
    :param hour: 0 to 23.
    :param minute: 0 to 59.
    :param timezone: IANA name, such as ``Europe/Berlin``.
    :raises AuthoringError: out of range, or no such time zone.
    """
    number = _number(day.value if isinstance(day, DayOfWeek) else day, _WeekDay)
    return _text(f"{_number(minute, Minute)} {_number(hour, Hour)} * * {number}", timezone)


@suggest_keywords
def monthly(
    day: int | DayOfMonth, hour: int | Hour = 0, minute: int | Minute = 0, *, timezone: str = "UTC"
) -> CronText:
    """Run once a month.

    :param day: 1 to 31; months that lack the day are skipped.
    :param hour: 0 to 23.
    :param minute: 0 to 59.
    :param timezone: IANA name, such as ``Europe/Berlin``.
    :raises AuthoringError: out of range, or no such time zone.
    """
    return _text(f"{_number(minute, Minute)} {_number(hour, Hour)} {_number(day, DayOfMonth)} * *", timezone)


@suggest_keywords
def cron(expression: str, timezone: str = "UTC") -> CronText:
    """Run at the times of a cron expression.

    :param expression: five fields, or a preset such as ``@daily``.
    :param timezone: IANA name, such as ``Europe/Berlin``.
    :raises AuthoringError: Airflow cannot run by the expression, or the time zone is unknown.

    ::

        aq.cron("0 6 * * 1-5", timezone="Europe/Berlin")
    """
    from aqueduct_provider.spec.semantic_checks import BAD_CRON, is_cron

    if not isinstance(expression, str) or not is_cron(expression):
        raise AuthoringError(f"The schedule {expression!r} is {BAD_CRON}.")
    return _text(str(expression), timezone)


def on_assets(*uris: str) -> OnAssets:
    """Run whenever all of these assets have been updated since the last run.

    :param uris: of Airflow's assets (datasets on 2.11), exactly as the DAGs that update them write them.
        Those of what a flow saves are in ``flow.list_saved_objects()``.
    :raises AuthoringError: none was given, or Airflow could not wait for it.

    ::

        aq.on_assets("s3://bucket/sales.parquet")
    """
    from aqueduct_provider.spec.assets import uri_problem

    if not uris:
        raise AuthoringError(
            'on_assets needs the URI of an asset: aq.on_assets("s3://bucket/sales.parquet").'
        )
    for place, uri in enumerate(uris, 1):
        if not isinstance(uri, str):
            raise AuthoringError(
                f"Asset {place} of on_assets must be a URI, as text, not {type(uri).__name__}. Flows are "
                "given as source_flow."
            )
        if problem := uri_problem(uri):
            # The URI may hold a password.
            raise AuthoringError(f"Asset {place} of on_assets: {problem}.")
    return OnAssets(uris)


def _number(value: Any, kind: type[_Number]) -> int:
    return value.val if isinstance(value, kind) else kind(value).val


def _text(expression: str, timezone: str) -> CronText:
    # Every machine has UTC; to look up others, the spec's rules are imported.
    if timezone != "UTC":
        from aqueduct_provider.spec.semantic_checks import is_timezone

        if not isinstance(timezone, str) or not is_timezone(timezone):
            raise AuthoringError(
                f"Unknown time zone {timezone!r}. Give an IANA name such as 'Europe/Berlin'."
            )
    return CronText(expression, timezone)

"""Waiting: looks, deadlines, and absences of what is looked at."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider.errors import (
    AirflowLoginFailed,
    AirflowUnreachable,
    AqueductError,
    StorageUnavailable,
    WaitTimedOut,
)
from aqueduct_provider.sdk.waiting import Patient, brisk, wait_for


def looks(*answers: Any) -> Callable[[], Any]:
    """Gives one answer after the other; raises those that are errors."""
    left = list(answers)

    def look() -> Any:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return look


def test_the_first_true_answer_is_given() -> None:
    assert wait_for(looks(None, 0, "", "there", "later"), what="", seconds=None, pause=0) == "there"


def test_the_pause_may_depend_on_how_long_it_took(mocker: Any) -> None:
    mocker.patch("time.monotonic", side_effect=[100.0, 100.0, 102.0, 104.0])
    sleep = mocker.patch("time.sleep")
    given: list[float] = []

    def pause(waited: float) -> float:
        given.append(waited)
        return 2.0

    assert wait_for(looks(0, 0, 0, 1), what="", seconds=5, pause=pause) == 1
    assert given == [0, 2, 4]
    # It is never longer than the time that is left.
    assert [one.args for one in sleep.call_args_list] == [(2.0,), (2.0,), (1.0,)]


def test_a_brisk_pause_grows() -> None:
    assert [brisk(waited) for waited in (0, 4.9, 5, 19, 20, 300)] == [0.2, 0.2, 0.5, 0.5, 1.0, 1.0]


def test_it_looks_once_even_without_time() -> None:
    assert wait_for(looks(1), what="", seconds=0) == 1


@pytest.mark.parametrize("what", ["it is not there", lambda: "it is not there"])
def test_when_the_time_is_over_it_says_what_was_waited_for(what: Any) -> None:
    with pytest.raises(WaitTimedOut) as caught:
        wait_for(looks(None), what=what, seconds=0, hint="Look again.")
    assert str(caught.value) == "After 0 s it is not there. Look again."


def test_without_a_cure_nothing_is_said_of_it() -> None:
    with pytest.raises(WaitTimedOut, match=r"^After 0 s it is not there\.$"):
        wait_for(looks(None), what="it is not there", seconds=0)


def test_it_looks_once_more_at_the_deadline() -> None:
    # The pause is far longer than the time: the second look is the one at the end.
    assert wait_for(looks(None, "there"), what="", seconds=0.01, pause=3600) == "there"


AWAY = [AirflowUnreachable("Airflow is away"), StorageUnavailable("the store is away")]


@pytest.mark.parametrize("error", AWAY, ids=["airflow", "store"])
def test_a_short_absence_is_borne(error: AqueductError) -> None:
    told: list[str] = []
    look = Patient(
        looks(None, error, error, None, error, "there"), on_absence=lambda error: told.append(str(error))
    )
    assert wait_for(look, what="", seconds=None, pause=0) == "there"
    assert told == [str(error)] * 2


def test_what_was_never_there_is_not_waited_for() -> None:
    with pytest.raises(AirflowUnreachable):
        Patient(looks(AirflowUnreachable("away")))()


def test_a_long_absence_is_not_borne() -> None:
    look = Patient(looks(None, *[AirflowUnreachable("away")] * 2), seconds=0)
    assert look() is None
    assert look() is None
    with pytest.raises(AirflowUnreachable):
        look()


def test_other_errors_end_the_waiting() -> None:
    look = Patient(looks(None, AirflowLoginFailed("no")), seconds=math.inf)
    look()
    with pytest.raises(AirflowLoginFailed):
        look()

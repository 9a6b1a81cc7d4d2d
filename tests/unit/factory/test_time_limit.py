"""A spec has its computing time, in which nothing else of the process is disturbed."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.factory.time_limit import time_limit

# Minutes, where nothing ends it.
ENDLESS = range(10**11)


@pytest.fixture(autouse=True)
def airflows_timer() -> Iterator[None]:
    """Airflow's own timer, which must run on."""
    signal.setitimer(signal.ITIMER_REAL, 1000)
    yield
    assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 1000
    signal.setitimer(signal.ITIMER_REAL, 0)


def compute() -> None:
    for _ in ENDLESS:
        pass


def test_what_computes_too_long_is_ended() -> None:
    with pytest.raises(SpecError) as caught, time_limit("churn.json", 0.05):
        compute()
    assert "churn.json has 1 problem: $: no DAG could be made of it within 0.05 s" in str(caught.value)
    assert caught.value.__cause__ is None


def test_also_where_something_swallows_the_end() -> None:
    def swallow() -> None:
        try:
            compute()
        except BaseException:
            compute()

    with pytest.raises(SpecError), time_limit("churn.json", 0.05):
        swallow()


def test_waiting_does_not_count() -> None:
    with time_limit("churn.json", 0.05):
        time.sleep(0.3)


def test_other_errors_come_out_as_they_are() -> None:
    with pytest.raises(KeyError), time_limit("churn.json", 10):
        raise KeyError("x")


def test_another_timer_of_this_kind_runs_on() -> None:
    handler = signal.signal(signal.SIGVTALRM, signal.SIG_IGN)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 1000)
        with time_limit("churn.json", 10):
            pass
        assert signal.getsignal(signal.SIGVTALRM) is signal.SIG_IGN
        assert 900 < signal.getitimer(signal.ITIMER_VIRTUAL)[0] < 1001
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)


def test_nothing_is_left_behind() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with time_limit("churn.json", 10):
        assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0
    assert signal.getsignal(signal.SIGVTALRM) is before


def test_in_other_threads_there_is_no_limit() -> None:
    seen: list[float] = []

    def run() -> None:
        with time_limit("churn.json", 0.01):
            seen.append(signal.getitimer(signal.ITIMER_VIRTUAL)[0])

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [0]

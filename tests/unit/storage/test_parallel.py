from __future__ import annotations

import threading

import pytest

from aqueduct_provider.storage.parallel import together


def test_results_come_in_the_order_of_the_calls() -> None:
    assert together([lambda value=value: value * 2 for value in range(20)], workers=4) == list(
        range(0, 40, 2)
    )


def test_calls_really_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=20)  # Breaks unless all three calls wait in it at once.
    together([meeting.wait] * 3, workers=3)


def test_no_more_calls_than_workers_run_at_once() -> None:
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def call() -> None:
        with lock:
            running.append(1)
            most.append(len(running))
        threading.Event().wait(0.01)
        with lock:
            running.pop()

    together([call] * 12, workers=2)
    assert max(most) == 2


def test_the_first_error_is_raised_after_all_calls_have_ended() -> None:
    ended: list[str] = []

    def fail() -> None:
        raise KeyError("first")

    with pytest.raises(KeyError, match="first"):
        together([fail, lambda: ended.append("second"), lambda: ended.append("third")], workers=2)
    assert sorted(ended) == ["second", "third"]

"""Requests that are repeated, left behind or refused; the servers are threads, the clock is the real one.

Limits are generous: an event decides each test, and not how fast this machine is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from aqueduct_provider.errors import AccessDenied, ObjectNotFound, OperatorKilled, StorageUnavailable
from aqueduct_provider.storage import patience as module
from aqueduct_provider.storage.patience import BLOCK, IMPATIENT, Patience, Transfer

URL = "s3://bucket/key"
LONG = 60.0


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.002)
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 0.01)


@pytest.fixture
def hang() -> Iterator[Callable[[Transfer], None]]:
    """A request that is never answered; it ends with the test."""
    end = threading.Event()
    yield lambda _: (end.wait(LONG), None)[1]
    end.set()


class Answers:
    """Fails with the errors one after the other, then gives 1."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.transfers: list[Transfer] = []

    def __call__(self, transfer: Transfer) -> int:
        self.transfers.append(transfer)
        if self.errors:
            raise self.errors.pop(0)
        return 1


def away(reason: str = "away") -> StorageUnavailable:
    return StorageUnavailable(f"{URL}: {reason}.")


def test_what_passes_is_asked_for_again(caplog: pytest.LogCaptureFixture) -> None:
    answers = Answers(away(), away(), away())
    with caplog.at_level(logging.INFO):
        assert Patience(LONG).ask(URL, answers) == 1
    assert [transfer.repeated for transfer in answers.transfers] == [False, True, True, True]
    waits, back = caplog.messages
    assert waits.startswith(f"{URL}: away. Trying again, for ")
    assert "s more ([aqueduct] s3_patience)" in waits
    assert back == f"{URL}: the store answers again."


def test_a_single_failure_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert Patience(LONG).ask(URL, Answers(away())) == 1
    assert caplog.messages == []


@pytest.mark.parametrize("error", [AccessDenied("no"), ObjectNotFound("no"), ValueError("a fault of ours")])
def test_other_errors_are_raised_at_once(error: Exception) -> None:
    answers = Answers(error)
    with pytest.raises(type(error)):
        Patience(LONG).ask(URL, answers)
    assert len(answers.transfers) == 1


def test_a_certificate_is_not_waited_for() -> None:
    answers = Answers(away("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"))
    with pytest.raises(StorageUnavailable, match="self-signed"):
        Patience(LONG).ask(URL, answers)
    assert len(answers.transfers) == 1


def test_patience_ends() -> None:
    answers = Answers(*[away() for _ in range(10_000)])
    with pytest.raises(StorageUnavailable, match=r"away\. The task tried again for 0\.2 s, .*s3_patience"):
        Patience(0.2).ask(URL, answers)
    assert len(answers.transfers) > 2


def exhausted() -> Patience:
    """The patience of a task whose store has not answered for too long."""
    patience = Patience(LONG)
    patience._silent_since = time.monotonic() - 2 * LONG
    return patience


def test_the_patience_is_that_of_all_requests_together() -> None:
    patience = exhausted()
    answers = Answers(away())
    with pytest.raises(StorageUnavailable):
        patience.ask(URL, answers)
    assert len(answers.transfers) == 1
    assert patience.ask(URL, Answers()) == 1
    assert patience.ask(URL, Answers(away())) == 1, "an answer gives new patience"


def test_an_error_of_the_store_is_an_answer_too() -> None:
    patience = exhausted()
    with pytest.raises(ObjectNotFound):
        patience.ask(URL, Answers(ObjectNotFound("no")))
    assert patience.ask(URL, Answers(away())) == 1


def test_without_patience_requests_run_in_the_thread_of_the_caller() -> None:
    answers = Answers(away())
    with pytest.raises(StorageUnavailable):
        IMPATIENT.ask(URL, answers)
    assert len(answers.transfers) == 1
    assert IMPATIENT.ask(URL, lambda _: threading.current_thread()) is threading.current_thread()


def test_a_kill_ends_a_request_that_is_not_answered(hang: Callable[[Transfer], None]) -> None:
    patience = Patience(LONG)
    threading.Timer(0.2, patience.cancel).start()
    began = time.monotonic()
    with pytest.raises(OperatorKilled, match=f"while it waited for {URL}"):
        patience.ask(URL, hang)
    assert time.monotonic() - began < LONG / 2


def test_a_kill_ends_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", LONG)
    monkeypatch.setattr(module, "_LONGEST_PAUSE", LONG)
    patience = Patience(10 * LONG)
    threading.Timer(0.2, patience.cancel).start()
    began = time.monotonic()
    with pytest.raises(OperatorKilled):
        patience.ask(URL, Answers(away()))
    assert time.monotonic() - began < LONG / 4


def test_after_a_kill_only_the_last_word_is_sent(hang: Callable[[Transfer], None]) -> None:
    patience, answers = Patience(LONG), Answers()
    patience.cancel()
    with pytest.raises(OperatorKilled):
        patience.ask(URL, answers)
    assert answers.transfers == []
    patience.last_word()
    assert patience.ask(URL, answers) == 1
    with pytest.raises(StorageUnavailable, match="no answer within 1 s"):
        patience.ask(URL, hang)
    patience.last_word()
    refused = Answers(away(), away())
    with pytest.raises(StorageUnavailable, match="away"):
        patience.ask(URL, refused)
    assert len(refused.transfers) == 1


def test_a_slow_body_is_given_up_and_asked_for_again() -> None:
    written: list[int] = []
    late = threading.Event()
    left_behind = threading.Event()

    def request(transfer: Transfer) -> str:
        if transfer.repeated:
            return "fast"
        with transfer.receiving():
            pass
        late.wait(LONG)
        try:
            with transfer.receiving(1):
                written.append(1)
        finally:
            left_behind.set()
        return "slow"

    assert Patience(LONG, stall=0.2).ask(URL, request) == "fast"
    late.set()
    assert left_behind.wait(LONG)
    assert written == [], "a request that was left behind writes nothing"


def test_a_body_that_is_fast_enough_is_not_given_up() -> None:
    def request(transfer: Transfer) -> int:
        for _ in range(8):
            with transfer.receiving(BLOCK):
                time.sleep(0.01)
        return 1

    answers = Patience(0.0, stall=LONG)
    assert answers.ask(URL, request) == 1


def test_a_slow_body_without_blocks_is_stalled() -> None:
    transfer = Transfer()
    assert not transfer.stalled(0.0), "no body has begun"
    with transfer.receiving(BLOCK - 1):
        pass
    time.sleep(0.01)
    with transfer.receiving(1):
        pass
    assert transfer.stalled(0.005)
    with transfer.receiving(BLOCK):
        pass
    assert not transfer.stalled(LONG)

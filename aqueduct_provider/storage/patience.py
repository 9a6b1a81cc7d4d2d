"""Limit the wait for a store: pauses between requests, the least speed of a body, the end of the task.

In: requests of a store. Out: their results, ``StorageUnavailable`` when the patience of the task is over,
or ``OperatorKilled`` soon after a kill. Nothing interrupts a request while it resolves a name, connects or
reads, so a patient store sends each one in a thread of its own, and leaves the thread to itself when its
result is no longer wanted. Processes without patience, such as the DAG processor, send requests directly.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TypeVar

from aqueduct_provider.errors import OperatorKilled, StorageError, StorageUnavailable

log = logging.getLogger(__name__)

# The least speed of a body: this many bytes in so many seconds, 4 KiB/s. A slower link would need 7 hours
# for 100 MB, so it is broken; 80 parallel requests still fit into a line of 3 Mbit/s. Smaller blocks cost
# 10 percent more of the processor's time.
BLOCK = 256 << 10
STALL_SECONDS = 64.0
# For the last requests of a killed task, in seconds: Airflow kills the task 5 s after it asked for its
# end, of which the child may have used 3.5.
LAST_WORD_SECONDS = 1.0

_POLL = 0.1
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_LOG_SECONDS = 15.0

_Result = TypeVar("_Result")


class Transfer:
    """A request in flight, and whether its caller still waits for it.

    :param repeated: an earlier request of the same call failed; it may have had its effect.
    """

    def __init__(self, repeated: bool = False) -> None:
        self.repeated = repeated
        # When the store was heard of last, by the monotonic clock.
        self.heard = time.monotonic()
        self._lock = threading.Lock()
        self._abandoned = False
        self._block_began: float | None = None
        self._in_block = 0

    def abandon(self) -> None:
        """Make sure that this request writes nothing more into local files."""
        with self._lock:
            self._abandoned = True

    @contextmanager
    def receiving(self, size: int = 0) -> Iterator[None]:
        """Note that bytes of a body arrived, and hold off :meth:`abandon` while they are written.

        :raises StorageUnavailable: the caller has given up.
        """
        with self._lock:
            self._check()
            self._in_block += size
            if self._block_began is None or self._in_block >= BLOCK:
                self._block_began, self._in_block = self.heard, 0
            yield

    def sending(self) -> None:
        """Note that bytes of a body were asked for.

        :raises StorageUnavailable: the caller has given up.
        """
        with self._lock:
            self._check()

    def stalled(self, seconds: float) -> bool:
        """Check whether a body arrives with less than one block in ``seconds``."""
        began = self._block_began
        return began is not None and time.monotonic() - began > seconds

    def _check(self) -> None:
        if self._abandoned:
            raise StorageUnavailable("The caller of this request has given up.")
        self.heard = time.monotonic()


class Patience:
    """The limits of one task's waits for its stores. Safe to use from several threads.

    :param seconds: how long a store may fail to answer; None: errors are raised at once, and requests run in
        the thread that makes them.
    :param stall: seconds in which a block of 256 KiB must arrive.
    """

    def __init__(self, seconds: float | None = None, *, stall: float = STALL_SECONDS) -> None:
        self.seconds = seconds
        self._stall = stall
        self._killed = False
        self._last_word_until = 0.0
        self._silent_since: float | None = None
        self._logged = float("-inf")

    def cancel(self) -> None:
        """End what waits, and let nothing begin; for signal handlers and other threads. Returns at once."""
        self._killed = True

    def last_word(self) -> None:
        """Allow the requests of the next second although the task was killed: they say that it was."""
        self._last_word_until = time.monotonic() + LAST_WORD_SECONDS

    def ask(self, url: str, request: Callable[[Transfer], _Result]) -> _Result:
        """Make a request, again and again for as long as the store does not answer.

        :param url: what it is about, for errors and the log.
        :param request: raises ``StorageUnavailable`` when repeating it may help; it must be safe to repeat.
        :raises StorageUnavailable: the store did not answer in time.
        :raises OperatorKilled: the task was ended.
        """
        if self.seconds is None:
            return request(Transfer())
        silent_since, waited = None, False
        for attempt in count(1):
            transfer = Transfer(repeated=attempt > 1)
            try:
                result = self._watched(url, request, transfer)
            except StorageUnavailable as error:
                silent_since = transfer.heard if silent_since is None else silent_since
                pause, left = _pause(attempt), self._left(silent_since)
                if self._killed or _is_certificate(error) or (left < pause and not transfer.repeated):
                    raise
                if left < pause:
                    raise self._given_up(error) from error
                # What passes at the second attempt is not worth a line.
                if attempt > 1:
                    waited = self._log(error, left) or waited
                self._wait(url, pause)
            except StorageError:
                self._silent_since = None
                raise
            else:
                self._silent_since = None
                if waited:
                    log.info("%s: the store answers again.", url)
                return result
        raise AssertionError("unreachable")

    def _watched(self, url: str, request: Callable[[Transfer], _Result], transfer: Transfer) -> _Result:
        """Run the request in a thread, and leave it behind when it is not worth waiting for any more."""
        last_words = self._killed
        if last_words and time.monotonic() >= self._last_word_until:
            raise _killed(url)
        results: list[_Result] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(request(transfer))
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=run, name=f"aqueduct {url}", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(_POLL)
                self._check(url, transfer, thread, last_words=last_words)
        finally:
            if thread.is_alive():
                transfer.abandon()
        if errors:
            raise errors[0]
        return results[0]

    def _check(self, url: str, transfer: Transfer, thread: threading.Thread, *, last_words: bool) -> None:
        if not thread.is_alive():
            return
        if last_words and time.monotonic() >= self._last_word_until:
            raise StorageUnavailable(f"{url}: no answer within {LAST_WORD_SECONDS:g} s; the task has to end.")
        if self._killed and not last_words:
            raise _killed(url)
        if transfer.stalled(self._stall):
            raise StorageUnavailable(
                f"{url}: fewer than {BLOCK} bytes arrived in {self._stall:g} s; the connection was given up."
            )

    def _wait(self, url: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._killed:
                raise _killed(url)
            time.sleep(min(left, _POLL))

    def _log(self, error: StorageUnavailable, left: float) -> bool:
        """Log that the task waits, at first and then from time to time; whether this call did."""
        now = time.monotonic()
        if now - self._logged < _LOG_SECONDS:
            return False
        self._logged = now
        log.warning("%s Trying again, for %.0f s more ([aqueduct] s3_patience).", error, left)
        return True

    def _left(self, silent_since: float) -> float:
        """Return the seconds left to a request, which may be the last of many unanswered ones.

        Without the others, a group of operators would spend its patience once for each of them.
        """
        since = self._silent_since = min(silent_since, self._silent_since or silent_since)
        return (self.seconds or 0.0) - (time.monotonic() - since)

    def _given_up(self, error: StorageUnavailable) -> StorageUnavailable:
        return StorageUnavailable(
            f"{error} The task tried again for {self.seconds:g} s, as long as s3_patience in the [aqueduct]"
            " section allows."
        )


# For processes that are not tasks. It is shared, so no caller may cancel it.
IMPATIENT = Patience()


def _pause(attempt: int) -> float:
    """Return the seconds before the next attempt: growing, and random so that tasks do not coincide."""
    return min(_FIRST_PAUSE * 2.0 ** min(attempt - 1, 10), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)


def _is_certificate(error: StorageUnavailable) -> bool:
    """Check for a server that cannot prove who it is, which waiting does not change."""
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _killed(url: str) -> OperatorKilled:
    return OperatorKilled(f"The task was ended while it waited for {url}.")

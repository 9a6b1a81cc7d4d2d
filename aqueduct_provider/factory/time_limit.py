"""Limit the computing time of one spec, so that it cannot take that of all others.

In: what is made of a spec. Out: the same, or a ``SpecError`` once it has used its time. Computing time
counts, not time on the clock: a slow disk or a busy machine is not the spec's fault. The timer is not the one
by which Airflow limits the import of a DAG file. Only in the main thread is there a limit: signals need it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aqueduct_provider.errors import Problem, SpecError

# Of a spec that is read, and again of one whose DAG is made. A thousand operators take about half a second.
SECONDS = 5.0
# Raised again after so much more time where something has swallowed the first one.
_AGAIN = 0.1


class _TimeIsUp(BaseException):
    """Not an ``Exception``, which code on the way would take for an error of its own."""


@contextmanager
def time_limit(label: str, seconds: float | None = None) -> Iterator[None]:
    """Let the body compute for so many seconds.

    :param label: how users know the spec.
    :param seconds: None: ``SECONDS``.
    :raises SpecError: it took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seconds = seconds or SECONDS
    over = False

    def stop(*_: Any) -> None:
        if not over:
            raise _TimeIsUp

    handler = signal.signal(signal.SIGVTALRM, stop)
    timer = signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN)
    try:
        try:
            yield
        finally:
            over = True
    except _TimeIsUp:
        raise SpecError(label, [Problem("$", _TOO_SLOW.format(seconds))]) from None
    finally:
        over = True
        signal.setitimer(signal.ITIMER_VIRTUAL, *timer)
        signal.signal(signal.SIGVTALRM, handler)


_TOO_SLOW = (
    "no DAG could be made of it within {:g} s of computing, and the other flows need theirs; split the flow,"
    " shorten its longest strings and lists, or keep large defaults in the artifact store, by key"
)

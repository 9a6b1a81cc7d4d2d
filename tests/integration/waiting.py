"""Waiting for what another process does: look again and again, up to a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


class DeadlineMissed(AssertionError):
    """What was waited for did not happen in time."""


def wait_for(look: Callable[[], Value | None], *, what: str, seconds: float, pause: float = 0.2) -> Value:
    """The first truthy answer of ``look``.

    :param what: what is waited for, for the error message.
    :param seconds: after which :class:`DeadlineMissed` is raised, with the last answer.
    """
    end = time.monotonic() + seconds
    while not (answer := look()):
        if time.monotonic() > end:
            raise DeadlineMissed(f"{what}: not within {seconds:g} s; last seen: {answer!r}")
        time.sleep(pause)
    return answer

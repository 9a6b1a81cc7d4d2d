"""Waiting for what another machine does: look again and again, up to a deadline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from aqueduct_provider.errors import AirflowUnreachable, AqueductError, Hint, StorageUnavailable, WaitTimedOut

Value = TypeVar("Value")

# How long an Airflow or a store that answered before may be away: a restart must not end a long wait.
PATIENCE = 120.0
_BRISK_SECONDS = 5.0


def wait_for(
    look: Callable[[], Value | None],
    *,
    what: str | Callable[[], str],
    seconds: float | None,
    pause: float | Callable[[float], float] = 1.0,
    hint: Hint | str | Callable[[], str] = "",
) -> Value:
    """Return the first truthy answer of ``look``.

    :param what: what is waited for, for the error message: "the run x is not over".
    :param seconds: how long to wait at most; None: for ever.
    :param pause: seconds between two looks; or what gives them, by the seconds that it took so far.
    :param hint: what can be done when it takes too long; or what gives it.
    :raises WaitTimedOut: the time is over; ``look`` is called once more just before.
    """
    begin = time.monotonic()
    end = math.inf if seconds is None else begin + seconds
    while not (answer := look()):
        now = time.monotonic()
        left = end - now
        if left <= 0:
            label = what if isinstance(what, str) else what()
            message = f"After {seconds:g} s {label}."
            if isinstance(hint, Hint):
                raise WaitTimedOut(message, hint=hint)
            raise WaitTimedOut(f"{message} {hint() if callable(hint) else hint}".rstrip())
        time.sleep(min(pause(now - begin) if callable(pause) else pause, left))
    return answer


def brisk(waited: float) -> float:
    """Return a ``pause`` for what mostly comes within seconds, and sometimes within minutes."""
    return 0.2 if waited < _BRISK_SECONDS else 0.5 if waited < 4 * _BRISK_SECONDS else 1.0


@dataclass
class Patient(Generic[Value]):
    """A look that outlasts short absences of what it looks at, once it has been there.

    :param seconds: how long it may be away.
    :param on_absence: called with the first failure of each absence.
    """

    look: Callable[[], Value | None]
    seconds: float = PATIENCE
    on_absence: Callable[[AqueductError], None] = lambda _error: None
    _was_there: bool = field(default=False, init=False)
    _away_since: float | None = field(default=None, init=False)

    def __call__(self) -> Value | None:
        """Return what the look gives; None during an absence.

        :raises AqueductError: the absence takes too long.
        """
        try:
            answer = self.look()
        except (AirflowUnreachable, StorageUnavailable) as error:
            self._bear(error)
            return None
        self._was_there, self._away_since = True, None
        return answer

    def _bear(self, error: AqueductError) -> None:
        now = time.monotonic()
        if not self._was_there or (self._away_since is not None and now - self._away_since >= self.seconds):
            raise error
        if self._away_since is None:
            self._away_since = now
            self.on_absence(error)

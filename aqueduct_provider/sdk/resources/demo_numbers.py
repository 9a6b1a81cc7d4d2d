"""Random numbers of the demo database: the same in every version of Python, on every machine (pure).

Of ``random`` only ``random()`` is used, and of arithmetic only what IEEE 754 rounds exactly: no logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import TypeVar

Choice = TypeVar("Choice")

_SEED = "aqueduct demo 2026"
# Of the sum of four numbers below 1, minus their mean.
_DEVIATION = 0.5773502691896258


class Numbers:
    """A source of random numbers.

    :param name: sources of the same name give the same numbers.
    """

    def __init__(self, name: str) -> None:
        self._next = Random(f"{_SEED} {name}").random

    def chance(self, share: float) -> bool:
        """Return True in this share of all calls."""
        return self._next() < share

    def below(self, end: int) -> int:
        """Return an integer from 0, below ``end``."""
        return int(self._next() * end)

    def one(self, choices: Sequence[Choice]) -> Choice:
        """Return one of the choices; each is as likely as the others."""
        return choices[self.below(len(choices))]

    def weighted(self, *weights: int) -> int:
        """Return the position of one of the weights, as likely as it is large."""
        rest = self.below(sum(weights))
        for place, weight in enumerate(weights):
            rest -= weight
            if rest < 0:
                return place
        raise ValueError("weights must be positive")

    def between(self, low: float, high: float) -> float:
        """Return a number in this range."""
        return low + (high - low) * self._next()

    def bell(self, mean: float, deviation: float, low: float, high: float, digits: int) -> float:
        """Return a number of a bell curve with so many digits, moved into this range where it is outside."""
        four = self._next() + self._next() + self._next() + self._next()
        return round(min(high, max(low, mean + deviation * (four - 2) / _DEVIATION)), digits)

    def skewed(self, power: int) -> float:
        """Return a number from 0, below 1: small ones are likelier, the more so with a higher power."""
        first = self._next()
        found = first
        for _ in range(power - 1):
            found *= first
        return found

    def some_of(self, count: int, wanted: int) -> frozenset[int]:
        """Return so many different integers below ``count``."""
        found: set[int] = set()
        while len(found) < wanted:
            found.add(self.below(count))
        return frozenset(found)

    def day(self, first: date, days: int) -> str:
        """Return an ISO date of so many days from the first."""
        return (first + timedelta(days=self.below(days))).isoformat()

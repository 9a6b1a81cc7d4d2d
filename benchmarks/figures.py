"""What a benchmark gives: figures, each with its target and whether it was reached."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Series:
    """Durations of the same thing, in seconds."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def warm(self) -> Series:
        """All but the first, which filled the caches, unless it is the only one."""
        return Series(self.values[1:] or self.values)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the duration of the block."""
        started = time.perf_counter()
        yield
        self.values.append(time.perf_counter() - started)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{duration(self.values[0])} (n=1)"
        spread = f"{duration(min(self.values))} to {duration(max(self.values))}"
        return f"{duration(self.median)} ({spread}, n={len(self.values)})"


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    :param what: what was measured.
    :param ours: how this package did.
    :param against: what it is compared with.
    :param result: the figure that the target is about.
    :param target: empty: the figure is for information.
    """

    what: str
    ours: str
    against: str = ""
    result: str = ""
    target: str = ""
    reached: bool = True

    @property
    def verdict(self) -> str:
        if not self.target:
            return ""
        return "reached" if self.reached else "NOT REACHED"


def at_most(what: str, ours: Series, against: Series, limit: float | None = None) -> Figure:
    """Ours takes at most ``limit`` times as long; None: for information."""
    share = ours.median / against.median
    target = "" if limit is None else f"at most {limit:.2f}x"
    return Figure(what, str(ours), str(against), f"{share:.2f}x", target, limit is None or share <= limit)


def faster(what: str, ours: Series, against: Series, target: int | None = None) -> Figure:
    """The other takes ``target`` times as long, at least."""
    times = against.median / ours.median
    text = "" if target is None else f"at least {target}x faster"
    return Figure(what, str(ours), str(against), f"{times:,.0f}x faster", text, times >= (target or 0))


def duration(seconds: float) -> str:
    """Seconds as people write them."""
    if seconds < 0.1:
        return f"{seconds * 1000:.2f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"

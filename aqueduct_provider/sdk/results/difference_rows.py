"""Facts in two runs next to each other (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Mark = Literal["", "changed", "added", "removed"]


@dataclass(frozen=True)
class DifferenceRow:
    """A fact in both runs.

    :param before: of the run that is compared with; None: it is not there.
    :param now: of the run that is looked at; None: it is not there.
    :param mark: how they differ, in a word; empty: they do not.
    :param note: by how much.
    :param values: both for programs, where they are more than text: numbers, or facts by their names.
    """

    name: str
    before: str | None
    now: str | None
    mark: Mark = ""
    note: str = ""
    values: tuple[Any, Any] = (None, None)


@dataclass(frozen=True)
class Section:
    """Facts of one kind."""

    title: str
    rows: tuple[DifferenceRow, ...]

    @property
    def changes(self) -> int:
        """How many facts differ."""
        return sum(bool(row.mark) for row in self.rows)


@dataclass(frozen=True)
class ComparedRun:
    """One of two runs.

    :param version: of the flow: ``v12``, or the first characters of its id; None: unknown.
    """

    run_id: str
    created_at: datetime | None
    status: str
    version: str | None

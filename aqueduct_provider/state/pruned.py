"""Mark a run whose artifacts were deleted: why, and the numbers that histories are made of.

In: what deleted them. Out: the JSON that is written into the run's folder before anything is deleted, and the
way back for those who read the run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.state.exec_state import moment_of

# Who deleted: the flow's own ``k_latest_runs``, or a user who asked for it.
By = Literal["k_latest_runs", "prune"]
Number = int | float | bool


@dataclass(frozen=True)
class PrunedMark:
    """Why a run has no artifacts any more.

    :param pruned_at: when, with offset.
    :param keep: how many successful runs kept their artifacts.
    :param version: id of the version whose retention it was.
    :param numbers: the values of the run's numbers and checks by artifact id; histories go on with them.
    """

    pruned_at: datetime
    by: By
    keep: int
    version: str
    numbers: Mapping[str, Number] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Return what happened and how to keep more; continues a sentence after "it was "."""
        day = f"{self.pruned_at:%Y-%m-%d}"
        if self.by == "prune":
            return f"deleted on {day} by a user who pruned the flow (keep={self.keep})."
        return (
            f"deleted by the flow's retention (k_latest_runs={self.keep}) on {day}. To keep the artifacts of "
            "more runs, publish the flow with a larger k_latest_runs."
        )

    def to_json(self) -> bytes:
        """Return the stored form."""
        return json.dumps({**asdict(self), "pruned_at": self.pruned_at.isoformat()}).encode()


def pruned_mark_from_json(data: bytes) -> PrunedMark:
    """Parse the mark in ``data``.

    :raises IntegrityError: there is none.
    """
    try:
        document: dict[str, Any] = json.loads(data)
        keep, numbers = document["keep"], dict(document["numbers"])
        if type(keep) is not int or not all(isinstance(value, int | float) for value in numbers.values()):
            raise TypeError("there is something else in place of a number")
        return PrunedMark(
            moment_of(document["pruned_at"]), document["by"], keep, document["version"], numbers
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(
            f"The mark of a pruned run cannot be read ({type(error).__name__}: {error}). Was it changed by "
            "hand? Its artifacts are gone either way."
        ) from error

"""Remember what was reported last of a check or a flow, so that only changes are reported.

One small object for each, ``flows/<flow id>/notified/...``, which its own task writes. It is in the store
because a task can read it there on every release of Airflow without further rights: XComs of other runs
cannot be found without knowing their ids, and exec states do not say which of their runs ended last.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

from aqueduct_provider.errors import ObjectNotFound
from aqueduct_provider.spec.conditions import Condition
from aqueduct_provider.spec.document import json_value
from aqueduct_provider.storage.layout import FlowLayout, run_failure
from aqueduct_provider.storage.object_store import ObjectStore

Outcome = Literal["passed", "warning", "failure"]
Number = int | float

# How many values are kept.
KEPT = 5
_OUTCOMES: tuple[Outcome, ...] = ("passed", "warning", "failure")
# In bytes; what we have written is smaller.
_LARGEST = 100_000


@dataclass(frozen=True)
class Reported:
    """The state of a check or a flow after the newest run that has reported it.

    :param values: of the last runs, by run id; the newest last.
    :param missed: receivers that could not be reached, as ``type:connection id``.
    :param began: when the run began, as :func:`moment_text` writes it; empty: unknown.
    """

    outcome: Outcome = "passed"
    values: Mapping[str, Number] = field(default_factory=dict)
    missed: tuple[str, ...] = ()
    began: str = ""

    def is_later_than(self, began: str) -> bool:
        """Check whether a later run than this one has reported already: runs may overlap.

        :param began: when this run began; empty: unknown, so that it counts as the newest.
        """
        return bool(began) and self.began > began

    def change(self, outcome: Outcome) -> Condition | None:
        """Return the change that an outcome makes; None: the state is the same."""
        if outcome == self.outcome:
            return None
        return "recovery" if outcome == "passed" else outcome

    def with_value(self, run_id: str, value: Number | None) -> Mapping[str, Number]:
        """Return the finite values with that of a run, which may have run before."""
        others = {run: number for run, number in self.values.items() if run != run_id}
        if value is not None and math.isfinite(value):
            others[run_id] = value
        return dict(list(others.items())[-KEPT:])

    def to_json(self) -> bytes:
        """Return what is stored."""
        fields: dict[str, Any] = {
            "outcome": self.outcome,
            "values": dict(self.values),
            "missed": list(self.missed),
            "began": self.began,
        }
        return json.dumps(fields).encode()


def read_reported(store: ObjectStore, flow_id: str, operator_id: str = "") -> Reported:
    """Return what was reported last of a check, or, without its id, of the flow.

    :raises StorageError: the store does not answer.
    """
    try:
        data = store.get(FlowLayout(flow_id).notified(operator_id))
    except ObjectNotFound:
        return Reported()
    return _reported(data)


def write_reported(store: ObjectStore, flow_id: str, reported: Reported, operator_id: str = "") -> None:
    """Remember what was reported. Raises ``StorageError``."""
    store.put(FlowLayout(flow_id).notified(operator_id), reported.to_json())


def fails_first(store: ObjectStore, flow_id: str, run_id: str, attempt: int, task_id: str) -> bool:
    """Return whether this task is the first of its run to fail; of several, exactly one is.

    :param attempt: how often the run was cleared.
    :raises StorageError: the store does not answer.
    """
    key = run_failure(FlowLayout(flow_id), run_id, attempt)
    return store.put_new(key, json.dumps({"task_id": task_id}).encode())


def _reported(data: bytes) -> Reported:
    """Read it; what someone else has put there counts as nothing."""
    try:
        document = json_value(data) if len(data) <= _LARGEST else {}
        outcome = document["outcome"]
        if outcome not in _OUTCOMES:
            return Reported()
        values = dict(_numbers(document["values"].items()))
        return Reported(outcome, values, tuple(map(str, document["missed"])), _moment(document.get("began")))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return Reported()


def moment_text(when: datetime | None) -> str:
    """Return a moment as text that sorts as moments do; empty where there is none."""
    return when.astimezone(timezone.utc).isoformat(timespec="microseconds") if when else ""


def _moment(text: object) -> str:
    """Return a stored moment; one that is not as we write it, or in the future, would silence every run."""
    if not isinstance(text, str) or not text:
        return ""
    when = datetime.fromisoformat(text)
    is_ours = when.tzinfo is not None and when <= datetime.now(timezone.utc) and text == moment_text(when)
    return text if is_ours else ""


def _numbers(items: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Number]]:
    for run_id, value in items:
        if type(value) in (int, float) and math.isfinite(value):
            yield str(run_id), value

"""Decide how a run ended: as Airflow says, or as its exec states say where Airflow has forgotten it.

In: the store, a run, and Airflow's state of it. Out: succeeded, ended, or open. What is not known to have
ended counts as open. The spec's models are imported late.
"""

from __future__ import annotations

from enum import Enum
from functools import partial

from aqueduct_provider.errors import IntegrityError, ObjectNotFound, SpecError
from aqueduct_provider.state.exec_state import ExecState, FailureType, Status, exec_state_from_json
from aqueduct_provider.storage.layout import FlowLayout, NativeLayout
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.parallel import together

# Requests at the same time.
REQUESTS = 16


class RunOutcome(Enum):
    """The state of a run that matters to its outcome: whether it has ended, and how."""

    SUCCEEDED = "succeeded"
    ENDED = "ended"
    OPEN = "open"


_AIRFLOW = {"success": RunOutcome.SUCCEEDED, "failed": RunOutcome.ENDED}


def run_outcome(store: ObjectStore, flow_id: str, run_id: str, state: str | None) -> RunOutcome:
    """Return how a run ended.

    :param state: Airflow's state of the run; None where Airflow does not know it (any more).
    """
    if state is not None:
        return _AIRFLOW.get(state, RunOutcome.OPEN)
    layout = NativeLayout(flow_id, run_id)
    keys = [key for key in store.list(layout.operators_prefix) if key.endswith("/state.json")]
    states = dict(zip(keys, together([partial(_state, store, key) for key in keys], REQUESTS), strict=True))
    known = [one for one in states.values() if one is not None]
    if any(_stops(one) for one in known):
        return RunOutcome.ENDED
    versions = {one.version for one in known}
    # One that cannot be read, or none at all, shows nothing.
    if len(known) != len(keys) or len(versions) != 1:
        return RunOutcome.OPEN
    wanted = _operators(store, flow_id, versions.pop())
    complete = wanted and {layout.exec_state(operator) for operator in wanted} <= states.keys()
    return RunOutcome.SUCCEEDED if complete else RunOutcome.OPEN


def _state(store: ObjectStore, key: str) -> ExecState | None:
    try:
        return exec_state_from_json(store.get(key))
    except (ObjectNotFound, IntegrityError):
        return None


def _stops(state: ExecState) -> bool:
    """Return whether a run with this state cannot have succeeded."""
    return state.status is not Status.SUCCEEDED and state.failure_type is not FailureType.USER_NON_FATAL


def _operators(store: ObjectStore, flow_id: str, version: str | None) -> list[str]:
    """Return the ids of a version's operators; empty if the version cannot be read."""
    from aqueduct_provider.spec.loader import parse

    if version is None:
        return []
    key = FlowLayout(flow_id).version(version)
    try:
        return [operator.id for operator in parse(store.get(key), key).operators]
    except (ObjectNotFound, SpecError):
        return []

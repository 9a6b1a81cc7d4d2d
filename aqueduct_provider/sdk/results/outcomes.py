"""How the operators of a run ended: Airflow's task states and the exec states in the store, made one (pure).

Airflow knows what waits and what runs, the exec state why something failed and what the user's code printed.
Where the two differ, Airflow is right about what happens now: an exec state may be that of an earlier try.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from aqueduct_provider.sdk.enums import ExecutionStatus

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import TaskInfo
    from aqueduct_provider.spec.models import Operator
    from aqueduct_provider.state.exec_state import ExecState

# Airflow's task states; those that are not here wait to be run.
_TASK_STATES = {
    "success": ExecutionStatus.SUCCEEDED,
    "failed": ExecutionStatus.FAILED,
    "running": ExecutionStatus.RUNNING,
    "restarting": ExecutionStatus.RUNNING,
    "deferred": ExecutionStatus.RUNNING,
    "upstream_failed": ExecutionStatus.CANCELED,
    "skipped": ExecutionStatus.CANCELED,
    "removed": ExecutionStatus.CANCELED,
}
_RUN_STATES = {
    "success": ExecutionStatus.SUCCEEDED,
    "failed": ExecutionStatus.FAILED,
    "running": ExecutionStatus.RUNNING,
    "queued": ExecutionStatus.PENDING,
}
ENDED = frozenset({ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED, ExecutionStatus.CANCELED})
# A task may be cleared and end once more: what it left then is another exec state.
_LEAVE_OUTCOMES = frozenset({"success", "failed"})

_TIPS = {
    "upstream_failed": "It was not run, for an operator before it failed.",
    "skipped": "It was skipped in Airflow.",
    "removed": "It was not run: Airflow's version of the flow has no such task.",
    "up_for_retry": "It failed; Airflow runs it again.",
}
_NO_REASON = (
    "Airflow counts it as failed; it left no reason in the store. Its log has more: run.logs({name!r}), or "
    "`aqueduct-airflow logs`."
)


@dataclass(frozen=True)
class OperatorRun:
    """One operator of one run.

    :param name: the operator's name.
    :param task_id: the Airflow task.
    :param kind: the operator's type.
    :param warning: whether it is a check of severity ``warning`` that did not pass; the flow went on.
    :param tip: one sentence that says why it failed, or was not run.
    :param traceback: the user's own, where there is one.
    :param stdout: what the user's code printed.
    :param try_number: tries so far.
    :param duration: seconds of the last try.
    """

    name: str
    task_id: str
    kind: str
    status: ExecutionStatus = ExecutionStatus.PENDING
    warning: bool = False
    tip: str = ""
    traceback: str = ""
    stdout: str = ""
    stderr: str = ""
    try_number: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration: float | None = None

    @property
    def word(self) -> str:
        """The status as it is shown."""
        return "warning" if self.warning else self.status.value

    @property
    def has_failed(self) -> bool:
        """Check whether it failed; a check that only warns counts."""
        return self.warning or self.status is ExecutionStatus.FAILED


def run_status(state: str) -> ExecutionStatus:
    """Return the status behind Airflow's state of a run."""
    return _RUN_STATES.get(state, ExecutionStatus.UNKNOWN)


def run_state(status: ExecutionStatus) -> str:
    """Return Airflow's state of a run that has this status; empty: it has none for it."""
    return next((state for state, known in _RUN_STATES.items() if known is status), "")


def task_status(state: str | None) -> ExecutionStatus:
    """Return the status behind Airflow's state of a task."""
    return _TASK_STATES.get(state or "", ExecutionStatus.PENDING)


def leaves_outcome(task: TaskInfo) -> bool:
    """Check whether a task in this state may have left an exec state that counts."""
    return task.state in _LEAVE_OUTCOMES


def operator_run(
    operator: Operator,
    task: TaskInfo | None,
    state: ExecState | None,
    *,
    untold: ExecutionStatus = ExecutionStatus.PENDING,
) -> OperatorRun:
    """Return one operator's part in a run.

    :param task: None where Airflow does not know it.
    :param state: None where the operator has left none (yet).
    :param untold: its status when neither knows it.
    """
    blank = OperatorRun(operator.name, operator.task_id, operator.type, untold)
    if task is None:
        return blank if state is None else _with_state(blank, state)
    status = task_status(task.state)
    known = replace(
        blank,
        status=status,
        tip=_TIPS.get(task.state or "", ""),
        try_number=task.try_number,
        started_at=task.started_at,
        ended_at=task.ended_at,
        duration=task.duration,
    )
    reported = None if state is None else _with_state(known, state)
    if status is ExecutionStatus.SUCCEEDED:
        return reported if reported and (reported.warning or reported.status is status) else known
    if status is ExecutionStatus.FAILED:
        # What was ended from outside has left "canceled".
        is_why = reported is not None and reported.status is not ExecutionStatus.SUCCEEDED
        return (
            replace(reported, status=status)
            if reported and is_why
            else replace(known, tip=_NO_REASON.format(name=operator.name))
        )
    return known


def _with_state(known: OperatorRun, state: ExecState) -> OperatorRun:
    """Return the operator's part as its exec state has it."""
    from aqueduct_provider.state.exec_state import FailureType

    return replace(
        known,
        status=ExecutionStatus(state.status.value),
        warning=state.failure_type is FailureType.USER_NON_FATAL,
        tip=state.tip,
        traceback=state.context,
        stdout=state.stdout,
        stderr=state.stderr,
    )


def status_without_airflow(operators: Iterable[OperatorRun]) -> ExecutionStatus:
    """Return how a run ended that Airflow does not know any more, from what its operators left."""
    statuses = {operator.status for operator in operators if not operator.warning}
    if statuses & {ExecutionStatus.FAILED, ExecutionStatus.CANCELED}:
        return ExecutionStatus.FAILED
    return ExecutionStatus.SUCCEEDED if statuses <= {ExecutionStatus.SUCCEEDED} else ExecutionStatus.UNKNOWN


def labels(operators: Sequence[OperatorRun | Operator]) -> list[str]:
    """Return a label for each: its name, and its task id where a function that is called twice gives two."""
    count = Counter(operator.name for operator in operators)
    return [one.name if count[one.name] == 1 else f"{one.name} ({one.task_id})" for one in operators]

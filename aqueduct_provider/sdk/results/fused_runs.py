"""Find how operators of one Airflow task ended: Airflow knows the task, exec states each operator (pure).

An exec state counts when it was left by the try that Airflow reports. What has none follows from the order
in which the operators run: one after the other, and none that needs one that failed.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import OperatorRun, leaves_outcome, operator_run

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import TaskInfo
    from aqueduct_provider.spec.models import Operator, WorkflowSpec
    from aqueduct_provider.state.exec_state import ExecState

_AT_WORK = frozenset({"running", "restarting"})
_BLOCKED = "It was not run, for an operator before it failed."
_CUT_SHORT = "It was not run, for its Airflow task had ended before."
_AGAIN = "Its Airflow task failed; Airflow runs it again, with all of its operators."
_BY_HAND = "success"


def operator_runs(
    spec: WorkflowSpec,
    tasks: Mapping[str, TaskInfo],
    states: Mapping[str, ExecState | None],
    *,
    untold: ExecutionStatus,
) -> list[OperatorRun]:
    """Return every operator's part in a run, in the order of the flow.

    :param tasks: Airflow's, by task id; empty where it does not know the run (any more).
    :param states: what the operators have left, by their ids.
    :param untold: the status of an operator that neither knows.
    """
    from aqueduct_provider.spec.flow_plan import flow_plan
    from aqueduct_provider.spec.graph import upstream

    before = upstream(spec)
    runs: dict[str, OperatorRun] = {}
    for task_id, plan in flow_plan(spec).tasks.items():
        operators = plan.operators
        task, left = tasks.get(task_id), [states.get(operator.id) for operator in operators]
        if task is not None and operators[0].fuse is not None:
            parts = group_runs(operators, before, task, left)
        else:
            pairs = zip(operators, _of_last_try(left), strict=True)
            parts = [operator_run(operator, task, state, untold=untold) for operator, state in pairs]
        runs.update({part.task_id: part for part in parts})
    return [runs[operator.task_id] for operator in spec.operators]


def part_of_log(text: str, operator: Operator, spec: WorkflowSpec) -> str:
    """Return the part of a task's log that is of this operator; all of it where the task failed early."""
    from aqueduct_provider.state.sections import section_of, section_start

    if operator.fuse is None:
        return text
    starts = {one.task_id: section_start(one.name, one.task_id) for one in spec.operators}
    own = starts.pop(operator.task_id)
    part = section_of(text, own, list(starts.values()))
    if part is not None:
        return part
    has_parts = any(line.endswith(start) for line in text.split("\n") for start in starts.values())
    return "" if has_parts else text


def state_key(operator: Operator, task: TaskInfo) -> Hashable:
    """Return the key by which an exec state is remembered."""
    if operator.fuse is None:
        return operator.id, task
    # While the task runs, what Airflow reports changes each time.
    return operator.id, task.task_id, task.try_number, leaves_outcome(task)


def may_have_state(operator: Operator, task: TaskInfo) -> bool:
    """Check whether an operator may have left an exec state that counts."""
    return leaves_outcome(task) or (operator.fuse is not None and task.state in _AT_WORK)


def is_settled(operator: Operator, task: TaskInfo, read: ExecState | None) -> bool:
    """Check whether an exec state need not be read again."""
    return operator.fuse is None or leaves_outcome(task) or counts(read, task)


def counts(state: ExecState | None, task: TaskInfo) -> bool:
    """Check whether the exec state of one of several operators is of the try that Airflow reports."""
    return state is not None and state.part is not None and state.part.try_number == task.try_number


def group_runs(
    operators: Sequence[Operator],
    before: Mapping[str, Sequence[str]],
    task: TaskInfo,
    states: Sequence[ExecState | None],
) -> list[OperatorRun]:
    """Return the parts of these operators in a run.

    :param operators: of one task, in the order in which it runs them.
    :param before: task id -> the task ids that it needs.
    :param states: what each has left.
    """
    runs: list[OperatorRun] = []
    lacking: set[str] = set()
    # The first without an exec state of its own is the one that runs, or that was cut short.
    reached = max((i for i, state in enumerate(states) if counts(state, task)), default=-1)
    met = False
    for number, (operator, state) in enumerate(zip(operators, states, strict=True)):
        if counts(state, task):
            run, met = _ended(operator, task, state), met or _ended_all(state)
        elif lacking.intersection(before[operator.task_id]):
            run = _unseen(operator, task, ExecutionStatus.CANCELED, _BLOCKED)
        else:
            run, met = _without(operator, task, is_next=number > reached and not met), True
        if run.status in (ExecutionStatus.FAILED, ExecutionStatus.CANCELED) and not run.warning:
            lacking.add(operator.task_id)
        runs.append(run)
    return runs


def _of_last_try(states: Sequence[ExecState | None]) -> list[ExecState | None]:
    """Return the exec states of one task's operators, without those that an earlier try has left."""
    tries = [state.part.try_number for state in states if state is not None and state.part is not None]
    return [
        None
        if state is not None and state.part is not None and state.part.try_number != max(tries)
        else state
        for state in states
    ]


def _ended(operator: Operator, task: TaskInfo, state: ExecState | None) -> OperatorRun:
    """Return the part of an operator that left an exec state; for it, the task has ended."""
    assert state is not None
    assert state.part is not None
    part = state.part
    # Airflow has the last word where the task was marked as succeeded by hand.
    over = "success" if task.state == _BY_HAND else _word(state)
    own = replace(
        task,
        state=over,
        started_at=part.started_at,
        ended_at=part.ended_at,
        duration=(part.ended_at - part.started_at).total_seconds(),
    )
    return operator_run(operator, own, state)


def _ended_all(state: ExecState | None) -> bool:
    """Check whether the task was ended from outside while it ran this one."""
    from aqueduct_provider.state.exec_state import Status

    return state is not None and state.status is Status.CANCELED


def _word(state: ExecState) -> str:
    """Return the state of a task that had run this operator only."""
    from aqueduct_provider.state.exec_state import FailureType, Status

    passed = state.status is Status.SUCCEEDED or state.failure_type is FailureType.USER_NON_FATAL
    return "success" if passed else "failed"


def _without(operator: Operator, task: TaskInfo, *, is_next: bool) -> OperatorRun:
    if task.state in _AT_WORK and not is_next:
        return _unseen(operator, task, ExecutionStatus.PENDING)
    if task.state == "failed" and not is_next:
        return _unseen(operator, task, ExecutionStatus.CANCELED, _CUT_SHORT)
    if task.state == "up_for_retry":
        return _unseen(operator, task, ExecutionStatus.PENDING, _AGAIN)
    return _unseen(operator, task, None)


def _unseen(operator: Operator, task: TaskInfo, status: ExecutionStatus | None, tip: str = "") -> OperatorRun:
    """Return the part of an operator of which only the task is known; the task's times are not its own."""
    run = operator_run(operator, replace(task, started_at=None, ended_at=None, duration=None), None)
    return run if status is None else replace(run, status=status, tip=tip)

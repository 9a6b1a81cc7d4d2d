"""Task states and exec states: what they make together."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from aqueduct_provider.sdk.airflow_api.api_models import TaskInfo
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import (
    OperatorRun,
    labels,
    leaves_outcome,
    operator_run,
    run_status,
    status_without_airflow,
    task_status,
)
from aqueduct_provider.spec.models import ParamOperator
from aqueduct_provider.state.exec_state import ExecState, FailureType, Status

OPERATOR = ParamOperator(id="o", task_id="t", name="o", type="param", parameter="p", outputs=("p",))
GOOD = ExecState(Status.SUCCEEDED, stdout="said")
BAD = ExecState(Status.FAILED, FailureType.USER_FATAL, "It failed.", "Traceback", "out", "err")
WARNED = ExecState(Status.FAILED, FailureType.USER_NON_FATAL, "It did not pass.")
KILLED = ExecState(Status.CANCELED, FailureType.SYSTEM, "It was ended.")
NOW = datetime(2026, 1, 31, tzinfo=timezone.utc)


def task(state: str | None, try_number: int = 1) -> TaskInfo:
    return TaskInfo("t", state, try_number, NOW, NOW, 1.5)


@pytest.mark.parametrize(
    ("airflow", "ours"),
    [("queued", "pending"), ("running", "running"), ("success", "succeeded"), ("failed", "failed")],
)
def test_states_of_runs(airflow: str, ours: str) -> None:
    assert run_status(airflow) == ours
    assert run_status("restarting") is ExecutionStatus.UNKNOWN


@pytest.mark.parametrize(
    ("state", "told", "word"),
    [
        (None, None, "pending"),
        ("scheduled", None, "pending"),
        ("queued", None, "pending"),
        ("running", None, "running"),
        ("deferred", None, "running"),
        ("up_for_retry", BAD, "pending"),
        ("success", GOOD, "succeeded"),
        ("success", None, "succeeded"),
        ("success", WARNED, "warning"),
        ("failed", BAD, "failed"),
        ("failed", KILLED, "failed"),
        ("failed", None, "failed"),
        ("skipped", None, "canceled"),
        ("removed", None, "canceled"),
        ("upstream_failed", None, "canceled"),
        # Of an earlier try:
        ("running", BAD, "running"),
        ("failed", GOOD, "failed"),
        # Marked by hand:
        ("success", BAD, "succeeded"),
    ],
)
def test_what_airflow_and_the_store_make(state: str | None, told: ExecState | None, word: str) -> None:
    assert operator_run(OPERATOR, task(state), told).word == word


@pytest.mark.parametrize(
    ("state", "status"),
    [("success", "succeeded"), ("skipped", "canceled"), ("x", "pending"), (None, "pending")],
)
def test_states_of_tasks(state: str | None, status: str) -> None:
    assert task_status(state).value == status


def test_a_failure_has_all_that_the_exec_state_says() -> None:
    failed = operator_run(OPERATOR, task("failed", 3), BAD)
    assert (failed.name, failed.task_id, failed.kind) == ("o", "t", "param")
    assert (failed.tip, failed.traceback, failed.stdout, failed.stderr) == (
        "It failed.",
        "Traceback",
        "out",
        "err",
    )
    assert (failed.try_number, failed.duration, failed.started_at, failed.ended_at) == (3, 1.5, NOW, NOW)
    assert failed.has_failed


def test_what_was_ended_from_outside_says_so() -> None:
    assert operator_run(OPERATOR, task("failed"), KILLED).tip == "It was ended."


@pytest.mark.parametrize("told", [None, GOOD])
def test_a_failure_without_its_reason_points_to_the_log(told: ExecState | None) -> None:
    failed = operator_run(OPERATOR, task("failed"), told)
    assert failed.tip.startswith(
        "Airflow counts it as failed; it left no reason in the store. Its log has more: "
    )
    assert failed.tip.endswith(f"run.logs({OPERATOR.name!r}), or `aqueduct-airflow logs`.")
    assert failed.stdout == ""


def test_success_that_was_marked_by_hand_has_no_failure() -> None:
    assert operator_run(OPERATOR, task("success"), BAD).tip == ""


def test_tips_of_what_was_not_run() -> None:
    assert "an operator before it failed" in operator_run(OPERATOR, task("upstream_failed"), None).tip
    assert "runs it again" in operator_run(OPERATOR, task("up_for_retry"), BAD).tip


def test_a_warning_counts_as_failed_and_is_called_a_warning() -> None:
    warned = operator_run(OPERATOR, task("success"), WARNED)
    assert (warned.warning, warned.has_failed, warned.tip) == (True, True, "It did not pass.")
    assert warned.status is ExecutionStatus.FAILED


def test_without_airflow_the_exec_state_tells() -> None:
    assert operator_run(OPERATOR, None, GOOD).stdout == "said"
    assert operator_run(OPERATOR, None, None).status is ExecutionStatus.PENDING
    told = operator_run(OPERATOR, None, None, untold=ExecutionStatus.UNKNOWN)
    assert told.status is ExecutionStatus.UNKNOWN


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([GOOD, GOOD], "succeeded"),
        ([GOOD, WARNED], "succeeded"),
        ([GOOD, None], "unknown"),
        ([GOOD, BAD, None], "failed"),
        ([KILLED], "failed"),
    ],
)
def test_a_run_that_airflow_has_forgotten(states: list[ExecState | None], status: str) -> None:
    told = [operator_run(OPERATOR, None, state, untold=ExecutionStatus.UNKNOWN) for state in states]
    assert status_without_airflow(told) == status


def test_only_tasks_that_ran_leave_an_outcome() -> None:
    states = ["success", "failed", "running", "skipped", "upstream_failed", None]
    assert [leaves_outcome(task(state)) for state in states] == [True, True, False, False, False, False]


def test_operators_of_one_name_are_told_apart() -> None:
    operators = [OperatorRun("f", "f", "function"), OperatorRun("f", "f-2", "function")]
    assert labels(operators) == ["f (f)", "f (f-2)"]
    assert labels(operators[:1]) == ["f"]

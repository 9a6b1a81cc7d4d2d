"""Runs whose operators share Airflow tasks: each operator is told for itself."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.sdk.airflow_api.api_models import TaskInfo
from aqueduct_provider.sdk.results.fused_runs import is_settled, operator_runs, part_of_log, state_key
from aqueduct_provider.sdk.results.outcomes import OperatorRun
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.state.exec_state import ExecState, FailureType, Status, TaskPart
from tests.support.deployment import Deployment, features, many, total
from tests.support.example_specs import call_operator, native_document

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
PART = TaskPart(1, AT, AT + timedelta(seconds=2))
GOOD = ExecState(Status.SUCCEEDED, stdout="said", part=PART)
BAD = ExecState(Status.FAILED, FailureType.USER_FATAL, "It is broken.", part=PART)
WARNED = ExecState(Status.FAILED, FailureType.USER_NON_FATAL, "Not passed.", part=PART)
KILLED = ExecState(Status.CANCELED, None, "It was ended.", part=PART)


@pytest.fixture(scope="module")
def spec() -> WorkflowSpec:
    """``a`` -> ``b`` -> ``c``, and ``d`` after ``a``: all in the task ``g``, which ``alone`` follows."""
    operators = [
        call_operator("a", inputs=[], fuse="g"),
        call_operator("b", inputs=["a"], fuse="g"),
        call_operator("c", inputs=["b"], fuse="g"),
        call_operator("d", inputs=["a"], fuse="g"),
        call_operator("alone", inputs=["d"]),
    ]
    artifacts = [{"id": f"{one['task_id']}-value", "name": one["task_id"]} for one in operators]
    document = native_document(operators=operators, artifacts=artifacts, parameters=[])
    return parse(json.dumps(document).encode(), "churn.json")


def task(state: str | None, try_number: int = 1, task_id: str = "g") -> TaskInfo:
    return TaskInfo(task_id, state, try_number, AT, AT + timedelta(seconds=60), 60.0)


def runs_of(spec: WorkflowSpec, state: str | None, *left: ExecState | None, **more: Any) -> list[OperatorRun]:
    tasks = {"g": task(state, **more)} if state else {}
    states = dict(zip([one.id for one in spec.operators], [*left, *[None] * 5], strict=False))
    return operator_runs(spec, tasks, states, untold=aq.ExecutionStatus.PENDING)


def words(spec: WorkflowSpec, state: str | None, *left: ExecState | None, **more: Any) -> list[str]:
    return [one.word for one in runs_of(spec, state, *left, **more)[:4]]


DONE, FAILED, NOT_RUN, AT_WORK, WAITS = "succeeded", "failed", "canceled", "running", "pending"


@pytest.mark.parametrize(
    ("state", "left", "expected"),
    [
        ("queued", (), [WAITS] * 4),
        ("running", (), [AT_WORK, WAITS, WAITS, WAITS]),
        ("running", (GOOD, GOOD), [DONE, DONE, AT_WORK, WAITS]),
        ("running", (GOOD, BAD), [DONE, FAILED, NOT_RUN, AT_WORK]),
        ("running", (BAD,), [FAILED, NOT_RUN, NOT_RUN, NOT_RUN]),
        ("success", (GOOD, GOOD, WARNED, GOOD), [DONE, DONE, "warning", DONE]),
        ("failed", (GOOD, BAD, None, GOOD), [DONE, FAILED, NOT_RUN, DONE]),
        ("failed", (GOOD, KILLED), [DONE, FAILED, NOT_RUN, NOT_RUN]),
        # The worker was lost while b ran.
        ("failed", (GOOD,), [DONE, FAILED, NOT_RUN, NOT_RUN]),
        ("up_for_retry", (), [WAITS] * 4),
        ("upstream_failed", (), [NOT_RUN] * 4),
        # Marked by hand.
        ("success", (GOOD, BAD), [DONE, DONE, DONE, DONE]),
    ],
)
def test_operators_of_one_task(
    spec: WorkflowSpec, state: str, left: tuple[ExecState | None, ...], expected: list[str]
) -> None:
    assert words(spec, state, *left) == expected


def test_what_an_earlier_try_left_tells_nothing_of_this_one(spec: WorkflowSpec) -> None:
    again = replace(GOOD, part=replace(PART, try_number=2))
    assert words(spec, "running", again, GOOD, BAD, try_number=2) == [DONE, AT_WORK, WAITS, WAITS]
    assert words(spec, "queued", GOOD, BAD, try_number=2) == [WAITS] * 4
    assert words(spec, "failed", again, GOOD, BAD, GOOD, try_number=2) == [DONE, FAILED, NOT_RUN, NOT_RUN]


def test_times_are_the_operators_own(spec: WorkflowSpec) -> None:
    done, at_work, *_ = runs_of(spec, "running", GOOD)
    assert (done.started_at, done.ended_at, done.duration) == (AT, AT + timedelta(seconds=2), 2.0)
    assert (at_work.started_at, at_work.duration, at_work.try_number) == (None, None, 1)


def test_reasons(spec: WorkflowSpec) -> None:
    _, bad, blocked, done, _ = runs_of(spec, "failed", GOOD, BAD, None, GOOD)
    assert (bad.tip, done.stdout) == ("It is broken.", "said")
    assert blocked.tip == "It was not run, for an operator before it failed."
    *_, lost, cut, late, _ = runs_of(spec, "failed", GOOD)
    assert "left no reason" in lost.tip
    assert cut.tip == "It was not run, for an operator before it failed."
    assert late.tip == "It was not run, for its Airflow task had ended before."
    assert "runs it again, with all of its operators" in runs_of(spec, "up_for_retry")[0].tip


def test_where_airflow_has_forgotten_the_run_the_last_try_counts(spec: WorkflowSpec) -> None:
    again = replace(BAD, part=replace(PART, try_number=2))
    assert words(spec, None, GOOD, again) == [WAITS, FAILED, WAITS, WAITS]
    assert words(spec, None, GOOD, GOOD, GOOD, GOOD) == [DONE] * 4


def test_an_operator_that_is_alone_is_told_as_ever(spec: WorkflowSpec) -> None:
    states = {spec.operators[4].id: replace(GOOD, part=None)}
    tasks = {"alone": task("success", task_id="alone")}
    *_, alone = operator_runs(spec, tasks, states, untold=aq.ExecutionStatus.PENDING)
    assert (alone.word, alone.stdout, alone.duration) == (DONE, "said", 60.0)


def test_what_was_read_is_read_again_until_it_counts(spec: WorkflowSpec) -> None:
    fused, alone = spec.operators[0], spec.operators[4]
    running, later = task("running"), replace(task("running"), duration=61.0)
    assert state_key(fused, running) == state_key(fused, later) != state_key(fused, task("success"))
    assert [is_settled(fused, running, left) for left in (None, GOOD)] == [False, True]
    assert not is_settled(fused, task("running", 2), GOOD)
    assert is_settled(fused, task("failed"), None)
    assert is_settled(alone, task("success", task_id="alone"), None)


def test_a_part_of_the_log(spec: WorkflowSpec) -> None:
    text = "head\n::group::a\nof a\n::endgroup::\n::group::b\nof b\n::endgroup::"
    a, b, c, _, alone = spec.operators
    assert [part_of_log(text, one, spec) for one in (a, b, c)] == ["of a", "of b", ""]
    assert part_of_log(text, alone, spec) == text
    assert part_of_log("no credentials", a, spec) == "no credentials"


# --- a real run


@pytest.fixture
def run(made: Deployment) -> aq.Run:
    made.publish(fuse=True)
    return made.run(rows=-1)


def test_a_run_of_one_task(made: Deployment) -> None:
    made.publish(fuse=True)
    run = made.run(rows=4)
    assert list(made.fake.dags["churn"].runs[run.run_id].tasks) == ["flow"]
    assert run.status() is aq.ExecutionStatus.SUCCEEDED
    assert [one.word for one in run.operators()] == ["succeeded"] * 4
    assert run.artifact("total").get() == 6
    assert run.logs("features").endswith("4 rows are made")
    assert "rows are made" not in run.logs("total")
    assert run.parameters() == {"rows": 4}


def test_a_failure_in_it(made: Deployment, run: aq.Run) -> None:
    rows, table, number, check = run.operators()
    assert [one.word for one in (rows, table, number, check)] == [DONE, FAILED, NOT_RUN, NOT_RUN]
    assert table.traceback.endswith("ValueError: rows must not be negative\n")
    assert run.status() is aq.ExecutionStatus.FAILED
    with pytest.raises(
        aq.NotFound, match=r"operator 'total' of run .* is canceled\. It was not run, for an op"
    ):
        run.artifact("total").get()
    assert "Not run: 'features' did not succeed." in run.logs("total")

    made.fake.dags["churn"].runs[run.run_id].conf["rows"] = 4
    made.fake.set_state("churn", run.run_id, None, "flow")
    made.work(run.run_id)
    assert [one.word for one in run.operators()] == [DONE] * 4
    assert run.operators()[1].try_number == 2


def test_a_part_of_a_flow_in_one_task(made: Deployment) -> None:
    table = features(made.client.create_param("rows", 4))
    number = aq.metric(total.__wrapped__, requirements=["pandas"], fuse="end")
    made.publish(artifacts=[many(number(table))])
    run = made.run()
    assert [one.word for one in run.operators()] == [DONE] * 4

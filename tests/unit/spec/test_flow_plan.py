"""The Airflow tasks of a flow: what each runs, waits for and updates."""

from __future__ import annotations

from aqueduct_provider.spec.flow_plan import flow_plan
from aqueduct_provider.spec.graph import upstream
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import operator
from tests.unit.spec.test_task_groups import groups_of, op, spec_of


def upstream_of(spec: WorkflowSpec) -> dict[str, tuple[str, ...]]:
    return {task: plan.upstream for task, plan in flow_plan(spec).tasks.items()}


def test_without_groups_each_operator_is_a_task() -> None:
    spec = spec_of(op("a"), op("b", "a"))
    assert groups_of(spec) == {"a": ["a"], "b": ["b"]}
    assert upstream_of(spec) == upstream(spec)


def test_a_group_is_one_task_whose_operators_come_after_what_they_read() -> None:
    spec = spec_of(
        op("c", "b", fuse="g"),
        op("before"),
        op("a", "before", fuse="g"),
        op("b", "a", fuse="g"),
        op("d", "b"),
    )
    assert groups_of(spec) == {"g": ["a", "b", "c"], "before": ["before"], "d": ["d"]}
    assert upstream_of(spec) == {"g": ("before",), "before": (), "d": ("g",)}


def test_after_counts_as_an_edge() -> None:
    spec = spec_of(op("a", fuse="g"), op("b", fuse="g", after=["a"]), op("c", after=["b"]))
    assert upstream_of(spec) == {"g": (), "c": ("g",)}


def test_the_first_and_the_last_tasks() -> None:
    plan = flow_plan(
        spec_of(op("a", fuse="g"), op("b", "a", fuse="g"), op("c"), op("d", "b", "c"), op("e", "b"))
    )
    assert (plan.first, plan.last) == (["g", "c"], ["d", "e"])


def test_what_a_task_writes_is_named_once() -> None:
    target = {"connector": "Postgres", "connection_id": "wh", "table": "orders"}
    loads = [
        operator(f"save{number}", "load", inputs=["a"], outputs=[], fuse="g", target=target)
        for number in (1, 2)
    ]
    spec = spec_of(op("a", fuse="g"), *loads, op("b"))
    assert [plan.outlets for plan in flow_plan(spec).tasks.values()] == [("aqueduct-data://wh/orders",), ()]

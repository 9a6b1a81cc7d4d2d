"""Which Airflow task runs which operators, and groups that cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.spec import task_groups
from aqueduct_provider.spec.flow_plan import flow_plan
from aqueduct_provider.spec.loader import native_path, parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import Document, call_operator, native_document, operator


def document(*operators: Document) -> Document:
    outputs = [output for operator in operators for output in operator["outputs"]]
    artifacts = [{"id": output, "name": output, "type": "table"} for output in outputs]
    return native_document(operators=list(operators), artifacts=artifacts, parameters=[])


def op(name: str, *inputs: str, **fields: Any) -> Document:
    return call_operator(name, inputs=list(inputs), **fields)


def spec_of(*operators: Document) -> WorkflowSpec:
    return parse(json.dumps(document(*operators)).encode(), "churn.json")


def problems_of(*operators: Document) -> dict[str, str]:
    spec = WorkflowSpec.model_validate_json(json.dumps(document(*operators)))
    return {problem.path: problem.message for problem in task_groups.check(spec, native_path)}


def groups_of(spec: WorkflowSpec) -> dict[str, list[str]]:
    return {task: [one.task_id for one in plan.operators] for task, plan in flow_plan(spec).tasks.items()}


def test_a_group_may_be_called_after_one_of_its_own() -> None:
    assert problems_of(op("a", fuse="a"), op("b", "a", fuse="a")) == {}


@pytest.mark.parametrize("other", [op("taken"), op("taken", fuse="h")])
def test_a_group_may_not_be_called_after_another_operator(other: Document) -> None:
    assert problems_of(op("a", fuse="taken"), other, op("b", fuse="taken")) == {
        "$.operators[0].fuse": "'taken' is the task id of an operator outside of this group, "
        "$.operators[1].task_id; rename one"
    }


def test_one_task_is_in_one_pool() -> None:
    assert problems_of(op("a", fuse="g", pool="p"), op("b", fuse="g", pool="p"), op("c", fuse="g")) == {
        "$.operators[2].pool": "'g' runs as one Airflow task, in one pool, and $.operators[0].pool says "
        "another; give all of its operators the same pool, or none"
    }


def test_what_runs_in_the_middle_of_a_group_is_named() -> None:
    problems = problems_of(
        op("a", fuse="g"), op("x", "a"), op("y", "x"), op("z", "y", fuse="g"), op("free"), op("last", "z")
    )
    assert problems == {
        "$.operators[0].fuse": "'g' cannot run as one task: some of its operators run before, and some "
        "after, 'x', 'y'; give these \"fuse\": \"g\" too, or take operators out of the group"
    }


def test_two_groups_may_not_wait_for_each_other() -> None:
    operators = [op("a", fuse="g"), op("b", fuse="h"), op("c", "a", fuse="h"), op("d", "b", fuse="g")]
    (message,) = problems_of(*operators).values()
    assert message.startswith(
        "'g' cannot run as one task: some of its operators run before, and some after, 'b', 'c'"
    )


def test_every_group_that_cannot_be_is_told() -> None:
    operators = [
        op(f"{name}{g}", *([f"{before}{g}"] if before else []), **({"fuse": f"g{g}"} if name != "x" else {}))
        for g in (1, 2)
        for name, before in (("a", ""), ("x", "a"), ("z", "x"))
    ]
    assert list(problems_of(*operators)) == ["$.operators[0].fuse", "$.operators[3].fuse"]


def test_a_cycle_without_groups_is_the_graphs_to_tell() -> None:
    operators = [op("a", "b", fuse="g"), op("b", "a"), op("c", fuse="g")]
    assert problems_of(*operators) == {}
    with pytest.raises(SpecError, match="wait for each other"):
        spec_of(*operators)


def test_the_loader_asks() -> None:
    with pytest.raises(SpecError, match=r"\$\.operators\[0\]\.fuse: 'g' cannot run as one task"):
        spec_of(op("a", fuse="g"), op("x", "a"), op("z", "x", fuse="g"))


def load(*inputs: str, mode: str = "append", **fields: Any) -> Document:
    target = {"connector": "SQLite", "connection_id": "c", "table": "t", "update_mode": mode}
    fields = {"target": target, "fuse": "g", **fields}
    return operator("save", "load", inputs=list(inputs), outputs=[], **fields)


MONGODB = {"connector": "MongoDB", "connection_id": "c", "collection": "t", "update_mode": "append"}
S3 = {"connector": "S3", "filepath": "t.csv", "format": "CSV"}


@pytest.mark.parametrize(
    "save", [load("a"), load("a", mode="fail"), load("a", target=MONGODB)], ids=["append", "fail", "mongodb"]
)
def test_a_load_that_must_not_write_twice_has_its_own_task(save: Document) -> None:
    spec = spec_of(op("a", fuse="g"), op("b", "a", fuse="g"), save)
    assert groups_of(spec) == {"g": ["a", "b"], "save": ["save"]}
    assert flow_plan(spec).tasks["save"].upstream == ("g",)


@pytest.mark.parametrize("save", [load("a", mode="replace"), load("a", target=S3)], ids=["table", "file"])
def test_a_load_that_replaces_stays_in_its_group(save: Document) -> None:
    assert groups_of(spec_of(op("a", fuse="g"), save)) == {"g": ["a", "save"]}


def test_a_load_of_what_another_task_made_stays_in_its_group() -> None:
    spec = spec_of(op("a"), op("b", fuse="g"), load("a"))
    assert groups_of(spec) == {"a": ["a"], "g": ["b", "save"]}


def test_a_group_around_such_a_load_is_refused() -> None:
    assert problems_of(op("a", fuse="g"), load("a"), op("z", fuse="g", after=["save"])) == {
        "$.operators[0].fuse": "'g' cannot run as one task: some of its operators run before, and some "
        "after, 'save'; take operators out of the group: 'save' cannot share a task with what makes its data"
    }


def test_a_group_named_after_such_a_load_is_refused() -> None:
    problems = problems_of(op("a", fuse="save"), load("a", fuse="save"))
    assert "'save' is the task id of an operator outside of this group" in problems["$.operators[0].fuse"]

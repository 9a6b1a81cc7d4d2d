from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from aqueduct_provider.artifacts.manifest import ArtifactRef, GroupManifest, Manifest
from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.operators.xcom import VERSION_KEY, inputs_of, run_task
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import call_operator, native_document


class TaskInstance:
    """XCom, and what was asked of it."""

    def __init__(self) -> None:
        self.xcom: dict[tuple[str, str], Any] = {}
        self.asked: list[str] = []

    def xcom_pull(self, task_ids: str, key: str = "return_value") -> Any:
        self.asked.append(task_ids)
        return self.xcom.get((task_ids, key))

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom["me", key] = value


def context(ti: TaskInstance, **run: Any) -> dict[str, Any]:
    return {"ti": ti, "run_id": "run", "dag_run": SimpleNamespace(**run)}


def manifest(name: str) -> Manifest:
    ref = ArtifactRef(name, "0" * 64, 1, f"{name}-metadata", "1" * 64, "string", "string")
    return Manifest("succeeded", {name: ref})


def spec(*operators: dict[str, Any]) -> WorkflowSpec:
    names = [output for operator in operators for output in operator["outputs"]]
    artifacts = [{"id": name, "name": name} for name in names]
    document = native_document(parameters=[], artifacts=artifacts, operators=list(operators))
    return parse(json.dumps(document).encode(), "spec")


def test_what_a_task_left_is_asked_for_once() -> None:
    ti = TaskInstance()
    ti.xcom["first", "return_value"] = 1
    task = run_task("me", context(ti, clear_number=2))
    assert (task.task_id, task.run_id, task.attempt) == ("me", "run", 2)
    assert [task.left("first"), task.left("first"), task.left("other")] == [1, 1, None]
    assert ti.asked == ["first", "other"]


def test_tasks_that_succeeded_are_those_of_this_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ti, asked = TaskInstance(), list[Any]()

    def succeeded(*question: Any) -> set[str]:
        asked.append(question)
        return {"first"}

    monkeypatch.setattr("aqueduct_provider.operators.xcom.succeeded_tasks", succeeded)
    assert run_task("me", context(ti)).succeeded(["first", "other"]) == {"first"}
    assert asked == [(ti, "run", ["first", "other"])]


def test_versions_are_told_under_a_key_of_their_own_and_asked_for_each_time() -> None:
    ti = TaskInstance()
    task = run_task("me", context(ti))
    assert task.attempt == 0
    assert task.reported("me") is None
    task.report({"spec": "x"})
    assert task.reported("me") == {"spec": "x"}
    assert ti.xcom == {("me", VERSION_KEY): {"spec": "x"}}


def test_inputs_of_lone_and_of_fused_tasks() -> None:
    workflow = spec(
        call_operator("alone", inputs=[]),
        call_operator("one", inputs=[], fuse="group"),
        call_operator("two", inputs=["one"], fuse="group"),
        call_operator("last", inputs=["alone", "two"]),
    )
    makers = {operator.task_id: operator for operator in workflow.operators}
    outputs = {task_id: operator.outputs[0] for task_id, operator in makers.items()}
    ti = TaskInstance()
    ti.xcom["alone", "return_value"] = manifest(outputs["alone"]).to_xcom()
    group = GroupManifest({name: manifest(outputs[name]) for name in ("one", "two")})
    ti.xcom["group", "return_value"] = group.to_xcom()
    found = inputs_of(workflow, [makers["last"]], run_task("last", context(ti)))
    assert {name: ref.key for name, ref in found.items()} == {
        outputs["alone"]: outputs["alone"],
        outputs["two"]: outputs["two"],
    }
    assert inputs_of(workflow, [makers["one"], makers["two"]], run_task("group", context(ti))) == {}


def test_a_task_that_left_nothing() -> None:
    workflow = spec(call_operator("first", inputs=[]), call_operator("last", inputs=["first"]))
    with pytest.raises(IntegrityError, match="Clear task 'first'"):
        inputs_of(workflow, [workflow.operators[1]], run_task("last", context(TaskInstance())))

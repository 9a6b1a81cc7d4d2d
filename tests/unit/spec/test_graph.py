"""The graph: what is wrong with it, its edges and its order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider.spec import graph
from aqueduct_provider.spec.loader import native_path
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import call_operator, native_document, operator

Edit = Callable[[Any], Any]


def spec_of(document: Any) -> WorkflowSpec:
    return WorkflowSpec.model_validate_json(json.dumps(document))


def problems_of(edit: Edit) -> list[tuple[str, str]]:
    document = native_document()
    edit(document)
    return [(problem.path, problem.message) for problem in graph.check(spec_of(document), native_path)]


def in_operator(index: int, **fields: Any) -> Edit:
    return lambda document: document["operators"][index].update(fields)


def load(**fields: Any) -> Any:
    target = {"connector": "S3", "filepath": "out.csv", "format": "CSV"}
    return {**operator("save", "load", target=target), "outputs": [], **fields}


def add(collection: str, item: Any) -> Edit:
    return lambda document: document[collection].append(item)


PARAMETER = {"name": "threshold", "type": "numeric", "default": {"value": 1}}


@pytest.mark.parametrize(
    ("edit", "path", "message"),
    [
        (in_operator(1, id="threshold-operator"), "$.operators[1].id", "already taken by $.operators[0].id"),
        (in_operator(6, task_id="train"), "$.operators[6].task_id", "'train' is already taken by"),
        (
            add("artifacts", {"id": "train-value", "name": "x"}),
            "$.artifacts[7].id",
            "already taken by $.artifacts[2].id",
        ),
        (add("parameters", PARAMETER), "$.parameters[1].name", "already taken by $.parameters[0].name"),
        (add("artifacts", {"id": "unused", "name": "x"}), None, ""),
        (
            in_operator(2, outputs=["features-value"]),
            "$.operators[2].outputs[0]",
            "already produced at $.operators[1].outputs[0]",
        ),
        (
            in_operator(1, outputs=["features-value", "features-value"]),
            "$.operators[1].outputs[1]",
            "already produced at $.operators[1].outputs[0]",
        ),
        (
            in_operator(2, outputs=["train-value", "new"]),
            "$.operators[2].outputs[1]",
            "declare it in $.artifacts",
        ),
        (
            in_operator(3, inputs=["train-value", "train-valeu"]),
            "$.operators[3].inputs[1]",
            "no task produces the artifact 'train-valeu' that task 'accuracy' reads",
        ),
        (in_operator(3, inputs=["train-value", "train-value"]), None, ""),
        (in_operator(3, after=["trian"]), "$.operators[3].after[0]", "did you mean 'train'?"),
        (in_operator(3, after=["zzz"]), "$.operators[3].after[0]", "name a task id of this spec"),
        (in_operator(0, parameter="treshold"), "$.operators[0].parameter", "did you mean 'threshold'?"),
        (in_operator(0, parameter="zzz"), "$.operators[0].parameter", "declare it in $.parameters"),
        (add("parameters", {**PARAMETER, "name": "b"}), "$.parameters[1]", "no param operator reads it"),
        (
            lambda document: document["artifacts"][0].update(type="table"),
            "$.artifacts[0].type",
            "must be 'numeric'",
        ),
        (lambda document: document["artifacts"][0].update(type="untyped"), None, ""),
        # Arity.
        (
            in_operator(0, inputs=["train-runtime"]),
            "$.operators[0].inputs",
            "has exactly 0 inputs, this one 1",
        ),
        (in_operator(6, inputs=[]), "$.operators[6].inputs", "has exactly 1 input, this one 0"),
        (
            in_operator(6, inputs=["train-value"] * 2),
            "$.operators[6].inputs",
            "has exactly 1 input, this one 2",
        ),
        (in_operator(6, outputs=[]), "$.operators[6].outputs", "has exactly 1 output"),
        (
            in_operator(4, outputs=[]),
            "$.operators[4].outputs",
            "type check has exactly 1 output, this one 0",
        ),
        (in_operator(3, inputs=[]), None, ""),
        (add("operators", load(inputs=["train-value"])), None, ""),
        (add("operators", load()), "$.operators[7].inputs", "has at least 1 input, this one 0"),
        (
            add("operators", load(inputs=["train-value"], outputs=["no_drift-value"])),
            "$.operators[7].outputs",
            "has exactly 0 outputs",
        ),
        # Cycles.
        (
            in_operator(1, inputs=["train-value"]),
            "$.operators[1]",
            "wait for each other: features -> train -> features; remove",
        ),
        (in_operator(2, inputs=["train-value"]), "$.operators[2]", "train -> train"),
        (
            in_operator(0, after=["good_enough"]),
            "$.operators[0]",
            "threshold -> features -> train -> accuracy",
        ),
        (in_operator(2, after=["train"]), "$.operators[2]", "train -> train"),
    ],
)
def test_each_fault_of_the_graph(edit: Edit, path: str | None, message: str) -> None:
    found = dict(problems_of(edit))
    if path is None:
        assert found == {}
    else:
        assert message in found[path]


def test_two_readers_of_one_parameter() -> None:
    second = operator("again", "param", parameter="threshold")

    def edit(document: Any) -> None:
        document["operators"].append(second)
        document["artifacts"].append({"id": "again-value", "name": "again"})

    ((path, message),) = problems_of(edit)
    assert path == "$.operators[7].parameter"
    assert "already read at $.operators[0].parameter" in message


def test_every_cycle_is_reported() -> None:
    def edit(document: Any) -> None:
        document["operators"][1]["after"] = ["train"]
        document["operators"][4]["after"] = ["good_enough"]

    assert [path for path, _ in problems_of(edit)] == ["$.operators[1]", "$.operators[4]"]


def test_upstream_names_data_edges_first_then_after_each_once() -> None:
    document = native_document()
    document["operators"][5]["after"] = ["features", "train_runtime", "threshold"]
    assert graph.upstream(spec_of(document)) == {
        "threshold": (),
        "features": ("threshold",),
        "train": ("features",),
        "accuracy": ("train",),
        "good_enough": ("accuracy",),
        "no_drift": ("features", "train_runtime", "threshold"),
        "train_runtime": ("train",),
    }


def test_order_keeps_that_of_the_spec_where_edges_allow() -> None:
    document = native_document()
    document["operators"].reverse()
    names = ["threshold", "features", "no_drift", "train", "train_runtime", "accuracy", "good_enough"]
    assert graph.order(spec_of(document)) == names


def test_a_thousand_tasks_in_a_row() -> None:
    operators = [call_operator("t0", inputs=[])]
    operators += [call_operator(f"t{number}", inputs=[f"t{number - 1}"]) for number in range(1, 1000)]
    artifacts = [{"id": f"t{number}-value", "name": "x"} for number in range(1000)]
    document = native_document(operators=operators[::-1], artifacts=artifacts, parameters=[])
    spec = spec_of(document)
    assert list(graph.check(spec, native_path)) == []
    assert graph.order(spec) == [f"t{number}" for number in range(1000)]


def test_who_makes_an_artifact() -> None:
    spec = spec_of(native_document())
    assert graph.maker(spec, "train-value") == "train"
    assert graph.maker(spec, "nothing") == ""


def test_consumers_stand_in_the_order_of_the_spec() -> None:
    spec = spec_of(native_document())
    assert [reader.task_id for reader in graph.consumers(spec, "train-value")] == [
        "accuracy",
        "train_runtime",
    ]
    assert graph.consumers(spec, "no_drift-value") == []

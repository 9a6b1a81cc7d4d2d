"""Fused operators as tasks; ``test_dag_factory.py`` has those that are alone."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from aqueduct_provider import config
from aqueduct_provider.factory.dag import dag_of
from aqueduct_provider.factory.dag_schedule import asset_of
from aqueduct_provider.factory.tasks import TIMEOUT_MARGIN
from aqueduct_provider.spec.dag_facts import DagFacts, facts_of
from aqueduct_provider.spec.loader import parse
from tests.support.example_specs import FLOW_ID, native_document


def dag_with(fields: dict[str, dict[str, Any]], **overrides: Any) -> Any:
    """The DAG of the examples' flow, whose operators have these fields, too."""
    document = native_document(**overrides)
    for operator in document["operators"]:
        operator.update(fields.get(operator["task_id"], {}))
    return dag_of(
        parse(json.dumps(document).encode(), "churn.json"), source="churn.json", fileloc="/dags/l.py"
    )


def fused(*task_ids: str, **fields: Any) -> dict[str, dict[str, Any]]:
    return {task_id: {"fuse": "model", **fields} for task_id in task_ids}


def test_a_group_is_one_task() -> None:
    dag = dag_with(fused("train", "accuracy", "good_enough"))
    assert list(dag.task_dict) == [
        "threshold",
        "features",
        "model",
        "no_drift",
        "train_runtime",
        "flow_succeeded",
    ]
    task = dag.task_dict["model"]
    assert [operator.task_id for operator in task.operators] == ["train", "accuracy", "good_enough"]
    assert task.upstream_task_ids == {"features"}
    assert task.downstream_task_ids == {"train_runtime"}


def test_a_flow_in_one_task_announces_its_success_itself() -> None:
    everything = [operator["task_id"] for operator in native_document()["operators"]]
    dag = dag_with(fused(*everything))
    assert list(dag.task_dict) == ["model"]
    assert dag.task_dict["model"].outlets == [asset_of("churn")]


def test_a_group_has_what_its_operators_need() -> None:
    groups = {
        "features": {"fuse": "g", "timeout": 60.0, "retries": 1, "retry_delay": 5, "pool": "p"},
        "train": {"fuse": "g", "timeout": 3600.0, "retries": 3, "retry_delay": 1, "pool": "p"},
        "no_drift": {"fuse": "g", "timeout": 10.0, "pool": "p"},
    }
    task = dag_with(groups).task_dict["g"]
    assert (task.retries, task.retry_delay, task.pool) == (3, timedelta(seconds=5), "p")
    assert task.execution_timeout == timedelta(seconds=3670 + config.s3_patience()) + TIMEOUT_MARGIN


def test_an_operator_without_a_limit_leaves_its_group_without_one() -> None:
    groups = {"features": {"fuse": "g", "timeout": 60.0}, "train": {"fuse": "g", "timeout": None}}
    assert dag_with(groups).task_dict["g"].execution_timeout is None


def test_people_see_what_a_group_runs() -> None:
    groups = fused("train", "accuracy")
    groups["train"] |= {"name": "train <it>", "description": "Fits\na model."}
    task = dag_with(groups).task_dict["model"]
    assert task.task_display_name == "model (2 operators)"
    assert task.doc_md.startswith(
        "Runs 2 operators, one after the other:\n\n"
        "1. train &lt;it> (`train`, function): Fits a model. Reads `features`. Writes `train` (picklable).\n"
        "2. accuracy (`accuracy`, metric): Reads `train`. Writes `accuracy` (numeric).\n"
    )


def test_a_group_of_one() -> None:
    task = dag_with(fused("train")).task_dict["model"]
    assert task.task_display_name == "model (1 operator)"


def test_the_serialized_dag_has_no_code(serialized: Callable[[Any], dict[str, Any]]) -> None:
    (task,) = (
        one["__var"]
        for one in serialized(dag_with(fused("train", "accuracy")))["dag"]["tasks"]
        if one["__var"]["task_id"] == "model"
    )
    assert "operators" not in task
    del task["aqueduct"]
    assert len(json.dumps(task)) < 1500


def test_a_flow_is_known_from_the_serialized_dag(stored: Callable[[Any], Any]) -> None:
    dag = stored(dag_with(fused("train", "accuracy")))
    found = DagFacts.of({task.task_id: getattr(task, "aqueduct", None) for task in dag.tasks})
    assert found == DagFacts.of(facts_of(dag_with(fused("train", "accuracy")).tasks[0].workflow))
    assert found is not None
    assert found.flow.name == "churn"
    assert [one.kind for one in found.tasks["model"]] == ["function", "metric"]


def test_each_kind_has_its_name_and_colour(stored: Callable[[Any], Any]) -> None:
    dag = stored(dag_with(fused("train", "accuracy")))
    assert {task.task_id: task.operator_name for task in dag.tasks} == {
        "threshold": "param",
        "features": "function",
        "model": "fused",
        "good_enough": "check",
        "no_drift": "check",
        "train_runtime": "metric",
        "flow_succeeded": "flow succeeded",
    }
    colours = {task.operator_name: task.ui_color for task in dag.tasks}
    assert len(set(colours.values())) == len(colours)
    assert {task.ui_fgcolor for task in dag.tasks} == {"#000"}
    assert stored(dag_with(fused("train"))).task_dict["model"].operator_name == "function"


def test_each_task_has_a_door_to_its_page(stored: Callable[[Any], Any]) -> None:
    dag = stored(dag_with({}))
    assert {tuple(task.extra_links) for task in dag.tasks} == {("Artifacts",)}


@pytest.mark.parametrize(
    ("owner", "expected"), [("ada", "ada"), ("", "airflow"), ("team\nsales ", "team sales")]
)
def test_the_owner_of_a_flow_is_that_of_its_dag(
    owner: str, expected: str, stored: Callable[[Any], Any]
) -> None:
    dag = stored(dag_with({}, flow={"id": FLOW_ID, "name": "churn", "owner": owner}))
    assert dag.owner == expected
    assert ("UTC by `" in dag.doc_md) == bool(owner)


@pytest.mark.parametrize("fields", [{}, {"train": {"fuse": None}}])
def test_without_groups_nothing_is_different(
    fields: dict[str, dict[str, Any]], serialized: Callable[[Any], dict[str, Any]]
) -> None:
    dag = dag_with(fields)
    assert [task.operators[0].task_id for task in dag.tasks[:7]] == list(dag.task_dict)[:7]
    train = dag.task_dict["train"]
    assert (train.retries, train.retry_delay) == (2, timedelta(seconds=30))
    assert train.execution_timeout == timedelta(seconds=3600 + config.s3_patience()) + TIMEOUT_MARGIN
    assert copy.deepcopy(dag).task_dict["train"].operators == train.operators
    assert _without_digest(serialized(dag)) == _without_digest(serialized(dag_with({})))


def _without_digest(dag: dict[str, Any]) -> str:
    return re.sub(r"[0-9a-f]{64}", "", json.dumps(dag, sort_keys=True))

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from aqueduct_provider.factory.dag import dag_of
from aqueduct_provider.factory.task_retries import retry_options
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests import genuine
from tests.support.example_specs import native_document

OWN = {"retries": 3, "retry_delay": timedelta(seconds=10)}


def spec_with(**fields: dict[str, Any]) -> WorkflowSpec:
    """The flow of the examples, whose operators have only these fields about retries."""
    document = native_document()
    for operator in document["operators"]:
        operator.pop("retries", None)
        operator.pop("retry_delay", None)
        operator.update(fields.get(operator["task_id"], {}))
    return parse(json.dumps(document).encode(), "churn.json")


def tasks_of(spec: WorkflowSpec) -> dict[str, dict[str, Any]]:
    """Task id -> what Airflow's own object of the task says."""
    dag = dag_of(spec, source="churn.json", fileloc="/dags/l.py")
    return {task.task_id: {"retries": task.retries, "retry_delay": task.retry_delay} for task in dag.tasks}


def test_own_tasks_are_tried_again_and_others_as_airflow_says() -> None:
    tasks = tasks_of(spec_with())
    own = {task_id for task_id, retries in tasks.items() if retries == OWN}
    assert own == {"threshold", "train_runtime", "flow_succeeded"}
    others = [retries for retries in tasks.values() if retries != OWN]
    assert others == [{"retries": 0, "retry_delay": timedelta(minutes=5)}] * len(others)


def test_specs_of_the_original_have_no_retries_but_for_own_tasks() -> None:
    document = genuine.document_of("params")
    tasks = tasks_of(parse(json.dumps(document).encode(), "params.json"))
    kinds = {task.airflow_task_id: task.type for task in parse(json.dumps(document).encode(), "x").operators}
    retries = {(kinds.get(task_id, "own"), found["retries"]) for task_id, found in tasks.items()}
    assert retries == {("param", 3), ("function", 0), ("own", 3)}


def test_what_the_author_leaves_open_is_left_to_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TASK_RETRIES", "5")
    spec = spec_with(train={"retries": 0}, features={"retry_delay": 7})
    options = {operator.task_id: retry_options([operator]) for operator in spec.operators}
    assert options["threshold"] == {**OWN, "retries": 5}
    assert options["accuracy"] == {}
    assert options["train"] == {"retries": 0}
    assert options["features"] == {"retry_delay": timedelta(seconds=7)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # The retries of a parameter are not given to the code of users.
        ({"threshold": {}, "features": {}}, {}),
        ({"threshold": {}, "train_runtime": {}}, OWN),
        ({"features": {"retries": 1}, "train": {}}, {"retries": 2}),
        (
            {"features": {"retries": 4, "retry_delay": 60}, "train": {"retries": 0, "retry_delay": 900}},
            {"retries": 4, "retry_delay": timedelta(minutes=1)},
        ),
    ],
)
def test_operators_that_share_a_task(
    fields: dict[str, dict[str, Any]], expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TASK_RETRIES", "2")
    group = [operator for operator in spec_with(**fields).operators if operator.task_id in fields]
    assert retry_options(group) == expected

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.sdk.airflow_api.api_models import RunInfo, TaskInfo
from aqueduct_provider.sdk.results.recorded_runs import RecordedRun, recorded_run
from aqueduct_provider.spec.dag_facts import DagFacts, FlowFacts, OperatorFacts, OutputFacts
from tests.support.flow_rows import manifest

TRAIN = OperatorFacts("train", "train", "function", outputs=(OutputFacts("id", "model", "untyped"),))
AUC = OperatorFacts("auc", "auc", "metric", outputs=(OutputFacts("id", "auc value", "numeric"),))
FACTS = DagFacts(FlowFacts("f", "churn", "native", "new"), {"train": (TRAIN,), "auc": (AUC,)})


def read(left: dict[str, Any], **states: str) -> RecordedRun:
    tasks = {name: TaskInfo(name, state, 1, duration=2.0) for name, state in states.items()}
    return recorded_run(FACTS, RunInfo("r", "success"), tasks, left)


def test_a_run_of_the_known_version() -> None:
    run = read({"auc": manifest(0.5, version="new")}, train="failed", auc="success")
    assert run.version == "new"
    assert [(one.name, one.status, one.seconds) for one in run.operators] == [
        ("train", "failed", 2.0),
        ("auc", "succeeded", 2.0),
    ]
    assert run.artifacts["auc value"].glance == {"value": 0.5}
    assert run.artifacts["model"].ref is None


def test_a_run_of_another_version_is_known_by_what_its_tasks_left() -> None:
    left = {"loss": manifest(0.25, version="old", kind="metric"), "auc": manifest(0.5, version="old")}
    run = read(left, loss="success", auc="success", train="upstream_failed", gone="failed")
    assert run.version == "old"
    assert [(one.name, one.kind, one.status) for one in run.operators] == [
        ("loss", "metric", "succeeded"),
        ("auc", "metric", "succeeded"),
        ("train", "function", "canceled"),
        ("gone", "", "failed"),
    ]
    assert run.makers["x"].name == "auc", "named as it was then"


def test_a_task_of_another_version_that_ran_several_operators() -> None:
    members = {"loss": manifest(0.25, kind="metric", seconds=0.5), "seen": manifest(True, kind="check")}
    value = {"version": 1, "operators": members, "spec": {"sha256": "0", "version": "old"}}
    run = read({"group": value}, group="success")
    assert [(one.name, one.airflow_task_id, one.seconds) for one in run.operators] == [
        ("loss", "group", 0.5),
        ("seen", "group", None),
    ]


@pytest.mark.parametrize("value", ["text", 7, [], {}, {"artifacts": 1}, {"version": 1, "operators": 3}])
def test_what_is_not_ours_is_left_out(value: Any) -> None:
    run = read({"auc": value}, auc="success")
    assert run.artifacts["auc value"].ref is None


def test_a_secret_has_no_value() -> None:
    found = manifest("hunter2", version="old", kind="param")
    found["artifacts"]["id"]["name"] = "db_password"
    run = read({"db_password": found}, db_password="success")
    artifact = run.artifacts["db_password"]
    assert (dict(artifact.glance), artifact.value) == ({}, "(hidden: its name is that of a secret)")

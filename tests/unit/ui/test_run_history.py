from __future__ import annotations

import math
from typing import Any

import pytest

from aqueduct_provider.ui.run_history import MetricBound, RunHistory, durations, history_of, tasks_of, worst
from tests.support.airflow_rows import AirflowRows
from tests.support.flow_rows import CHURN, add_churn, add_run, attributes, manifest, operator_json


def history(rows: AirflowRows, dag_id: str = "churn") -> RunHistory:
    database = rows.database
    facts, runs = database.facts([dag_id])[dag_id], database.runs(dag_id, 50)
    ids = [run.run_id for run in runs]
    return history_of(facts, runs, database.manifests(dag_id, ids), database.task_times(dag_id, ids))


def test_metrics_and_checks_over_runs(rows: AirflowRows) -> None:
    add_churn(rows)
    add_run(rows, 0.5)
    add_run(rows, 0.75, good="warning")
    found = history(rows)
    assert [run.run_id for run in found.runs] == ["run-1", "run-2"]
    (auc,) = found.metrics
    assert (auc.name, auc.values, auc.last) == ("auc", [0.5, 0.75], 0.75)
    assert auc.bounds == [MetricBound("greater than", 0.5)]
    assert [(strip.name, strip.outcomes) for strip in found.checks] == [
        ("good", ["passed", "warning"]),
        ("greater than 0.5", ["passed", "passed"]),
    ]
    assert found.newest_checks == "warning"
    assert tasks_of(rows.database.facts(["churn"])["churn"]) == ["auc", "good", "greater_than_0.5"]


def test_a_check_that_failed_or_did_not_run(rows: AirflowRows) -> None:
    add_churn(rows)
    run_id = rows.run("churn", state="failed")
    rows.task("churn", run_id, "good", manifest(False, "failed"), key="aqueduct_left", state="failed")
    rows.task("churn", run_id, "greater_than_0.5", state="upstream_failed")
    run_id = rows.run("churn", state="running")
    rows.task("churn", run_id, "good", state="failed")
    rows.task("churn", run_id, "greater_than_0.5", state="running")
    rows.run("churn", state="queued")
    found = history(rows)
    assert [strip.outcomes for strip in found.checks] == [
        ["failed", "failed", "not run"],
        ["not run", "running", "not run"],
    ]
    # That of the newest run that ran any.
    assert found.newest_checks == "failed"
    assert found.metrics[0].last is None


@pytest.mark.parametrize(
    "value", [True, "text", None, [1], "NaN", "infinity", 10**400, {"version": 1, "operators": 3}]
)
def test_what_is_not_a_number_is_a_gap(rows: AirflowRows, value: Any) -> None:
    add_churn(rows)
    rows.task("churn", rows.run("churn"), "auc", manifest(value))
    assert history(rows).metrics[0].values == [None]


def test_numbers_that_json_has_not(rows: AirflowRows) -> None:
    add_churn(rows)
    # As tasks write them; and a run that has no value.
    for word in ("nan", "inf", "-inf", None):
        rows.task("churn", rows.run("churn"), "auc", manifest(word))
    (auc,) = history(rows).metrics
    assert list(map(str, auc.values)) == ["nan", "inf", "-inf", "None"]
    assert auc.last == -math.inf


@pytest.mark.parametrize(
    "left",
    ["text", 1, [], {}, {"version": 2}, {"version": 1}, {"version": 1, "operators": {}}, {"artifacts": 1}],
)
def test_an_xcom_that_is_not_ours_is_a_gap(rows: AirflowRows, left: Any) -> None:
    add_churn(rows)
    rows.task("churn", rows.run("churn"), "auc", left)
    assert history(rows).metrics[0].values == [None]


def test_an_operator_of_a_task_that_runs_several(rows: AirflowRows) -> None:
    found = attributes(CHURN[:1])
    found["group"] = {"operators": list(CHURN[1:])}
    rows.dag("churn", found)
    run_id = rows.run("churn")
    members = {"auc": manifest(0.5, seconds=1.5), "good": manifest(True, seconds=0.5)}
    rows.task("churn", run_id, "group", {"version": 1, "operators": members}, seconds=3)
    shown = history(rows)
    assert shown.metrics[0].values == [0.5]
    assert [strip.outcomes for strip in shown.checks] == [["passed"], ["not run"]]
    database = rows.database
    facts, left = database.facts(["churn"])["churn"], database.manifests("churn", [run_id])
    slow = durations(facts, database.task_times("churn", [run_id]), left)
    assert [(one.name, one.median) for one in slow] == [("auc", 1.5), ("good", 0.5)]


def test_a_metric_has_the_name_of_its_output(rows: AirflowRows) -> None:
    third = operator_json("m_third", "metric", outputs=[{"id": "third", "name": "third", "type": "numeric"}])
    small = operator_json("small", "check", "boolean", inputs=["third", "auc artifact", "train artifact"])
    rows.dag("churn", attributes([*CHURN[:2], third, small]))
    found = history(rows)
    assert [one.name for one in found.metrics] == ["auc", "third"]
    # What a check is of goes by the same names.
    assert found.checks[0].inputs == ["third", "auc", "train artifact"]


def test_versions_change_where_another_one_is_first(rows: AirflowRows) -> None:
    add_churn(rows)
    for version in ("v1", "v1", "v2"):
        add_run(rows, 1, version=version)
    rows.run("churn", state="failed")
    add_run(rows, 1, version="v3")
    found = history(rows)
    assert found.versions == ["v1", "v1", "v2", "", "v3"]
    assert found.version_changes == [2, 4]


def test_durations(rows: AirflowRows) -> None:
    add_churn(rows)
    ids = [add_run(rows, 1) for _ in range(3)]
    rows.task("churn", rows.run("churn"), "train", state="failed", seconds=500)
    database = rows.database
    slow = durations(database.facts(["churn"])["churn"], database.task_times("churn", ids), {})
    assert [(one.name, one.kind, one.median, one.count) for one in slow][:2] == [
        ("train", "function", 30.0, 3),
        ("auc", "metric", 2.0, 3),
    ]


@pytest.mark.parametrize(
    "check",
    [
        operator_json("greater than x", "check", inputs=["auc artifact"]),
        operator_json("greater than inf", "check", inputs=["auc artifact"]),
        operator_json("greater than 1", "check", inputs=["auc artifact", "other"]),
        operator_json("greater than 1 or so", "check", inputs=["auc artifact"]),
        operator_json("greater than 1", "function", inputs=["auc artifact"]),
    ],
)
def test_a_check_of_another_name_is_not_a_bound(rows: AirflowRows, check: dict[str, Any]) -> None:
    rows.dag("churn", attributes([CHURN[1], check]))
    assert history(rows).metrics[0].bounds == ()


def test_the_worst_outcome() -> None:
    assert worst(["passed", "warning", "not run"]) == "warning"
    assert worst(["passed", "failed", "running"]) == "failed"
    assert worst(["not run"]) is None
    assert worst([]) is None

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from aqueduct_provider.errors import NotFound
from aqueduct_provider.spec.dag_facts import DagFacts
from aqueduct_provider.storage.layout import NativeLayout
from aqueduct_provider.ui.request_reads import RequestReads
from aqueduct_provider.ui.shown_run import ShownRun, read_run, written
from tests.support.airflow_rows import AirflowRows
from tests.support.example_specs import FLOW_ID
from tests.support.flow_rows import add_churn, manifest
from tests.support.played_runs import DAG, Played


def facts_of(rows: AirflowRows) -> DagFacts:
    facts: DagFacts = rows.database.facts([DAG])[DAG]
    return facts


def outcomes(run: ShownRun) -> dict[str, str]:
    return {one.name: one.outcome for one in run.operators}


def test_a_run_with_its_store(rows: AirflowRows, played: Played) -> None:
    played.write(rows)
    run = read_run(rows.database, DAG, played.run_id, facts_of(rows), RequestReads())
    assert run.problem == ""
    assert outcomes(run) == {
        **dict.fromkeys(played.states, "succeeded"),
        "enough": "warning",
        "broken": "failed",
    }
    failed = run.operators[-1].run
    assert (failed.name, failed.stdout) == ("broken", "before \ufffd")
    assert failed.traceback.endswith("ValueError: <b>no</b>\n")
    assert (run.artifacts["accuracy"].value, run.artifacts["rows"].value) == ("0.375", "3")
    assert run.artifacts["wines"].summary.startswith("table, 3 rows x 2 columns, ")
    assert run.artifacts["api_password"].value.startswith("(hidden")
    # What succeeded is not read, but where it is asked for.
    assert run.makers["wines"].run.stdout == ""
    whole = read_run(rows.database, DAG, played.run_id, facts_of(rows), RequestReads(), whole=["wines"])
    assert whole.makers["wines"].run.stdout == "making rows\n"


def test_a_forged_exec_state_of_a_check(rows: AirflowRows, played: Played) -> None:
    played.write(rows)
    operator = next(one for one in played.spec.operators if one.name == "enough")
    from aqueduct_provider.storage.layout import NativeLayout

    key = NativeLayout(str(played.spec.flow.id), played.run_id).exec_state(operator.id)
    data = played.store.get(key)
    forged = {"user_logs": {"stdout": "", "stderr": ""}, "status": "succeeded"}
    try:
        played.store.put(key, json.dumps(forged).encode())
        run = read_run(rows.database, DAG, played.run_id, facts_of(rows), RequestReads(), whole=["enough"])
        assert outcomes(run)["enough"] == "warning"
    finally:
        played.store.put(key, data)


def test_a_run_of_another_version(rows: AirflowRows, played: Played) -> None:
    played.write(rows)
    facts = facts_of(rows)
    newer = replace(facts, flow=replace(facts.flow, version="newer", sha256="0" * 64), tasks={})
    run = read_run(rows.database, DAG, played.run_id, newer, RequestReads())
    assert [one.name for one in run.operators] == [one.name for one in played.spec.operators]
    assert (run.version, run.is_other_version) == (str(played.spec.version.id), False)


def test_a_spec_that_was_changed(rows: AirflowRows, played: Played) -> None:
    played.write(rows)
    facts = facts_of(rows)
    run_id = rows.run(DAG)
    left = {**played.left["rows"], "spec": {"sha256": "0" * 64, "version": facts.flow.version}}
    rows.task(DAG, run_id, "rows", left)
    run = read_run(rows.database, DAG, run_id, facts, RequestReads())
    assert "was changed after the run" in run.problem
    assert outcomes(run)["rows"] == "succeeded"


def test_a_run_without_its_store(rows: AirflowRows) -> None:
    add_churn(rows)
    run_id = rows.run(DAG, state="failed")
    rows.task(DAG, run_id, "train", manifest())
    rows.task(DAG, run_id, "auc", None, state="running")
    rows.task(DAG, run_id, "good", manifest(False, "warning"))
    rows.task(DAG, run_id, "greater_than_0.5", manifest(False, "failed"), state="failed", key="aqueduct_left")
    run = read_run(rows.database, DAG, run_id, facts_of(rows), RequestReads())
    assert "names its store itself" in run.problem
    assert outcomes(run) == {
        "train": "succeeded",
        "auc": "running",
        "good": "warning",
        "greater than 0.5": "failed",
    }
    assert run.store is None
    assert run.seconds == 60
    assert run.status == "failed"


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("success", "succeeded"),
        ("upstream_failed", "canceled"),
        ("up_for_retry", "pending"),
        ("queued", "pending"),
        (None, "pending"),
        ("nonsense", "pending"),
    ],
)
def test_states_of_tasks(rows: AirflowRows, state: str | None, word: str) -> None:
    add_churn(rows)
    run_id = rows.run(DAG, state="running")
    rows.task(DAG, run_id, "train", state=state)
    run = read_run(rows.database, DAG, run_id, facts_of(rows), RequestReads())
    assert outcomes(run)["train"] == word
    assert run.seconds is None


def test_a_run_that_never_was(rows: AirflowRows) -> None:
    add_churn(rows)
    with pytest.raises(NotFound, match="no run 'never'"):
        read_run(rows.database, DAG, "never", facts_of(rows), RequestReads())


def own(left: dict[str, Any], run_id: str) -> dict[str, Any]:
    """Give the artifact of a manifest its own keys."""
    layout = NativeLayout(FLOW_ID, run_id)
    left["artifacts"]["id"].update(key=layout.content("id"), metadata_key=layout.metadata("id"))
    return left


def test_what_was_written(rows: AirflowRows) -> None:
    add_churn(rows)
    run_id = rows.run(DAG)
    rows.task(DAG, run_id, "train", {"version": 1, "operators": {"a": own(manifest(1), run_id), "b": 7}})
    found = written(rows.database, DAG, run_id, facts_of(rows), "id")
    assert found is not None
    assert (found.name, found.glance) == ("x", {"value": 1})
    assert written(rows.database, DAG, run_id, facts_of(rows), "other") is None


@pytest.mark.parametrize(
    "change", [{"key": 7}, {"size": "1"}, {"size": -1}, {"size": True}, {"sha256": None}, {"name": []}]
)
def test_a_reference_with_wrong_types_is_none(rows: AirflowRows, change: dict[str, Any]) -> None:
    add_churn(rows)
    run_id = rows.run(DAG)
    left = own(manifest(1), run_id)
    left["artifacts"]["id"].update(change)
    rows.task(DAG, run_id, "train", left)
    assert written(rows.database, DAG, run_id, facts_of(rows), "id") is None


@pytest.mark.parametrize("glance", [7, [], {"value": {"a": 1}, "rows": "5", "class": 3}])
def test_a_glance_with_wrong_types_is_empty(rows: AirflowRows, glance: Any) -> None:
    add_churn(rows)
    run_id = rows.run(DAG)
    left = own(manifest(1), run_id)
    left["artifacts"]["id"]["glance"] = glance
    rows.task(DAG, run_id, "train", left)
    found = written(rows.database, DAG, run_id, facts_of(rows), "id")
    assert found is not None
    assert found.glance == {}
    assert found.summary == "numeric, 8 bytes"

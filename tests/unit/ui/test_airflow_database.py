from __future__ import annotations

from datetime import timedelta

import pytest

from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS
from aqueduct_provider.errors import NotFound
from tests.support.airflow_rows import START, AirflowRows

FLOW = {"id": "f", "name": "Churn", "version": "v1", "store": {"connection_id": "c"}}
FIRST = {"operators": [{"name": "auc", "task_id": "auc", "kind": "metric"}], "flow": FLOW}


def test_flows_are_the_tagged_dags_that_may_be_read(rows: AirflowRows) -> None:
    rows.dag("churn", name="Churn", is_paused=True, timetable_description="Every day")
    rows.dag("secret")
    rows.dag("gone", is_stale=True, is_active=False)
    rows.dag("other", tags=["team"])
    (found,) = rows.database.flows({"churn", "gone", "other"})
    assert (found.dag_id, found.name, found.owner, found.is_paused) == ("churn", "Churn", "ada", True)
    assert found.schedule == "Every day"
    assert len(rows.queries) == 1


def test_a_dag_that_is_gone_or_was_never_there(rows: AirflowRows) -> None:
    rows.dag("gone", is_stale=True, is_active=False)
    assert rows.database.dag("gone") is None
    assert rows.database.dag("gone", gone=True) is not None
    assert rows.database.dag("never", gone=True) is None


def test_the_facts_are_those_of_the_newest_version(rows: AirflowRows) -> None:
    rows.dag("churn", {"auc": FIRST})
    if AIRFLOW_V_3_0_PLUS:
        newer = {**FIRST, "flow": {**FLOW, "version": "v2"}}
        rows.serialized("churn", {"auc": newer}, when=START + timedelta(days=1))
    rows.dag("other", {"bash": None})
    facts = rows.database.facts(["churn", "other", "never"])
    assert set(facts) == {"churn"}
    assert facts["churn"].flow.version == ("v2" if AIRFLOW_V_3_0_PLUS else "v1")
    assert facts["churn"].tasks["auc"][0].kind == "metric"
    assert len(rows.queries) == 1


@pytest.mark.parametrize("damaged", [None, [], "{", {"dag": {"tasks": ["x", {"__var": 1}]}}])
def test_a_damaged_serialized_dag_states_nothing(rows: AirflowRows, damaged: object) -> None:
    rows.dag("churn", {"auc": FIRST})
    with rows.engine.begin() as connection:
        connection.execute(rows.models["SerializedDagModel"].__table__.update().values(data=damaged))
    assert rows.database.facts(["churn"]) == {}


def test_runs_newest_first(rows: AirflowRows) -> None:
    for state in ("success", "failed", "running"):
        rows.run("churn", state=state)
    rows.run("other")
    assert [run.state for run in rows.database.runs("churn", 2)] == ["running", "failed"]
    assert rows.database.runs("never", 2) == []
    latest = rows.database.latest_runs(["churn", "other", "never"], 2)
    assert {dag_id: [run.run_id for run in runs] for dag_id, runs in latest.items()} == {
        "churn": ["run-3", "run-2"],
        "other": ["run-4"],
    }


def test_the_last_states_are_those_of_the_dags_that_were_asked_for(rows: AirflowRows) -> None:
    for dag_id, state in (("churn", "failed"), ("other", "failed"), ("churn", "success")):
        rows.run(dag_id, state=state)
    assert rows.database.last_states(["churn", "never"]) == {"churn": (3, "success")}
    # The database does not group the runs of others: their number may be large.
    assert "WHERE dag_run.dag_id IN" in rows.queries[-1]


def test_a_run_that_airflow_does_not_know(rows: AirflowRows) -> None:
    with pytest.raises(NotFound, match="no run 'x' of 'churn'"):
        rows.database.run("churn", "x")
    with pytest.raises(NotFound, match="no run 'x' of 'churn'"):
        rows.database.tasks("churn", "x")


def test_tasks_and_what_they_left(rows: AirflowRows) -> None:
    run_id = rows.run("churn")
    rows.task("churn", run_id, "train", state=None)
    rows.task("churn", run_id, "auc", {"version": 1, "n": [1, 2.5, None]}, seconds=2.5)
    auc, train = rows.database.tasks("churn", run_id)
    assert (auc.task_id, auc.state, auc.duration, train.state) == ("auc", "success", 2.5, None)
    assert rows.database.xcom("churn", run_id, "auc") == {"version": 1, "n": [1, 2.5, None]}
    assert rows.database.xcom("churn", run_id, "train") is None
    assert rows.database.xcom("churn", run_id, "auc", "other") is None
    assert rows.database.log("churn", run_id, "auc", 1) == ""
    assert {time.task_id: time.seconds for time in rows.database.task_times("churn", [run_id])} == {
        "train": 1.0,
        "auc": 2.5,
    }


def test_what_many_runs_left_is_one_query(rows: AirflowRows) -> None:
    first, second = rows.run("churn"), None
    rows.task("churn", first, "auc", {"n": 1})
    second = rows.run("churn")
    rows.task("churn", second, "auc", {"n": 2})
    rows.task("churn", second, "train", {"n": 3})
    rows.queries.clear()
    assert rows.database.manifests("churn", [first, second], ["auc"]) == {
        first: {"auc": {"n": 1}},
        second: {"auc": {"n": 2}},
    }
    assert len(rows.queries) == 1
    assert rows.database.manifests("churn", [second]) == {second: {"auc": {"n": 2}, "train": {"n": 3}}}
    assert rows.database.manifests_of({}) == {}


def test_pages_of_airflow_itself(rows: AirflowRows) -> None:
    page = "dags/a%20b" if AIRFLOW_V_3_0_PLUS else "dags/a%20b/grid"
    assert rows.database.url("a b") == page
    run = "/runs/r%3A1" if AIRFLOW_V_3_0_PLUS else "?dag_run_id=r%3A1"
    assert rows.database.url("a b", "r:1") == f"{page}{run}"

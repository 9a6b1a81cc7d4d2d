from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.results.runs_document import runs_from
from aqueduct_provider.ui.runs_answer import error_answer, runs_answer
from tests.support.airflow_rows import AirflowRows
from tests.support.flow_rows import add_churn, add_run
from tests.support.played_runs import Played

PATH = "/dags/churn/runs.json"


def document(visit: Any, **query: str) -> Any:
    page = runs_answer(visit(PATH, query=query))
    assert (page.status, page.content_type) == (200, "application/json")
    return json.loads(page.body)


def ids(found: Any) -> list[str]:
    return [run["run_id"] for run in found["runs"]]


def test_runs_page_by_page(rows: AirflowRows, visit: Any) -> None:
    add_churn(rows)
    for number in range(5):
        add_run(rows, number / 10)
    first = document(visit, limit="2")
    assert (ids(first), first["before"]) == (["run-5", "run-4"], "run-4")
    # One that is created meanwhile moves no other.
    add_run(rows, 1)
    second = document(visit, limit="3", before="run-4")
    assert (ids(second), second["before"]) == (["run-3", "run-2", "run-1"], None)
    assert ids(document(visit, run="run-2")) == ["run-2"]
    assert ids(document(visit, before="nowhere")) == []
    assert len(ids(document(visit))) == 6


def test_few_queries_whatever_the_number_of_runs(rows: AirflowRows, visit: Any) -> None:
    add_churn(rows)
    for number in range(30):
        add_run(rows, number / 100)
    rows.queries.clear()
    assert len(document(visit)["runs"]) == 30
    assert len(rows.queries) == 4


def test_what_the_sdk_reads_of_it(rows: AirflowRows, visit: Any, played: Played) -> None:
    played.write(rows)
    ((run,), _) = runs_from(document(visit))
    assert (run.info.run_id, run.status, run.seconds) == (played.run_id, "failed", 60)
    assert run.version == str(played.spec.version.id)
    assert run.artifacts["accuracy"].glance == {"value": 0.375}
    assert run.artifacts["wines"].ref is not None
    assert run.artifacts["wines"].glance == {"rows": 3, "columns": 2}
    outcomes = {one.name: one.outcome for one in run.operators}
    assert (outcomes["enough"], outcomes["broken"], outcomes["wines"]) == ("warning", "failed", "succeeded")


def test_nothing_is_shown_of_secrets(rows: AirflowRows, visit: Any, played: Played) -> None:
    left = json.loads(json.dumps(played.left))
    (ref,) = left["api_password"]["artifacts"].values()
    ref["glance"] = {"value": "hunter2"}
    Played(played.spec, played.store, played.run_id, left, played.states).write(rows)
    assert "hunter2" not in json.dumps(document(visit))
    # What a run was triggered with may be one, too.
    assert "conf" not in document(visit)["runs"][0]


def test_what_is_not_there(rows: AirflowRows, visit: Any) -> None:
    with pytest.raises(NotFound, match="is not a DAG of a flow"):
        runs_answer(visit(PATH))
    add_churn(rows)
    with pytest.raises(NotFound, match="no run 'r1'"):
        runs_answer(visit(PATH, query={"run": "r1"}))


def test_errors_are_those_of_an_api() -> None:
    page = error_answer(404, "No run 'x'.")
    assert (page.status, json.loads(page.body)) == (404, {"detail": "No run 'x'."})

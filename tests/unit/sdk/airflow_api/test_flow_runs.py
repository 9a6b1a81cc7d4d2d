from __future__ import annotations

import json

import pytest

from aqueduct_provider.errors import AirflowRefused, AirflowUnreachable, NotFound
from aqueduct_provider.sdk.airflow_api.airflow import Airflow
from aqueduct_provider.sdk.airflow_api.flow_runs import flow_runs
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.testing import FakeAirflow
from tests.support.example_specs import native_document


@pytest.fixture(autouse=True)
def shown(fake: FakeAirflow) -> None:
    fake.show(parse(json.dumps(native_document()).encode(), "churn"))
    fake.add_run("churn", "a/b")
    fake.add_run("churn", "r2")


def test_runs(airflow: Airflow, fake: FakeAirflow) -> None:
    assert [run["run_id"] for run in flow_runs(airflow, "churn")["runs"]] == ["r2", "a/b"]
    document = flow_runs(airflow, "churn", limit=1, before="")
    assert ([run["run_id"] for run in document["runs"]], document["before"]) == (["r2"], "r2")
    assert flow_runs(airflow, "churn", limit=1, before="r2")["runs"][0]["run_id"] == "a/b"
    assert [run["run_id"] for run in flow_runs(airflow, "churn", run="a/b")["runs"]] == ["a/b"]


def test_there_is_none(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.add_dag("other")
    for dag_id in ("other", "nowhere"):
        with pytest.raises(NotFound, match="is not a DAG of a flow"):
            flow_runs(airflow, dag_id)
    with pytest.raises(NotFound, match="has no run 'r3'"):
        flow_runs(airflow, "churn", run="r3")


def test_pages_that_are_not_there(airflow: Airflow, fake: FakeAirflow) -> None:
    # Airflow 3 answers with its start page, 2.11 with an error page.
    fake.has_pages = False
    with pytest.raises(NotFound, match=r"^Airflow does not serve the provider's pages\.$"):
        flow_runs(airflow, "churn")


def test_errors(airflow: Airflow, fake: FakeAirflow) -> None:
    fake.fail(200, path="runs.json", body=b"{")
    with pytest.raises(NotFound):
        flow_runs(airflow, "churn")
    fake.fail(503, times=3, path="runs.json")
    with pytest.raises(AirflowUnreachable):
        flow_runs(airflow, "churn")
    fake.forbid("GET", "runs.json")
    with pytest.raises(AirflowRefused, match="the permission is missing"):
        flow_runs(airflow, "churn")

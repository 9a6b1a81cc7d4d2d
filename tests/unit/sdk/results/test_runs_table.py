"""The runs of a flow as a table, and how many requests it takes."""

from __future__ import annotations

import math

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AirflowUnreachable
from aqueduct_provider.sdk.results.runs_table import version_label_of
from tests.support.deployment import Deployment
from tests.support.example_specs import VERSION_ID
from tests.support.many_runs import many_runs
from tests.unit.sdk.conftest import Finished

BASE = ["run_id", "created_at", "version", "status", "duration"]
FACTS = ["param.rows", "metric.total", "check.many"]


def test_a_row_for_each_run(finished: Finished) -> None:
    table = finished.flow.runs_table()
    operators = [f"seconds.{one.name}" for one in finished.flow.spec.operators]
    assert list(table.columns) == [*BASE, *FACTS, *operators]
    assert table["run_id"].tolist() == [finished.bad.run_id, finished.good.run_id]
    assert table["created_at"].tolist() == [finished.bad.created_at(), finished.good.created_at()]
    assert table["version"].tolist() == ["v1", "v1"]
    assert table["status"].tolist() == ["failed", "succeeded"]
    assert table["param.rows"].tolist() == [-1, 4]
    # The table of the bad run was not made.
    assert math.isnan(table["metric.total"][0])
    assert table["metric.total"][1] == 6
    assert table["check.many"].isna().tolist() == [True, False]
    assert table["check.many"][1]
    assert (table["duration"] > 0).all()
    assert table["seconds.features"].notna().all()
    assert table["seconds.total"].isna().tolist() == [True, False]


def test_numbers_that_json_has_not(made: Deployment) -> None:
    @aq.metric(requirements=[])
    def loss(rows: int) -> float:
        return float("inf") * rows

    made.publish(artifacts=[loss(made.client.create_param("rows", default=1))])
    for rows in (1, 0):
        made.run(rows=rows)
    values = made.client.flow("churn").runs_table()["metric.loss"].tolist()
    assert [str(value) for value in values] == ["nan", "inf"]


def test_the_limit(finished: Finished) -> None:
    assert finished.flow.runs_table(limit=1)["run_id"].tolist() == [finished.bad.run_id]


def test_a_flow_that_has_not_run(made: Deployment) -> None:
    flow = made.publish()
    made.parse()
    table = flow.runs_table()
    assert list(table.columns) == BASE
    assert len(table) == 0


@pytest.mark.parametrize("has_pages", [True, False], ids=["route", "requests"])
def test_versions_with_other_artifacts(made: Deployment, has_pages: bool) -> None:
    made.publish()
    made.run(rows=5)
    flow = made.publish(artifacts=made.author(total="sum"))
    made.run(rows=6)
    made.client.trigger("churn", progress=False)
    made.fake.has_pages = has_pages
    table = flow.runs_table()
    assert table["version"].tolist()[1:] == ["v2", "v1"]
    assert table["status"].tolist() == ["pending", "succeeded", "succeeded"]
    assert table["param.rows"].tolist()[1:] == [6, 5]
    assert table["metric.sum"].tolist()[1] == 15
    assert table["metric.total"].tolist()[2] == 10
    assert math.isnan(table["metric.sum"][2])
    assert math.isnan(table["metric.total"][1])


@pytest.mark.parametrize("how", ["no pages", "forbidden", "other release"])
def test_without_the_route_runs_are_read_one_by_one(
    made: Deployment, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    flow = made.publish()
    made.run(rows=4)
    caplog.clear()
    expected = flow.runs_table()
    assert not caplog.records
    if how == "no pages":
        made.fake.has_pages = False
    elif how == "forbidden":
        made.fake.forbid("GET", "runs.json")
    else:
        made.fake.fail(200, path="runs.json", body=b'{"version": 2}')
    assert flow.runs_table().equals(expected)
    assert [record.getMessage()[:32] for record in caplog.records] == ["The runs are read one by one, wi"]
    assert "\n" not in caplog.records[0].getMessage()


def test_an_airflow_that_is_away(made: Deployment) -> None:
    flow = made.publish()
    with made.away(), pytest.raises(AirflowUnreachable):
        flow.runs_table()


def test_a_hundred_runs_are_few_requests(made: Deployment) -> None:
    flow = many_runs(made, runs=250, operators=20)
    made.fake.asked.clear()
    table = flow.runs_table()
    assert len(table) == 100
    assert table["metric.m0"].tolist() == [float(number) for number in reversed(range(150, 250))]
    assert len([name for name in table.columns if name.startswith("seconds.")]) == 20
    assert len(made.fake.asked) <= 3
    made.fake.asked.clear()
    assert flow.runs_table(limit=1_000)["run_id"].tolist() == [f"r{n}" for n in reversed(range(250))]
    assert len(made.fake.calls("GET", "runs.json")) == 3


def test_secrets_are_missing(made: Deployment) -> None:
    flow = made.publish(artifacts=made.author(total="api_token"))
    made.run(rows=4)
    assert flow.runs_table()["metric.api_token"].isna().all()


def test_labels_of_versions() -> None:
    assert version_label_of(VERSION_ID, {VERSION_ID: "v12"}) == "v12"
    assert version_label_of(VERSION_ID, {}) == VERSION_ID[:8]
    assert version_label_of("", {}) is None

"""Published flows: their runs and versions."""

from __future__ import annotations

from uuid import UUID

import pytest

from aqueduct_provider.errors import AirflowUnreachable, DigestMismatch, NotFound
from aqueduct_provider.sdk.versions.differences import Change
from aqueduct_provider.storage.layout import FlowLayout
from tests.support.deployment import Deployment
from tests.unit.sdk.conftest import Finished


def test_what_a_flow_is_called(finished: Finished) -> None:
    flow = finished.flow
    assert (flow.name(), flow.id()) == ("churn", UUID(flow.record.flow_id))
    assert repr(flow) == "<Flow 'churn' on 'cluster'>"
    assert flow.url() == f"{finished.made.fake.url}/dags/churn"
    assert flow.spec.flow.description == "Counts rows."


def test_runs_the_newest_first(finished: Finished) -> None:
    good, bad = finished.good, finished.bad
    assert finished.flow.list_runs() == [
        {"run_id": bad.run_id, "created_at": bad.created_at(), "status": "failed"},
        {"run_id": good.run_id, "created_at": good.created_at(), "status": "succeeded"},
    ]
    assert [run.run_id for run in finished.flow.runs(limit=1)] == [bad.run_id]
    latest = finished.flow.latest()
    assert latest is not None
    assert latest.run_id == bad.run_id


def test_a_flow_that_has_not_run(made: Deployment) -> None:
    flow = made.publish()
    made.parse()
    assert (flow.list_runs(), flow.runs(), flow.latest()) == ([], [], None)


def test_runs_that_wait_and_run_are_among_them(made: Deployment) -> None:
    flow = made.publish()
    for state in ("success", "running", "queued"):
        made.fake.add_run("churn", state, state=state)
    assert [run["status"] for run in flow.list_runs()] == ["pending", "running", "succeeded"]


def test_a_thousand_runs_are_read_page_by_page(made: Deployment) -> None:
    flow = made.publish()
    for number in range(1000):
        made.fake.add_run("churn", f"r{number}", state="success" if number % 2 else "running")
    made.fake.asked.clear()
    runs = flow.list_runs(limit=1000)
    assert [run["run_id"] for run in runs] == [f"r{number}" for number in reversed(range(1000))]
    # Nothing is asked of single runs.
    assert len(made.fake.calls("GET", "dagRuns")) == 10
    made.fake.asked.clear()
    assert len(flow.list_runs()) == 10
    assert len(made.fake.calls("GET", "dagRuns")) == 1


def test_a_run_by_its_id(finished: Finished) -> None:
    run = finished.flow.fetch(finished.good.run_id)
    assert run.info is not None
    assert run.info.state == "success"


def test_a_run_that_is_nowhere(finished: Finished) -> None:
    message = r"^'churn' has no run 'r1'\. flow\.list_runs\(\), or `aqueduct-airflow runs`, gives the ids"
    with pytest.raises(NotFound, match=message):
        finished.flow.fetch("r1")


def test_a_run_that_only_the_store_knows(made: Deployment) -> None:
    flow = made.publish()
    run_id = made.run().run_id
    del made.fake.dags["churn"]
    run = flow.fetch(run_id)
    assert run.status() == "succeeded"
    assert run.artifact("total").get() == 3


def test_a_run_while_airflow_is_away(finished: Finished) -> None:
    with finished.made.away():
        assert finished.flow.fetch(finished.good.run_id).artifact("total").get() == 6
        with pytest.raises(AirflowUnreachable):
            finished.flow.fetch("r1")


def test_a_run_whose_airflow_is_not_connected_here(made: Deployment) -> None:
    flow = made.publish()
    run = made.run()
    made.client.delete_resource("cluster")
    with pytest.raises(NotFound, match="No resource is named 'cluster'"):
        flow.fetch(run.run_id)
    # What lies in the store needs no Airflow.
    assert run.artifact("total").get() == 3
    status, _, lack = run.as_far_as_known()
    assert (status, lack[:30]) == ("succeeded", "No resource is named 'cluster'")


def test_a_spec_that_was_changed(made: Deployment) -> None:
    record = made.publish().record
    key = FlowLayout(record.flow_id).version(record.version_id)
    made.store.put(key, made.store.get(key) + b" ")
    flow = made.client.flow("churn")
    with pytest.raises(DigestMismatch, match="was changed after it was published"):
        flow.spec  # noqa: B018


def test_describe_prints(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    finished.flow.describe()
    assert capsys.readouterr().out.startswith("churn\nCounts rows.\n")


# --- versions


def test_versions_and_what_they_change(made: Deployment) -> None:
    made.publish(message="The first")
    good = made.run(rows=4)
    flow = made.publish(artifacts=made.author(rows=5), schedule="@daily")
    assert [(one.label, one.message, one.published_by != "") for one in flow.versions()] == [
        ("v2", "", True),
        ("v1", "The first", True),
    ]
    assert flow.versions(limit=1)[0].changes == ("changed the parameters rows", "changed the schedule")
    assert flow.version().number == 2
    assert 'print(f"{rows} rows are made")' in flow.version("v1").source("features")
    diff = flow.diff(1)
    assert diff.summary() == ["changed the parameters rows", "changed the schedule"]
    # A run stands for its version; both sides may be given in any way.
    assert flow.diff(good) == flow.diff(flow.version(1), "latest") == diff
    assert flow.diff(2, good).schedule == Change("schedule", diff.schedule and diff.schedule.after, None)
    with pytest.raises(NotFound, match="has no version 3: it has 2"):
        flow.diff(3)

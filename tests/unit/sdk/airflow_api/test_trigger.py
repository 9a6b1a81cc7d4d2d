"""``Airflow.trigger``: a run is started once, and found when the answer is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aqueduct_provider.errors import AirflowRefused, AirflowUnreachable, AuthoringError, NotFound
from aqueduct_provider.sdk.airflow_api.airflow import Airflow
from aqueduct_provider.testing import FakeAirflow


def test_triggering(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("d")
    run = airflow.trigger("d", {"n": 1, "name": "ü"})
    assert (run.state, run.conf) == ("queued", {"n": 1, "name": "ü"})
    assert run.started_at is None
    assert list(fake.dags["d"].runs) == [run.run_id]
    assert re.fullmatch(r"manual__\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00", run.run_id)
    body = fake.calls("POST", "/dagRuns")[0].body
    moment = {"logical_date": None} if fake.major == 3 else {}
    assert body == {"conf": {"n": 1, "name": "ü"}, "dag_run_id": run.run_id, **moment}


def test_a_run_of_a_chosen_name(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("d")
    assert airflow.trigger("d", {}, "mine").run_id == "mine"
    with pytest.raises(AirflowRefused, match="DAG 'd' has a run 'mine' already") as failure:
        airflow.trigger("d", {}, "mine")
    assert failure.value.status == 409


def test_a_conf_that_does_not_fit(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("d", refuses="Invalid input for param n: 99 is too large\n\nFailed validating 'maximum'")
    with pytest.raises(
        AirflowRefused, match=r"refuses: Invalid input for param n: 99 is too large \(HTTP 400\)"
    ) as e:
        airflow.trigger("d", {"n": 99})
    assert e.value.status == 400


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"x"])
def test_a_conf_that_is_no_json(fake: FakeAirflow, airflow: Airflow, value: Any) -> None:
    fake.add_dag("d")
    with pytest.raises(AuthoringError, match="cannot be written as JSON"):
        airflow.trigger("d", {"x": value})
    assert not fake.calls("POST", "/dagRuns")


def test_triggering_what_is_not_there(airflow: Airflow) -> None:
    with pytest.raises(NotFound, match="unknown"):
        airflow.trigger("unknown", {})


def test_a_trigger_is_sent_once(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("d")
    fake.drop(method="POST", path="/dagRuns")
    with pytest.raises(AirflowUnreachable, match=r"its run is 'manual__.*look for it before") as failure:
        airflow.trigger("d", {})
    (sent,) = fake.calls("POST", "/dagRuns")
    assert sent.body["dag_run_id"] in str(failure.value)


@pytest.mark.parametrize("status", [None, 504], ids=["broken connection", "a proxy's time limit"])
def test_a_trigger_whose_answer_is_lost_has_started_its_run(
    fake: FakeAirflow, airflow: Airflow, status: int | None
) -> None:
    fake.add_dag("d")
    fake.lose(status, method="POST", path="/dagRuns")
    run = airflow.trigger("d", {"n": 1})
    assert list(fake.dags["d"].runs) == [run.run_id]
    assert run.conf == {"n": 1}
    assert len(fake.calls("POST", "/dagRuns")) == 1


def test_a_run_of_a_chosen_name_is_not_taken_for_an_older_one(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_run("d", "mine")
    fake.drop(method="POST", path="/dagRuns")
    with pytest.raises(AirflowUnreachable, match="its run is 'mine'"):
        airflow.trigger("d", {}, "mine")


def test_what_a_test_does_at_a_trigger(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("d")
    fake.on_trigger = lambda run: fake.set_state("d", run.run_id, "success")
    run = airflow.trigger("d", {})
    assert run.state == "queued"
    assert airflow.run("d", run.run_id).state == "success"

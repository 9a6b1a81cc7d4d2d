"""The SDK's client of Airflow's REST API against a real Airflow, which ``FakeAirflow`` imitates."""

from __future__ import annotations

import dataclasses
import math
import uuid
from collections.abc import Iterator

import httpx
import pytest

from aqueduct_provider.errors import AirflowLoginFailed, AirflowRefused, AirflowUnreachable, NotFound
from aqueduct_provider.sdk.airflow_api.airflow import Airflow, AirflowLogin
from aqueduct_provider.sdk.airflow_api.token_auth import TokenAuth
from aqueduct_provider.sdk.publishing.deployment import shows
from aqueduct_provider.spec.version_label import short_id
from tests.integration.client import ApiError
from tests.integration.flow_place import Place
from tests.integration.native_draft import Draft
from tests.integration.stack import MAJOR
from tests.integration.waiting import wait_for

FAILED_TASK = "fails"


def fails(number: float) -> float:
    print("looked at", number)
    raise ValueError("no such cellar")


@pytest.fixture(scope="module")
def login(place: Place) -> AirflowLogin:
    given = place.airflow.login
    return AirflowLogin(given.url.removeprefix("http://"), given.user, given.password)


@pytest.fixture(scope="module")
def rest(login: AirflowLogin) -> Iterator[Airflow]:
    with Airflow(login) as rest:
        yield rest


@pytest.fixture(scope="module")
def flow(place: Place) -> Iterator[Draft]:
    draft = place.draft("rest_flow", tags=["cellar"])
    draft.parameter("number", "numeric", 21)
    draft.call(fails, "number", outputs={"answer": "numeric"})
    with place.published(draft):
        yield draft


@pytest.fixture(scope="module")
def run_id(place: Place, rest: Airflow, flow: Draft) -> str:
    """A run that ended; it was triggered with a value of its own."""
    place.client._ask("PATCH", f"/dags/{flow.dag_id}", json={"is_paused": True})
    rest.unpause(flow.dag_id)
    run = rest.trigger(flow.dag_id, {"number": 5}, f"chosen__{uuid.uuid4()}")
    assert run.state == "queued"
    place.client.wait(flow.dag_id, run.run_id)
    return run.run_id


def test_who_and_what(rest: Airflow, login: AirflowLogin) -> None:
    assert rest.major == MAJOR
    assert rest.check() == f"Airflow {rest.version()} at {login.url} accepts the user 'admin'."


def test_logins_that_are_refused(login: AirflowLogin) -> None:
    wrong = (
        dataclasses.replace(login, password="wrong"),
        dataclasses.replace(login, token="wrong"),
        dataclasses.replace(login, username="", password=""),
    )
    for one in wrong:
        with Airflow(one) as refused, pytest.raises(AirflowLoginFailed, match=one.who):
            refused.check()


def test_a_wrong_path(login: AirflowLogin) -> None:
    wrong = dataclasses.replace(login, host=f"{login.url}/wrong")
    with Airflow(wrong) as other, pytest.raises(AirflowUnreachable, match="not as Airflow"):
        other.check()


def test_a_token_of_the_user(rest: Airflow, login: AirflowLogin) -> None:
    if MAJOR == 2:
        pytest.skip("Airflow 2.11 itself gives no tokens")
    rest.check()
    auth = rest._session.line().auth
    assert isinstance(auth, TokenAuth)
    # Its end can be read.
    assert auth._renew_at < math.inf
    with Airflow(AirflowLogin(login.host, token=auth._token)) as other:
        assert "the token given" in other.check()


def test_dags(rest: Airflow, flow: Draft) -> None:
    dag = rest.dag(flow.dag_id)
    assert dag is not None
    assert set(dag.tags) == {"aqueduct", "cellar"}
    assert shows(dag, flow.version)
    (found,) = rest.dags("cellar")
    assert found == dag
    assert short_id(flow.version) in rest.docs(flow.dag_id)
    assert flow.dag_id in [one.dag_id for one in rest.dags("aqueduct", gone=True)]
    assert rest.dags("no such tag") == []
    assert rest.dag("no_such_dag") is None


def test_a_run(rest: Airflow, flow: Draft, run_id: str) -> None:
    run = rest.run(flow.dag_id, run_id)
    assert (run.state, run.conf) == ("failed", {"number": 5})
    assert run.started_at
    assert run.ended_at
    assert run.started_at < run.ended_at
    assert bool(run.queued_at) is (MAJOR == 3)
    for ask in (rest.run, rest.tasks, rest.end_run):
        with pytest.raises(NotFound, match="no_such_run"):
            ask(flow.dag_id, "no_such_run")
    with pytest.raises(AirflowRefused, match="already"):
        rest.trigger(flow.dag_id, {}, run_id)


def test_runs(rest: Airflow, place: Place, flow: Draft, run_id: str) -> None:
    # Paused, so that no scheduler goes on with the runs that are ended here.
    place.client._ask("PATCH", f"/dags/{flow.dag_id}", json={"is_paused": True})
    newer = [rest.trigger(flow.dag_id, {}).run_id for _ in range(2)][::-1]
    assert [run.run_id for run in rest.runs(flow.dag_id, 10)] == [*newer, run_id]
    assert [run.run_id for run in rest.runs(flow.dag_id, 1)] == newer[:1]
    assert set(newer) >= {run.run_id for run in rest.active_runs(flow.dag_id)}
    for one in newer:
        rest.end_run(flow.dag_id, one)
        assert rest.run(flow.dag_id, one).state == "failed"
    assert rest.active_runs(flow.dag_id) == []
    assert rest.runs("no_such_dag", 5) == []


def test_tasks_and_logs(rest: Airflow, flow: Draft, run_id: str) -> None:
    task = next(task for task in rest.tasks(flow.dag_id, run_id) if task.task_id == FAILED_TASK)
    assert (task.state, task.try_number) == ("failed", 1)
    assert task.duration is not None
    log = rest.log(flow.dag_id, run_id, FAILED_TASK, 1)
    assert "looked at 5" in log
    assert "no such cellar" in log
    assert "Traceback (most recent call last):" in log
    assert "error_detail" not in log
    assert "Log message source details" not in log
    assert rest.log(flow.dag_id, run_id, "no_such_task", 1) == ""
    assert rest.log(flow.dag_id, run_id, FAILED_TASK, 7) == ""


def test_values_that_do_not_fit(rest: Airflow, flow: Draft) -> None:
    with pytest.raises(
        AirflowRefused, match=r"refuses: Invalid input for param number: 'x' is not"
    ) as failure:
        rest.trigger(flow.dag_id, {"number": "x"})
    assert failure.value.status == 400
    assert "\n" not in str(failure.value)
    with pytest.raises(NotFound, match="no_such_dag"):
        rest.trigger("no_such_dag", {})


def test_pages_of_the_ui(rest: Airflow, flow: Draft, run_id: str) -> None:
    for page in (rest.url(flow.dag_id), rest.url(flow.dag_id, run_id)):
        assert httpx.get(page, follow_redirects=True).status_code == 200


def test_a_new_version_is_parsed_and_then_the_dag_deleted(place: Place, rest: Airflow) -> None:
    draft = place.draft("rest_flow_deleted")
    draft.parameter("number", "numeric", 1)
    with place.published(draft) as dag_id:
        newer = dataclasses.replace(draft, version=str(uuid.uuid4()))
        newer.parameter("number", "numeric", 2)
        newer.publish(place.s3, place.bucket, place.airflow.dags, prefix="native/")
        dag = rest.dag(dag_id)
        assert dag is not None
        for token in (dag.file_token, dag.file_token, "no-such-token"):
            rest.parse_now(token)
        wait_for(lambda: place.client.shows(dag_id, newer.version), what="the newer version", seconds=30)
    rest.parse_now(dag.file_token)

    # Deleted earlier, it could end Airflow's DAG processor.
    wait_for(lambda: rest.dag(dag_id) is None, what="the end of the DAG", seconds=30)
    gone = rest.dag(dag_id, gone=True)
    assert gone is not None
    assert gone.is_gone
    rest.delete_dag(dag_id)
    with pytest.raises(ApiError):
        place.client.details(dag_id)
    rest.delete_dag(dag_id)


def test_the_xcom_of_a_task(rest: Airflow, flow: Draft, run_id: str) -> None:
    value = rest.xcom(flow.dag_id, run_id, "number")
    (ref,) = value["artifacts"].values()
    assert (value["version"], value["status"], ref["artifact_type"]) == (1, "succeeded", "numeric")
    assert value["spec"]["version"] == flow.version
    # A task that failed, a task, a run and a DAG that are not there.
    for path in ((run_id, FAILED_TASK), (run_id, "other"), ("other", "number")):
        assert rest.xcom(flow.dag_id, *path) is None
    assert rest.xcom("other", run_id, "number") is None

"""Requests are routed, logins checked, and faults of a test reported."""

from __future__ import annotations

import base64
import json

import pytest

from aqueduct_provider.testing.fake_routes import answer_to, jwt_of
from aqueduct_provider.testing.fake_state import Answer, Asked, FakeRun, FakeState


def answered(fake: FakeState, method: str, path: str, *, login: str = "", body: object = None) -> Answer:
    path = f"/api/v{fake.major - 1}{path}"
    headers = {"authorization": login or f"Bearer {jwt_of(fake)}"}
    return answer_to(fake, Asked(method, path, {}, headers, body), path)


def test_a_trigger_makes_a_run_that_is_queued() -> None:
    fake = FakeState()
    fake.add_dag("churn")
    body = {"logical_date": None, "dag_run_id": "r1", "conf": {"rows": 4}}
    assert answered(fake, "POST", "/dags/churn/dagRuns", body=body).status == 200
    run = fake.dags["churn"].runs["r1"]
    assert (run.state, run.conf) == ("queued", {"rows": 4})
    assert answered(fake, "POST", "/dags/churn/dagRuns", body=body).status == 409


@pytest.mark.parametrize("major", [2, 3])
def test_tasks_that_are_cleared_run_again_with_those_after_them(major: int) -> None:
    fake = FakeState(major)
    fake.downstream = lambda dag_id, task_ids: ["c"] if "b" in task_ids else []
    run = fake.add_run("churn", "r1", state="failed")
    for name, state in {"a": "success", "b": "failed", "c": "success", "d": "failed"}.items():
        fake.add_task("churn", "r1", name, state=state)
    body = {"dag_run_id": "r1", "task_ids": ["b"], "include_downstream": True, "only_failed": False}
    token = "Basic " + base64.b64encode(b"ann:secret-of-ann").decode() if major == 2 else ""
    path = "/dags/churn/clearTaskInstances"
    assert answered(fake, "POST", path, login=token, body=body).status == 200
    assert run.state == "failed", "by default nothing is done"
    body |= {"dry_run": False, "reset_dag_runs": True}
    assert answered(fake, "POST", path, login=token, body=body).status == 200
    assert {name: task.state for name, task in run.tasks.items()} == {
        "a": "success",
        "b": None,
        "c": None,
        "d": "failed",
    }
    assert run.state == "queued"
    body |= {"run_on_latest_version": True}
    status = answered(fake, "POST", path, login=token, body=body).status
    assert status == (400 if major == 2 else 200)


@pytest.mark.parametrize(("password", "status"), [("secret-of-ann", 200), ("wrong", 403)])
def test_airflow_2_takes_a_password(password: str, status: int) -> None:
    login = "Basic " + base64.b64encode(f"ann:{password}".encode()).decode()
    assert answered(FakeState(2), "GET", "/dags", login=login).status == status


def test_a_token_that_has_expired_is_refused() -> None:
    fake = FakeState()
    login = f"Bearer {jwt_of(fake)}"
    assert answered(fake, "GET", "/dags", login=login).status == 200
    fake.expire_tokens()
    assert answered(fake, "GET", "/dags", login=login).status == 401


def test_an_error_of_the_test_s_own_code_is_the_answer() -> None:
    def refuse(run: FakeRun) -> None:
        raise ValueError(f"{run.run_id} was not expected")

    fake = FakeState()
    fake.add_dag("churn")
    fake.on_trigger = refuse
    answer = answered(fake, "POST", "/dags/churn/dagRuns", body={"logical_date": None, "dag_run_id": "r1"})
    assert answer.status == 500
    assert json.loads(answer.body) == {"detail": "ValueError: r1 was not expected"}


def test_what_is_called_before_an_answer_may_change_it() -> None:
    fake = FakeState()
    fake.before_answer = lambda: fake.dags.setdefault("churn", fake.add_dag("churn")) and None
    assert json.loads(answered(fake, "GET", "/dags").body)["total_entries"] == 1

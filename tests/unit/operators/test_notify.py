"""What is notified of a task's checks and of its flow: on a real S3 server, to a real server of HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from aqueduct_provider.compat import AirflowException
from aqueduct_provider.factory.tasks import FlowSucceeded
from aqueduct_provider.operators import notify
from aqueduct_provider.operators.aqueduct import AqueductOperator
from aqueduct_provider.operators.notify import run_url
from aqueduct_provider.spec.flow_plan import flow_plan
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.layout import FlowLayout
from tests.support.example_specs import FLOW_ID
from tests.support.receivers import HttpReceiver, http_receiver
from tests.unit.operators.conftest import Flows

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
HOOK = {"type": "webhook", "connection_id": "hook"}
NUMBER = {"task_id": "rate", "type": "metric"}
CHECK = {
    "task_id": "low",
    "type": "check",
    "inputs": ["rate-out"],
    "source": "def predict(rate): return rate < 1",
}


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps({"conn_type": "http", "host": receiver.url}))
        for section in ("API", "WEBSERVER"):
            monkeypatch.setenv(f"AIRFLOW__{section}__BASE_URL", "https://airflow.example.org")
        yield receiver


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was logged: Airflow 3.1 and newer write it to stdout, older ones hand it to logging."""
    caplog.set_level(logging.INFO)
    return lambda: capsys.readouterr().out or caplog.text


class Runs:
    """Runs tasks of one flow in the order of its plan, as Airflow does."""

    def __init__(self, flows: Flows) -> None:
        self.flows = flows
        self.number = 0

    def flow(self, *functions: dict[str, Any], notify: Any = (HOOK,)) -> WorkflowSpec:
        document = json.loads(self.flows.flow(*functions).model_dump_json(exclude_defaults=True))
        document["notifications"] = list(notify)
        return parse(json.dumps(document).encode(), "flow.json")

    def run(
        self, workflow: WorkflowSpec, *, run_id: str = "", max_tries: int = 0, attempt: int = 0, day: int = 0
    ) -> str:
        """Run the flow until a task fails; return that task's id.

        :param day: on which the run begins; 0: a day after the one before.
        """
        self.number += 1
        xcom: dict[str, Any] = {}
        plan = flow_plan(workflow)
        failed = ""
        for task_id, task in plan.tasks.items():
            ti = SimpleNamespace(
                task_id=task_id,
                try_number=1,
                max_tries=max_tries,
                xcom_pull=lambda task_ids, key="return_value": xcom.get(task_ids),
                xcom_push=lambda key, value: None,
            )
            dag_run = SimpleNamespace(
                conf=None, start_date=START + timedelta(days=day or self.number), clear_number=attempt
            )
            context = {"run_id": run_id or f"run-{self.number}", "params": {}, "ti": ti, "dag_run": dag_run}
            if any(other not in xcom for other in task.upstream):
                continue
            operator = AqueductOperator(task_id=task_id, workflow=workflow, operators=task.operators)
            try:
                xcom[task_id] = operator.execute(context)
            except AirflowException:
                failed = failed or task_id
        if not failed and len(plan.last) > 1:
            FlowSucceeded(task_id="flow_succeeded", workflow=workflow).execute(context)
        return failed


@pytest.fixture
def runs(flows: Flows) -> Runs:
    return Runs(flows)


def _rate(value: float) -> dict[str, Any]:
    return {**NUMBER, "source": f"def predict(): return {value}"}


def _warning(**fields: Any) -> dict[str, Any]:
    return {**CHECK, "severity": "warning", "name": "less than 1", **fields}


def _reported(http: HttpReceiver) -> list[tuple[str, str]]:
    """The events since the last call, each with its check."""
    found = [(one.document["event"], (one.document["check"] or {}).get("name", "")) for one in http.requests]
    http.requests.clear()
    return found


def test_only_changes_of_a_check_are_reported(runs: Runs, http: HttpReceiver) -> None:
    reported = []
    for value in (0.5, 1.5, 1.6, 0.4):
        runs.run(runs.flow(_rate(value), _warning()))
        document = http.requests[-1].document if http.requests else None
        reported.append(_reported(http))
    assert reported == [[], [("warning", "less than 1")], [], [("recovery", "less than 1")]]
    assert document["metric"] == {
        "name": "rate-out",
        "value": 0.4,
        "bound": "less than 1",
        "last_values": [0.5, 1.5, 1.6, 0.4],
    }
    assert document["run_id"] == "run-4"
    assert document["url"].endswith("/aqueduct/dags/flow/runs/run-4")


def test_a_number_that_json_has_not_is_named(runs: Runs, http: HttpReceiver) -> None:
    for value in (0.5, float("nan"), float("inf")):
        runs.run(runs.flow({**NUMBER, "source": f"def predict(): return float('{value}')"}, _warning()))
    (message,) = http.requests
    # By the name of its output.
    assert message.document["metric"] == {
        "name": "rate-out",
        "value": "nan",
        "bound": "less than 1",
        "last_values": [0.5],
    }
    assert "= nan (must be less than 1)" in message.document["text"]


def test_a_run_that_ends_after_a_newer_one_reports_nothing(runs: Runs, http: HttpReceiver) -> None:
    for value, day in ((0.5, 1), (1.5, 3), (0.4, 2)):
        runs.run(runs.flow(_rate(value), _warning()), day=day)
    # The run of the second day has not ended the warning of the third.
    assert _reported(http) == [("warning", "less than 1")]
    stored = json.loads(runs.flows.store.get(FlowLayout(FLOW_ID).notified("low")))
    assert (stored["outcome"], list(stored["values"].values())) == ("warning", [0.5, 1.5])
    runs.run(runs.flow(_rate(0.3), _warning()), day=4)
    assert _reported(http) == [("recovery", "less than 1")]


def test_a_flow_that_failed_in_an_older_run_is_not_reported_after_a_newer_one(
    runs: Runs, http: HttpReceiver
) -> None:
    broken = {**NUMBER, "source": "def predict(): raise ValueError('broken')"}
    for function, day in ((broken, 1), (_rate(0.5), 3), (broken, 2), (_rate(0.5), 4)):
        runs.run(runs.flow(function), day=day)
    assert _reported(http) == [("failure", ""), ("recovery", "")]


def test_a_task_that_runs_again_in_its_run_tells_nothing_twice(runs: Runs, http: HttpReceiver) -> None:
    workflow = runs.flow(_rate(1.5), _warning())
    for attempt in (0, 1):
        runs.run(workflow, run_id="one", attempt=attempt)
    assert _reported(http) == [("warning", "less than 1")]
    stored = json.loads(runs.flows.store.get(FlowLayout(FLOW_ID).notified("low")))
    assert stored["values"] == {"one": 1.5}


def test_a_check_of_severity_error_tells_of_itself_and_the_flow_says_nothing(
    runs: Runs, http: HttpReceiver
) -> None:
    bad = runs.flow(_rate(2), _warning(severity="error"))
    assert runs.run(bad) == "low"
    assert _reported(http) == [("failure", "less than 1")]
    runs.run(runs.flow(_rate(0), _warning(severity="error")))
    assert _reported(http) == [("recovery", "less than 1")]


def test_a_failure_of_the_flow_is_told_once_and_so_is_its_recovery(runs: Runs, http: HttpReceiver) -> None:
    bad = [{"task_id": name, "source": "def predict(): return 1 / 0"} for name in ("a", "b")]
    good = [{"task_id": name, "source": "def predict(): return 1"} for name in ("a", "b")]
    runs.run(runs.flow(*bad))
    (request,) = http.requests
    assert request.document["check"] is None
    assert request.document["task_id"] == "a"
    assert "division by zero" in request.document["reason"]
    assert _reported(http) == [("failure", "")]
    runs.run(runs.flow(*bad))
    assert _reported(http) == [], "it still fails"
    runs.run(runs.flow(*good))
    runs.run(runs.flow(*good))
    assert _reported(http) == [("recovery", "")]


def test_the_last_task_tells_of_the_recovery_where_there_is_one(runs: Runs, http: HttpReceiver) -> None:
    runs.run(runs.flow({"task_id": "a", "source": "def predict(): return 1 / 0"}))
    runs.run(runs.flow({"task_id": "a", "source": "def predict(): return 1"}))
    assert _reported(http) == [("failure", ""), ("recovery", "")]


def test_a_task_that_is_tried_again_has_not_failed_yet(runs: Runs, http: HttpReceiver) -> None:
    workflow = runs.flow({"task_id": "a", "source": "def predict(): return 1 / 0"})
    runs.run(workflow, run_id="one", max_tries=1)
    assert _reported(http) == []
    runs.run(workflow, run_id="one", max_tries=0)
    assert _reported(http) == [("failure", "")]


def test_a_check_that_cannot_be_computed_says_why(runs: Runs, http: HttpReceiver) -> None:
    runs.run(runs.flow(_rate(1), _warning(source="def predict(rate): return 1 / 0", name="odd")))
    (request,) = http.requests
    assert "check 'odd' could not be computed" in request.document["text"]
    assert "division by zero" in request.document["reason"]
    assert _reported(http) == [("failure", "odd")], "the flow has failed by it, which is notified once"


def test_fused_checks_are_told_by_their_task(runs: Runs, http: HttpReceiver) -> None:
    fused = [_rate(2), _warning(), _warning(task_id="also", name="also", outputs=["also-out"])]
    runs.run(runs.flow(*({**one, "fuse": "all"} for one in fused)))
    assert {one.document["task_id"] for one in http.requests} == {"all"}
    assert {one.document["metric"]["value"] for one in http.requests} == {2}
    assert _reported(http) == [("warning", "less than 1"), ("warning", "also")]


def test_a_fused_operator_that_fails_is_the_flow_s_failure(runs: Runs, http: HttpReceiver) -> None:
    fused = [{"task_id": "a", "source": "def predict(): return 1 / 0"}, _rate(2), _warning()]
    assert runs.run(runs.flow(*({**one, "fuse": "all"} for one in fused))) == "all"
    assert sorted(_reported(http)) == [("failure", ""), ("warning", "less than 1")]


def test_receivers_hear_what_they_asked_for(runs: Runs, http: HttpReceiver) -> None:
    flow = {**HOOK, "on": ["failure"]}
    own = [{**HOOK, "on": ["warning"]}, {**HOOK, "on": ["warning", "recovery"]}]
    for value in (2, 0):
        runs.run(runs.flow(_rate(value), _warning(notifications=own), notify=[flow]))
    assert _reported(http) == [("warning", "less than 1"), ("recovery", "less than 1")]
    runs.run(runs.flow({"task_id": "a", "source": "def predict(): return 1 / 0"}, notify=own))
    assert _reported(http) == []


def test_who_could_not_be_told_is_told_after_the_next_run(
    runs: Runs, http: HttpReceiver, log: Callable[[], str]
) -> None:
    http.status = 500
    workflow = runs.flow(_rate(2), _warning())
    runs.run(workflow)
    assert "Not sent to webhook by the connection 'hook'" in log()
    http.requests.clear()
    http.status = 200
    for _ in range(2):
        runs.run(workflow)
    assert _reported(http) == [("warning", "less than 1")]


def test_a_missing_connection_is_one_warning_and_no_failure(runs: Runs, log: Callable[[], str]) -> None:
    workflow = runs.flow(_rate(2), _warning(), notify=[{**HOOK, "connection_id": "none"}])
    assert runs.run(workflow) == ""
    said = log()
    assert said.count("Airflow has no connection 'none', to which the flow sends notifications") == 1
    assert "Add one of type http" in said


def test_a_server_that_does_not_answer_holds_the_task_up_for_a_moment_only(
    runs: Runs, http: HttpReceiver, log: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "TIMEOUT", 0.2)
    http.held.set()
    assert runs.run(runs.flow(_rate(2), _warning())) == ""
    assert "no answer within" in log()


def test_where_the_store_is_away_a_failure_is_told_all_the_same(
    runs: Runs, http: HttpReceiver, log: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads(runs.flow({"task_id": "a", "source": "x"}).model_dump_json(exclude_defaults=True))
    document["artifact_store"]["endpoint_url"] = "http://127.0.0.1:1"
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__S3_PATIENCE", "0.5")
    monkeypatch.setattr(notify, "_STORE_SECONDS", 0.5)
    assert runs.run(parse(json.dumps(document).encode(), "flow.json")) == "a"
    assert _reported(http) == [("failure", "")]
    assert "What was reported before is not known" in log()


def test_no_secret_is_sent(runs: Runs, http: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "tr0ub4dor")
    source = "def predict(): raise ValueError('cannot log in with tr0ub4dor')"
    runs.run(runs.flow({"task_id": "a", "source": source}))
    (request,) = http.requests
    assert b"tr0ub4dor" not in request.body
    assert "cannot log in with ***" in request.document["reason"]


def test_nothing_is_kept_of_flows_that_tell_nobody(runs: Runs, http: HttpReceiver) -> None:
    runs.run(runs.flow(_rate(2), _warning(), notify=[]))
    assert _reported(http) == []
    assert not list(runs.flows.store.list(f"{FlowLayout(FLOW_ID).prefix}notified/"))


def test_the_address_of_a_run_s_page(monkeypatch: pytest.MonkeyPatch) -> None:
    for section in ("API", "WEBSERVER"):
        monkeypatch.setenv(f"AIRFLOW__{section}__BASE_URL", "https://airflow.example.org/team/")
    page = (
        "https://airflow.example.org/team/aqueduct/dags/a%20b/runs/manual__2026-01-01T00%3A00%3A00%2B00%3A00"
    )
    run_id = "manual__2026-01-01T00:00:00+00:00"
    assert run_url("a b", run_id) == page
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__PAGES", "False")
    assert run_url("a b", run_id) == page.replace("/aqueduct/", "/")
    for section in ("API", "WEBSERVER"):
        monkeypatch.setenv(f"AIRFLOW__{section}__BASE_URL", "")
    assert run_url("a b", run_id) == ""

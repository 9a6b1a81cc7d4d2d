"""The operator as Airflow calls it, on a real S3 server; only Airflow's context is a stand-in."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import pickle
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from aqueduct_provider.compat import AirflowException, AirflowFailException
from aqueduct_provider.operators.aqueduct import AqueductOperator
from aqueduct_provider.operators.xcom import LEFT_KEY, VERSION_KEY
from aqueduct_provider.spec.flow_plan import flow_plan
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.spec.run_values import StoredValue, to_conf, value_digest
from aqueduct_provider.storage.layout import FlowLayout, NativeLayout
from tests.support.example_specs import FLOW_ID
from tests.support.fault_proxy import FaultProxy, Rule
from tests.support.flow_runs import RUN_ID
from tests.unit.operators.conftest import Flows


class TaskInstance:
    """XCom of the tasks that have run."""

    try_number = 2

    def __init__(self) -> None:
        self.xcom: dict[str, Any] = {}
        self.pulled: list[str] = []
        self.left: dict[str, Any] = {}

    def xcom_pull(self, task_ids: str, key: str = "return_value") -> Any:
        self.pulled.append(task_ids)
        return self.xcom.get(task_ids)

    def xcom_push(self, key: str, value: Any) -> None:
        assert key in (VERSION_KEY, LEFT_KEY)
        if key == LEFT_KEY:
            self.left = value


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was logged: Airflow 3.1 and newer write it to stdout, older ones hand it to logging."""
    caplog.set_level(logging.INFO)
    return lambda: capsys.readouterr().out or caplog.text


def _operator(workflow: WorkflowSpec, task_id: str) -> AqueductOperator:
    operators = flow_plan(workflow).tasks[task_id].operators
    return AqueductOperator(task_id=task_id, workflow=workflow, operators=operators)


def _context(ti: TaskInstance | None = None, conf: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "run_id": RUN_ID,
        "params": {},
        "ti": ti or TaskInstance(),
        "dag_run": SimpleNamespace(conf=conf, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)),
    }


def test_a_chain_passes_manifests_and_only_short_values(flows: Flows) -> None:
    source = "def predict(): return 'a value ' * 100, 1"
    workflow = flows.flow(
        {"task_id": "first", "source": source, "outputs": ["x", "y"]},
        {"task_id": "second", "source": "def predict(x, y): return x * (y + 1)", "inputs": ["x", "y"]},
    )
    ti = TaskInstance()
    ti.xcom["first"] = _operator(workflow, "first").execute(_context(ti))
    manifest = _operator(workflow, "second").execute(_context(ti))

    assert "a value" not in str(ti.xcom)
    assert ti.pulled == ["first"], "one XCom request for a task that made two inputs"
    assert ti.xcom["first"]["artifacts"]["y"]["glance"] == {"value": 1}
    assert flows.store.get(manifest["artifacts"]["second-out"]["key"]) == b"a value " * 200


def test_an_error_of_the_user_is_logged_once_and_may_be_tried_again(
    flows: Flows, log: Callable[[], str]
) -> None:
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1 / 0"})
    with pytest.raises(AirflowException, match="division by zero") as caught:
        _operator(workflow, "f").execute(_context())
    assert not isinstance(caught.value, AirflowFailException)
    assert "Traceback" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    text = log()
    assert text.count("Traceback (most recent call last)") == 1
    assert 'model.py", line 1, in predict' in text
    assert "aqueduct_runner" not in text


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "import no_such_module\ndef predict(): pass"},
        {"source": "def predict(): return False", "type": "check"},
        {"source": "def predict(): return 'x'", "type": "metric"},
    ],
)
def test_what_would_fail_again_uses_no_retries(flows: Flows, changes: dict[str, Any]) -> None:
    workflow = flows.flow({"task_id": "f", **changes})
    with pytest.raises(AirflowFailException):
        _operator(workflow, "f").execute(_context())


def test_a_failed_warning_check_warns_and_goes_on(flows: Flows, log: Callable[[], str]) -> None:
    check = {"task_id": "c", "source": "def predict(): return False", "type": "check"}
    workflow = flows.flow({**check, "severity": "warning"})
    manifest = _operator(workflow, "c").execute(_context())
    assert manifest["status"] == "warning"
    assert "Check 'c' did not pass" in log()


def test_fused_operators_are_one_task_with_a_manifest_of_each(
    flows: Flows, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    workflow = flows.flow(
        {"task_id": "first", "source": "def predict(): return 1"},
        {"task_id": "b", "source": "def predict(x): return x + 1", "inputs": ["a-out"], "fuse": "g"},
        {
            "task_id": "a",
            "source": "def predict(x): return x + 1",
            "inputs": ["first-out"],
            "fuse": "g",
        },
        {"task_id": "last", "source": "def predict(x): return x + 1", "inputs": ["b-out"]},
    )
    ti = TaskInstance()
    for task_id in ("first", "g", "last"):
        ti.xcom[task_id] = _operator(workflow, task_id).execute(_context(ti))

    assert set(ti.pulled) == {"first", "g"}
    assert list(ti.xcom["g"]["operators"]) == ["a", "b"]
    assert flows.store.get(ti.xcom["last"]["artifacts"]["last-out"]["key"]) == b"4"
    state = json.loads(flows.store.get(NativeLayout(FLOW_ID, RUN_ID).exec_state("b")))
    assert state["task"]["try_number"] == 2
    marks = [message for message in caplog.messages if message.startswith("::")]
    assert marks == ["::group::a", "::endgroup::", "::group::b", "::endgroup::"]


def test_fused_operators_that_fail_are_one_error_and_one_traceback_each(
    flows: Flows, caplog: pytest.LogCaptureFixture
) -> None:
    bad = {"source": "def predict(): return 1 / 0", "fuse": "g"}
    workflow = flows.flow({"task_id": "a", **bad}, {"task_id": "b", **bad})
    with pytest.raises(AirflowException, match=r"(?s)2 of 2 operators failed\..*'a': .*'b': ") as caught:
        _operator(workflow, "g").execute(_context())
    assert not isinstance(caught.value, AirflowFailException)
    assert caplog.text.count("Traceback (most recent call last)") == 2


def test_a_run_that_cannot_go_on_with_its_version_leaves_the_reason(flows: Flows) -> None:
    workflow = flows.flow(
        {"task_id": "first", "source": "def predict(): return 1"},
        {"task_id": "second", "source": "def predict(x): return x", "inputs": ["first-out"]},
    )
    ti = TaskInstance()
    ti.xcom["first"] = _operator(workflow, "first").execute(_context(ti))
    assert ti.xcom["first"]["spec"] == {"sha256": workflow.sha256, "version": str(workflow.version.id)}
    ti.xcom["first"]["spec"] = {"sha256": "0" * 64, "version": "earlier"}
    with pytest.raises(AirflowFailException, match="began with version earlier"):
        _operator(workflow, "second").execute(_context(ti))
    state = json.loads(flows.store.get(NativeLayout(FLOW_ID, RUN_ID).exec_state("second")))
    assert "began with version earlier" in state["error"]["tip"]


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("SANDBOX", "docker", "sandbox"),
        ("KILL_GRACE", "soon", "kill_grace"),
        ("S3_PATIENCE", "long", "s3_patience"),
        ("SANDBOX", "bwrap", "this worker has no bwrap"),
        ("CACHE_DIR", "/proc/cache", "/proc/cache"),
    ],
)
def test_a_worker_that_is_set_up_wrongly_leaves_the_reason(
    flows: Flows, monkeypatch: pytest.MonkeyPatch, option: str, value: str, reason: str
) -> None:
    sources = {"a": "def predict(): return 1", "b": "def predict(): return 2"}
    workflow = flows.flow(
        *({"task_id": name, "source": source, "fuse": "g"} for name, source in sources.items())
    )
    monkeypatch.setenv(f"AIRFLOW__AQUEDUCT__{option}", value)
    monkeypatch.setenv("PATH", "/no/such/folder")
    with pytest.raises(AirflowFailException, match=reason):
        _operator(workflow, "g").execute(_context())
    for name in sources:
        state = json.loads(flows.store.get(NativeLayout(FLOW_ID, RUN_ID).exec_state(name)))
        assert state["status"] == "failed"
        assert reason in state["error"]["tip"]
        assert state["task"]["try_number"] == 2


def test_an_input_without_a_manifest_names_the_task_to_clear(flows: Flows) -> None:
    workflow = flows.flow(
        {"task_id": "first", "source": "def predict(): return 1"},
        {"task_id": "second", "source": "def predict(x): return x", "inputs": ["first-out"]},
    )
    with pytest.raises(AirflowFailException, match="Clear task 'first'"):
        _operator(workflow, "second").execute(_context())


def test_missing_credentials_are_one_message(flows: Flows) -> None:
    flows.artifact_store["credentials_profile"] = "nobody"
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})
    with pytest.raises(AirflowFailException, match=r"nobody.*research"):
        _operator(workflow, "f").execute(_context())


def test_values_that_the_conf_names_by_key_reach_the_parameter(flows: Flows) -> None:
    workflow = flows.param_flow("n", "picklable")
    data = pickle.dumps({1, 2})
    digest = value_digest(hashlib.sha256(data).hexdigest(), "pickle")
    value = StoredValue(digest, "pickle", "picklable")
    flows.store.put(FlowLayout(FLOW_ID).value(value.sha256), data)

    manifest = _operator(workflow, "n").execute(_context(conf={"n": 1, **to_conf({"n": value})}))

    assert pickle.loads(flows.store.get(manifest["artifacts"]["n-out"]["key"])) == {1, 2}


def test_a_key_of_conf_in_another_normal_form_means_the_parameter(flows: Flows) -> None:
    workflow = flows.param_flow("n", "numeric")
    document = json.loads(workflow.model_dump_json())
    document["parameters"][0]["name"] = document["operators"][0]["parameter"] = "caf\u00e9"
    workflow = parse(json.dumps(document).encode(), "flow")
    context = _context()
    # As Airflow merges them: the params of the DAG, then what the conf has besides.
    context["params"] = {"caf\u00e9": 1, "cafe\u0301": 5}
    manifest = _operator(workflow, "n").execute(context)
    assert flows.store.get(manifest["artifacts"]["n-out"]["key"]) == b"5"


def test_a_conf_that_names_them_wrongly_is_the_users_mistake(flows: Flows) -> None:
    workflow = flows.param_flow("n", "picklable")
    conf = {"aqueduct_values": {"n": {"sha256": "../../other"}}}
    with pytest.raises(AirflowFailException, match=r"aqueduct_values\.n\.sha256"):
        _operator(workflow, "n").execute(_context(conf=conf))


def test_on_kill_returns_and_execute_raises(flows: Flows) -> None:
    source = "import time\ndef predict():\n    print('started', flush=True)\n    time.sleep(600)"
    workflow = flows.flow({"task_id": "f", "source": source})
    operator = _operator(workflow, "f")

    def kill_when_it_runs() -> None:
        while operator._attempt is None:
            time.sleep(0.02)
        operator.on_kill()

    killer = threading.Thread(target=kill_when_it_runs)
    killer.start()
    with pytest.raises(AirflowException, match="The task was ended"):
        operator.execute(_context())
    killer.join()


def test_on_kill_is_heeded_while_s3_is_away(
    flows: Flows, faults: FaultProxy, caplog: pytest.LogCaptureFixture
) -> None:
    """The task asks S3 which version its run has, before there is an attempt that could be killed."""
    source = {"source": "def predict(): return 1"}
    flows.artifact_store["endpoint_url"] = faults.url
    workflow = flows.flow({"task_id": "f", **source}, {"task_id": "g", **source})
    operator = _operator(workflow, "f")

    def kill_when_it_waits() -> None:
        while len(faults.requests) < 3:
            time.sleep(0.02)
        operator.on_kill()

    faults.rules = [Rule("500", times=1000)]
    killer = threading.Thread(target=kill_when_it_waits)
    killer.start()
    with pytest.raises(AirflowException, match="The task was ended while it waited for s3://"):
        operator.execute(_context())
    killer.join()
    assert operator._attempt is None
    assert "Trying again, for" in caplog.text


def test_on_kill_before_anything_runs_is_harmless(flows: Flows) -> None:
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})
    _operator(workflow, "f").on_kill()


def test_copies_share_the_spec_and_nothing_is_a_template(flows: Flows) -> None:
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})
    operator = _operator(workflow, "f")
    assert copy.deepcopy(operator).workflow.operators is workflow.operators
    assert operator.template_fields == ()


def test_a_failed_check_names_what_it_has_written(flows: Flows) -> None:
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return False", "type": "check"})
    ti = TaskInstance()
    with pytest.raises(AirflowFailException):
        _operator(workflow, "f").execute(_context(ti))
    assert (ti.left["status"], ti.left["spec"]["sha256"]) == ("failed", workflow.sha256)
    ref = ti.left["artifacts"]["f-out"]
    assert hashlib.sha256(flows.store.get(ref["key"])).hexdigest() == ref["sha256"]


@pytest.mark.parametrize("fuse", [None, "group"])
def test_a_task_that_has_written_nothing_names_its_spec(flows: Flows, fuse: str | None) -> None:
    """A replay is verified by it."""
    ti = TaskInstance()
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1 / 0", "fuse": fuse})
    with pytest.raises(AirflowException):
        _operator(workflow, fuse or "f").execute(_context(ti))
    assert ti.left["spec"]["sha256"] == workflow.sha256
    assert ti.left.get("artifacts", ti.left.get("operators")) == {}


def test_a_task_that_was_not_begun_names_nothing(flows: Flows) -> None:
    ti = TaskInstance()
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})
    with pytest.raises(AirflowException):
        _operator(workflow, "f").execute(_context(ti, {"no_such_parameter": 1}))
    assert ti.left == {}


def test_the_first_error_counts_where_what_was_written_cannot_be_named(
    flows: Flows, log: Callable[[], str]
) -> None:
    class Full(TaskInstance):
        def xcom_push(self, key: str, value: Any) -> None:
            raise OSError("the database is full")

    workflow = flows.flow({"task_id": "f", "source": "def predict(): return False", "type": "check"})
    with pytest.raises(AirflowFailException, match="The check did not pass"):
        _operator(workflow, "f").execute(_context(Full()))
    assert "could not be recorded: the database is full" in log()


def test_no_secret_is_in_what_airflow_is_given(
    flows: Flows, monkeypatch: pytest.MonkeyPatch, log: Callable[[], str]
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "pl/anted")
    source = "def predict():\n    print('it is pl%2Fanted')\n    raise ValueError('pl/anted x://u:pw@host')"
    workflow = flows.flow({"task_id": "f", "source": source})
    with pytest.raises(AirflowException, match=r"\*\*\* x://\*\*\*@host") as caught:
        _operator(workflow, "f").execute(_context())
    state = flows.store.get(NativeLayout(FLOW_ID, RUN_ID).exec_state("f")).decode()
    everything = f"{log()} {caught.value!r} {state}"
    assert "it is ***" in everything
    assert [secret for secret in ("pl/anted", "pl%2Fanted", "u:pw") if secret in everything] == []


def test_a_foreign_error_with_a_secret_is_replaced(
    flows: Flows, monkeypatch: pytest.MonkeyPatch, log: Callable[[], str]
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "pl/anted")
    workflow = flows.flow({"task_id": "f", "source": "def predict(): return 1"})
    for message, kind in (("nothing", ValueError), ("pl%2fanted", AirflowException)):

        def fail(*_: object, message: str = message) -> None:
            raise ValueError(message)

        monkeypatch.setattr("aqueduct_provider.execution.attempt.prepare", fail)
        with pytest.raises(kind) as caught:
            _operator(workflow, "f").execute(_context())
        assert caught.value.__cause__ is None
        assert "pl%2fanted" not in f"{log()} {caught.value!r}"

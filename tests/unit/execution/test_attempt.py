"""The main path with real children: every outcome leaves an exec state, and the right error."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.cache import EnvironmentCache
from aqueduct_provider.environment.fingerprint import EnvironmentSpec
from aqueduct_provider.environment.provide import provide
from aqueduct_provider.errors import (
    CheckFailed,
    DigestMismatch,
    OperatorCrashed,
    OperatorFailed,
    OperatorKilled,
    OperatorTimedOut,
    RequirementsError,
    StorageUnavailable,
    is_retryable,
)
from aqueduct_provider.process import OnLine
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.storage.local import LocalStore
from tests.support.example_specs import VERSION_ID
from tests.support.flow_runs import LocalRun
from tests.support.process_checks import wait_until_no_command_has
from tests.unit.execution.conftest import Desk

Function = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.usefixtures("sandboxed")


def test_success_leaves_artifact_metadata_state_and_manifest(desk: Desk, function: Function) -> None:
    source = (
        "import sys\ndef predict():\n    print('to out')\n    print('to err', file=sys.stderr)\n    return 7"
    )
    run = LocalRun(desk.flow(function(source), types={"out": "numeric"}), desk.store, desk.folder)

    manifest = run.run("f")

    assert desk.content("out") == b"7"
    metadata = desk.metadata("out")
    assert (metadata["artifact_type"], metadata["serialization_type"]) == ("numeric", "json")
    assert (metadata["python_type"], metadata["encoding"]) == ("int", "json/v1")
    assert set(metadata["system_metadata"]) == {"runtime", "max_memory", "cpu_time"}
    assert float(metadata["system_metadata"]["max_memory"]) > 1
    assert desk.state("f") == {
        "user_logs": {"stdout": "to out\n", "stderr": "to err\n"},
        "status": "succeeded",
        "failure_type": None,
        "error": None,
        "version": VERSION_ID,
    }
    assert manifest.status == "succeeded"
    assert manifest.artifacts["out"].size == 1
    assert run.lines == [("stdout", "to out"), ("stderr", "to err")]


def test_an_exception_of_the_user_is_user_fatal_with_their_traceback(desk: Desk, function: Function) -> None:
    source = "def predict():\n    print('before')\n    return 1 / 0"
    run = LocalRun(desk.flow(function(source)), desk.store, desk.folder)

    with pytest.raises(OperatorFailed) as caught:
        run.run("f")

    assert is_retryable(caught.value)
    state = desk.state("f")
    assert (state["status"], state["failure_type"]) == ("failed", 2)
    assert state["user_logs"]["stdout"] == "before\n"
    assert state["version"] == VERSION_ID
    assert "ZeroDivisionError" in state["error"]["context"]
    assert "aqueduct_runner" not in state["error"]["context"]
    assert not desk.store.exists("flows")


@pytest.mark.parametrize(
    ("source", "types"),
    [
        ("import no_such_module\ndef predict(): return 1", {}),
        ("def predict(: return 1", {}),
        ("def predict(): return 'text'", {"out": "numeric"}),
    ],
)
def test_what_would_fail_again_is_not_retryable(
    desk: Desk, function: Function, source: str, types: dict[str, str]
) -> None:
    run = LocalRun(desk.flow(function(source), types=types), desk.store, desk.folder)
    with pytest.raises(OperatorFailed) as caught:
        run.run("f")
    assert not is_retryable(caught.value)
    assert desk.state("f")["failure_type"] == 2


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_a_failed_check_stores_false_first(desk: Desk, function: Function, severity: str) -> None:
    check = function("def predict(): return False", type="check", severity=severity)
    run = LocalRun(desk.flow(check, types={"out": "boolean"}), desk.store, desk.folder)

    if severity == "error":
        with pytest.raises(CheckFailed) as caught:
            run.run("f")
        assert not is_retryable(caught.value)
    else:
        assert run.run("f").status == "warning"

    assert desk.content("out") == b"false"
    state = desk.state("f")
    assert (state["status"], state["failure_type"]) == ("failed", 2 if severity == "error" else 3)
    assert state["error"]["tip"] == "The check did not pass (returned False)."


def test_a_child_that_leaves_without_a_word_is_a_crash(desk: Desk, function: Function) -> None:
    source = "import os\ndef predict():\n    print('last words', flush=True)\n    os._exit(3)"
    run = LocalRun(desk.flow(function(source)), desk.store, desk.folder)
    with pytest.raises(OperatorCrashed, match="exit code 3") as caught:
        run.run("f")
    assert is_retryable(caught.value)
    state = desk.state("f")
    assert (state["failure_type"], state["user_logs"]["stdout"]) == (1, "last words\n")


def test_a_child_killed_by_the_kernel_is_reported_with_its_signal(desk: Desk, function: Function) -> None:
    source = "import os, signal\ndef predict(): os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(OperatorCrashed, match=r"signal 9 \(SIGKILL\).*out-of-memory"):
        LocalRun(desk.flow(function(source)), desk.store, desk.folder).run("f")
    assert desk.state("f")["failure_type"] == 1


def test_a_timeout_ends_the_child(desk: Desk, function: Function) -> None:
    operator = function("import time\ndef predict(): time.sleep(600)", timeout=0.5)
    with pytest.raises(OperatorTimedOut, match="longer than its timeout"):
        LocalRun(desk.flow(operator), desk.store, desk.folder).run("f")
    assert desk.state("f")["failure_type"] == 2


def test_kill_ends_the_child_with_all_that_it_started(desk: Desk, function: Function) -> None:
    source = (
        "import subprocess, time\n"
        "def predict():\n"
        "    child = subprocess.Popen(['sleep', '600.2718'])\n"
        "    print(child.pid, flush=True)\n"
        "    time.sleep(600)"
    )
    run = LocalRun(desk.flow(function(source)), desk.store, desk.folder)
    attempt = run.attempt("f")

    def kill_when_started() -> None:
        while not run.lines:
            time.sleep(0.02)
        attempt.kill()

    killer = threading.Thread(target=kill_when_started)
    killer.start()
    with pytest.raises(OperatorKilled):
        attempt.run()
    killer.join()

    assert desk.state("f")["status"] == "canceled"
    wait_until_no_command_has("600.2718")


def test_an_input_changed_in_the_store_is_never_unpickled(desk: Desk, function: Function) -> None:
    first = function("def predict(): return {1, 2}")
    second = function("def predict(value): return value", task_id="g", inputs=["out"], outputs=["out2"])
    second["code"] = first["code"]
    run = LocalRun(desk.flow(first, second), desk.store, desk.folder)
    manifest = run.run("f")
    desk.store.put(manifest.artifacts["out"].key, b"evil pickle")

    with pytest.raises(DigestMismatch):
        run.run("g")

    state = desk.state("g")
    assert (state["status"], state["failure_type"]) == ("failed", 1)
    assert "was changed after it was written" in state["error"]["tip"]


def test_a_requirement_that_cannot_be_resolved_is_the_users_failure(desk: Desk, function: Function) -> None:
    builder = UvBuilder(variables={**os.environ, "UV_NO_INDEX": "1"})
    cache = EnvironmentCache(desk.folder / "environments", builder, max_bytes=1 << 30)

    def provide_real(spec: EnvironmentSpec, on_line: OnLine, cancelled: Callable[[], bool]) -> Any:
        return provide(spec, isolation="auto", cache=cache, on_line=on_line, cancelled=cancelled)

    operator = function("def predict(): return 1")
    operator["code"]["requirements"] = ["no-such-package==9.9"]
    run = LocalRun(desk.flow(operator), desk.store, desk.folder, provide=provide_real)
    with pytest.raises(RequirementsError, match="no-such-package") as caught:
        run.run("f")
    assert not is_retryable(caught.value)
    state = desk.state("f")
    assert (state["status"], state["failure_type"]) == ("failed", 2)
    assert "no-such-package" in state["error"]["tip"]
    assert "no-such-package" in "\n".join(line for _, line in run.lines)


def test_a_defect_of_the_provider_is_a_system_failure_with_its_traceback(
    desk: Desk, function: Function
) -> None:
    def provide(*_: Any) -> Any:
        raise ValueError("broken inside")

    run = LocalRun(desk.flow(function("def predict(): return 1")), desk.store, desk.folder, provide=provide)
    with pytest.raises(ValueError, match="broken inside"):
        run.run("f")
    state = desk.state("f")
    assert state["failure_type"] == 1
    assert "not the operator's fault" in state["error"]["tip"]
    assert "test_attempt.py" in state["error"]["context"]


def test_a_state_that_cannot_be_written_does_not_hide_the_first_error(desk: Desk, function: Function) -> None:
    class ReadOnly(LocalStore):
        def put(self, key: str, data: bytes) -> None:
            raise StorageUnavailable("the store is away")

    run = LocalRun(desk.flow(function("def predict(): return 1 / 0")), desk.store, desk.folder)
    read_only = LocalRun(run.spec, ReadOnly(desk.folder / "store"), desk.folder)
    with pytest.raises(OperatorFailed, match="division") as caught:
        read_only.run("f")
    assert not isinstance(caught.value, StorageUnavailable)


def test_the_child_sees_no_credentials_and_no_airflow_settings(desk: Desk, function: Function) -> None:
    source = "import os\ndef predict(): return dict(os.environ)"
    variables = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "EXTRA": "allowed",
        "AWS_SECRET_ACCESS_KEY": "planted",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "planted",
        "PYTHONPATH": "/somewhere",
        "MY_TOKEN": "planted",
    }
    run = LocalRun(
        desk.flow(function(source), types={"out": "dictionary"}),
        desk.store,
        desk.folder,
        variables=variables,
        allowed_variables=frozenset({"EXTRA"}),
    )
    run.run("f")
    seen = desk.content("out").decode()
    assert "planted" not in seen
    assert "allowed" in seen
    assert "PYTHONPATH" not in seen


def test_job_folders_are_removed_in_every_outcome(
    desk: Desk, function: Function, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(jobs))
    LocalRun(desk.flow(function("def predict(): return 1")), desk.store, desk.folder).run("f")
    with pytest.raises(OperatorFailed):
        LocalRun(desk.flow(function("def predict(): return 1 / 0")), desk.store, desk.folder).run("f")
    assert list(jobs.iterdir()) == []


def test_the_exec_state_is_masked_as_the_log_is(desk: Desk, function: Function) -> None:
    source = (
        "import base64, sys\n"
        "def predict():\n"
        "    print('plain pl/anted', base64.b64encode(b'user:pl/anted').decode())\n"
        "    print('quoted pl%2Fanted', file=sys.stderr)\n"
        "    raise ValueError('postgresql://user:other@host/db and pl/anted')"
    )
    run = LocalRun(
        desk.flow(function(source)), desk.store, desk.folder, redact=Redactor(["pl/anted"]), requests=1
    )
    with pytest.raises(OperatorFailed):
        run.run("f")
    state = desk.state("f")
    assert state["user_logs"]["stdout"].startswith("plain *** dXNlcj")
    assert "quoted ***\n" in state["user_logs"]["stderr"]
    assert "postgresql://***@host/db and ***" in state["error"]["tip"]
    everything = f"{state} {run.lines}"
    for secret in ("pl/anted", "pl%2Fanted", "cGwvYW50ZWQ", "other", "bC9hbnRlZ"):
        assert secret not in everything.replace("another", "")


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        ("open('../../outcome.json', 'w').write('{}')\n    os._exit(0)", "outcome.json is not an outcome"),
        ("os.mkdir('../../outcome.json')\n    os._exit(0)", "outcome.json cannot be read: it is not a file"),
        (
            "out = '../../outputs/0'\n"
            "    atexit.register(lambda: (os.remove(out), os.symlink('/etc/passwd', out)))",
            "the file outputs/0 of its job folder cannot be used",
        ),
        ("atexit.register(lambda: os.remove('../../outputs/0'))", "the file outputs/0 of its job folder"),
    ],
)
def test_what_the_users_code_makes_of_its_job_is_its_own_failure(
    desk: Desk, function: Function, lie: str, message: str
) -> None:
    source = f"import atexit\nimport os\ndef predict():\n    {lie}\n    return 1"
    run = LocalRun(desk.flow(function(source)), desk.store, desk.folder)
    with pytest.raises(OperatorFailed, match=message) as caught:
        run.run("f")
    assert type(caught.value) is OperatorFailed
    assert desk.state("f")["failure_type"] == 2

"""Fused operators with real children: each leaves what it leaves alone."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from aqueduct_provider.artifacts.manifest import GroupManifest
from aqueduct_provider.environment.cache import PythonEnvironment
from aqueduct_provider.errors import (
    CheckFailed,
    ObjectNotFound,
    OperatorFailed,
    OperatorKilled,
    is_retryable,
)
from aqueduct_provider.storage.local import LocalStore
from tests.support.flow_runs import LocalRun, code_of, function_zip, own_python
from tests.support.process_checks import wait_until_no_command_has
from tests.unit.execution.conftest import Desk

pytestmark = pytest.mark.usefixtures("sandboxed")

ADD = "def predict(*values):\n    print('adds', *values)\n    return sum(values) + 1"


class Fused:
    """Flows of operators that are all in one group, and one run of each."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def op(self, task_id: str, *inputs: str, source: str = ADD, **fields: Any) -> dict[str, Any]:
        """An operator that reads the outputs of others and writes its own, each named after its operator."""
        code = code_of(self.desk.store, source)
        return {
            "task_id": task_id,
            "type": "function",
            "inputs": list(inputs),
            "outputs": [task_id],
            "code": code,
            "fuse": "g",
            **fields,
        }

    def run(self, *operators: dict[str, Any], store: LocalStore | None = None, **worker: Any) -> LocalRun:
        spec = self.desk.flow(*operators)
        return LocalRun(spec, store or self.desk.store, self.desk.folder, **worker)

    def states(self, *names: str) -> list[str]:
        """The status of each operator's exec state, empty where there is none."""
        found = []
        for name in names:
            try:
                found.append(self.desk.state(name)["status"])
            except ObjectNotFound:
                found.append("")
        return found


@pytest.fixture
def fused(desk: Desk) -> Fused:
    return Fused(desk)


def failed(run: LocalRun) -> OperatorFailed:
    with pytest.raises(OperatorFailed) as caught:
        run.group("g").run()
    return caught.value


def test_a_fan_out_leaves_what_its_operators_leave_alone(fused: Fused) -> None:
    operators = [fused.op("a"), fused.op("b", "a"), fused.op("c", "a"), fused.op("d", "b", "c")]
    run = fused.run(*operators)

    manifest = run.group("g", try_number=3).run()

    assert list(manifest.operators) == ["a", "b", "c", "d"]
    assert [fused.desk.content(name) for name in "abcd"] == [b"1", b"2", b"2", b"5"]
    state = fused.desk.state("d")
    assert (state["status"], state["user_logs"]["stdout"]) == ("succeeded", "adds 2 2\n")
    times = [fused.desk.state(name)["task"] for name in "abcd"]
    assert {part["try_number"] for part in times} == {3}
    assert all(before["ended_at"] <= after["started_at"] for before, after in pairwise(times))

    alone = fused.run(*({**operator, "fuse": None} for operator in operators))
    alone.run()
    assert all(
        manifest.operators[name].artifacts[name].sha256 == alone.manifests[name].artifacts[name].sha256
        for name in "abcd"
    )


def test_what_another_task_made_is_fetched_and_what_the_group_made_is_not(fused: Fused) -> None:
    operators = [fused.op("before", fuse=None), fused.op("a", "before"), fused.op("b", "a", "before")]
    fetched: list[str] = []

    class Store(LocalStore):
        def get_file(self, key: str, path: Any) -> Any:
            fetched.append(key.split("/")[-2])
            return super().get_file(key, path)

    run = fused.run(*operators, store=Store(fused.desk.store.root))
    run.run("before")
    fetched.clear()
    run.group("g").run()
    assert fused.desk.content("b") == b"4"
    assert "a" not in fetched
    assert fetched.count("before") == 2


def test_the_exec_state_comes_after_the_artifacts(fused: Fused) -> None:
    written: list[str] = []

    class Store(LocalStore):
        def put(self, key: str, data: bytes) -> None:
            super().put(key, data)
            written.append(key.rpartition("/")[2])

        def put_file(self, key: str, path: Any) -> Any:
            stored = super().put_file(key, path)
            written.append(key.rpartition("/")[2])
            return stored

    fused.run(fused.op("a"), fused.op("b", "a"), store=Store(fused.desk.store.root)).group("g").run()
    assert written == ["content", "metadata.json", "state.json"] * 2


def test_a_failure_stops_what_needs_it_and_nothing_else(fused: Fused) -> None:
    bad = "def predict(x):\n    print('before')\n    return 1 / 0"
    run = fused.run(
        fused.op("a"),
        fused.op("bad", "a", source=bad),
        fused.op("needs", "bad"),
        fused.op("waits", after=["needs"]),
        fused.op("free", "a"),
    )
    error = failed(run)
    assert fused.states("a", "bad", "needs", "waits", "free") == ["succeeded", "failed", "", "", "succeeded"]
    assert fused.desk.state("bad")["user_logs"]["stdout"] == "before\n"
    assert is_retryable(error)
    assert str(error) == (
        "1 of 5 operators failed, and 'needs', 'waits' could not be run without them.\n"
        "  'bad': Error in the function: ZeroDivisionError: division by zero"
    )


def test_the_task_is_not_tried_again_where_one_would_fail_again(fused: Fused) -> None:
    error = failed(
        fused.run(
            fused.op("a", source="def predict(): return 1 / 0"),
            fused.op("b", source="import no_such_module\ndef predict(): pass"),
        )
    )
    assert not is_retryable(error)
    assert "2 of 2 operators failed.\n  'a': " in str(error)
    assert "\n  'b': The module 'no_such_module' is not installed" in str(error)


@pytest.mark.parametrize("severity", ["warning", "error"])
def test_a_failed_check(fused: Fused, severity: str) -> None:
    check = fused.op(
        "c", "a", source="def predict(x): return False", type="check", severity=severity, outputs=["c"]
    )
    run = fused.run(fused.op("a"), check, fused.op("b", "a", after=["c"]))
    if severity == "warning":
        manifest = run.group("g").run()
        assert [one.status for one in manifest.operators.values()] == ["succeeded", "warning", "succeeded"]
    else:
        error = failed(run)
        assert not isinstance(error, CheckFailed)
        assert "'c': The check did not pass" in str(error)
        assert fused.states("a", "c", "b") == ["succeeded", "failed", ""]


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ("os._exit(3)", "exit code 3"),
        ("os.kill(os.getpid(), 9)", r"signal 9 \(SIGKILL\)"),
        # The server: the operator ends with it, and the next one has another.
        ("os.kill(os.getppid(), 9); time.sleep(600)", "SIGKILL"),
    ],
)
def test_what_ends_one_operator_ends_no_other(fused: Fused, act: str, why: str) -> None:
    source = f"import os, time\ndef predict():\n    print('last')\n    {act}"
    run = fused.run(fused.op("a", source=source), fused.op("b"))
    with pytest.raises(OperatorFailed, match=f"'a': .*{why}"):
        run.group("g").run()
    assert fused.states("a", "b") == ["failed", "succeeded"]
    assert fused.desk.state("a")["user_logs"]["stdout"] == "last\n"


def test_each_operator_has_its_own_timeout(fused: Fused) -> None:
    slow = fused.op("a", source="import time\ndef predict(): time.sleep(600)", timeout=0.5)
    with pytest.raises(OperatorFailed, match="'a': The operator ran longer than its timeout"):
        fused.run(slow, fused.op("b")).group("g").run()
    assert fused.states("a", "b") == ["failed", "succeeded"]


def test_a_kill_ends_everything(fused: Fused) -> None:
    source = (
        "import subprocess, time\n"
        "def predict():\n"
        "    print(subprocess.Popen(['sleep', '600.3141']).pid, flush=True)\n"
        "    time.sleep(600)"
    )
    run = fused.run(fused.op("a"), fused.op("b", source=source), fused.op("c"))
    group = run.group("g")

    def kill_when_started() -> None:
        while len(run.lines) < 2:
            time.sleep(0.02)
        group.kill()

    killer = threading.Thread(target=kill_when_started)
    killer.start()
    with pytest.raises(OperatorKilled):
        group.run()
    killer.join()
    assert fused.states("a", "b", "c") == ["succeeded", "canceled", ""]
    wait_until_no_command_has("600.3141")


def test_a_kill_between_two_operators_begins_no_other(fused: Fused) -> None:
    run = fused.run(fused.op("a"), fused.op("b"))
    group = run.group("g")

    class Store(LocalStore):
        def put(self, key: str, data: bytes) -> None:
            super().put(key, data)
            if key.endswith("state.json"):
                group.kill()

    group.worker = LocalRun(run.spec, Store(fused.desk.store.root), fused.desk.folder).worker
    with pytest.raises(OperatorKilled):
        group.run()
    assert fused.states("a", "b") == ["succeeded", ""]


def test_every_operator_has_a_section_of_the_log(fused: Fused, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run = fused.run(
        fused.op("a", name="first one"),
        fused.op("bad", source="def predict(): return 1 / 0"),
        fused.op("needs", "bad"),
        on_line=lambda _, line: logging.getLogger("child").info("%s", line),
    )
    failed(run)
    lines = [record.getMessage() for record in caplog.records]
    marks = [line for line in lines if line.startswith("::")]
    assert marks == [
        "::group::first one (a)",
        "::endgroup::",
        "::group::bad",
        "::endgroup::",
        "::group::needs",
        "::endgroup::",
    ]
    parts = "\n".join(lines).split("::endgroup::")
    assert "adds" in parts[0]
    assert "ZeroDivisionError" in parts[1]
    assert 'model.py", line 1, in predict' in parts[1]
    assert "Not run: 'bad' did not succeed." in parts[2]


def test_one_server_for_each_python_and_one_lease(fused: Fused) -> None:
    leases = list[str]()

    @contextmanager
    def provide(*arguments: Any) -> Iterator[PythonEnvironment]:
        leases.append("begun")
        with own_python(*arguments) as python:
            yield python
        leases.append("ended")

    source = "import os\ndef predict(*_): return os.getppid()"
    names = ("a", "b", "c")
    run = fused.run(*(fused.op(name, source=source) for name in names), provide=provide)
    run.group("g").run()
    parents = {int(fused.desk.content(name)) for name in names}
    assert len(parents) == 1
    assert parents != {os.getpid()}
    assert leases == ["begun", "ended"]
    wait_until_no_command_has(str(fused.desk.folder))


def test_what_is_no_function_is_run_too(fused: Fused) -> None:
    parameter = {"task_id": "n", "type": "param", "parameter": "n", "outputs": ["n"], "fuse": "g"}
    metric = {
        "task_id": "time",
        "type": "system_metric",
        "metric": "runtime",
        "inputs": ["a"],
        "outputs": ["time"],
        "fuse": "g",
    }
    spec = fused.desk.flow(
        parameter,
        fused.op("a", "n"),
        metric,
        types={"n": "numeric", "time": "numeric"},
        parameters=({"name": "n", "type": "numeric", "default": {"value": 5}},),
    )
    manifest = LocalRun(spec, fused.desk.store, fused.desk.folder).group("g").run()
    assert isinstance(manifest, GroupManifest)
    assert fused.desk.content("a") == b"6"
    assert float(fused.desk.content("time")) >= 0


def test_code_of_two_archives_never_meets(fused: Fused) -> None:
    operators = []
    for name in ("a", "b"):
        source = "import helper\ndef predict():\n    return helper.NAME"
        data = function_zip(source, **{"helper.py": f"NAME = {name!r}"})
        code = {"key": f"code/{name}.zip", "sha256": hashlib.sha256(data).hexdigest()}
        fused.desk.store.put(code["key"], data)
        operators.append(fused.op(name) | {"code": {**code, "entry_class": "", "requirements": []}})
    fused.run(*operators).group("g").run()
    assert [fused.desk.content(name) for name in "ab"] == [b"a", b"b"]


def test_a_failed_group_names_what_its_operators_have_written(desk: Desk) -> None:
    fused = Fused(desk)
    run = fused.run(
        fused.op("a", source="def predict(): return 1"),
        fused.op("b", source="def predict(): return False", type="check"),
        fused.op("c", source="def predict(): return 1 / 0"),
    )
    attempt = run.group("g")
    assert attempt.left() is None
    with pytest.raises(OperatorFailed):
        attempt.run()
    left = attempt.left()
    assert left is not None
    assert {name: one.status for name, one in left.operators.items()} == {"a": "succeeded", "b": "failed"}

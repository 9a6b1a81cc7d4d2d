"""A spec run here: order, failures, retries, parameters, events and interrupts, with real children."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.runner.codecs import unpickle
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.local.run_flow import (
    Event,
    LinePrinted,
    LocalOutcome,
    OperatorChanged,
    run_spec,
)
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.state.exec_state import exec_state_from_json
from aqueduct_provider.storage.layout import NativeLayout
from aqueduct_provider.storage.local import LocalStore
from tests.support.example_specs import FLOW_ID
from tests.support.stored_flows import Flows, call, check, param

ROOT = Path(__file__).parents[4]
ONE = "def predict(): return 1"
FAILS = "def predict(*_): raise ValueError('too bad')"
PASSES_ON = "def predict(value): return value"


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flows:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Flows(tmp_path / "store")


def words(outcome: LocalOutcome) -> dict[str, str]:
    return {one.name: one.word for one in outcome.operators}


def state_of(outcome: LocalOutcome, task_id: str) -> Any:
    key = NativeLayout(FLOW_ID, outcome.run_id).exec_state(f"{task_id}-id")
    return exec_state_from_json(outcome.store.get(key))


def test_a_flow_runs_in_order_and_leaves_what_airflow_leaves(flows: Flows) -> None:
    spec = flows.spec(
        call("double", "def predict(n): print('doubling'); return 2 * n", "n"),
        call("last", PASSES_ON, "double"),
        param("n", 4),
    )
    outcome = run_spec(spec, flows.store)
    assert outcome.status is ExecutionStatus.SUCCEEDED
    assert words(outcome) == {"double": "succeeded", "last": "succeeded", "n": "succeeded"}
    assert outcome.artifact("last").get() == 8
    layout = NativeLayout(FLOW_ID, outcome.run_id)
    assert json.loads(flows.store.get(layout.content("last"))) == 8
    assert state_of(outcome, "double").stdout == "doubling\n"
    assert state_of(outcome, "double").version == str(spec.version.id)
    double = outcome.operators[0]
    assert (double.stdout, double.try_number) == ("doubling\n", 1)
    assert double.started_at is not None
    assert double.ended_at is not None
    assert double.duration is not None
    assert 0 < double.duration < 60


def test_events_tell_each_change_and_each_line(flows: Flows) -> None:
    source = "import sys\ndef predict():\n print('out'); print('err', file=sys.stderr)\n return 1"
    events: list[Event] = []
    run_spec(flows.spec(call("talks", source)), flows.store, on_event=events.append)
    assert isinstance(events[0], OperatorChanged)
    assert events[0].operator.status is ExecutionStatus.RUNNING
    assert {one for one in events if isinstance(one, LinePrinted)} == {
        LinePrinted("talks", "stdout", "out"),
        LinePrinted("talks", "stderr", "err"),
    }
    assert isinstance(events[-1], OperatorChanged)
    assert events[-1].operator.status is ExecutionStatus.SUCCEEDED
    assert len(events) == 4


def test_a_failure_stops_only_what_needs_it(flows: Flows) -> None:
    spec = flows.spec(
        call("bad", FAILS),
        call("needs", PASSES_ON, "bad"),
        call("needs_that", PASSES_ON, "needs"),
        call("good", ONE),
        call("waits", ONE, after=["bad"]),
    )
    events: list[Event] = []
    outcome = run_spec(spec, flows.store, on_event=events.append)
    assert outcome.status is ExecutionStatus.FAILED
    assert words(outcome) == {
        "bad": "failed",
        "needs": "canceled",
        "needs_that": "canceled",
        "good": "succeeded",
        "waits": "canceled",
    }
    bad, needs = outcome.operators[:2]
    assert "too bad" in bad.tip
    assert "raise ValueError" in bad.traceback
    assert "before it failed" in needs.tip
    told = [event.operator.name for event in events if isinstance(event, OperatorChanged)]
    assert told.count("needs_that") == 1
    # As on Airflow, what is not run leaves no exec state.
    assert not flows.store.exists(NativeLayout(FLOW_ID, outcome.run_id).exec_state("needs-id"))
    assert "bad-id" in "".join(flows.store.list(f"flows/{FLOW_ID}/runs/{outcome.run_id}/operators/"))


def test_a_check_that_warns_lets_the_flow_go_on_and_one_of_severity_error_does_not(flows: Flows) -> None:
    warns = check("warns", "def predict(): return False", severity="warning")
    spec = flows.spec(warns, call("goes_on", PASSES_ON, "warns"))
    outcome = run_spec(spec, flows.store)
    assert outcome.status is ExecutionStatus.SUCCEEDED
    assert words(outcome) == {"warns": "warning", "goes_on": "succeeded"}
    fails = check("fails", "def predict(): return False", severity="error")
    outcome = run_spec(flows.spec(fails, call("after", PASSES_ON, "fails")), flows.store)
    assert words(outcome) == {"fails": "failed", "after": "canceled"}


# --- retries


COUNTING = """\
from pathlib import Path
def predict():
    file = Path({path!r})
    tries = len(file.read_text()) if file.exists() else 0
    file.write_text('x' * (tries + 1))
    if tries < {failures}:
        raise ValueError('not yet')
    return tries
"""


@pytest.mark.parametrize(("failures", "word", "tries"), [(2, "succeeded", 3), (9, "failed", 3)])
def test_retries_as_the_spec_says(failures: int, word: str, tries: int, flows: Flows, tmp_path: Path) -> None:
    source = COUNTING.format(path=str(tmp_path / "tries"), failures=failures)
    events: list[Event] = []
    spec = flows.spec(call("f", source, retries=2, retry_delay=0.01))
    outcome = run_spec(spec, flows.store, on_event=events.append)
    assert words(outcome) == {"f": word}
    assert outcome.operators[0].try_number == tries
    assert (tmp_path / "tries").read_text() == "x" * tries
    told = [one.operator for one in events if isinstance(one, OperatorChanged)]
    assert [one.word for one in told] == ["running", "pending"] * 2 + ["running", word]
    assert "not yet" in told[1].tip
    assert "tried again in 0.01 s" in told[1].tip


def test_without_retries(flows: Flows, tmp_path: Path) -> None:
    source = COUNTING.format(path=str(tmp_path / "tries"), failures=1)
    spec = flows.spec(call("f", source, retries=2, retry_delay=300.0))
    assert words(run_spec(spec, flows.store, retries=False)) == {"f": "failed"}


def test_what_would_fail_again_is_not_tried_again(flows: Flows) -> None:
    spec = flows.spec(call("f", "import no_such_module", retries=3, retry_delay=300.0))
    outcome = run_spec(spec, flows.store)
    assert (outcome.operators[0].word, outcome.operators[0].try_number) == ("failed", 1)


# --- parameters


def test_values_of_parameters(flows: Flows) -> None:
    table, default = pandas.DataFrame({"n": [1, 2]}), {"value": "published"}
    shows = call(
        "shows", "def predict(*values): return [str(type(v).__name__) for v in values]", "t", "n", "d"
    )
    spec = flows.spec(
        param("t", flows.stored(b"{}"), "table"), param("n", 1), param("d", default["value"], "string"), shows
    )
    outcome = run_spec(spec, flows.store, parameters={"t": table, "n": 2.5})
    assert outcome.status is ExecutionStatus.SUCCEEDED, outcome.operators
    assert outcome.artifact("shows").get() == ["DataFrame", "float", "str"]
    assert outcome.artifact("t").get().equals(table)
    assert outcome.artifact("d").get() == "published"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"nn": 1}, "has no parameter 'nn'. Did you mean 'n'?"),
        ({"n": "1.5.2"}, "'n' is of type string (str), but must be of type numeric"),
    ],
)
def test_wrong_parameters_run_nothing(parameters: dict[str, Any], message: str, flows: Flows) -> None:
    spec = flows.spec(param("n", 1))
    with pytest.raises(AuthoringError) as caught:
        run_spec(spec, flows.store, parameters=parameters)
    assert message in str(caught.value)
    assert not list(flows.store.list("flows/"))


# --- run ids, several at once, what goes wrong elsewhere


def test_run_ids(flows: Flows) -> None:
    spec = flows.spec(call("f", ONE))
    assert run_spec(spec, flows.store, run_id="mine").run_id == "mine"
    assert flows.store.exists(NativeLayout(FLOW_ID, "mine").content("f"))
    first, second = run_spec(spec, flows.store), run_spec(spec, flows.store)
    assert first.run_id.startswith("local__20")
    assert first.run_id != second.run_id
    assert run_spec(spec, flows.store, run_id="manual__2026-01-01T00:00:00+00:00").status == "succeeded"
    for bad in ("", ".", "..", "../x", "a/b", "a b", "é", "x" * 251):
        with pytest.raises(AuthoringError, match="cannot be a run id"):
            run_spec(spec, flows.store, run_id=bad)


def test_several_at_once(flows: Flows) -> None:
    # Each ends only when the other has begun.
    meets = """\
import time
from pathlib import Path
def predict():
    Path({mine!r}).touch()
    while not Path({other!r}).exists():
        time.sleep(0.01)
    return 1
"""
    a, b = (str(flows.folder / name) for name in ("a", "b"))
    flows.folder.mkdir(exist_ok=True)
    spec = flows.spec(
        call("a", meets.format(mine=a, other=b), timeout=60.0),
        call("b", meets.format(mine=b, other=a), timeout=60.0),
    )
    overlapping = Overlap()
    outcome = run_spec(spec, flows.store, jobs=2, on_event=overlapping)
    assert outcome.status is ExecutionStatus.SUCCEEDED
    assert overlapping.most == 1


class Overlap:
    """Counts how many calls of it there are at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self._lock:
            self.now -= 1


def test_one_at_a_time_by_default(flows: Flows) -> None:
    running: list[str] = []
    most = 0

    def watch(event: Event) -> None:
        nonlocal most
        if isinstance(event, OperatorChanged):
            name = event.operator.name
            running.append(name) if event.operator.word == "running" else running.remove(name)
            most = max(most, len(running))

    run_spec(flows.spec(call("a", ONE), call("b", ONE)), flows.store, on_event=watch)
    assert most == 1


class NoStates(LocalStore):
    """A store that takes no exec states."""

    def put(self, key: str, data: bytes) -> None:
        if key.endswith("state.json"):
            raise OSError("the disk is full")
        super().put(key, data)


def test_a_store_that_takes_no_exec_state_fails_the_operator(flows: Flows) -> None:
    outcome = run_spec(flows.spec(call("f", ONE)), NoStates(flows.folder))
    assert words(outcome) == {"f": "failed"}
    assert outcome.operators[0].tip == "OSError: the disk is full"


def test_an_error_of_the_listener_ends_the_run(flows: Flows) -> None:
    def listener(event: Event) -> None:
        if isinstance(event, OperatorChanged) and event.operator.word == "succeeded":
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        run_spec(flows.spec(call("f", ONE), call("g", ONE)), flows.store, on_event=listener)


# --- secrets, both dialects


def test_a_compiled_spec(flows: Flows) -> None:
    spec = flows.compiled({"n": 5}, "def predict(n): print('key: example-secret'); return n + 1")
    lines: list[str] = []
    outcome = run_spec(
        spec,
        flows.store,
        run_id="r",
        on_event=lambda event: lines.append(event.line) if isinstance(event, LinePrinted) else None,
    )
    assert outcome.status is ExecutionStatus.SUCCEEDED
    assert json.loads(flows.store.get("plus-content_r")) == 6
    assert outcome.artifact("plus").get() == 6
    # uv prints, too, where the environment is not this one.
    assert "key: ***" in lines
    assert not [line for line in lines if "example-secret" in line]
    assert outcome.operators[1].stdout == "key: ***\n"
    assert run_spec(spec, flows.store, parameters={"n": 7}).artifact("plus").get() == 8


# --- interrupts


SLEEPS = "import time\ndef predict(): print('begun', flush=True); time.sleep(600)"
INTERRUPTED = """\
import sys
from pathlib import Path
from aqueduct_provider.sdk.local.run_flow import LinePrinted, run_spec
from aqueduct_provider.spec.loader import load
from aqueduct_provider.storage.local import LocalStore

def show(event):
    if isinstance(event, LinePrinted):
        print(event.line, flush=True)

run_spec(load(Path(sys.argv[1])), LocalStore(Path(sys.argv[2])), run_id="r", on_event=show)
"""


@pytest.fixture
def interrupted(flows: Flows, tmp_path: Path) -> Iterator[Callable[[WorkflowSpec], int]]:
    """Runs a spec in a process that is interrupted at its first line; its exit code."""
    started: list[subprocess.Popen[str]] = []

    def run(spec: WorkflowSpec) -> int:
        file = tmp_path / "spec.json"
        file.write_text(spec.model_dump_json(), "utf-8")
        command = [sys.executable, "-c", INTERRUPTED, str(file), str(flows.folder)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        return process.wait(60)

    yield run
    for process in started:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()


def test_an_interrupt_ends_the_children_and_leaves_canceled(
    flows: Flows, interrupted: Callable[[WorkflowSpec], int]
) -> None:
    assert interrupted(flows.spec(call("f", SLEEPS), call("g", ONE))) != 0
    layout = NativeLayout(FLOW_ID, "r")
    state = exec_state_from_json(flows.store.get(layout.exec_state("f-id")))
    assert state.status.value == "canceled"
    assert not flows.store.exists(layout.exec_state("g-id"))


def test_the_values_that_are_not_json_lie_by_their_digest(flows: Flows) -> None:
    spec = flows.spec(param("p", flows.stored(b"x", "pickle"), "picklable"))
    value = {1, 2}
    outcome = run_spec(spec, flows.store, parameters={"p": value})
    assert outcome.artifact("p").get() == value
    (key,) = [key for key in flows.store.list("flows/") if "/values/" in key]
    assert unpickle(flows.store.get(key)) == value

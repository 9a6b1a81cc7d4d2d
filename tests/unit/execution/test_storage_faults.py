"""Whole attempts at tasks whose store is behind a proxy that injects faults."""

from __future__ import annotations

import json
import logging
import threading
import time
from pathlib import Path

import pytest

from aqueduct_provider.errors import OperatorKilled, StorageUnavailable
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.patience import Patience
from aqueduct_provider.storage.s3 import S3Settings, S3Store, connect
from tests.support.example_specs import FLOW_ID, VERSION_ID
from tests.support.fault_proxy import FAULTS, FaultProxy, Rule
from tests.support.flow_runs import RUN_ID, LocalRun, code_of

SOURCES = {
    "first": "def predict(): return list(range(50_000))",
    "second": "def predict(x): return [n + 1 for n in x]",
    "third": "def predict(x): return sum(x)",
}
RIGHT = str(sum(range(1, 50_001))).encode()
MOST_SECONDS = 60.0


@pytest.fixture
def settings(bucket: str, faults: FaultProxy) -> S3Settings:
    return S3Settings(
        bucket,
        region="us-east-1",
        endpoint_url=faults.url,
        access_keys=("id", "secret"),
        read_timeout=1.0,
    )


def chain(store: ObjectStore) -> WorkflowSpec:
    names = list(SOURCES)
    operators = [
        {
            "id": f"{name}-id",
            "name": name,
            "task_id": name,
            "type": "function",
            "inputs": [f"{before}-out"] if before else [],
            "outputs": [f"{name}-out"],
            "code": code_of(store, SOURCES[name]),
        }
        for before, name in zip(["", *names], names, strict=False)
    ]
    document = {
        "spec_version": 1,
        "flow": {"id": FLOW_ID, "name": "flow"},
        "version": {"id": VERSION_ID},
        "dag_id": "flow",
        "artifact_store": {"type": "connection"},
        "artifacts": [{"id": f"{name}-out", "name": name, "type": "untyped"} for name in names],
        "operators": operators,
    }
    return parse(json.dumps(document).encode(), "flow.json")


def run_of(settings: S3Settings, folder: Path, patience: Patience) -> tuple[LocalRun, S3Store]:
    store = connect(settings, patience)
    return LocalRun(chain(store), store, folder, patience=patience), store


def test_a_run_under_every_fault_gives_the_right_result(
    settings: S3Settings, faults: FaultProxy, tmp_path: Path
) -> None:
    patience = Patience(120, stall=1.0)
    run, store = run_of(settings, tmp_path, patience)
    faults.rates = {fault: 0.05 for fault in FAULTS if fault != "trickle"}
    faults.seed, faults.outage_seconds = 1, 1.0
    run.run()
    faults.rates = {}
    assert store.get(f"flows/{FLOW_ID}/runs/{RUN_ID}/artifacts/third-out/content") == RIGHT
    assert sum(faults.counts.values()) > 0


def test_an_outage_in_the_middle_is_waited_for(
    settings: S3Settings, faults: FaultProxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run, store = run_of(settings, tmp_path, Patience(120))
    run.run("first")
    with faults.down():
        end = threading.Event()
        thread = threading.Thread(target=lambda: (run.run("second", "third"), end.set()))
        thread.start()
        while not any("Trying again, for" in message for message in caplog.messages):
            time.sleep(0.05)
        assert not end.is_set()
    thread.join(MOST_SECONDS)
    assert end.is_set()
    assert store.get(f"flows/{FLOW_ID}/runs/{RUN_ID}/artifacts/third-out/content") == RIGHT


def test_patience_that_ends_fails_the_attempt_so_that_it_is_tried_again(
    settings: S3Settings, faults: FaultProxy, tmp_path: Path
) -> None:
    run, _ = run_of(settings, tmp_path, Patience(1.0))
    with faults.down(), pytest.raises(StorageUnavailable, match="s3_patience") as caught:
        run.run("first")
    assert caught.value.retryable


def test_a_kill_while_s3_is_away_ends_the_attempt(
    settings: S3Settings, faults: FaultProxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run, _ = run_of(settings, tmp_path, Patience(MOST_SECONDS * 4))
    attempt = run.attempt("first")

    def kill_when_it_waits() -> None:
        while not any("Trying again, for" in message for message in caplog.messages):
            time.sleep(0.05)
        attempt.kill()

    with faults.down():
        threading.Thread(target=kill_when_it_waits).start()
        began = time.monotonic()
        with pytest.raises(OperatorKilled):
            attempt.run()
        assert time.monotonic() - began < MOST_SECONDS


def test_a_kill_while_bytes_move_ends_the_attempt_and_is_recorded(
    settings: S3Settings, faults: FaultProxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run, _ = run_of(settings, tmp_path, Patience(MOST_SECONDS * 4, stall=MOST_SECONDS * 4))
    run.run("first")
    faults.rules = [Rule("trickle", "GET", "first-out/content")]
    attempt = run.attempt("second")

    def kill_when_bytes_move() -> None:
        while not faults.counts["trickle"]:
            time.sleep(0.05)
        attempt.kill()

    threading.Thread(target=kill_when_bytes_move).start()
    began = time.monotonic()
    with pytest.raises(OperatorKilled, match="while it waited for s3://"):
        attempt.run()
    assert time.monotonic() - began < MOST_SECONDS
    state = connect(settings).get(f"flows/{FLOW_ID}/runs/{RUN_ID}/operators/second-id/state.json")
    assert json.loads(state)["status"] == "canceled"

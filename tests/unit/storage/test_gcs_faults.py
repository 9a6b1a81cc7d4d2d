"""GCS with the patience of a task: the emulator behind a proxy that injects faults."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aqueduct_provider.errors import OperatorKilled, StorageUnavailable
from aqueduct_provider.storage.gcs import GcsSettings, connect
from aqueduct_provider.storage.object_store import StoredObject
from aqueduct_provider.storage.patience import Patience
from tests.data_servers.gcs import GcsServer
from tests.support.fault_proxy import Fault, FaultProxy, Rule

from .conftest import Scripted, answer

DATA = os.urandom(300_000)
STORED = StoredObject(hashlib.sha256(DATA).hexdigest(), len(DATA))
LONG = 60.0


@pytest.fixture(autouse=True)
def _only_our_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")


@pytest.fixture
def proxy(gcs_emulator: GcsServer) -> Iterator[FaultProxy]:
    with FaultProxy(gcs_emulator.endpoint) as proxy:
        yield proxy


@pytest.fixture
def settings(gcs_settings: GcsSettings, proxy: FaultProxy) -> GcsSettings:
    return replace(gcs_settings, endpoint=proxy.url)


@pytest.mark.parametrize("fault", ["500", "503", "reset_before", "reset_after", "cut"])
def test_requests_are_repeated(
    settings: GcsSettings, proxy: FaultProxy, tmp_path: Path, fault: Fault
) -> None:
    store = connect(settings, Patience(LONG))
    (tmp_path / "source").write_bytes(DATA)
    proxy.rules = [Rule(fault, "POST")]
    assert store.put_file("key", tmp_path / "source") == STORED
    proxy.rules = [Rule(fault, "GET")]
    assert store.get_file("key", tmp_path / "target") == STORED
    proxy.rules = [Rule(fault, "GET")]
    assert store.get("key") == DATA
    proxy.rules = [Rule(fault, "GET")]
    assert list(store.list("")) == ["key"]
    proxy.rules = [Rule(fault, "DELETE")]
    store.delete(["key"])
    assert not store.exists("key")
    assert proxy.counts[fault] == 5


def test_an_outage_is_waited_for(settings: GcsSettings, proxy: FaultProxy) -> None:
    store = connect(settings, Patience(LONG))
    store.put("key", DATA)
    proxy.outage_seconds = 1.0
    proxy.rules = [Rule("outage", "GET")]
    assert store.get("key") == DATA
    with proxy.down(), pytest.raises(StorageUnavailable, match="s3_patience"):
        connect(settings, Patience(0.5)).get("key")


def test_a_kill_is_seen_while_bytes_move(settings: GcsSettings, proxy: FaultProxy, tmp_path: Path) -> None:
    patience = Patience(LONG, stall=LONG)
    store = connect(settings, patience)
    store.put("key", DATA)
    proxy.rules = [Rule("trickle", "GET")]
    threading.Timer(0.5, patience.cancel).start()
    began = time.monotonic()
    with pytest.raises(OperatorKilled):
        store.get_file("key", tmp_path / "target")
    assert time.monotonic() - began < LONG / 2
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_is_too_slow_is_asked_for_again(
    settings: GcsSettings, proxy: FaultProxy, tmp_path: Path
) -> None:
    store = connect(settings, Patience(LONG * 4, stall=1.0))
    store.put("key", DATA)
    proxy.rules = [Rule("trickle", "GET")]
    assert store.get_file("key", tmp_path / "target") == STORED
    assert (tmp_path / "target").read_bytes() == DATA


@pytest.mark.parametrize("is_own", [True, False])
def test_a_conditional_write_knows_its_own_object(scripted: Scripted, is_own: bool) -> None:
    """The answer to the first request is lost, after it had its effect."""

    def metadata(handler: object) -> None:
        mark = scripted.requests[0].body.partition(b'"aqueduct-request": "')[2].partition(b'"')[0].decode()
        body = b'{"metadata": {"aqueduct-request": "%s"}}' % (mark if is_own else "another").encode()
        answer(200, body, Content_Type="application/json")(handler)  # type: ignore[arg-type]

    scripted.answers = [answer(500), answer(412), metadata]
    settings = GcsSettings("bucket", endpoint=scripted.url, timeout=5.0)
    assert connect(settings, Patience(LONG)).put_new("key", b"1") is is_own
    assert len(scripted.requests) == 3

"""S3 with the patience of a task: the server behind a proxy that injects faults."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from aqueduct_provider.errors import (
    AccessDenied,
    BucketNotFound,
    ObjectNotFound,
    OperatorKilled,
    StorageUnavailable,
)
from aqueduct_provider.storage import s3
from aqueduct_provider.storage.object_store import StoredObject
from aqueduct_provider.storage.patience import Patience
from aqueduct_provider.storage.s3 import S3Settings, S3Store, connect
from tests.support.fault_proxy import FAULTS, Fault, FaultProxy, Rule

from .conftest import Scripted, refusal

DATA = os.urandom(300_000)
STORED = StoredObject(hashlib.sha256(DATA).hexdigest(), len(DATA))
LONG = 60.0
Open = Callable[..., S3Store]


@pytest.fixture
def open_store(moto_settings: S3Settings, faults: FaultProxy) -> Open:
    settings = replace(moto_settings, endpoint_url=faults.url, read_timeout=1.0)
    return lambda patience=None: connect(settings, patience or Patience(LONG, stall=1.0))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "trickle"])
def test_every_request_survives_every_fault(
    open_store: Open, faults: FaultProxy, tmp_path: Path, fault: Fault
) -> None:
    store = open_store()
    faults.outage_seconds = 0.5
    (tmp_path / "source").write_bytes(DATA)
    small: list[Callable[[], object]] = [
        lambda: store.put("small", b"1"),
        lambda: store.put_new("new", b"2") or pytest.fail("its own object"),
        lambda: store.put_file("key", tmp_path / "source"),
        lambda: store.get("key") == DATA or pytest.fail("another value"),
        lambda: store.get_file("key", tmp_path / "target") == STORED or pytest.fail("another value"),
        lambda: store.exists("key") or pytest.fail("it is there"),
        lambda: list(store.list("")) == ["key", "new", "small"] or pytest.fail("another listing"),
        lambda: store.delete(["new"]),
    ]
    for use in small:
        # A listing has no checksum: a damaged one may look like another.
        if fault in ("flip", "short") and use is small[6]:
            continue
        faults.rules = [Rule(fault)]
        use()
    assert list(store.list("")) == ["key", "small"]
    assert (tmp_path / "target").read_bytes() == DATA


def test_an_outage_is_waited_for(open_store: Open, faults: FaultProxy) -> None:
    store = open_store(Patience(LONG * 4))
    store.put("key", DATA)
    with ThreadPoolExecutor(1) as pool:
        with faults.down():
            found = pool.submit(store.get, "key")
            time.sleep(2)
            assert not found.done()
        assert found.result(LONG) == DATA


def test_names_that_are_not_resolved_are_waited_for() -> None:
    settings = S3Settings(
        "bucket",
        region="us-east-1",
        endpoint_url="http://no-such-host.invalid",
        access_keys=("a", "b"),
    )
    with pytest.raises(StorageUnavailable, match=r"no-such-host\.invalid.*s3_patience"):
        connect(settings, Patience(0.5)).get("key")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", AccessDenied),
        (404, "NoSuchBucket", BucketNotFound),
        (404, "NoSuchKey", ObjectNotFound),
    ],
)
def test_what_does_not_pass_is_not_waited_for(
    scripted: Scripted, status: int, code: str, kind: type[Exception]
) -> None:
    scripted.answers = [refusal(status, code)]
    with pytest.raises(kind):
        connect(scripted.settings(), Patience(LONG)).get("key")
    assert len(scripted.requests) == 1


def test_a_body_that_is_too_slow_is_asked_for_again(
    open_store: Open, faults: FaultProxy, tmp_path: Path
) -> None:
    # The trickle takes hours, and never pauses for as long as the read timeout.
    store = open_store()
    store.put("key", DATA)
    faults.rules = [Rule("trickle", "GET")]
    assert store.get("key") == DATA
    faults.rules = [Rule("trickle", "GET")]
    assert store.get_file("key", tmp_path / "target") == STORED
    assert (tmp_path / "target").read_bytes() == DATA


def test_a_part_that_is_too_slow_is_asked_for_again(
    open_store: Open, faults: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    store.put("key", DATA)
    monkeypatch.setattr(s3, "_BIG", 100_000)
    monkeypatch.setattr(s3, "_PART", 100_000)
    # The second GET is the first part.
    faults.rules = [Rule("503", "GET"), Rule("trickle", "GET", times=2), Rule("short", "GET")]
    assert store.get_file("key", tmp_path / "target") == STORED
    assert (tmp_path / "target").read_bytes() == DATA


@pytest.mark.parametrize("size", [len(DATA), 100_000])
def test_a_kill_is_seen_while_bytes_move(
    open_store: Open, faults: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """The whole object at once, and in parts."""
    monkeypatch.setattr(s3, "_BIG", size + 1)
    monkeypatch.setattr(s3, "_PART", 100_000)
    patience = Patience(LONG, stall=LONG)
    store = open_store(patience)
    store.put("key", DATA)
    faults.rules = [Rule("trickle", "GET", times=100)]
    threading.Timer(0.5, patience.cancel).start()
    began = time.monotonic()
    with pytest.raises(OperatorKilled, match="while it waited for s3://"):
        store.get_file("key", tmp_path / "target")
    assert time.monotonic() - began < LONG / 2
    assert list(tmp_path.iterdir()) == []


def test_a_conditional_write_of_others_is_not_taken_for_its_own(open_store: Open, faults: FaultProxy) -> None:
    store = open_store()
    store.put("key", b"1")
    faults.rules = [Rule("500", "PUT")]
    assert not store.put_new("key", b"1")

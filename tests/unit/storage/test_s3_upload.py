"""Uploads in parts, on a real server behind a proxy that injects faults."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import OperatorKilled, StorageUnavailable
from aqueduct_provider.storage import s3
from aqueduct_provider.storage.patience import Patience
from aqueduct_provider.storage.s3 import S3Settings, S3Store, connect
from tests.support.fault_proxy import Fault, FaultProxy, Rule

MIB = 1 << 20
DATA = os.urandom(12 * MIB + 1)
Open = Callable[[Patience], S3Store]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    # S3 wants parts of 5 MiB; the real limits would make each test move 64.
    monkeypatch.setattr(s3, "_BIG", 5 * MIB)
    monkeypatch.setattr(s3, "_PART", 5 * MIB)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def open_store(moto_settings: S3Settings, faults: FaultProxy) -> Open:
    settings = replace(moto_settings, endpoint_url=faults.url, root_dir="root")
    return lambda patience: connect(settings, patience)


@pytest.fixture
def uploads(moto_settings: S3Settings, s3_client: Any) -> Callable[[], list[Any]]:
    def list_uploads() -> list[Any]:
        found: list[Any] = s3_client.list_multipart_uploads(Bucket=moto_settings.bucket).get("Uploads", [])
        return found

    return list_uploads


@pytest.mark.parametrize(
    ("fault", "method", "path"),
    [
        ("reset_after", "POST", "?uploads"),
        ("reset_before", "POST", "?uploads"),
        ("reset_after", "PUT", "partNumber=2"),
        ("500", "PUT", "partNumber=1"),
        ("flip", "PUT", "partNumber=3"),
        ("reset_after", "POST", "uploadId"),
        ("503", "POST", "uploadId"),
    ],
)
def test_one_request_that_fails_is_repeated(
    open_store: Open,
    faults: FaultProxy,
    file: Path,
    uploads: Callable[[], list[Any]],
    fault: Fault,
    method: str,
    path: str,
) -> None:
    faults.rules = [Rule(fault, method, path)]
    store = open_store(Patience(60))
    store.put_file("key", file)
    assert faults.counts[fault] == 1
    assert [method for method, _ in faults.requests].count("PUT") in (3, 4)
    assert hashlib.sha256(store.get("key")).digest() == hashlib.sha256(DATA).digest()
    assert uploads() == []


def test_an_upload_that_fails_leaves_nothing(
    open_store: Open, faults: FaultProxy, file: Path, uploads: Callable[[], list[Any]]
) -> None:
    faults.rules = [Rule("500", "PUT", "partNumber=2", times=1000)]
    with pytest.raises(StorageUnavailable, match="InternalError"):
        open_store(Patience(0.5)).put_file("key", file)
    assert uploads() == []


def test_a_killed_upload_leaves_nothing(
    open_store: Open, faults: FaultProxy, file: Path, uploads: Callable[[], list[Any]]
) -> None:
    faults.rules = [Rule("stall", "PUT", "partNumber=2", times=1000)]
    patience = Patience(60)
    threading.Timer(0.5, patience.cancel).start()
    with pytest.raises(OperatorKilled):
        open_store(patience).put_file("key", file)
    assert uploads() == []


def test_of_a_file_nothing_is_sent_twice(open_store: Open, faults: FaultProxy, file: Path) -> None:
    open_store(Patience(60)).put_file("key", file)
    methods = sorted(method for method, _ in faults.requests)
    assert methods == ["POST", "POST", "PUT", "PUT", "PUT"]

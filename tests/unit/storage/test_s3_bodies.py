"""Damaged bodies of a real server, behind a proxy that damages them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import StorageUnavailable
from aqueduct_provider.storage.object_store import StoredObject
from aqueduct_provider.storage.s3 import S3Settings, connect
from tests.support.fault_proxy import Fault, FaultProxy, Rule

DATA = os.urandom(300_000)


@pytest.fixture
def settings(moto_settings: S3Settings, faults: FaultProxy) -> S3Settings:
    return replace(moto_settings, endpoint_url=faults.url)


@pytest.mark.parametrize("fault", ["flip", "short", "cut"])
def test_a_damaged_body_is_read_again(
    settings: S3Settings, faults: FaultProxy, tmp_path: Path, fault: Fault
) -> None:
    store = connect(settings)
    store.put("key", DATA)
    faults.rules = [Rule(fault, "GET")]
    assert store.get("key") == DATA
    faults.rules = [Rule(fault, "GET")]
    stored = StoredObject(hashlib.sha256(DATA).hexdigest(), len(DATA))
    assert store.get_file("key", tmp_path / "file") == stored
    assert (tmp_path / "file").read_bytes() == DATA
    assert faults.counts[fault] == 2


def test_a_body_that_is_always_damaged_is_an_error(settings: S3Settings, faults: FaultProxy) -> None:
    store = connect(settings)
    store.put("key", DATA)
    faults.rules = [Rule("flip", "GET", times=100)]
    with pytest.raises(StorageUnavailable, match=r"s3://.*/key: .*ChecksumSHA256"):
        store.get("key")


def test_files_of_others_are_compared_by_their_crc32(
    settings: S3Settings, faults: FaultProxy, s3_client: Any, tmp_path: Path
) -> None:
    s3_client.put_object(Bucket=settings.bucket, Key="key", Body=DATA, ChecksumAlgorithm="CRC32")
    faults.rules = [Rule("flip", "GET")]
    connect(settings).get_file("key", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == DATA
    assert faults.counts["flip"] == 1

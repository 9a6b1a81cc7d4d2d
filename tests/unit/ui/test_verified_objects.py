from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.artifacts.manifest import ArtifactRef
from aqueduct_provider.artifacts.stored_facts import StoredFacts, TextPreview
from aqueduct_provider.storage.s3 import S3Store
from aqueduct_provider.ui.request_reads import RequestReads
from aqueduct_provider.ui.verified_objects import stored_facts
from tests.support.played_runs import store_at


@pytest.fixture
def store(bucket: str, s3_server: str, credentials_file: Path) -> S3Store:
    return store_at(bucket, s3_server, credentials_file)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def with_metadata(store: S3Store, document: Any) -> ArtifactRef:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    store.put("m", data)
    return ArtifactRef("k", "0" * 64, 1, "m", digest(data), "string", "string")


def test_metadata(store: S3Store) -> None:
    document = {
        "preview": {"kind": "text", "text": "hi"},
        "python_type": "str",
        "encoding": "string/1",
        "system_metadata": {"runtime": "1.5"},
        "schema": [{"id": "int64"}, {"kind": "str"}],
    }
    (found,) = stored_facts(store, [with_metadata(store, document)], RequestReads())
    assert found == StoredFacts(
        preview=TextPreview("text", "hi"),
        python_type="str",
        encoding="string/1",
        measured=(("runtime", "1.5"),),
        columns=(("id", "int64"), ("kind", "str")),
    )


@pytest.mark.parametrize("document", [{}, {"preview": 7, "schema": {}, "system_metadata": [1]}])
def test_metadata_that_says_little(store: S3Store, document: Any) -> None:
    assert stored_facts(store, [with_metadata(store, document)], RequestReads()) == [StoredFacts()]


@pytest.mark.parametrize("document", [b"{", b"[" * 100_000, b"7", b"\xff", b'"' + b"x" * 400_000 + b'"'])
def test_metadata_that_cannot_be_read(store: S3Store, document: bytes) -> None:
    (found,) = stored_facts(store, [with_metadata(store, document)], RequestReads())
    assert found == StoredFacts(problem=found.problem)
    assert found.problem


def test_one_that_was_changed_does_not_hide_the_others(store: S3Store) -> None:
    good = with_metadata(store, {"python_type": "str"})
    bad = replace(good, metadata_sha256="0" * 64)
    first, second = stored_facts(store, [bad, good], RequestReads())
    assert "was changed after it was written" in first.problem
    assert second.python_type == "str"

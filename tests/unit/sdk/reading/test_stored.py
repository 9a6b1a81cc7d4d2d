"""Artifacts of runs: how they are read, and what is said where they cannot be."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pandas
import pytest

from aqueduct_provider.errors import AuthoringError, IntegrityError, NotFound
from aqueduct_provider.runner.codecs import encode, infer_type
from aqueduct_provider.sdk.authoring.artifacts import TableArtifact, artifact_from
from aqueduct_provider.sdk.reading.deleted import Deletion
from aqueduct_provider.sdk.reading.stored import StoredSource, metadata_of
from aqueduct_provider.storage.local import LocalStore
from tests.counting import CountingStore


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    return CountingStore(tmp_path)


def write(store: LocalStore, value: Any) -> None:
    encoded = encode(value, infer_type(value), "parquet")
    store.put("content", encoded.data)
    metadata = {
        "artifact_type": encoded.artifact_type,
        "serialization_type": encoded.serialization_type,
    }
    store.put("metadata", json.dumps(metadata).encode())


def source(store: LocalStore, **fields: Any) -> StoredSource:
    metadata = metadata_of(store, "metadata")
    given = {
        "name": "model",
        "type": metadata["artifact_type"] if metadata else "untyped",
        "store": store,
        "content_key": "content",
        "metadata": metadata,
        "why_missing": lambda: "operator 'train' is pending.",
        "metadata_key": "metadata",
    }
    return StoredSource(**{**given, **fields})


@pytest.mark.parametrize("value", [1, True, "text", b"bytes", (1, 2), {"a": [1]}, {1, 2}, float("inf")])
def test_values_come_back(store: CountingStore, value: Any) -> None:
    write(store, value)
    found = source(store).value()
    assert found == value
    assert type(found) is type(value)


def test_tables_come_back_as_the_callers_own(store: CountingStore) -> None:
    write(store, pandas.DataFrame({"a": [1, 2]}))
    artifact = artifact_from(source(store))
    assert isinstance(artifact, TableArtifact)
    table = artifact.get()
    table["a"] = 0
    assert artifact.get()["a"].tolist() == [1, 2]


def test_bytes_are_read_once_and_when_they_are_asked_for(store: CountingStore) -> None:
    write(store, 1)
    made = source(store)
    assert (made.ready, store.keys("get")) == (False, ["metadata"])
    assert [made.value(), made.value(), made.content()] == [1, 1, b"1"]
    assert (made.ready, store.keys("get")) == (True, ["content", "metadata"])
    assert (made.id, made.node) == ("content", None)


def test_what_is_not_there_yet(store: CountingStore) -> None:
    made = source(store)
    with pytest.raises(NotFound, match=r"^'model' was not written: operator 'train' is pending\.$"):
        made.value()
    # Without metadata the content may be that of a try that goes on.
    store.put("content", b"half")
    with pytest.raises(NotFound):
        made.content()
    write(store, 3)
    assert made.value() == 3
    assert made.type == "numeric"


def test_what_nobody_will_write(store: CountingStore) -> None:
    with pytest.raises(NotFound, match="is pending"):
        source(store, metadata_key="").value()


def test_what_was_deleted_on_purpose(store: CountingStore) -> None:
    write(store, 1)
    store.delete(["content"])
    with pytest.raises(NotFound, match=r"^'model' was deleted by somebody\.$"):
        source(store, deletion=lambda: Deletion("deleted by somebody.")).value()


def test_what_is_kept_of_an_artifact(store: CountingStore) -> None:
    assert source(store).kept() == (False, None)
    write(store, 1)
    assert source(store).kept() == (True, 1)
    store.delete(["content"])
    assert source(store, deletion=lambda: Deletion("gone", 1)).kept() == (True, 1)
    assert source(store, deletion=lambda: Deletion("gone")).kept() == (False, None)
    with pytest.raises(NotFound, match="it was deleted"):
        source(store).kept()


def test_what_was_deleted(store: CountingStore) -> None:
    write(store, 1)
    store.delete(["content"])
    with pytest.raises(NotFound, match=r"^'model' was written, but .*content is not there any more"):
        source(store).value()


def test_parameters_cannot_be_set_any_more(store: CountingStore) -> None:
    write(store, 1)
    with pytest.raises(AuthoringError, match=r"Trigger the flow with other values, or call \.get\(param"):
        source(store).value({"rows": 1})
    assert source(store).value({}) == 1


def test_bytes_that_are_not_what_was_promised(store: CountingStore) -> None:
    write(store, 1)
    store.put("content", b"{")
    with pytest.raises(IntegrityError, match=r"^'model' \(.*content\) cannot be read as json: .*anew"):
        source(store).value()


class Elsewhere:
    """Is there when it is written, and not when it is read."""


@pytest.mark.parametrize("gone", [b"gone_module", b"tests.fake_airflow"])
def test_pickles_that_need_what_is_not_here(store: CountingStore, gone: bytes) -> None:
    write(store, {1})
    data = pickle.dumps(Elsewhere(), protocol=0).replace(__name__.encode(), gone)
    store.put("content", data)
    with pytest.raises(AuthoringError) as caught:
        source(store).value()
    if gone == b"gone_module":
        needed = (
            "Reading 'model' here needs the module 'gone_module': install its package, then read it again."
        )
        assert str(caught.value) == needed
    else:
        assert "compare their versions here with those of the operator's requirements" in str(caught.value)


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"artifact_type": "table"}', b"[" * 100_000])
def test_metadata_that_is_none(store: CountingStore, data: bytes) -> None:
    store.put("metadata", data)
    with pytest.raises(IntegrityError, match=r"metadata (is no JSON|says nothing of the).*anew\.$"):
        metadata_of(store, "metadata")


def test_no_metadata(store: CountingStore) -> None:
    assert metadata_of(store, "metadata") is None

"""Artifacts of runs: how they are read, and what is said where they cannot be."""

from __future__ import annotations

import enum
import json
import pickle
from pathlib import Path
from typing import Any

import pandas
import pytest

from aqueduct_provider.errors import AuthoringError, DigestMismatch, IntegrityError, NotFound
from aqueduct_provider.runner.codecs import encode, infer_type
from aqueduct_provider.sdk.authoring.artifacts import TableArtifact, artifact_from
from aqueduct_provider.sdk.results import size_limits, stored_source
from aqueduct_provider.sdk.results.deleted import Deletion
from aqueduct_provider.sdk.results.records import Recorded
from aqueduct_provider.sdk.results.stored_source import StoredSource, metadata_of
from aqueduct_provider.storage.local import LocalStore
from tests.support.artifact_vouchers import ref_of
from tests.support.observed_stores import CountingStore


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
    """An artifact as only the store knows it."""
    given = {
        "name": "model",
        "declared": "untyped",
        "store": store,
        "content_key": "content",
        "why_missing": lambda: "operator 'train' is pending.",
        "metadata_key": "metadata",
    }
    return StoredSource(**{**given, **fields})


def trusted(made: StoredSource) -> StoredSource:
    made.trust()
    return made


def vouched(store: LocalStore, **fields: Any) -> StoredSource:
    """An artifact as Airflow knows it."""
    recorded = Recorded(ref_of(store, "content", "metadata"))
    return source(store, look_up=lambda _fresh: recorded, **fields)


@pytest.mark.parametrize("value", [1, True, "text", b"bytes", (1, 2), {"a": [1]}, {1, 2}, float("inf")])
def test_values_come_back(store: CountingStore, value: Any) -> None:
    write(store, value)
    for found in (vouched(store).value(), trusted(source(store)).value()):
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
    assert (made.ready, store.keys("get")) == (False, [])
    assert [made.value(), made.value(), made.content()] == [1, 1, b"1"]
    assert (made.ready, store.keys("get")) == (True, ["content", "metadata"])
    made = vouched(store)
    before = len(store.keys("get"))
    assert [made.value(), made.type, made.value()] == [1, "numeric", 1]
    assert len(store.keys("get")) == before + 1
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


def test_what_airflow_says_is_not_written(store: CountingStore) -> None:
    write(store, 1)
    made = source(store, look_up=lambda _fresh: Recorded(is_written=False))
    with pytest.raises(NotFound, match="is pending"):
        trusted(made).value()
    assert made.kept() == (False, None)


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
    with pytest.raises(IntegrityError, match=r"^'model' \(.*content\) cannot be read as json: .*rewrite it"):
        source(store).value()


class Elsewhere:
    """Is there when it is written, and not when it is read."""


@pytest.mark.parametrize("gone", [b"gone_module", b"aqueduct_provider.testing.fake_airflow"])
def test_pickles_that_need_what_is_not_here(store: CountingStore, gone: bytes) -> None:
    write(store, {1})
    data = pickle.dumps(Elsewhere(), protocol=0).replace(__name__.encode(), gone)
    store.put("content", data)
    with pytest.raises(AuthoringError) as caught:
        vouched(store).value()
    if gone == b"gone_module":
        needed = (
            "Reading 'model' here needs the module 'gone_module': install its package, then read it again."
        )
        assert str(caught.value) == needed
    else:
        assert "compare their versions here with those of the operator's requirements" in str(caught.value)


UNKNOWN = b'{"artifact_type": "exe", "serialization_type": "json"}'


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"artifact_type": "table"}', b"[" * 100_000, UNKNOWN])
def test_metadata_that_is_none(store: CountingStore, data: bytes) -> None:
    store.put("metadata", data)
    with pytest.raises(
        IntegrityError, match=r"metadata (is not|says nothing of|names the unk).*rewrite it\.$"
    ):
        metadata_of(store, "metadata")


def test_no_metadata(store: CountingStore) -> None:
    assert metadata_of(store, "metadata") is None


# --- what is verified, and what is read where nothing can be


def test_bytes_that_the_run_has_not_written(store: CountingStore) -> None:
    write(store, 1)
    made = vouched(store)
    store.put("content", b"2")
    with pytest.raises(DigestMismatch, match=r"content"):
        trusted(made).value()


def test_an_operator_that_has_run_again_meanwhile(store: CountingStore) -> None:
    write(store, 1)
    old = Recorded(ref_of(store, "content", "metadata"))
    store.put("content", b"2")
    new = Recorded(ref_of(store, "content", "metadata"))
    assert source(store, look_up=lambda fresh: new if fresh else old).value() == 2


def test_numbers_that_are_kept_of_what_was_deleted_are_verified(store: CountingStore) -> None:
    write(store, 1.5)
    made = vouched(store, deletion=lambda: Deletion("gone", 1.5))
    forged = vouched(store, deletion=lambda: Deletion("gone", 2.5))
    store.delete(["content"])
    assert made.kept() == (True, 1.5)
    with pytest.raises(DigestMismatch, match="the number that is kept of it"):
        forged.kept()


@pytest.mark.parametrize("value", [{1}, [{1}], {"a": {1}}])
def test_what_can_run_code_needs_airflow_or_trust(store: CountingStore, value: Any) -> None:
    write(store, value)
    with pytest.raises(
        IntegrityError, match=r"can run code.*Nothing says which run.*trust_store=True.*--trust-s"
    ):
        source(store).value()
    made = source(store)
    assert [trusted(made).value(), made.value()] == [value, value]


def test_a_table_with_pickled_cells_needs_airflow_or_trust(store: CountingStore) -> None:
    table = pandas.DataFrame({"a": [{1}, {2}]})
    write(store, table)
    with pytest.raises(IntegrityError, match=r"'model' is not read\. It holds a pickle, which can run code"):
        source(store).value()
    for found in (vouched(store).value(), trusted(source(store)).value()):
        pandas.testing.assert_frame_equal(found, table)


def test_what_is_not_verified_is_said(store: CountingStore, caplog: pytest.LogCaptureFixture) -> None:
    write(store, 1)
    vouched(store).value()
    assert caplog.messages == []
    source(store).value()
    why = "Nothing says which run of Airflow has written it."
    assert caplog.messages == [f"'model' is shown as the store has it, not verified. {why}"]


class Level(enum.IntEnum):
    """A number that only a pickle keeps."""

    LOW = 1


@pytest.mark.parametrize("kind", ["numeric", "boolean", "string", "json", "bytes", "image"])
def test_what_is_plain_data_is_never_unpickled(store: CountingStore, kind: str) -> None:
    write(store, Level.LOW)
    store.put("metadata", json.dumps({"artifact_type": kind, "serialization_type": "pickle"}).encode())
    for made in (source(store), source(store, declared=kind)):
        with pytest.raises(IntegrityError, match=f"is of type {kind}, which is never stored as 'pickle'"):
            trusted(made).value()
    with pytest.raises(
        AuthoringError, match=f"of type {kind}, and those are never unpickled here.*return a plain"
    ):
        trusted(vouched(store)).value()


def test_the_type_in_the_spec_counts(store: CountingStore) -> None:
    write(store, {1})
    with pytest.raises(IntegrityError, match="'model' is of type numeric, which is never stored as 'pickle'"):
        trusted(source(store, declared="numeric")).value()


def test_an_image_that_other_programs_would_read(store: CountingStore) -> None:
    store.put("content", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n%%EndComments\nshowpage\n")
    store.put("metadata", b'{"artifact_type": "image", "serialization_type": "image"}')
    with pytest.raises(IntegrityError, match="cannot be read as image"):
        source(store).value()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("numeric", b'"999"'),
        ("numeric", b"true"),
        ("numeric", b"null"),
        ("boolean", b'"false"'),
        ("boolean", b"[1, 2]"),
        ("list", b"{}"),
        ("dictionary", b"1"),
        ("json", b"no JSON"),
    ],
)
def test_a_value_of_another_type_needs_airflow(store: CountingStore, kind: str, content: bytes) -> None:
    serialization = "string" if kind == "json" else "json"
    store.put("content", content)
    store.put("metadata", json.dumps({"artifact_type": kind, "serialization_type": serialization}).encode())
    for made in (source(store), source(store, declared=kind), trusted(source(store))):
        with pytest.raises(
            IntegrityError, match=rf"^'model' \(.*content\) is of type .* must be of type {kind}"
        ):
            made.value()
        with pytest.raises(IntegrityError, match="must be of type"):
            made.kept()


def test_numbers_of_another_type_that_are_kept_of_what_was_deleted(store: CountingStore) -> None:
    write(store, 1.5)
    store.delete(["content"])
    made = source(store, deletion=lambda: Deletion("gone", True))
    with pytest.raises(IntegrityError, match="is of type boolean"):
        made.kept()


def test_a_large_table_needs_airflow_or_trust(store: CountingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    write(store, pandas.DataFrame({"a": [1.0] * 10_000}))
    monkeypatch.setattr(stored_source, "MAX_CONTENT", 10_000)
    with pytest.raises(
        IntegrityError, match=r"^'model' is not read\. It holds a table of more than 10,000 bytes"
    ):
        source(store).value()
    for found in (vouched(store).value(), trusted(source(store)).value()):
        assert len(found) == 10_000


def test_what_is_not_a_parquet_file(store: CountingStore) -> None:
    write(store, pandas.DataFrame({"a": [1]}))
    store.put("content", b"PAR1")
    with pytest.raises(IntegrityError, match="is not a Parquet file"):
        source(store).value()


def test_large_metadata_is_not_read(store: CountingStore) -> None:
    write(store, 1)
    store.put("metadata", store.get("metadata") + b" " * size_limits.MAX_METADATA)
    with pytest.raises(IntegrityError, match=r"metadata has 16,777,\d+ bytes"):
        source(store).value()
    assert vouched(store).value() == 1

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from aqueduct_provider.artifacts.metadata import Metadata
from aqueduct_provider.artifacts.transfer import (
    NewArtifact,
    fetch_content,
    fetch_metadata,
    fetch_small,
    publish,
)
from aqueduct_provider.errors import DigestMismatch, ObjectNotFound, ObjectTooLarge
from aqueduct_provider.storage.local import LocalStore
from tests.support.observed_stores import DamagingStore

METADATA = Metadata("bytes", "bytes", "bytes")


def _new(folder: Path, name: str) -> NewArtifact:
    path = folder / name
    path.write_bytes(name.encode())
    return NewArtifact(path, f"{name}/content", f"{name}/metadata", METADATA)


def test_what_is_published_can_be_fetched_and_verified(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    refs = publish(store, [_new(tmp_path, "a"), _new(tmp_path, "b")], workers=4)

    fetch_content(store, refs[1], tmp_path / "fetched")

    assert (tmp_path / "fetched").read_bytes() == b"b"
    assert fetch_metadata(store, refs[0]) == METADATA.to_json()
    assert [(ref.key, ref.size, ref.artifact_type) for ref in refs] == [
        ("a/content", 1, "bytes"),
        ("b/content", 1, "bytes"),
    ]


def test_content_changed_in_the_store_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    (ref,) = publish(store, [_new(tmp_path, "a")], workers=1)
    store.put(ref.key, b"changed")
    with pytest.raises(DigestMismatch, match="was changed after it was written"):
        fetch_content(store, ref, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


def test_metadata_changed_in_the_store_is_refused(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    (ref,) = publish(store, [_new(tmp_path, "a")], workers=1)
    with pytest.raises(DigestMismatch):
        fetch_metadata(store, dataclasses.replace(ref, metadata_sha256="0" * 64))


def test_damaged_bytes_are_fetched_once_more(tmp_path: Path) -> None:
    store = DamagingStore(tmp_path / "store")
    (ref,) = publish(store, [_new(tmp_path, "a")], workers=1)
    fetch_content(store, ref, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"a"
    assert fetch_metadata(store, ref) == METADATA.to_json()
    assert store.damaged == {ref.key, ref.metadata_key}


def test_content_goes_before_metadata(tmp_path: Path) -> None:
    order: list[str] = []

    class Recording(LocalStore):
        def put_file(self, key: str, path: Path):  # type: ignore[no-untyped-def]
            order.append("content")
            return super().put_file(key, path)

        def put(self, key: str, data: bytes) -> None:
            order.append("metadata")
            super().put(key, data)

    publish(Recording(tmp_path / "store"), [_new(tmp_path, "a"), _new(tmp_path, "b")], workers=4)
    assert order == ["content", "content", "metadata", "metadata"]


def test_only_what_was_written_is_read(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("x", b"12345")
    assert fetch_small(store, "x", digest(b"12345"), 5) == b"12345"
    with pytest.raises(ObjectTooLarge, match="has 5 bytes; at most 4 are read here"):
        fetch_small(store, "x", digest(b"12345"), 4)
    with pytest.raises(DigestMismatch, match="was changed after it was written"):
        fetch_small(store, "x", digest(b"other"), 5)
    with pytest.raises(ObjectNotFound):
        fetch_small(store, "gone", digest(b""), 5)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

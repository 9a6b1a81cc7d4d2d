from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.execution.caching_store import CachingStore
from aqueduct_provider.storage.local import LocalStore


@pytest.fixture
def behind(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def store(tmp_path: Path, behind: LocalStore) -> CachingStore:
    (tmp_path / "kept").mkdir()
    return CachingStore(behind, tmp_path / "kept", ["wanted"])


def put(store: CachingStore, key: str, folder: Path) -> None:
    (folder / "made").write_bytes(b"value")
    store.put_file(key, folder / "made")


def test_what_is_wanted_is_written_and_read_without_a_request(
    store: CachingStore, behind: LocalStore, tmp_path: Path
) -> None:
    put(store, "wanted", tmp_path)
    assert behind.get("wanted") == b"value"
    (tmp_path / "made").write_bytes(b"changed by the operator that made it")
    behind.put("wanted", b"not asked for")

    stored = store.get_file("wanted", tmp_path / "read")

    assert (tmp_path / "read").read_bytes() == b"value"
    assert stored.size == 5


def test_what_is_not_wanted_is_not_kept(store: CachingStore, tmp_path: Path) -> None:
    put(store, "other", tmp_path)
    assert list((tmp_path / "kept").iterdir()) == []
    store.get_file("other", tmp_path / "read")
    assert (tmp_path / "read").read_bytes() == b"value"


def test_what_was_changed_on_the_disk_comes_from_the_store(store: CachingStore, tmp_path: Path) -> None:
    put(store, "wanted", tmp_path)
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(b"VALUE")
    store.get_file("wanted", tmp_path / "read")
    assert (tmp_path / "read").read_bytes() == b"value"


def test_each_reader_has_a_copy_of_its_own(store: CachingStore, tmp_path: Path) -> None:
    put(store, "wanted", tmp_path)
    store.get_file("wanted", tmp_path / "first")
    (tmp_path / "first").write_bytes(b"written by an operator that reads it")
    store.get_file("wanted", tmp_path / "second")
    assert (tmp_path / "second").read_bytes() == b"value"


def test_everything_else_is_the_store_behind(store: CachingStore, behind: LocalStore) -> None:
    store.put("a/b", b"1")
    assert (store.put_new("a/b", b"2"), store.get("a/b"), store.exists("a/b")) == (False, b"1", True)
    assert (list(store.list("")), [entry.key for entry in store.entries("a/")]) == (["a/b"], ["a/b"])
    assert (list(store.folders("")), store.url("a/b")) == (["a"], behind.url("a/b"))
    store.delete(["a/b"])
    assert not behind.exists("a/b")


def test_no_link_is_followed(store: CachingStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (tmp_path / "kept" / "0").symlink_to(outside)
    with pytest.raises(FileExistsError):
        put(store, "wanted", tmp_path)
    (tmp_path / "kept" / "0").unlink()
    put(store, "wanted", tmp_path)
    (tmp_path / "read").symlink_to(outside)
    with pytest.raises(FileExistsError):
        store.get_file("wanted", tmp_path / "read")
    assert not outside.exists()

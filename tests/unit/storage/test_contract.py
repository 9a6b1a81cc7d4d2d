"""What every ``ObjectStore`` does, shown by each of them."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from aqueduct_provider.errors import ObjectNotFound, StorageError
from aqueduct_provider.storage import gcs
from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.storage.object_store import ObjectStore, StoredObject
from aqueduct_provider.storage.s3 import S3Settings, connect

RUN_KEY = "ab12_manual__2026-01-01T00:00:00+00:00"


@pytest.fixture(params=["local", "s3", "s3 with prefix", "gcs with prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "local":
        return LocalStore(tmp_path / "objects")
    if request.param == "gcs with prefix":
        place: gcs.GcsSettings = request.getfixturevalue("gcs_settings")
        return gcs.connect(replace(place, bucket=f"gs://{place.bucket}/some/", root_dir="root dir"))
    settings: S3Settings = request.getfixturevalue("moto_settings")
    if request.param == "s3 with prefix":
        settings = replace(settings, bucket=f"s3://{settings.bucket}/some/", root_dir="root dir")
    return connect(settings)


@pytest.fixture
def conditional_store(store: ObjectStore) -> ObjectStore:
    if isinstance(store, gcs.GcsStore):
        pytest.skip("gcp-storage-emulator ignores conditions")
    return store


def stored(data: bytes) -> StoredObject:
    return StoredObject(hashlib.sha256(data).hexdigest(), len(data))


@pytest.mark.parametrize("key", ["a", "deep/er/key.json", RUN_KEY, "grün/ключ 1+2%20?#&=.txt"])
@pytest.mark.parametrize("data", [b"", b"\x00bytes\xff"])
def test_put_then_get(store: ObjectStore, key: str, data: bytes) -> None:
    store.put(key, data)
    assert store.get(key) == data
    assert store.exists(key)
    assert list(store.list("")) == [key]


def test_put_new_writes_only_where_there_is_none(conditional_store: ObjectStore) -> None:
    store = conditional_store
    assert store.put_new("deep/k", b"first")
    assert not store.put_new("deep/k", b"second")
    assert store.get("deep/k") == b"first"
    assert list(store.list("")) == ["deep/k"]


def test_of_several_put_new_at_once_one_writes(conditional_store: ObjectStore) -> None:
    store, words = conditional_store, [f"{number}".encode() for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda word: store.put_new("k", word), words))
    assert won.count(True) == 1
    assert store.get("k") == words[won.index(True)]


def test_put_replaces(store: ObjectStore) -> None:
    store.put("k", b"a longer first value")
    store.put("k", b"second")
    assert store.get("k") == b"second"


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1])
def test_files_stream_through(store: ObjectStore, tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    target.write_bytes(b"what was there before")
    assert store.put_file("deep/file", source) == stored(data)
    assert store.get_file("deep/file", target) == stored(data)
    assert target.read_bytes() == data == store.get("deep/file")


def test_missing_object(store: ObjectStore, tmp_path: Path) -> None:
    target = tmp_path / "target"
    assert not store.exists("no/such")
    for read in (lambda: store.get("no/such"), lambda: store.get_file("no/such", target)):
        with pytest.raises(ObjectNotFound) as caught:
            read()
        assert store.url("no/such") in str(caught.value)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_missing_local_file(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere") as caught:
        store.put_file("key", tmp_path / "nowhere")
    assert type(caught.value) is StorageError
    assert not store.exists("key")


def test_local_folder_that_is_not_there(store: ObjectStore, tmp_path: Path) -> None:
    store.put("key", b"1")
    with pytest.raises(StorageError, match="no-folder"):
        store.get_file("key", tmp_path / "no-folder" / "file")


def test_list_by_prefix_in_order(store: ObjectStore) -> None:
    keys = ["runs/1/b", "runs/1/a", "runs/10/a", "runs/1/é", "runs/1/Z", "other"]
    for key in keys:
        store.put(key, b"")
    assert list(store.list("runs/1/")) == ["runs/1/Z", "runs/1/a", "runs/1/b", "runs/1/é"]
    assert list(store.list("runs/1")) == ["runs/1/Z", "runs/1/a", "runs/1/b", "runs/1/é", "runs/10/a"]
    assert list(store.list("nothing/")) == []
    assert list(store.list("")) == sorted(keys)


def test_entries_tell_which_objects_changed(store: ObjectStore) -> None:
    for key in ("specs/a", "specs/b", "specs/c", "other"):
        store.put(key, b"first")
    before = {entry.key: entry for entry in store.entries("specs/")}
    assert list(before) == ["specs/a", "specs/b", "specs/c"]
    assert {entry.size for entry in before.values()} == {5}
    assert list(store.entries("specs/")) == list(before.values())
    store.put("specs/b", b"other")
    store.put("specs/c", b"longer than first")
    after = {entry.key: entry for entry in store.entries("specs/")}
    assert after["specs/a"] == before["specs/a"]
    assert after["specs/b"].tag != before["specs/b"].tag
    assert after["specs/c"].size == len(b"longer than first")


def test_entries_tell_when_an_object_was_written(store: ObjectStore) -> None:
    store.put("k", b"")
    (entry,) = store.entries("k")
    # In seconds: 2024 or later.
    assert 1_704_067_200 < entry.modified < 1e11


def test_folders_are_the_next_parts_of_keys(store: ObjectStore) -> None:
    for key in ("runs/b/1", "runs/a/deep/er", "runs/a/2", "runs/manual__1+00:00/x", "runs/file", "other/a/b"):
        store.put(key, b"")
    assert list(store.folders("runs/")) == ["a", "b", "manual__1+00:00"]
    assert list(store.folders("runs/a/")) == ["deep"]
    assert list(store.folders("")) == ["other", "runs"]
    assert list(store.folders("nothing/")) == []
    store.delete(["runs/b/1"])
    assert list(store.folders("runs/")) == ["a", "manual__1+00:00"]


def test_delete(store: ObjectStore) -> None:
    for key in ("a/1", "a/2", "b"):
        store.put(key, b"")
    store.delete(key for key in ["a/1", "a/2", "was/never/there"])
    assert list(store.list("")) == ["b"]
    store.delete([])
    assert list(store.list("")) == ["b"]


def test_many_threads(store: ObjectStore, tmp_path: Path) -> None:
    def round_trip(number: int) -> bool:
        store.put(f"threads/{number}", str(number).encode())
        store.get_file(f"threads/{number}", tmp_path / f"{number}")
        return (tmp_path / f"{number}").read_text() == str(number)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(round_trip, range(16)))

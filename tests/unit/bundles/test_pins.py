from __future__ import annotations

import os
from pathlib import Path

import pytest

from aqueduct_provider.bundles import pins
from aqueduct_provider.bundles.bundle_version import BundleVersion, SpecFile
from aqueduct_provider.errors import IntegrityError, StorageError
from aqueduct_provider.storage.layout import pinned_spec, pinned_version
from aqueduct_provider.storage.local import LocalStore


class Watched(LocalStore):
    """A folder that counts what it is asked."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.written: list[str] = []

    def put(self, key: str, data: bytes) -> None:
        self.written.append(key)
        super().put(key, data)


def version(*digests: str) -> BundleVersion:
    return BundleVersion({f"{digest}.json": SpecFile(digest, digest) for digest in digests})


@pytest.fixture
def store(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "store")


def test_a_version_is_rebuilt_from_its_id(store: Watched) -> None:
    one = version("a", "b")
    pins.pin(store, one, None, str.encode)
    assert pins.pinned(store, one.id) == one
    assert store.get(pinned_spec("a")) == b"a"
    assert store.written[-1] == pinned_version(one.id)


def test_only_what_is_new_is_written(store: Watched) -> None:
    one, two = version("a", "b"), version("a", "c")
    pins.pin(store, one, None, str.encode)
    store.written.clear()
    pins.pin(store, two, one, str.encode)
    assert store.written == [pinned_spec("c"), pinned_version(two.id)]
    store.written.clear()
    pins.pin(store, one, None, str.encode)
    assert store.written == []


def test_a_new_machine_looks_before_it_writes_much(store: Watched) -> None:
    digests = [f"{number:064d}" for number in range(40)]
    pins.pin(store, version(*digests), None, str.encode)
    store.written.clear()
    pins.pin(store, version(*digests, "new"), None, str.encode)
    assert store.written == [pinned_spec("new"), pinned_version(version(*digests, "new").id)]


def test_files_without_content_are_pinned_too(store: Watched) -> None:
    one = BundleVersion({"a.json": SpecFile("", problem="too large")})
    pins.pin(store, one, None, str.encode)
    assert pins.pinned(store, one.id) == one


def test_a_version_that_is_gone_or_changed(store: Watched) -> None:
    one = version("a")
    with pytest.raises(StorageError, match="older than keep_versions_days, or was deleted"):
        pins.pinned(store, one.id)
    store.put(pinned_version(one.id), version("b").to_json())
    with pytest.raises(IntegrityError, match="changed by hand"):
        pins.pinned(store, one.id)


def test_old_versions_are_forgotten_but_never_the_latest(store: Watched) -> None:
    versions = [version("a"), version("b"), version("c")]
    for one in versions:
        pins.pin(store, one, None, str.encode)
    for one in (versions[0], versions[2]):
        os.utime(store.root / pinned_version(one.id), (0, 0))
    assert pins.forget_old(store, versions[2], days=90) == 1
    with pytest.raises(StorageError):
        pins.pinned(store, versions[0].id)
    assert [pins.pinned(store, one.id) for one in versions[1:]] == versions[1:]
    assert pins.forget_old(store, versions[2], days=90) == 0

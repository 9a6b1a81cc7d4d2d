from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.errors import StorageError
from aqueduct_provider.storage.local import LocalStore


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../outside", "a/../../outside", "a//b", "a/", "./a", "a\0b", "link/outside"]
)
def test_keys_cannot_leave_the_folder(tmp_path: Path, key: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    (tmp_path / "outside").write_bytes(b"secret")
    store = LocalStore(root)
    source = tmp_path / "source"
    source.write_bytes(b"x")
    for use in (
        lambda: store.get(key),
        lambda: store.put(key, b"x"),
        lambda: store.get_file(key, tmp_path / "copy"),
        lambda: store.put_file(key, source),
        lambda: store.exists(key),
        lambda: store.delete([key]),
    ):
        with pytest.raises(StorageError, match="names no file below"):
            use()
    assert (tmp_path / "outside").read_bytes() == b"secret"


def test_listing_stays_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"")
    with pytest.raises(StorageError):
        list(LocalStore(tmp_path / "root").list("../"))


def test_listing_shows_no_unfinished_objects(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("done", b"")
    (tmp_path / ".aqueduct-partial-x").write_bytes(b"")
    assert list(store.list("")) == ["done"]


def test_what_the_disk_refuses_is_a_storage_error(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a", b"")
    with pytest.raises(StorageError, match="a/b"):
        store.put("a/b", b"")
    with pytest.raises(StorageError, match="name too long"):
        store.put("x" * 300, b"")


def test_url(tmp_path: Path) -> None:
    assert LocalStore(tmp_path).url("a b/c") == f"{tmp_path.as_uri()}/a%20b/c"

"""Use a folder as an ``ObjectStore``: for tests, local runs and examples.

A key is a path below the folder. Objects appear in one step: written under another name, then renamed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from aqueduct_provider.errors import ObjectNotFound, StorageError
from aqueduct_provider.storage.disk_errors import disk_error, translate_disk_errors
from aqueduct_provider.storage.files import PARTIAL, open_no_link, replacing, write_digested
from aqueduct_provider.storage.object_store import Entry, StoredObject

_BLOCK = 1 << 20


def stamp(status: os.stat_result) -> str:
    """Return a mark that changes when the file is written or replaced."""
    # Replaced twice within one tick of the file system's clock, it still has another inode.
    return f"{status.st_mtime_ns}-{status.st_size}-{status.st_ino}"


class LocalStore:
    """Objects below one folder, which is made when the first object is written.

    :param root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def get(self, key: str) -> bytes:
        with self._door(key):
            return self._existing(key).read_bytes()

    def put(self, key: str, data: bytes) -> None:
        with self._door(key), replacing(self._new(key)) as file:
            file.write(data)

    def put_new(self, key: str, data: bytes) -> bool:
        with self._door(key):
            path = self._new(key)
            with tempfile.NamedTemporaryFile(prefix=PARTIAL, dir=path.parent) as file:
                file.write(data)
                file.flush()
                try:
                    # Unlike a rename, a link never replaces what is there.
                    path.hardlink_to(file.name)
                except FileExistsError:
                    return False
            return True

    def get_file(self, key: str, path: Path) -> StoredObject:
        with self._door(key), translate_disk_errors(path.parent):
            return _copy(self._existing(key), path)

    def put_file(self, key: str, path: Path) -> StoredObject:
        with self._door(key):
            return _copy(path, self._new(key))

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def list(self, prefix: str) -> Iterator[str]:
        return (entry.key for entry in self.entries(prefix))

    def entries(self, prefix: str) -> Iterator[Entry]:
        parent = prefix.rpartition("/")[0]
        folder = self._path(parent) if parent else self.root
        found = (Path(base, name) for base, _, names in os.walk(folder) for name in names)
        keys = (path.relative_to(self.root).as_posix() for path in found if not path.name.startswith(PARTIAL))
        for key in sorted(key for key in keys if key.startswith(prefix)):
            # Skip an object that was deleted meanwhile.
            with suppress(FileNotFoundError):
                status = (self.root / key).stat()
                yield Entry(key, stamp(status), status.st_size, status.st_mtime_ns / 1e9)

    def folders(self, prefix: str) -> Iterator[str]:
        folder = self._path(prefix.rstrip("/")) if prefix else self.root
        parts = sorted(f"{path.name}/" for path in folder.glob("*") if path.is_dir())
        # Folders stay when the objects in them are deleted.
        return (part[:-1] for part in parts if any(self.entries(prefix + part)))

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            with self._door(key):
                self._path(key).unlink(missing_ok=True)

    def url(self, key: str) -> str:
        """Return the object's ``file://`` URL."""
        return (self.root / key).absolute().as_uri()

    def _path(self, key: str) -> Path:
        parts_are_plain = all(part not in ("", ".", "..") for part in key.split("/")) and "\0" not in key
        path = self.root / key
        if not parts_are_plain or not path.resolve().is_relative_to(self.root.resolve()):
            raise StorageError(
                f"The key {key!r} names no file below {self.root}. Write it as parts joined by single"
                " slashes, none of them empty, '.' or '..'."
            )
        return path

    def _existing(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise ObjectNotFound(
                f"The object {self.url(key)} does not exist. It was not written yet, or was deleted."
            )
        return path

    def _new(self, key: str) -> Path:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def _door(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if found := disk_error(error, self.root):
                raise found from error
            raise StorageError(
                f"{self.root}, key {key!r}: {error}. Fix the folder or use another."
            ) from error


def _copy(source: Path, target: Path) -> StoredObject:
    with open_no_link(source) as reading, replacing(target) as writing:
        return write_digested(iter(partial(reading.read, _BLOCK), b""), writing)

"""Cache on the local disk what the next operators of the same task read from the artifact store.

What is kept is digested before it is read. Where it differs, the store has the object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from aqueduct_provider.storage.files import copy_new, digest_file
from aqueduct_provider.storage.object_store import Entry, ObjectStore, StoredObject


class CachingStore:
    """An ``ObjectStore`` in front of another one.

    :param store: where everything is written, and whatever is not kept is read.
    :param folder: for the files that are kept; not deleted. User code must not be able to write there.
    :param wanted: the keys whose files are kept.
    """

    def __init__(self, store: ObjectStore, folder: Path, wanted: Iterable[str]) -> None:
        self._store = store
        self._folder = folder
        self._wanted = frozenset(wanted)
        self._kept: dict[str, tuple[Path, StoredObject]] = {}

    def get_file(self, key: str, path: Path) -> StoredObject:
        """Copy what was put, or fetch the object."""
        if key in self._kept:
            kept, stored = self._kept[key]
            if digest_file(kept) == stored:
                # A copy, for code may write into the files of its job.
                copy_new(kept, path)
                return stored
        return self._store.get_file(key, path)

    def put_file(self, key: str, path: Path) -> StoredObject:
        """Write the object; the file is kept when it is wanted."""
        stored = self._store.put_file(key, path)
        if key in self._wanted:
            kept = self._folder / f"{len(self._kept)}"
            copy_new(path, kept)
            self._kept[key] = kept, stored
        return stored

    def get(self, key: str) -> bytes:
        return self._store.get(key)

    def put(self, key: str, data: bytes) -> None:
        self._store.put(key, data)

    def put_new(self, key: str, data: bytes) -> bool:
        return self._store.put_new(key, data)

    def exists(self, key: str) -> bool:
        return self._store.exists(key)

    def list(self, prefix: str) -> Iterator[str]:
        return self._store.list(prefix)

    def entries(self, prefix: str) -> Iterator[Entry]:
        return self._store.entries(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        return self._store.folders(prefix)

    def delete(self, keys: Iterable[str]) -> None:
        self._store.delete(keys)

    def url(self, key: str) -> str:
        return self._store.url(key)

"""Stores that remember what they were asked."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from aqueduct_provider.storage.files import digest_file
from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.storage.object_store import StoredObject


class CountingStore(LocalStore):
    """A folder; ``requests`` are the calls in order, each with its key or prefix."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.requests: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forget what was asked."""
        self.requests.clear()

    def keys(self, kind: str) -> list[str]:
        """The keys of all calls of this kind, sorted: calls may be made at the same time."""
        return sorted(key for one, key in self.requests if one == kind)

    def get(self, key: str) -> bytes:
        self._note("get", key)
        return super().get(key)

    def put(self, key: str, data: bytes) -> None:
        self._note("put", key)
        super().put(key, data)

    def exists(self, key: str) -> bool:
        self._note("exists", key)
        return super().exists(key)

    def list(self, prefix: str) -> Iterator[str]:
        self._note("list", prefix)
        return super().list(prefix)

    def delete(self, keys: Iterable[str]) -> None:
        self._note("delete", "")
        super().delete(keys)

    def _note(self, kind: str, key: str) -> None:
        with self._lock:
            self.requests.append((kind, key))


class DamagingStore(LocalStore):
    """A folder whose objects are damaged when they are read first, and whole when they are read again."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.damaged: set[str] = set()

    def get(self, key: str) -> bytes:
        data = super().get(key)
        return data if self._is_whole(key) else bytes([data[0] ^ 1]) + data[1:]

    def get_file(self, key: str, path: Path) -> StoredObject:
        if self._is_whole(key):
            return super().get_file(key, path)
        path.write_bytes(b"damaged")
        return digest_file(path)

    def _is_whole(self, key: str) -> bool:
        was_damaged = key in self.damaged
        self.damaged.add(key)
        return was_damaged

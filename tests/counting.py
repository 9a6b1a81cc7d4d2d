"""A store that remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from aqueduct_provider.storage.local import LocalStore


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

"""Work as a worker does, without a trace in the run: what is written goes to a folder that is deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.manifest import ArtifactRef
from aqueduct_provider.execution.caching_store import CachingStore
from aqueduct_provider.storage.local import LocalStore

if TYPE_CHECKING:
    from aqueduct_provider.execution.function_archive import CodeFolder
    from aqueduct_provider.runner.codecs import Encoded
    from aqueduct_provider.sdk.reruns.replayed_operator import ReplayedOperator
    from aqueduct_provider.storage.object_store import ObjectStore, StoredObject


class ScratchStore(CachingStore):
    """An ``ObjectStore`` that reads from another one and writes to a folder.

    :param store: is only read.
    :param folder: gets what is written, which is read first.
    """

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        super().__init__(store, folder, ())
        self._scratch = LocalStore(folder)

    def _of(self, key: str) -> ObjectStore:
        return self._scratch if self._scratch.exists(key) else self._store

    def get(self, key: str) -> bytes:
        return self._of(key).get(key)

    def get_file(self, key: str, path: Path) -> StoredObject:
        return self._of(key).get_file(key, path)

    def put(self, key: str, data: bytes) -> None:
        self._scratch.put(key, data)

    def put_new(self, key: str, data: bytes) -> bool:
        return self._scratch.put_new(key, data)

    def put_file(self, key: str, path: Path) -> StoredObject:
        return self._scratch.put_file(key, path)

    def exists(self, key: str) -> bool:
        return self._of(key).exists(key)

    def delete(self, keys: Iterable[str]) -> None:
        self._scratch.delete(keys)

    def put_input(self, key: str, value: Encoded) -> ArtifactRef:
        """Write an input of an operator, and return what vouches for it."""
        self.put(key, value.data)
        sha256 = hashlib.sha256(value.data).hexdigest()
        types = value.artifact_type, value.serialization_type
        return ArtifactRef(key, sha256, len(value.data), "", "", *types)


def fetched_code(replayed: ReplayedOperator, store: ObjectStore, folder: Path) -> CodeFolder:
    """Fetch the code of an operator, verify and unpack it; archives are kept with those of local runs.

    :param folder: does not exist yet.
    :raises DigestMismatch: it is not the code that the spec names.
    :raises UnsafeArchive: it is not a function archive.
    """
    from aqueduct_provider.execution.function_archive import fetch_code
    from aqueduct_provider.sdk.local.worker import local_worker

    worker = local_worker(replayed.spec, store, isolation="auto", missing_python="fail")
    return fetch_code(
        store, replayed.operator.code, folder, cache=worker.cache_dir / "code", limits=worker.archive_limits
    )

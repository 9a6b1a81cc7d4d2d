"""Move artifacts between the store and a job folder, each verified by its digest.

Moves content without ever decoding it. Content goes before metadata, so an artifact whose metadata can be
read is whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from aqueduct_provider.artifacts.manifest import ArtifactRef
from aqueduct_provider.artifacts.metadata import Metadata
from aqueduct_provider.errors import DigestMismatch, ObjectTooLarge
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.parallel import together

# Characters of a name in a manifest, which is in Airflow's database.
_NAME = 200


@dataclass(frozen=True)
class NewArtifact:
    """An artifact to be published: its content in a file, and where both its objects go.

    :param glance: as in its ``ArtifactRef``.
    """

    path: Path
    key: str
    metadata_key: str
    metadata: Metadata
    name: str = ""
    glance: Mapping[str, Any] = field(default_factory=dict)


def fetch_content(store: ObjectStore, ref: ArtifactRef, path: Path) -> None:
    """Stream an artifact's content into a new file.

    :raises DigestMismatch: the bytes are not those that the producer recorded; the file is removed.
    """
    fetch_file(store, ref.key, path, ref.sha256)


def fetch_metadata(store: ObjectStore, ref: ArtifactRef) -> bytes:
    """Return an artifact's metadata JSON, verified like its content."""
    return fetch_bytes(store, ref.metadata_key, ref.metadata_sha256)


def fetch_file(
    store: ObjectStore, key: str, path: Path, sha256: str, digest: Callable[[str], str] = str
) -> None:
    """Stream an object into a new file; when it was damaged on the way, once more.

    :param digest: makes of the sha256 of the bytes what is compared.
    :raises DigestMismatch: the bytes do not have this digest; the file is removed.
    """
    found = digest(store.get_file(key, path).sha256)
    if found != sha256:
        found = digest(store.get_file(key, path).sha256)
    if found != sha256:
        path.unlink()
        raise mismatch(store.url(key), wanted=sha256, found=found)


def fetch_bytes(store: ObjectStore, key: str, sha256: str) -> bytes:
    """Return the bytes of a small object; if they were damaged on the way, fetch them once more.

    :raises DigestMismatch: they do not have this digest.
    """
    data = store.get(key)
    if hashlib.sha256(data).hexdigest() != sha256:
        data = store.get(key)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise mismatch(store.url(key), wanted=sha256, found=found)
    return data


def fetch_small(store: ObjectStore, key: str, sha256: str, most: int) -> bytes:
    """Return the bytes of an object that may be larger than is to be read, as :func:`fetch_bytes` does.

    :param most: bytes that are read at most.
    :raises ObjectTooLarge: it has more; nothing was read.
    :raises ObjectNotFound: it is not there.
    :raises DigestMismatch: it is not what its producer wrote.
    """
    # The size that others have recorded is that of what was written, not of what is there now.
    entry = next(iter(store.entries(key)), None)
    if entry is not None and entry.key == key and entry.size > most:
        raise ObjectTooLarge(f"{store.url(key)} has {entry.size:,} bytes; at most {most:,} are read here.")
    return fetch_bytes(store, key, sha256)


def publish(store: ObjectStore, artifacts: Sequence[NewArtifact], workers: int) -> list[ArtifactRef]:
    """Upload all contents, then all metadata, each group at once.

    :param workers: requests at the same time, at most.
    """
    contents = together([partial(store.put_file, new.key, new.path) for new in artifacts], workers)
    documents = [new.metadata.to_json() for new in artifacts]
    together(
        [
            partial(store.put, new.metadata_key, document)
            for new, document in zip(artifacts, documents, strict=True)
        ],
        workers,
    )
    return [
        ArtifactRef(
            key=new.key,
            sha256=content.sha256,
            size=content.size,
            metadata_key=new.metadata_key,
            metadata_sha256=hashlib.sha256(document).hexdigest(),
            artifact_type=new.metadata.artifact_type,
            serialization_type=new.metadata.serialization_type,
            name=new.name[:_NAME],
            glance=new.glance,
        )
        for new, content, document in zip(artifacts, contents, documents, strict=True)
    ]


def mismatch(what: str, *, wanted: str, found: str) -> DigestMismatch:
    """Return the error for bytes with another digest than the promised one."""
    return DigestMismatch(
        f"{what} was changed after it was written: its sha256 is {found}, its producer recorded {wanted}. "
        "Nothing was loaded from it. Run the producing task again, or publish the flow again if it is code."
    )

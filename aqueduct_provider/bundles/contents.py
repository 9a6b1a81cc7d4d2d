"""The contents of a bundle's specs, by digest: in the bundle's folder, else fetched from its pins."""

from __future__ import annotations

import hashlib
from pathlib import Path

from aqueduct_provider.storage.files import replacing
from aqueduct_provider.storage.private_folder import private_folder


def content_path(base: Path, sha256: str) -> Path:
    """Return where the content with this digest is."""
    return base / "contents" / f"{sha256}.json"


def keep_content(base: Path, sha256: str, data: bytes) -> None:
    """Keep a content, for its owner alone: specs of the compiled dialect may hold credentials."""
    path = content_path(base, sha256)
    private_folder(path.parent)
    with replacing(path) as file:
        file.write(data)


def content_of(base: Path, sha256: str) -> bytes:
    """Read the spec with this digest from the bundle's folder or its pins.

    :param base: the bundle's folder.
    :raises StorageError: it cannot be fetched.
    :raises DigestMismatch: the stored content is another.
    """
    from aqueduct_provider.artifacts.transfer import mismatch
    from aqueduct_provider.bundles.source import source_of
    from aqueduct_provider.storage.layout import pinned_spec

    path = content_path(base, sha256)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = source_of(base).pins().get(pinned_spec(sha256))
        keep_content(base, sha256, data)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        path.unlink(missing_ok=True)
        raise mismatch(str(path), wanted=sha256, found=found)
    return data

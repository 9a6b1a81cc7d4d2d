"""Tables that eager calls keep: small ones in memory, large ones in files until the process ends."""

from __future__ import annotations

import atexit
import functools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from aqueduct_provider.runner.codecs import Encoded, encode
from aqueduct_provider.storage.held_folder import HeldFolder

# Bytes of a stored table that are worth keeping in memory.
_IN_MEMORY = 32 * 2**20


def kept_table(value: Any, tables: str) -> Encoded:
    """Encode a table; it passes through memory as a whole only when it is small.

    :param tables: the dialect, as for ``encode``.
    :raises CodecError: it cannot be stored.
    """
    path = new_file()
    encoded = encode(value, "table", tables, path=str(path))
    return kept_file(encoded, path)


def kept_file(encoded: Encoded, path: Path) -> Encoded:
    """Return what was written to a file, made by :func:`new_file`, with its bytes or its path."""
    if path.stat().st_size > _IN_MEMORY:
        return replace(encoded, path=str(path))
    data = path.read_bytes()
    path.unlink()
    return replace(encoded, data=data)


def new_file() -> Path:
    """Return the path of a file to be written; whatever is still there when the process ends is removed."""
    with tempfile.NamedTemporaryFile(dir=_folder().path, delete=False) as file:
        return Path(file.name)


@functools.cache
def _folder() -> HeldFolder:
    folder = HeldFolder("tables")
    atexit.register(folder.close)
    return folder

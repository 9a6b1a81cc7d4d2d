"""Stage 4, files on the local disk: replaced in one step, digested with constant memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from aqueduct_provider.storage.base import Stored

# Names of files that are not finished begin with this.
PARTIAL = ".aqueduct-partial-"
_BLOCK = 1 << 20


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that becomes ``path`` when the block ends well, and is gone when it does not."""
    with tempfile.NamedTemporaryFile("w+b", prefix=PARTIAL, dir=path.parent, delete=False) as file:
        partial = Path(file.name)
        try:
            yield file
            file.close()
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def write_digested(blocks: Iterable[bytes], file: IO[bytes]) -> Stored:
    """Write the blocks and digest them on the way."""
    digest, size = hashlib.sha256(), 0
    for block in blocks:
        digest.update(block)
        size += file.write(block)
    return Stored(digest.hexdigest(), size)


def digest_file(path: Path) -> Stored:
    """The sha256 and the size, in bytes, of a file."""
    digest, size, block = hashlib.sha256(), 0, bytearray(_BLOCK)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            digest.update(memoryview(block)[:count])
            size += count
    return Stored(digest.hexdigest(), size)

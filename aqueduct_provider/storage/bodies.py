"""Bodies for the clients of S3 and Google Cloud Storage, which note their progress, and marks.

All bytes pass a :class:`Transfer`, so that one whose result is no longer wanted ends with the next block.
"""

from __future__ import annotations

import io
import os
import uuid
from typing import IO, Any

from aqueduct_provider.storage.patience import Transfer

Mark = dict[str, str]


def new_mark() -> Mark:
    """Metadata by which a request knows an object as its own, should the answer to it be lost."""
    return {"aqueduct-request": uuid.uuid4().hex}


class Part(io.RawIOBase):
    """A part of a file, as the body of a request; its end is where the part ends.

    :param file: open for reading, and used for nothing else.
    :param size: of the part, which begins at ``start``; in bytes.
    """

    def __init__(self, file: IO[bytes], start: int, size: int, transfer: Transfer) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._transfer = transfer
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = origin + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        self._transfer.sending()
        left = max(0, self._size - self._position)
        count = left if size is None or size < 0 else min(size, left)
        data = os.pread(self._file.fileno(), count, self._start + self._position)
        self._position += len(data)
        return data


class Received(io.RawIOBase):
    """The file that a download goes to, in place of what an earlier attempt has left there.

    :param file: open for writing.
    """

    def __init__(self, file: IO[bytes], transfer: Transfer) -> None:
        self._file = file
        self._transfer = transfer
        with transfer.receiving():
            file.seek(0)
            file.truncate()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        with self._transfer.receiving(len(data)):
            return self._file.write(data)

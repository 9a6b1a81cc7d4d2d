"""Receive the bodies of S3's answers, compare them with S3's checksum, and write them to files.

All bytes pass a :class:`Transfer`, so that one whose result is no longer wanted ends with the next block.
"""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from aqueduct_provider.storage.object_store import StoredObject
from aqueduct_provider.storage.patience import BLOCK, Transfer

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef


class _Checksum:
    """Compares a whole body with the checksum that S3 keeps of it, where it keeps one that costs little."""

    def __init__(self, answer: GetObjectOutputTypeDef) -> None:
        self.sha256, self._crc32 = hashlib.sha256(), 0
        # One with a hyphen is a checksum of the checksums of parts.
        self._wanted = {
            name: text
            for name in ("ChecksumSHA256", "ChecksumCRC32")
            if (text := str(answer.get(name) or "")) and "-" not in text
        }
        self._has_crc32 = "ChecksumCRC32" in self._wanted

    def update(self, block: bytes) -> None:
        self.sha256.update(block)
        if self._has_crc32:
            self._crc32 = zlib.crc32(block, self._crc32)

    def compare(self) -> None:
        """Raise botocore's error for a body that was damaged on the way."""
        from botocore.exceptions import FlexibleChecksumError

        found = {"ChecksumSHA256": self.sha256.digest(), "ChecksumCRC32": self._crc32.to_bytes(4, "big")}
        for name, text in self._wanted.items():
            if base64.b64encode(found[name]).decode() != text:
                raise FlexibleChecksumError(error_msg=f"The {name} of the bytes is not that of the object")


def read(answer: GetObjectOutputTypeDef, transfer: Transfer) -> bytes:
    """Return the body of a small object."""
    checksum, blocks = _Checksum(answer), []
    for block in _blocks(answer, transfer):
        checksum.update(block)
        with transfer.receiving(len(block)):
            blocks.append(block)
    checksum.compare()
    return b"".join(blocks)


def save(answer: GetObjectOutputTypeDef, file: IO[bytes], transfer: Transfer) -> StoredObject:
    """Write a whole body into a file, in place of what an earlier attempt has left there."""
    checksum, size = _Checksum(answer), 0
    with transfer.receiving():
        file.seek(0)
        file.truncate()
    for block in _blocks(answer, transfer):
        checksum.update(block)
        with transfer.receiving(len(block)):
            size += file.write(block)
    checksum.compare()
    return StoredObject(checksum.sha256.hexdigest(), size)


def save_part(
    answer: GetObjectOutputTypeDef, file: IO[bytes], start: int, end: int, transfer: Transfer
) -> None:
    """Write the bytes of an object from ``start`` to before ``end`` to their place in a file."""
    from botocore.exceptions import IncompleteReadError

    position = start
    for block in _blocks(answer, transfer):
        with transfer.receiving(len(block)):
            position += os.pwrite(file.fileno(), block[: end - position], position)
    if position != end:
        raise IncompleteReadError(actual_bytes=position - start, expected_bytes=end - start)


def _blocks(answer: GetObjectOutputTypeDef, transfer: Transfer) -> Iterator[bytes]:
    with transfer.receiving():
        pass
    return answer["Body"].iter_chunks(BLOCK)

"""A file in memory with a limit, so that a huge pickle is given up before it fills the memory."""

from __future__ import annotations

import io
from typing import Any


class TooLarge(Exception):
    """A pickle would have more bytes than it may have."""


class LimitedBuffer(io.BytesIO):
    """A file in memory that takes only so many bytes.

    :param limit: their number; writing more raises :class:`TooLarge`.
    """

    def __init__(self, limit: float) -> None:
        super().__init__()
        self._limit = limit

    def write(self, data: Any) -> int:
        """See ``io.BytesIO``."""
        written = super().write(data)
        if len(self.getbuffer()) > self._limit:
            raise TooLarge(f"more than {self._limit} bytes")
        return written

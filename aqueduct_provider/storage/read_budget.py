"""Limit how many bytes of objects are read for one purpose, such as one page, over all its requests."""

from __future__ import annotations

import threading

from aqueduct_provider.errors import ObjectTooLarge


class ReadBudget:
    """Bytes that may be read. Safe to use from several threads.

    :param most: how many, of all objects together.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._left = most
        self._lock = threading.Lock()

    def take(self, url: str, size: int) -> None:
        """Count the bytes of an object before they are read.

        :param url: the object, for the error.
        :raises ObjectTooLarge: it has more bytes than are left; nothing is counted.
        """
        with self._lock:
            if size <= self._left:
                self._left -= size
                return
            read = self.most - self._left
        already = f", and {read:,} have been read before" if read else ""
        raise ObjectTooLarge(f"{url} has {size:,} bytes; {self.most:,} are read at most{already}.")

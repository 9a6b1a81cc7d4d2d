"""Reading the next batch while the last one is written: the database and this process work at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

# Batches that wait to be written; each may have tens of MB.
_WAITING = 2
_PAUSE = 0.1


@dataclass
class _End:
    error: BaseException | None = None


@dataclass
class _Reader(Generic[Item]):
    """Reads in a thread of its own; ``is_over`` ends it."""

    items: Iterable[Item]
    waiting: queue.Queue[Item | _End] = field(default_factory=lambda: queue.Queue(_WAITING))
    is_over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            for item in self.items:
                if not self._put(item):
                    return
            self._put(_End())
        except BaseException as error:
            self._put(_End(error))

    def _put(self, item: Item | _End) -> bool:
        while not self.is_over.is_set():
            with suppress(queue.Full):
                self.waiting.put(item, timeout=_PAUSE)
                return True
        return False


def read_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the same items, read in a thread, which ends with this iterator.

    What reading raises is raised here, after the items before it.
    """
    reader = _Reader(items)
    thread = threading.Thread(target=reader.run, daemon=True)
    thread.start()
    try:
        while not isinstance(item := reader.waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        reader.is_over.set()
        thread.join()

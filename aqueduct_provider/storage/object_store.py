"""Define what a store of objects can do. Implementations: ``s3.py``, ``gcs.py``, ``local.py``."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from aqueduct_provider.storage.patience import IMPATIENT, Patience, Transfer

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class StoredObject:
    """A transferred object: the sha256 of its bytes in hexadecimal, and their number."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Entry:
    """One object of a listing.

    :param tag: changes whenever the object does; says nothing else.
    :param size: in bytes.
    :param modified: when it was written last, in seconds since 1970 by the store's own clock.
    """

    key: str
    tag: str
    size: int
    modified: float = 0.0


class ObjectStore(Protocol):
    """Objects by key, below one prefix of one bucket. Safe to use from several threads.

    Keys are relative to the prefix. All methods raise subclasses of ``StorageError``; reading a key that
    is not there raises ``ObjectNotFound`` with the full key.
    """

    def get(self, key: str) -> bytes:
        """Return the object's bytes; for small objects."""
        ...

    def put(self, key: str, data: bytes) -> None:
        """Write the object; for small objects."""
        ...

    def put_new(self, key: str, data: bytes) -> bool:
        """Write the object where there is none; whether this call did. Of several, exactly one does."""
        ...

    def get_file(self, key: str, path: Path) -> StoredObject:
        """Stream the object into a new file, with memory that does not grow with its size."""
        ...

    def put_file(self, key: str, path: Path) -> StoredObject:
        """Stream a file into the object."""
        ...

    def exists(self, key: str) -> bool:
        """Return whether the object exists."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Yield every key that begins with ``prefix``, in the order of keys."""
        ...

    def entries(self, prefix: str) -> Iterator[Entry]:
        """List objects as :meth:`list` does, each with a mark that changes with its content."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the next part of every key that has a slash after it, each once, in order.

        :param prefix: empty, or ending with a slash. What lies deeper is not listed.
        """
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete these objects; those that do not exist are ignored."""
        ...

    def url(self, key: str) -> str:
        """Return the URL of an object, such as ``s3://bucket/prefix/key``."""
        ...


class BucketStore(ABC):
    """What the stores of bucket services share. Safe to use from several threads.

    :param client: of the service.
    :param prefix: empty, or ``like/this/``.
    :param patience: how long requests are repeated, and what ends them.
    """

    scheme: ClassVar[str]

    def __init__(self, client: Any, bucket: str, prefix: str = "", patience: Patience = IMPATIENT) -> None:
        self.client = client
        self.bucket = bucket
        self.prefix = prefix
        self.patience = patience
        self._bucket_seen = False
        self._looking = threading.Lock()

    @abstractmethod
    def entries(self, prefix: str) -> Iterator[Entry]:
        """See :class:`ObjectStore`."""

    @abstractmethod
    def _door(self, key: str) -> AbstractContextManager[None]:
        """Translate the client's errors."""

    @abstractmethod
    def _look(self) -> None:
        """Send one small listing."""

    def list(self, prefix: str) -> Iterator[str]:
        return (entry.key for entry in self.entries(prefix))

    def url(self, key: str) -> str:
        return f"{self.scheme}://{self.bucket}/{self.prefix}{key}"

    def check(self) -> None:
        """Send one small listing to check endpoint, credentials, bucket and permissions.

        :raises StorageError: they are not.
        """
        self._ask("", lambda _: self._look())

    def _ask(self, key: str, request: Callable[[Transfer], _Result]) -> _Result:
        """Make a request that may be repeated, with the patience of the task; errors are translated."""

        def attempt(transfer: Transfer) -> _Result:
            with self._door(key):
                return request(transfer)

        return self.patience.ask(self.url(key), attempt)

    def _see_bucket(self) -> None:
        """Make sure that there is a bucket: without one, the answer is that of a missing object.

        Seen once is enough: whoever publishes a flow looks for hundreds of objects.
        """
        with self._looking:
            if not self._bucket_seen:
                self._look()
                self._bucket_seen = True


def file_keys(store: ObjectStore, filepath: str | Sequence[str]) -> list[str]:
    """Return the keys of the files at a spec's path: one file, several, or all below a prefix.

    :param filepath: a key; keys; or a prefix that ends with ``/``, below which there may be no file.
    """
    if not isinstance(filepath, str):
        return list(filepath)
    if not filepath.endswith("/"):
        return [filepath]
    return [key for key in store.list(filepath) if not key.endswith("/")]

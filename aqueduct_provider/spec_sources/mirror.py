"""The specs below a prefix of a store -> a folder with the same files, kept up to date.

In: a store, a prefix, a folder. Out: one file for each object ``<prefix><name>.json``, each whole at any
moment, and a hidden state file, written last. One listing finds what is new, changed or gone; only that is
fetched. Any number of processes may use one folder: one at a time refreshes it, the others take it as it is.
A failure leaves what was there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from aqueduct_provider.errors import DiskError, ObjectNotFound, StorageError, StorageUnavailable
from aqueduct_provider.spec.document import MAX_BYTES, json_value
from aqueduct_provider.spec.spec_files import is_spec_name
from aqueduct_provider.storage.disk_errors import CACHE_REMEDY, disk_error
from aqueduct_provider.storage.files import PARTIAL, is_old, remove_partial, replacing
from aqueduct_provider.storage.local import stamp
from aqueduct_provider.storage.object_store import Entry, ObjectStore
from aqueduct_provider.storage.parallel import together
from aqueduct_provider.storage.private_folder import private_folder

log = logging.getLogger(__name__)

_STATE = ".aqueduct-mirror.json"
_LOCK = ".aqueduct-mirror.lock"
_VERSION = 1
_POLL = 0.05
# Of file systems, in bytes.
_LONGEST_NAME = 255
# Seconds after which an unfinished file has no writer any more, not even one of a release without locks.
_ABANDONED = 3600


@dataclass(frozen=True)
class State:
    """The contents that a folder mirrors.

    :param complete: whether all that was listed has been fetched, now or once before.
    :param files: name -> the object's tag, and the stamp of the file that was written for it.
    :param problems: name -> why an object that is in the store is not in the folder.
    """

    version: int = _VERSION
    complete: bool = False
    files: Mapping[str, list[str]] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


def state_of(folder: Path) -> State:
    """Read the state of a folder; that of an empty one if none can be read."""
    try:
        state = State(**json_value((folder / _STATE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return State()
    return state if state.version == _VERSION else State()


def prepare(folder: Path, root: Path | None = None) -> None:
    """Make the folder and those above it up to ``root``, for their owner alone, when they are missing.

    :param root: None: its parent.
    :raises ConfigError: others than its owner can write to one of them.
    :raises StorageError: it cannot be made.
    """
    with _door(folder):
        private_folder(folder, root=root or folder.parent)


def refresh(store: ObjectStore, prefix: str, folder: Path, *, workers: int, seconds: float) -> None:
    """Make the folder hold what is directly below the prefix. What is left after ``seconds`` has to wait
    for the next time. While another process refreshes a complete folder, nothing is done.

    :param prefix: empty, or ending with ``/``.
    :param folder: see :func:`prepare`.
    :param workers: requests under way at once.
    :raises StorageError: the store cannot be listed, or stopped answering, or the folder cannot be written.
    :raises ConfigError: others than its owner can write to the folder.
    """
    prepare(folder)
    with _door(folder), _turn(folder, seconds) as ours:
        if ours:
            _Refresh(store, prefix, folder, time.monotonic() + seconds).run(workers)


def fetch(store: ObjectStore, prefix: str, name: str, folder: Path, *, seconds: float) -> None:
    """Bring a single file up to date, without a listing.

    :raises ObjectNotFound: the object does not exist, or a spec's file cannot have its name.
    :raises StorageError: it did not arrive within ``seconds``, or the folder cannot be written.
    :raises ConfigError: others than its owner can write to the folder.
    """
    if not _is_plain(name):
        raise ObjectNotFound(f"{store.url(prefix + name)} is not a name of a spec.")
    data = _within(seconds, store, prefix + name)
    prepare(folder)
    with _door(folder):
        # Written only when different: a refresh fetches every file again that it did not write itself.
        if _content(folder / name) != data:
            _write(folder / name, data)


@dataclass
class _Refresh:
    """One refresh, by the process whose turn it is.

    :param end: when to stop, by the monotonic clock.
    """

    store: ObjectStore
    prefix: str
    folder: Path
    end: float
    files: dict[str, list[str]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    outage: StorageUnavailable | None = None

    def run(self, workers: int) -> None:
        before = state_of(self.folder)
        stale = self._compare(before)
        self.waiting |= {self._name(entry.key) for entry in stale}
        try:
            together([partial(self._fetch, entry) for entry in stale], workers)
        finally:
            self.end = 0
            self._save(before)
        if self.outage:
            raise self.outage
        if self.waiting:
            place = self.store.url(self.prefix)
            log.warning("%d specs of %s are left for the next time: S3 is slow", len(self.waiting), place)

    def _compare(self, before: State) -> list[Entry]:
        """Remove what is gone from the store, keep what is known of the rest, and give what to fetch."""
        listed = dict(self._listed())
        stamps = _stamps(self.folder)
        for name in stamps.keys() - listed.keys():
            (self.folder / name).unlink(missing_ok=True)
        self.files |= {name: known for name, known in before.files.items() if name in listed}
        self.problems |= {name: known for name, known in before.problems.items() if name in listed}
        return [
            entry for name, entry in listed.items() if self.files.get(name) != [entry.tag, stamps.get(name)]
        ]

    def _listed(self) -> Iterator[tuple[str, Entry]]:
        for entry in self.store.entries(self.prefix):
            name = self._name(entry.key)
            if _is_plain(name):
                yield name, entry

    def _name(self, key: str) -> str:
        return key.removeprefix(self.prefix)

    def _fetch(self, entry: Entry) -> None:
        """Fetch one object, unless it is late; several threads at once do so."""
        if self.outage or time.monotonic() > self.end:
            return
        name = self._name(entry.key)
        try:
            problem = self._problem_of(entry, name)
        except StorageUnavailable as error:
            self.outage = error
            return
        self.waiting.discard(name)
        if problem:
            self.problems[name] = problem
        else:
            self.problems.pop(name, None)

    def _problem_of(self, entry: Entry, name: str) -> str:
        """Fetch an object; return why it is missing if no earlier version can replace it."""
        path = self.folder / name
        if entry.size > MAX_BYTES:
            path.unlink(missing_ok=True)
            return f"larger than {MAX_BYTES >> 20} MiB; keep large defaults in the artifact store, by key"
        try:
            self.files[name] = [entry.tag, _write(path, self.store.get(entry.key))]
        except StorageUnavailable:
            raise
        except ObjectNotFound:
            path.unlink(missing_ok=True)
        except StorageError as error:
            if not path.exists():
                return str(error)
            log.warning("The version that was fetched before is used: %s", error)
        return ""

    def _save(self, before: State) -> None:
        complete = before.complete or not self.waiting
        # Copies, since threads may be under way still where a timeout of Airflow ended the waiting for them.
        state = State(complete=complete, files=dict(self.files), problems=dict(self.problems))
        if state != before:
            _write(self.folder / _STATE, json.dumps(asdict(state)).encode())


def _is_plain(name: str) -> bool:
    return (
        is_spec_name(name)
        and not {"/", os.sep, "\0"}.intersection(name)
        and len(os.fsencode(name)) <= _LONGEST_NAME
    )


def _stamps(folder: Path) -> dict[str, str]:
    """Return the stamps of the mirrored files; remove files that a killed process left unfinished."""
    stamps = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if is_spec_name(entry.name):
                    stamps[entry.name] = stamp(status)
                elif entry.name.startswith(PARTIAL) and is_old(status, _ABANDONED):
                    remove_partial(Path(entry.path))
    return stamps


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes) -> str:
    """Write a file whole and give its stamp, which is taken before another process can replace it."""
    with replacing(path) as file:
        file.write(data)
        file.flush()
        return stamp(os.fstat(file.fileno()))


def _within(seconds: float, store: ObjectStore, key: str) -> bytes:
    """Return the object's bytes. All retries of a silent S3 last longer than Airflow lets a DAG file load."""
    answer: queue.SimpleQueue[bytes | BaseException] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(store.get(key))
        except BaseException as error:
            answer.put(error)

    threading.Thread(target=ask, daemon=True, name="aqueduct-mirror").start()
    try:
        outcome = answer.get(timeout=seconds)
    except queue.Empty:
        raise StorageUnavailable(f"{store.url(key)}: no answer within {seconds:g} s.") from None
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


@contextlib.contextmanager
def _turn(folder: Path, seconds: float) -> Iterator[bool]:
    """Check whether it is this process's turn to refresh; the kernel ends a turn with its process."""
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _acquire(lock, folder, seconds)
    finally:
        os.close(lock)


def _acquire(lock: int, folder: Path, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if state_of(folder).complete:
            return False
        if time.monotonic() > end:
            raise StorageError(f"Another process has been filling {folder} for more than {seconds:g} s.")
        time.sleep(_POLL)


@contextlib.contextmanager
def _door(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if found := disk_error(error, folder, CACHE_REMEDY):
            raise found from error
        raise DiskError(
            f"The specs cannot be kept in {folder}: {error.strerror or error}. Fix the folder, or set"
            " cache_dir in the [aqueduct] section of airflow.cfg to another."
        ) from error

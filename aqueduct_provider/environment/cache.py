"""Cache environments on this worker: built once, leased to tasks, evicted when no task uses them.

In: an :class:`EnvironmentSpec`. Out: a :class:`PythonEnvironment`, for as long as its lease is open.

    <root>/<fingerprint>/                        a virtual environment, at its final place
    <root>/<fingerprint>/aqueduct-environment.json   completion marker, written last; its mtime: the last use
    <root>/locks/<fingerprint>.lock              flock: exclusive to build or remove, shared to use

The kernel frees a lock when its last holder ends, however that ends, and whatever writes into an environment
holds its lock: what has no marker and can be locked is garbage. All who share a root must see each other's
flocks. NFS may not show them (mount options ``nolock``, ``local_lock``): give each machine a root of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from aqueduct_provider.environment.builder import UvBuilder, executable_in
from aqueduct_provider.environment.fingerprint import EnvironmentSpec, fingerprint
from aqueduct_provider.errors import AqueductError, EnvironmentBuildError, OperatorKilled
from aqueduct_provider.process import OnLine
from aqueduct_provider.spec.url_credentials import without_credentials
from aqueduct_provider.storage.disk_errors import CACHE_REMEDY, disk_error
from aqueduct_provider.storage.private_folder import private_folder

MARKER = "aqueduct-environment.json"
# In an environment that must be built again without anything that uv has cached.
DAMAGED = "aqueduct-environment.damaged"
# In place of the fingerprint, for the worker's own Python.
WORKER = "worker"

_VERSION = 1
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_POLL = 0.1
# Longer than any build of a usable environment.
_MAX_WAIT = 4 * 3600.0


@dataclass(frozen=True)
class PythonEnvironment:
    """A Python that has what an operator needs.

    :param executable: its interpreter.
    :param fingerprint: its name in the cache; ``WORKER`` for the worker's own Python.
    :param reused: it was there already, or another task built it.
    :param build_seconds: how long building it took; 0 when reused.
    """

    executable: Path
    fingerprint: str
    reused: bool
    build_seconds: float

    @property
    def folder(self) -> Path | None:
        """Return its folder in the cache; None for the worker's own Python."""
        return None if self.fingerprint == WORKER else self.executable.parent.parent

    @property
    def short_name(self) -> str:
        """Return the beginning of its name, as logs and pages have it."""
        return self.fingerprint[:12]

    @property
    def is_discarded(self) -> bool:
        """Return whether it was found to be damaged; the next lease then builds it again."""
        return self.folder is not None and not (self.folder / MARKER).exists()

    def __str__(self) -> str:
        """Describe for the log which environment it is and what it cost."""
        if self.fingerprint == WORKER:
            return f"Running in the worker's own Python: {self.executable}"
        how = "reused" if self.reused else f"built in {self.build_seconds:.1f} s"
        return f"Environment {self.short_name} {how}: {self.executable}"


@dataclass(frozen=True)
class _Marker:
    """The content of the completion marker. Requirements are without credentials, size is in bytes."""

    version: int
    requirements: list[str]
    python_version: str
    builder: str
    size: int
    created: str
    # Names of the folders that describe what was installed; older markers have none.
    distributions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Request:
    """One lease that is asked for."""

    spec: EnvironmentSpec
    name: str
    folder: Path
    on_line: OnLine
    cancelled: Callable[[], bool]

    def say(self, text: str) -> None:
        self.on_line("stderr", text)


@dataclass(frozen=True)
class EnvironmentCache:
    """Environments in a folder that all processes of a worker share.

    :param root: the folder; made, for its owner only, when missing.
    :param builder: makes what is not there.
    :param max_bytes: when all environments together are larger, those least recently used go. Counted are
        the sizes of their files: more than they take, for uv hard-links most files from its own cache.
    :param max_wait: seconds to wait for another process that builds an environment, or uses one that must be
        built again.
    """

    root: Path
    builder: UvBuilder
    max_bytes: int
    max_wait: float = _MAX_WAIT

    @contextlib.contextmanager
    def lease(
        self, spec: EnvironmentSpec, on_line: OnLine, *, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[PythonEnvironment]:
        """Yield an environment that stays while the context is open, and build or await it if needed.

        :param spec: what it must have.
        :param on_line: gets the builder's output and what there is to say about it.
        :param cancelled: asked often while building or waiting; true ends that.
        :raises EnvironmentFailure: it cannot be built.
        :raises DiskError: the root cannot be used.
        :raises ConfigError: others than its owner can write to the root.
        :raises OperatorKilled: it was cancelled.
        """
        name = fingerprint(spec, _platform())
        request = _Request(spec, name, self.root / name, on_line, cancelled)
        try:
            private_folder(self.root / "locks", root=self.root)
            lock = _Lock(self._lock_path(name))
        except OSError as exc:
            raise self._failure(exc) from exc
        with lock:
            yield self._obtain(request, lock)

    def _obtain(self, request: _Request, lock: _Lock) -> PythonEnvironment:
        build_seconds = 0.0
        waiting = _Waiting(request, lock, self.max_wait)
        try:
            while not self._use(request, lock, waiting):
                # Do not block for the exclusive lock: the builder holds the shared one while its task runs.
                # And another process may evict what was built before this one shares the lock.
                if lock.try_acquire(fcntl.LOCK_EX):
                    build_seconds += self._build(request, lock)
                else:
                    waiting.pause()
        except OSError as exc:
            raise self._failure(exc) from exc
        return PythonEnvironment(
            executable_in(request.folder), request.name, not build_seconds, build_seconds
        )

    def _use(self, request: _Request, lock: _Lock, waiting: _Waiting) -> bool:
        """Register this process as a user of the environment; return whether the environment exists."""
        while not lock.try_acquire(fcntl.LOCK_SH):
            waiting.pause()
        marker = _complete(request.folder)
        if marker is None:
            return False
        os.utime(request.folder / MARKER)
        asked = request.spec.python_version
        if not marker.python_version.startswith(f"{asked}."):
            request.say(f"Warning: this environment has Python {marker.python_version} in place of {asked}.")
        return True

    def _build(self, request: _Request, lock: _Lock) -> float:
        """Build, under the exclusive lock, unless another process just did; the seconds that it took."""
        if _complete(request.folder) is not None:
            return 0.0
        request.say(f"Building a Python {request.spec.python_version} environment, {request.name[:12]}.")
        started = time.monotonic()
        fresh = (request.folder / DAMAGED).exists()
        _remove(request.folder)
        try:
            size = self._fill(request, lock, fresh=fresh)
        except BaseException:
            shutil.rmtree(request.folder, ignore_errors=True)
            raise
        self._evict(request, size)
        return time.monotonic() - started

    def _fill(self, request: _Request, lock: _Lock, *, fresh: bool) -> int:
        build = partial(self.builder.build, fresh=True) if fresh else self.builder.build
        built = build(
            request.spec,
            request.folder,
            on_line=request.on_line,
            cancelled=request.cancelled,
            keep_open=(lock.fd,),
        )
        marker = _Marker(
            version=_VERSION,
            requirements=[without_credentials(requirement) for requirement in request.spec.requirements],
            python_version=built.python_version,
            builder=built.builder,
            size=_size(request.folder),
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            distributions=[info.name for info in distributions_in(request.folder)],
        )
        temporary = request.folder / f"{MARKER}.new"
        temporary.write_text(json.dumps(asdict(marker), indent=2), encoding="utf-8")
        temporary.replace(request.folder / MARKER)
        return marker.size

    def _evict(self, request: _Request, size: int) -> None:
        """Remove garbage, then the least recently used until all fit; never the one just built."""
        others = []
        for folder in self.root.iterdir():
            if _FINGERPRINT.fullmatch(folder.name) and folder != request.folder:
                marker = _read_marker(folder)
                others.append((_last_use(folder), marker.size if marker else 0, folder))
        total = size + sum(other_size for _, other_size, _ in others)
        for last_use, other_size, folder in sorted(others):
            if last_use and total <= self.max_bytes:
                break
            if self._remove_if_unused(folder, last_use):
                total -= other_size
                request.say(f"Removed environment {folder.name[:12]} from the cache.")

    def _remove_if_unused(self, folder: Path, last_use: float) -> bool:
        try:
            with _Lock(self._lock_path(folder.name)) as lock:
                if not lock.try_acquire(fcntl.LOCK_EX) or _last_use(folder) != last_use:
                    return False
                _remove(folder)
        except OSError:
            return False  # What cannot be removed must not fail the task that has its environment.
        return True

    def _failure(self, error: OSError) -> AqueductError:
        return disk_error(error, self.root, CACHE_REMEDY) or EnvironmentBuildError(
            f"The environment cache cannot be used: {error}"
        )

    def _lock_path(self, name: str) -> Path:
        return self.root / "locks" / f"{name}.lock"


class _Lock:
    """A flock on a file of its own, never deleted; freed when it is closed here and in a supervisor."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> _Lock:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def try_acquire(self, mode: int) -> bool:
        """Take the lock, or change its mode. A change that fails loses the lock."""
        try:
            fcntl.flock(self.fd, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def holders(self) -> str:
        """Describe the other processes of this user that have the file open, where there is a /proc."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # another user's, or it ended meanwhile
                if process.name != str(os.getpid()) and any(map(self._path.samefile, process.glob("fd/*"))):
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found.append(f"process {process.name} ({without_credentials(command.strip())[:200]})")
        return f"{self._path} is held by {' and '.join(found) or 'a process that cannot be seen here'}"


class _Waiting:
    """Pauses between two questions for a lock; says once that the task waits."""

    # Asked again and again, since a blocking flock goes on after a signal and would not see the cancellation.

    def __init__(self, request: _Request, lock: _Lock, max_wait: float) -> None:
        self._request = request
        self._lock = lock
        self._until = time.monotonic() + max_wait
        self._said = False

    def pause(self) -> None:
        """Wait a moment.

        :raises OperatorKilled: the task was cancelled.
        :raises EnvironmentBuildError: it has waited too long.
        """
        if time.monotonic() > self._until:
            raise EnvironmentBuildError(
                f"The Python environment {self._request.name[:12]} was not free in time:"
                f" {self._lock.holders()}. Wait until that task has ended and run this one again, or end the"
                " process if it hangs."
            )
        if self._request.cancelled():
            raise OperatorKilled("The task was ended while it waited for its Python environment.")
        if not self._said:
            name = self._request.name[:12]
            self._request.say(f"Waiting for another task, which builds or uses environment {name}.")
            self._said = True
        time.sleep(_POLL)


def _platform() -> str:
    # The last part distinguishes musl from glibc.
    return f"{sys.platform}-{platform.machine()}-{getattr(sys.implementation, '_multiarch', '')}"


def distributions_in(folder: Path) -> list[Path]:
    """Return the folders that describe what is installed in an environment."""
    return sorted(folder.glob("lib/python*/site-packages/*.dist-info"))


def known_of(folder: Path) -> list[str]:
    """Return the names of the distributions that an environment was built with; empty where not known."""
    marker = _read_marker(folder)
    return marker.distributions if marker else []


def _complete(folder: Path) -> _Marker | None:
    """Return the marker, unless the environment is half-built or its Python was removed."""
    marker = _read_marker(folder)
    return marker if marker and os.access(executable_in(folder), os.X_OK) else None


def _read_marker(folder: Path) -> _Marker | None:
    try:
        marker = _Marker(**json.loads((folder / MARKER).read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return marker if marker.version == _VERSION else None


def _last_use(folder: Path) -> float:
    """0 when it is garbage."""
    return (folder / MARKER).stat().st_mtime if _read_marker(folder) else 0.0


def _remove(folder: Path) -> None:
    # The marker goes first: a removal that is cut short leaves garbage, not an environment with holes.
    (folder / MARKER).unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)


def _size(folder: Path) -> int:
    return sum(
        (Path(parent) / name).lstat().st_size for parent, _, names in os.walk(folder) for name in names
    )

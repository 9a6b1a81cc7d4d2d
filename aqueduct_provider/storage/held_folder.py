"""Make temporary folders that do not outlive their process, not even when it is killed.

A folder is locked (``flock``) for as long as its process lives, and whoever makes the next one of its kind
removes those that no process holds. The kernel frees a lock when its last holder ends, however that ends.
Only folders in a parent that this user alone can write to are ever removed: ``aqueduct-<user id>``, below the
folder for temporary files, or one of our caches. All who share a parent must see each other's locks; where a
file system has no locks, nothing is removed.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from aqueduct_provider.storage.disk_errors import (
    TEMPORARY_REMEDY,
    DiskError,
    DiskRefused,
    translate_disk_errors,
)
from aqueduct_provider.storage.files import try_lock

log = logging.getLogger(__name__)

# Below the folder for temporary files; followed by the user's id.
_ROOT = "aqueduct-"
# What follows the kind in a name, as mkdtemp makes it.
_RANDOM = r"-[a-z0-9_]{8}"
_ATTEMPTS = 100


class HeldFolder:
    """A folder that is removed when it is closed or, once this process has ended, by the next one like it.

    :param kind: begins the folder's name.
    :param parent: where it lies; None: in this user's folder for temporary files, which is made and removed
        as needed.
    :param before_removal: is given each folder that an ended process left, before it is removed.
    :raises DiskError: it cannot be made.
    """

    def __init__(
        self,
        kind: str,
        parent: Path | None = None,
        before_removal: Callable[[Path], object] = lambda _: None,
    ) -> None:
        self._process = os.getpid()
        self._root = _root() if parent is None else None
        place = parent or _root()
        with translate_disk_errors(place, TEMPORARY_REMEDY):
            # First of all, for they may be what fills the disk. While others remove the parent, it is empty.
            with contextlib.suppress(FileNotFoundError):
                if self._root:
                    _prepare(self._root)
                _sweep(place, kind, before_removal)
            self.path, self._lock = self._make(place, kind)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove it. What cannot be removed now, the next process removes. In a forked process it stays."""
        if self._process != os.getpid():
            return
        remove_tree(self.path)
        os.close(self._lock)
        if self._root:
            # Others may be in it.
            with contextlib.suppress(OSError):
                self._root.rmdir()

    def _make(self, place: Path, kind: str) -> tuple[Path, int]:
        for _ in range(_ATTEMPTS):
            # Its parent may be removed before it is made; it, for an abandoned one, before it is locked.
            with contextlib.suppress(FileNotFoundError):
                if self._root:
                    _prepare(self._root)
                path = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=place))
                lock = _open(path)
                if try_lock(lock) is not False and _is_at(lock, path):
                    return path, lock
                os.close(lock)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(place))


def remove_tree(folder: Path) -> None:
    """Remove a folder, as far as possible; not following links, and whatever modes its folders have."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for path, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                Path(path).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def _root() -> Path:
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError as error:
        raise DiskError(f"{error.strerror}. Free some space there, or {_remedy()}.") from error
    return Path(folder, f"{_ROOT}{os.geteuid()}")


def _prepare(root: Path) -> None:
    """Make this user's folder, or check that it is one: everyone can make folders next to it."""
    with contextlib.suppress(FileExistsError):
        root.mkdir(mode=0o700)
    status = root.lstat()
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    if not is_ours or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DiskRefused(
            f"{root} is not a folder of this user alone: others could change the files of tasks. "
            f"Remove it, or {_remedy()}."
        )


def _remedy() -> str:
    return TEMPORARY_REMEDY[0].lower() + TEMPORARY_REMEDY[1:]


def _sweep(place: Path, kind: str, before_removal: Callable[[Path], object]) -> None:
    """Remove the folders that no process holds."""
    name = re.compile(re.escape(kind) + _RANDOM)
    found = [place / entry for entry in os.listdir(place) if name.fullmatch(entry)]  # noqa: PTH208
    if removed := sum(_remove_abandoned(path, before_removal) for path in found):
        log.info("Removed %d temporary folders of ended processes from %s.", removed, place)


def _remove_abandoned(path: Path, before_removal: Callable[[Path], object]) -> bool:
    try:
        lock = _open(path)
    except OSError:  # It has just been removed, or is not a folder of this user.
        return False
    try:
        if os.fstat(lock).st_uid != os.geteuid() or not try_lock(lock):
            return False
        before_removal(path)
        remove_tree(path)
    finally:
        os.close(lock)
    return True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _is_at(descriptor: int, path: Path) -> bool:
    return path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())


@contextlib.contextmanager
def temporary_folder(kind: str) -> Iterator[Path]:
    """Make a folder for temporary files that is removed at the end; see :class:`HeldFolder`."""
    with HeldFolder(kind) as path:
        yield path

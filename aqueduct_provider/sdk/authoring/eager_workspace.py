"""Keep the folders on disk in which eager calls run: laid out with a function's files, emptied afterwards.

Files are copied once and linked for each call, so that large ones cost nothing and no call can write to the
user's own. Pools of processes that outlive a call, such as joblib's, keep their working directory: therefore
a folder is emptied and used again instead of being removed.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider.errors import AuthoringError, PackagingError
from aqueduct_provider.storage.held_folder import HeldFolder

# The time of every copy, that of entries in archives: whatever writes to a copy changes it.
_COPIED_AT = 315_532_800 * 10**9


@dataclass(frozen=True)
class _Copy:
    """A copy of one of the user's files.

    :param source: the state of the file when it was copied.
    :param state: the state of the copy then.
    """

    path: Path
    source: tuple[int, ...]
    state: tuple[int, ...]


class Workspace:
    """The folders of one process; not for several threads at once."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._held = HeldFolder("eager")
        self._root = self._held.path
        self._copies: dict[Path, _Copy] = {}
        self._depth = 0
        self._number = 0
        atexit.register(self._held.close)

    @property
    def is_usable(self) -> bool:
        """Check whether it belongs to this process and still exists: the system may clean up its folder."""
        return self._process == os.getpid() and self._root.is_dir()

    @contextmanager
    def laid_out(self, files: Mapping[str, Path], name: str) -> Iterator[Path]:
        """Provide a folder that holds exactly these files. Nested calls get folders of their own.

        :param files: the user's files by their path in the folder.
        :param name: the operator's, for messages.
        :raises PackagingError: a file cannot be read.
        :raises AuthoringError: the folder cannot be written.
        """
        folder = self._root / (f"function-{self._depth}" if self._depth else "function")
        self._depth += 1
        try:
            self._fill(folder, files, name)
            yield folder
        finally:
            self._depth -= 1
            self._forget_changed(files)
            _empty(folder)

    def _fill(self, folder: Path, files: Mapping[str, Path], name: str) -> None:
        try:
            folder.mkdir(exist_ok=True)
            for path, source in files.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                _link(self._copy_of(source), target)
        except OSError as error:
            for path, source in files.items():
                if error.filename == str(source):
                    reason = f"{path} cannot be read: {error.strerror}"
                    raise PackagingError(f"file_dependencies of {name!r}: {reason}.") from error
            raise AuthoringError(
                f"{name!r} cannot be computed here, for its working folder {folder} cannot be written: "
                f"{error.strerror}. Set the environment variable TMPDIR to another folder."
            ) from error

    def _copy_of(self, source: Path) -> Path:
        state, copy = _state(source), self._copies.get(source)
        if copy is None or copy.source != state or not copy.path.exists():
            self._forget(source)
            self._number += 1
            path = self._root / f"file-{self._number}"
            shutil.copyfile(source, path)
            os.utime(path, ns=(_COPIED_AT, _COPIED_AT))
            copy = self._copies[source] = _Copy(path, state, _state(path))
        return copy.path

    def _forget_changed(self, files: Mapping[str, Path]) -> None:
        """Forget copies that the function wrote to: the next call must have the user's own content."""
        for source in files.values():
            copy = self._copies.get(source)
            if copy and not (copy.path.exists() and _state(copy.path) == copy.state):
                self._forget(source)

    def _forget(self, source: Path) -> None:
        if copy := self._copies.pop(source, None):
            copy.path.unlink(missing_ok=True)


def _state(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_mode


def _link(copy: Path, target: Path) -> None:
    try:
        os.link(copy, target)
    except OSError:  # Not every file system has hard links.
        shutil.copyfile(copy, target)


def _empty(folder: Path) -> None:
    """Remove what is in the folder; where something cannot be removed, the folder too."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108
        return
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        with suppress(OSError):
            folder.rename(tempfile.mkdtemp(prefix="left-", dir=folder.parent))

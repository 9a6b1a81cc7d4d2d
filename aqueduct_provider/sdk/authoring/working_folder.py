"""Run eager calls where a worker would run them: in a folder with the files that the function declares.

The folder is the working directory and importable, and what a call leaves there is gone before the next one.
A process has one working directory, so calls of several threads wait for each other.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider.sdk.authoring.eager_workspace import Workspace
from aqueduct_provider.sdk.authoring.operator_threads import inherited_by_threads
from aqueduct_provider.sdk.authoring.worker_imports import imports_of_worker
from aqueduct_provider.sdk.packaging.dependency_files import dependency_files
from aqueduct_provider.sdk.packaging.user_function import UserFunction


@dataclass(frozen=True)
class WorkingFolder:
    """Where a call runs.

    :param path: the folder.
    :param before: the working directory around the call; None where it was removed.
    """

    path: Path
    before: Path | None


class _Process:
    """State of which each process has its own, also a forked one."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._workspace: Workspace | None = None

    @property
    def workspace(self) -> Workspace:
        """The folders of this process. Only for the holder of the lock."""
        if self._workspace is None or not self._workspace.is_usable:
            self._workspace = Workspace()
        return self._workspace


_process = _Process()


def _start_again() -> None:
    global _process
    _process = _Process()


if hasattr(os, "register_at_fork"):
    # Another thread of the parent may hold the lock, and does not exist here.
    os.register_at_fork(after_in_child=_start_again)


@contextmanager
def working_folder(function: UserFunction, name: str) -> Iterator[WorkingFolder]:
    """Make a folder with the function's files the working directory, and importable.

    Only one thread at a time is within it. A call within a call has a folder of its own.

    :param name: the operator's, for messages.
    :raises PackagingError: a declared file cannot be taken along.
    :raises AuthoringError: the folder cannot be written.
    """
    files = dependency_files(function, name)
    with _process.lock, _process.workspace.laid_out(files.files, name) as path:
        folder = WorkingFolder(path, _current())
        with _entered(folder), imports_of_worker(function, files, folder.before), inherited_by_threads():
            yield folder


@contextmanager
def archive_folder(path: Path) -> Iterator[WorkingFolder]:
    """Make the folder of an unpacked function archive the working directory, and importable.

    Only one thread at a time is within it.
    """
    with _process.lock:
        folder = WorkingFolder(path, _current())
        with _entered(folder), inherited_by_threads():
            yield folder


def _current() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


@contextmanager
def _entered(folder: WorkingFolder) -> Iterator[None]:
    entry, known = str(folder.path), set(sys.modules)
    os.chdir(folder.path)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        # The function may have removed what was the working directory, and changed the path itself.
        with suppress(FileNotFoundError):
            os.chdir(folder.before or folder.path)
        if entry in sys.path:
            sys.path.remove(entry)
        _forget_modules(entry, known)


def _forget_modules(folder: str, known: set[str]) -> None:
    """Forget modules that the function wrote and imported: the next call must not find them."""
    for name in sys.modules.keys() - known:
        file = getattr(sys.modules.get(name), "__file__", None)
        if isinstance(file, str) and file.startswith(folder + os.sep):
            del sys.modules[name]
    for path in [path for path in sys.path_importer_cache if path.startswith(folder)]:
        sys.path_importer_cache.pop(path, None)

"""Translate errors of files and folders: name the path, how much is free there, and how to fix it."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from aqueduct_provider.errors import DiskError as DiskError
from aqueduct_provider.errors import DiskFull as DiskFull
from aqueduct_provider.errors import DiskRefused as DiskRefused
from aqueduct_provider.runner import disk

TEMPORARY_REMEDY = "Set the environment variable TMPDIR to another folder"
CACHE_REMEDY = "Set cache_dir in the [aqueduct] section of airflow.cfg to another folder"

_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_GONE = {errno.ENOENT, errno.ESTALE}


@contextlib.contextmanager
def translate_disk_errors(folder: Path, remedy: str = "") -> Iterator[None]:
    """Turn errors of files in the folder into a :class:`DiskError`; others pass.

    :param folder: what the block writes to.
    :param remedy: how to use another folder: ``Set TMPDIR to another folder``; empty: what fits the folder.
    """
    try:
        yield
    except OSError as error:
        translated = disk_error(error, folder, remedy)
        if translated is None:
            raise
        raise translated from error


def disk_error(error: OSError, folder: Path, remedy: str = "") -> DiskError | None:
    """Return the error for what happened to a file in the folder; None where it is another's."""
    remedy = remedy or _remedy(folder)
    path = _path_of(error, folder)
    what = f"{path}: {error.strerror}"
    other = f"{remedy[0].lower()}{remedy[1:]}"
    if error.errno in disk.FULL:
        return DiskFull(f"{what} ({free_space(path)}). Free some space, or {other}.")
    if not path.is_relative_to(folder):
        return None
    if error.errno in _REFUSED:
        return DiskRefused(f"{what} ({_ownership(path)}). Correct its owner or permissions, or {other}.")
    if error.errno in _GONE:
        return DiskError(
            f"{what}: something has removed it, such as a job that cleans up old files. Exclude {folder} "
            f"from that, or {other}. Running the task again makes it again."
        )
    return None


def free_space(path: Path) -> str:
    """Return how much is free on the file system of a path, in words."""
    return disk.free_space(str(path))


def _remedy(folder: Path) -> str:
    is_temporary = folder.is_relative_to(os.environ.get("TMPDIR") or "/tmp")
    return TEMPORARY_REMEDY if is_temporary else "Use another folder"


def _path_of(error: OSError, folder: Path) -> Path:
    # Writing to an open file gives no name; a descriptor is a number.
    name = error.filename
    return Path(os.fsdecode(name)) if isinstance(name, (str, bytes)) and os.path.isabs(name) else folder  # noqa: PTH117


def _ownership(path: Path) -> str:
    there = Path(disk.existing(str(path)))
    try:
        status = there.stat()
    except OSError:
        return f"this process runs as {_user(os.geteuid())}"
    return (
        f"{there} belongs to {_user(status.st_uid)}, mode {stat.S_IMODE(status.st_mode):04o}; this process "
        f"runs as {_user(os.geteuid())}; {free_space(there)}"
    )


def _user(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"

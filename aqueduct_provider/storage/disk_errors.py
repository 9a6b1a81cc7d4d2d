"""Translate errors of files and folders: name the path, how much is free there, and how to fix it."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from aqueduct_provider.errors import DiskError as DiskError
from aqueduct_provider.errors import DiskFull as DiskFull
from aqueduct_provider.errors import DiskRefused as DiskRefused

CACHE_REMEDY = "Set cache_dir in the [aqueduct] section of airflow.cfg to another folder"

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ESTALE}


@contextlib.contextmanager
def translate_disk_errors(folder: Path, remedy: str) -> Iterator[None]:
    """Turn errors of files in the folder into a :class:`DiskError`; others pass.

    :param folder: what the block writes to.
    :param remedy: how to use another folder: ``Set TMPDIR to another folder``.
    """
    try:
        yield
    except OSError as error:
        translated = disk_error(error, folder, remedy)
        if translated is None:
            raise
        raise translated from error


def disk_error(error: OSError, folder: Path, remedy: str) -> DiskError | None:
    """Return the error for what happened to a file in the folder; None where it is another's."""
    path = _path_of(error, folder)
    what = f"{path}: {error.strerror}"
    other = f"{remedy[0].lower()}{remedy[1:]}"
    if error.errno in _FULL:
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
    there = _existing(path)
    try:
        usage, inodes = shutil.disk_usage(there), os.statvfs(there)
    except OSError:
        return "how much is free cannot be found out"
    if inodes.f_files and not inodes.f_favail:
        return f"no more files can be made on the file system of {there}"
    return f"{_size(usage.free)} of {_size(usage.total)} are free there"


def _path_of(error: OSError, folder: Path) -> Path:
    # Writing to an open file gives no name; a descriptor is a number.
    name = error.filename
    return Path(os.fsdecode(name)) if isinstance(name, (str, bytes)) and os.path.isabs(name) else folder  # noqa: PTH117


def _ownership(path: Path) -> str:
    there = _existing(path)
    try:
        status = there.stat()
    except OSError:
        return f"this process runs as {_user(os.geteuid())}"
    return (
        f"{there} belongs to {_user(status.st_uid)}, mode {stat.S_IMODE(status.st_mode):04o}; this process "
        f"runs as {_user(os.geteuid())}; {free_space(there)}"
    )


def _existing(path: Path) -> Path:
    """Return the path, or the nearest folder above it that is there."""
    for there in (path, *path.parents):
        with contextlib.suppress(OSError):
            if there.exists():
                return there
    return Path("/")


def _user(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"


def _size(number: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} bytes"

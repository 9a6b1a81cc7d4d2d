"""Describe full disks: in the child that finds one, and in the worker. Standard library only."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Optional

# No space, or no more of the user's quota.
FULL = frozenset([errno.ENOSPC, errno.EDQUOT])


def full_disk(error: Optional[BaseException]) -> Optional[OSError]:
    """Return the error of a full disk that is behind another one, if there is one."""
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, OSError) and error.errno in FULL:
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def free_space(path: str) -> str:
    """Return how much is free on the file system of a path, or of the nearest folder above it, in words."""
    there = existing(path)
    try:
        status = os.statvfs(there)
    except OSError:
        return "how much is free cannot be found out"
    if status.f_files and not status.f_favail:
        return f"no more files can be made on the file system of {there}"
    block = status.f_frsize
    return f"{_size(status.f_bavail * block)} of {_size(status.f_blocks * block)} are free there"


def existing(path: str) -> str:
    """Return the path, or the nearest folder above it that is there."""
    while path != os.path.dirname(path):
        with contextlib.suppress(OSError):
            os.lstat(path)
            return path
        path = os.path.dirname(path)
    return os.sep


def _size(number: float) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number:.0f} bytes"

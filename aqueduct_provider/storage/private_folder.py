"""Make sure that a folder is this user's alone: the one door to all that is kept below ``cache_dir``.

Whoever else could write there could change what tasks run; whoever could read there would see specs, which
may hold credentials.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from aqueduct_provider.errors import ConfigError

log = logging.getLogger(__name__)

CACHE_DIR = "cache_dir in the [aqueduct] section of airflow.cfg"
_MODE = 0o700


def private_folder(folder: Path, *, root: Path | None = None, setting: str = CACHE_DIR) -> Path:
    """Return the folder, made with mode 0700 if it is missing; it belongs to this user or to root.

    A folder of this user that others may read, or its group may write to, as a umask of 002 makes them, is
    given mode 0700, which is logged.

    :param root: a folder above it, which is made and checked as well, with all between them.
    :param setting: where another folder can be named, for the error.
    :raises ConfigError: one of them, or a link to it, belongs to another user, or everyone can write to it.
    :raises OSError: it cannot be made.
    """
    below = folder.relative_to(root).parts if root is not None else ()
    # From the top: what is below a folder is only as safe as the folder.
    for path in [*(folder.parents[up] for up in reversed(range(len(below)))), folder]:
        path.mkdir(mode=_MODE, parents=True, exist_ok=True)
        _check(path, setting)
    return folder


def _check(folder: Path, setting: str) -> None:
    for status in (folder.lstat(), folder.stat()):
        if status.st_uid not in (0, os.geteuid()):
            link = "is a link of" if stat.S_ISLNK(status.st_mode) else "belongs to"
            raise _refusal(folder, f"{link} another user (uid {status.st_uid})", setting)
    mode = stat.S_IMODE(status.st_mode)
    if mode & stat.S_IWOTH:
        raise _refusal(folder, f"has mode {mode:o}, everyone can write to it", setting)
    is_own = status.st_uid == os.geteuid()
    if mode & stat.S_IWGRP and not is_own:
        raise _refusal(folder, f"belongs to root and has mode {mode:o}, its group can write to it", setting)
    if mode & 0o077 and is_own:
        folder.chmod(_MODE)
        log.warning("The folder %s had mode %o; it is Airflow's own and now has mode 700.", folder, mode)


def _refusal(folder: Path, reason: str, setting: str) -> ConfigError:
    return ConfigError(
        f"The folder {folder} {reason}: others could change what Airflow runs. Delete it or make it Airflow's"
        f" own (uid {os.geteuid()}) with mode 0700, or set {setting} to a folder that does not exist yet; it"
        " may be one inside."
    )

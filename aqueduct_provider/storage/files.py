"""Work with files on the local disk: replaced in one step, digested with constant memory."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.runner.disk import FULL
from aqueduct_provider.storage.disk_errors import disk_error
from aqueduct_provider.storage.object_store import StoredObject
from aqueduct_provider.storage.private_folder import private_folder

# Names of files that are not finished begin with this.
PARTIAL = ".aqueduct-partial-"
_BLOCK = 1 << 20


def expanded(path: str | Path) -> Path:
    """Return the path with ``~`` replaced; where this user has no home directory, as it is."""
    # Path.expanduser raises RuntimeError there.
    return Path(os.path.expanduser(path))  # noqa: PTH111


def usable_folder(folder: Path, setting: str) -> Path:
    """Make the folder if it is not there, for this user alone, and return it.

    :param setting: where another folder can be named, for the error.
    :raises ConfigError: it cannot be made, this user may not write into it, others may, or it begins with a
        ``~`` that means nothing.
    :raises DiskFull: the disk has no space for it.
    """
    if not folder.is_absolute():
        raise ConfigError(f"This user has no home directory. Set {setting} to a folder.")
    try:
        private_folder(folder, setting=setting)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        if error.errno in FULL:
            raise disk_error(error, folder, f"Set {setting} to another folder") or error from error
        raise ConfigError(
            f"The folder {folder} cannot be written: {error.strerror}. Set {setting} to a folder that this"
            " user may write, or correct its permissions."
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to write that becomes ``path`` when the block ends well, and is gone when it does not.

    Where the process is killed, :func:`remove_partials` removes it.
    """
    with _partial(path.parent) as file:
        partial = Path(file.name)
        try:
            yield file
            file.close()
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def is_old(status: os.stat_result, seconds: float) -> bool:
    """Check whether a file was last written longer ago than this.

    A time that lies as far ahead counts as well: the clock was set back since, perhaps by years.
    """
    return abs(time.time() - status.st_mtime) > seconds


def remove_partials(folder: Path) -> None:
    """Remove the unfinished files of a folder that no process writes any more: each writer locks its own."""
    for path in folder.glob(f"{PARTIAL}*"):
        remove_partial(path)


def remove_partial(path: Path) -> None:
    """Remove an unfinished file unless a process writes it."""
    # Meanwhile it may be finished; or it is another user's.
    with suppress(OSError), path.open("rb") as file:
        if try_lock(file):
            path.unlink()


def _partial(folder: Path) -> IO[bytes]:
    while True:
        file = tempfile.NamedTemporaryFile("w+b", prefix=PARTIAL, dir=folder, delete=False)  # noqa: SIM115
        # Before it is locked, another process may take it for an abandoned one.
        if try_lock(file) is not False and os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def try_lock(file: IO[bytes] | int) -> bool | None:
    """Lock an open file or folder, at once or not at all.

    :return: False where another process holds it, None where the file system has no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def write_digested(blocks: Iterable[bytes], file: IO[bytes]) -> StoredObject:
    """Write the blocks and digest them on the way."""
    digest, size = hashlib.sha256(), 0
    for block in blocks:
        digest.update(block)
        size += file.write(block)
    return StoredObject(digest.hexdigest(), size)


def open_no_link(path: Path) -> io.BufferedReader:
    """Open a file to read it. Code that could write its folder may have put a link in its place.

    :raises OSError: it is a link, or cannot be opened.
    """
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def copy_new(source: Path, target: Path) -> None:
    """Copy a file to where nothing is; no link is followed, neither here nor there.

    :raises OSError: there is something already, or one of them cannot be opened.
    """
    new = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(new, "wb") as writing, open_no_link(source) as reading:
        shutil.copyfileobj(reading, writing, _BLOCK)


def digest_file(path: Path) -> StoredObject:
    """Return the sha256 and the size, in bytes, of a file; see :func:`open_no_link`."""
    digest, size, block = hashlib.sha256(), 0, bytearray(_BLOCK)
    with open_no_link(path) as file:
        while count := file.readinto(block):
            digest.update(memoryview(block)[:count])
            size += count
    return StoredObject(digest.hexdigest(), size)

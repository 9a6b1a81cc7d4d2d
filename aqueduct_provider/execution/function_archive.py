"""Fetch the user's code: a function archive in the store becomes a verified, unpacked folder.

An archive whose digest the spec pins is kept on the worker and costs no request the next time. Nothing in
an archive is trusted: not its paths, its links, its size or its number of files.
"""

from __future__ import annotations

import errno
import io
import lzma
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from aqueduct_provider.artifacts.transfer import fetch_file
from aqueduct_provider.environment.fingerprint import parse_python_version, parse_requirements_file
from aqueduct_provider.errors import UnsafeArchive
from aqueduct_provider.spec.models import Code
from aqueduct_provider.storage.disk_errors import CACHE_REMEDY, translate_disk_errors
from aqueduct_provider.storage.files import digest_file, remove_partials, replacing
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.private_folder import private_folder

_KEPT_ARCHIVES = 1000
_REQUIREMENTS = "requirements.txt"
_PYTHON_VERSION = "python_version.txt"

# Bytes of either of these files.
_MAX_TEXT = 1_000_000
# Bytes of a name in a file system, and of a path in an archive, to which that of the folder is added.
_LONGEST_NAME = 255
_LONGEST_PATH = 1024
# What zipfile raises for a file that is not a zip, is damaged, encrypted or packed in a way of its own, or
# names a path twice as file and folder. Other errors, such as a full disk, are the worker's.
_BAD_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    ValueError,
    struct.error,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
)


@dataclass(frozen=True)
class ArchiveLimits:
    """The limits of an unpacked archive.

    :param max_bytes: total size of its files.
    :param max_files: number of its entries.
    """

    max_bytes: int
    max_files: int


@dataclass(frozen=True)
class CodeFolder:
    """Unpacked code.

    :param path: the archive's top-level folder.
    :param requirements: pip requirements, from the spec or the archive's ``requirements.txt``.
    :param python_version: minor version, from the spec or ``python_version.txt``; None where neither says.
    """

    path: Path
    requirements: tuple[str, ...]
    python_version: str | None


def fetch_code(
    store: ObjectStore, code: Code, folder: Path, *, cache: Path, limits: ArchiveLimits
) -> CodeFolder:
    """Fetch, verify and unpack a function archive.

    :param folder: a folder that does not exist yet.
    :param cache: where archives with a pinned digest are kept.
    :raises DigestMismatch: the archive is not the one that the spec pins.
    :raises UnsafeArchive: it is not a zip, or holds what no function archive may hold.
    :raises DiskError: it cannot be kept.
    """
    if code.sha256:
        archive = _cached(store, code, folder.with_suffix(".zip"), cache)
    else:
        archive = folder.with_suffix(".zip")
        store.get_file(code.key, archive)
    top = unpack(archive, folder, limits, name=store.url(code.key))
    requirements, python_version = _declared(code, _text(top / _REQUIREMENTS), _text(top / _PYTHON_VERSION))
    return CodeFolder(top, requirements, python_version)


def declared_by(code: Code, read: Callable[[], bytes]) -> tuple[tuple[str, ...], str | None]:
    """Return the requirements of a function and its Python version, as :func:`fetch_code` finds them.

    :param read: gives its archive, which is not unpacked; not called where the spec says both.
    :raises UnsafeArchive: it is not a zip.
    :raises RequirementsError: a line of its requirements cannot be used.
    """
    if code.requirements is not None and code.python_version is not None:
        return code.requirements, code.python_version
    with _zip(io.BytesIO(read()), code.key) as zipped:
        declared = {
            PurePosixPath(entry.filename).name: _entry_text(zipped, entry, code.key)
            for entry in zipped.infolist()
            if len(PurePosixPath(entry.filename).parts) == 2
            and entry.filename.endswith((_REQUIREMENTS, _PYTHON_VERSION))
        }
    return _declared(code, declared.get(_REQUIREMENTS), declared.get(_PYTHON_VERSION))


def unpack(archive: Path, folder: Path, limits: ArchiveLimits, *, name: str) -> Path:
    """Unpack a zip and give its one top-level folder.

    :param name: what error messages call the archive.
    :raises UnsafeArchive: see :func:`fetch_code`.
    """
    with _zip(archive, name) as zipped:
        entries = zipped.infolist()
        _check(entries, limits, name)
        folder.mkdir(parents=True)
        zipped.extractall(folder)
    tops = [path for path in folder.iterdir() if path.is_dir()]
    if len(tops) != 1:
        raise UnsafeArchive(f"{name} has {len(tops)} top-level folders, not one. Publish the flow again.")
    return tops[0]


@contextmanager
def _zip(archive: Path | IO[bytes], name: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip; whatever of it turns out to be damaged is the archive's fault."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            yield zipped
    except _BAD_ZIP as error:
        raise _unreadable(name, error) from error
    except OSError as error:
        # Damaged bzip2 is an OSError without a number; a place before the file's beginning is an invalid one.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> UnsafeArchive:
    return UnsafeArchive(f"{name} cannot be unpacked as a zip ({error}). Publish the flow again.")


def _check(entries: list[zipfile.ZipInfo], limits: ArchiveLimits, name: str) -> None:
    if len(entries) > limits.max_files:
        raise UnsafeArchive(
            f"{name} has {len(entries)} files, more than the {limits.max_files} that "
            "[aqueduct] archive_max_files allows."
        )
    # zipfile never writes more of an entry than the size declared for it, so the sum bounds what is written.
    size = sum(entry.file_size for entry in entries)
    if size > limits.max_bytes:
        raise UnsafeArchive(
            f"{name} unpacks to {size} bytes, more than the {limits.max_bytes} that "
            "[aqueduct] archive_max_bytes allows."
        )
    seen = set[PurePosixPath]()
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if problem := _name_problem(path, seen):
            held = f"{name} holds {entry.filename[:_LONGEST_NAME]!r}"
            raise UnsafeArchive(f"{held}, {problem}. Publish the flow again.")
        seen.add(path)
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise UnsafeArchive(f"{name} holds {entry.filename!r}, a path outside its folder.")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UnsafeArchive(f"{name} holds {entry.filename!r}, which is a link or a device, not a file.")


def _name_problem(path: PurePosixPath, seen: Collection[PurePosixPath]) -> str:
    if not path.parts:
        return "which names no file"
    if path in seen:
        return "which it holds already"
    sizes = [len(os.fsencode(part)) for part in path.parts]
    return "a name that is too long" if max(sizes) > _LONGEST_NAME or sum(sizes) > _LONGEST_PATH else ""


def _cached(store: ObjectStore, code: Code, fetched: Path, cache: Path) -> Path:
    """Return the archive on this worker, fetched when it is not there; its digest is checked every time."""
    with translate_disk_errors(cache, CACHE_REMEDY):
        path = private_folder(cache) / f"{code.sha256}.zip"
        if path.is_file() and digest_file(path).sha256 == code.sha256:
            os.utime(path)
            return path
        remove_partials(cache)
    fetch_file(store, code.key, fetched, code.sha256)
    with translate_disk_errors(cache, CACHE_REMEDY):
        with replacing(path) as file, fetched.open("rb") as reading:
            shutil.copyfileobj(reading, file)
        _evict(cache)
    return fetched


def _evict(cache: Path) -> None:
    archives = sorted(cache.glob("*.zip"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in archives[_KEPT_ARCHIVES:]:
        old.unlink(missing_ok=True)


def _declared(
    code: Code, requirements: str | None, python_version: str | None
) -> tuple[tuple[str, ...], str | None]:
    """Return what the spec declares, else the files of the archive."""
    lines = code.requirements
    if lines is None:
        lines = parse_requirements_file(requirements) if requirements else ()
    version = code.python_version or (parse_python_version(python_version) if python_version else None)
    return lines, version


def _text(path: Path) -> str | None:
    if not path.is_file():
        return None
    _check_text(path.stat().st_size, path.name)
    return path.read_text(encoding="utf-8", errors="replace").strip()


def _entry_text(zipped: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> str:
    _check_text(entry.file_size, f"{entry.filename} in {name}")
    return zipped.read(entry).decode("utf-8", "replace").strip()


def _check_text(size: int, name: str) -> None:
    if size > _MAX_TEXT:
        raise UnsafeArchive(f"{name} has {size} bytes, more than {_MAX_TEXT}. Publish the flow again.")

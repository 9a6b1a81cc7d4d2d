"""Read the text of a function from its archive: verified by its digest, never imported or unpickled.

In: the zip of a function, made by users. Out: its text files, as text.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.transfer import fetch_small
from aqueduct_provider.errors import AqueductError, IntegrityError

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import Code
    from aqueduct_provider.storage.object_store import ObjectStore

# Bytes of an archive that are read at most.
MOST_ARCHIVE = 8_000_000
# Bytes of a file, files, entries that are looked at.
_MOST_BYTES, _MOST_FILES, _MOST_ENTRIES = 200_000, 10, 2_000
# Bytes of all files of an archive together.
_MOST_TEXT = 4_000_000
# Bytes of text that a review has at most.
_MOST_REVIEWED = 64_000_000
# Those that unpack no more than what is asked for; the SDK uses no other.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_BAD_ZIP = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(NotImplementedError, RuntimeError, OSError, ValueError, EOFError),
)
# The SDK's own, the same in every archive.
_OWN = frozenset({"model.py", "requirements.txt", "python_version.txt"})


@dataclass(frozen=True)
class SourceFile:
    """A file of an archive.

    :param is_cut: there is more of it.
    """

    name: str
    text: str
    is_cut: bool = False


@dataclass(frozen=True)
class FunctionSource:
    """What a function archive holds for readers.

    :param python_version: minor version of the Python that it needs; empty: unknown.
    :param problem: why it cannot be shown, a sentence; empty: it is here.
    """

    files: tuple[SourceFile, ...] = ()
    requirements: tuple[str, ...] = ()
    python_version: str = ""
    problem: str = ""


def function_source(store: ObjectStore, code: Code, most: int = MOST_ARCHIVE) -> FunctionSource:
    """Return the text in the archive of a function.

    :param most: bytes of the archive that are read at most.
    """
    try:
        archive = fetch_small(store, code.key, code.sha256, most)
    except AqueductError as error:
        return FunctionSource(problem=str(error))
    return source_of(archive, code, store.url(code.key))


def source_of(archive: bytes, code: Code, place: str) -> FunctionSource:
    """Return the text in an archive that was read.

    :param place: where, for the message.
    """
    try:
        files = {one.name: one for one in _files(archive)}
    except _BAD_ZIP as error:
        # An entry may be encrypted, or compressed in a way that this Python does not know.
        return FunctionSource(problem=f"{place} is not a zip that can be read ({error}).")
    lines = code.requirements
    if lines is None:
        lines = tuple(_text(files, "requirements.txt").splitlines())
    return FunctionSource(
        files=tuple(_shown(files, code.entry_file)),
        requirements=tuple(line for line in lines if line.strip()),
        python_version=code.python_version or _text(files, "python_version.txt").strip(),
    )


def reviewed_source(archive: bytes, place: str) -> dict[str, str]:
    """Return all Python text in an archive, by file, for those who review what is published.

    That is also the SDK's own file; nothing is left out. What cannot be unpacked cannot run, and has none.

    :param place: where it is, for the message.
    :raises IntegrityError: it holds text that cannot be shown.
    """
    found, left = dict[str, str](), _MOST_REVIEWED
    if not zipfile.is_zipfile(io.BytesIO(archive)):
        return found
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for entry in opened.infolist():
                name = entry.filename.partition("/")[2]
                if not name.endswith(".py") or entry.is_dir():
                    continue
                why = _why_not_reviewed(entry, name, found)
                data = b""
                if not why:
                    with opened.open(entry) as file:
                        data = file.read(left + 1)
                    left -= len(data)
                if why or left < 0:
                    why = why or f"there are more than {_MOST_REVIEWED:,} bytes of text"
                    raise IntegrityError(
                        f"{place} holds {name!r}, which cannot be shown to those who review it: {why}. "
                        "Publish the flow again from its source."
                    )
                found[name] = data.decode("utf-8", "replace")
    except _BAD_ZIP as error:
        raise IntegrityError(f"{place} is a damaged zip: {error}. Publish the flow again.") from error
    return found


def _why_not_reviewed(entry: zipfile.ZipInfo, name: str, others: Collection[str]) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        return "its name leads out of the archive"
    if name in others:
        return "it is there twice"
    return "" if entry.compress_type in _METHODS else "it is compressed in a way that the SDK never uses"


def _shown(files: dict[str, SourceFile], entry_file: str) -> Iterator[SourceFile]:
    """Yield what users wrote; of archives that only have an entry file, that one."""
    own = [one for one in files.values() if one.name not in _OWN and one.name.endswith(".py")]
    yield from own[:_MOST_FILES] or [files[name] for name in (entry_file,) if name in files]


def _text(files: dict[str, SourceFile], name: str) -> str:
    return files[name].text if name in files else ""


def _files(archive: bytes) -> Iterator[SourceFile]:
    """Yield the text files in the archive's folder."""
    left = _MOST_TEXT
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for entry in opened.infolist()[:_MOST_ENTRIES]:
            name = entry.filename.partition("/")[2]
            is_text = name.endswith((".py", ".txt")) and not entry.is_dir()
            if not is_text or entry.compress_type not in _METHODS or not left:
                continue
            most = min(_MOST_BYTES, left)
            with opened.open(entry) as file:
                # What an entry says of its size may be wrong.
                data = file.read(most + 1)
            left -= len(data[:most])
            yield SourceFile(name, data[:most].decode("utf-8", "replace"), is_cut=len(data) > most)

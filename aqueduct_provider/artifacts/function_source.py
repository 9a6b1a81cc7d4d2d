"""Read the text of a function from its archive: verified by its digest, never imported or unpickled.

In: the zip of a function, made by users. Out: its text files, as text, and digests of all that is in it.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

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
# How the text begins where the SDK did not know that of a function, which was not defined in a file.
NO_SOURCE = "# The source text of"
# The entry file, which the SDK writes: shown where it is another one.
ENTRY_FILE = "model.py"
_WRITTEN = Path(__file__).parents[1] / "sdk" / "packaging" / "entry_file.py"
# As Python ends lines of source; str.splitlines() also does so where Python goes on.
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class SourceFile:
    """A file of an archive.

    :param is_cut: there is more of it.
    """

    name: str
    text: str
    is_cut: bool = False

    @property
    def is_known(self) -> bool:
        """Check whether it is the text of a function, and not the words that there is none."""
        return not self.text.startswith(NO_SOURCE)

    def lines(self) -> list[str]:
        """Return its lines, split where Python ends them."""
        found = _LINE_END.split(self.text)
        return found if found[-1] else found[:-1]


@dataclass(frozen=True)
class FunctionSource:
    """What a function archive holds for readers.

    :param files: what users wrote, and the entry file where it is not the one that this release writes.
    :param left_out: how many more files of Python it has.
    :param entry: the entry file that is not among the files.
    :param members: digests of all that is in the archive, by name.
    :param python_version: minor version of the Python that it needs; empty: unknown.
    :param problem: why it cannot be shown, a sentence; empty: it is here.
    """

    files: tuple[SourceFile, ...] = ()
    requirements: tuple[str, ...] = ()
    python_version: str = ""
    problem: str = ""
    left_out: int = 0
    entry: SourceFile | None = field(default=None, repr=False)
    members: Mapping[str, str] = field(default_factory=dict, repr=False)

    def limits(self) -> list[str]:
        """Return sentences about what is there, but not among the files; empty where nothing is."""
        found = [f"{one.name} is longer than is read here." for one in self.files if one.is_cut]
        if self.left_out:
            found.append(f"{self.left_out} more files of Python are not read here.")
        return found


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
        members = _members(archive)
    except _BAD_ZIP as error:
        # An entry may be encrypted, or compressed in a way that this Python does not know.
        return FunctionSource(problem=f"{place} is not a zip that can be read ({error}).")
    lines = code.requirements
    if lines is None:
        lines = tuple(_text(files, "requirements.txt").splitlines())
    entry = files.get(ENTRY_FILE)
    own = [one for one in files.values() if one.name != ENTRY_FILE and one.name.endswith(".py")]
    shown = own[:_MOST_FILES]
    if entry is not None and (not own or entry.text != _entry_text()):
        shown, entry = [*shown, entry], None
    python_files = sum(name.endswith(".py") for name in members)
    return FunctionSource(
        files=tuple(shown),
        requirements=tuple(line for line in lines if line.strip()),
        python_version=code.python_version or _text(files, "python_version.txt").strip(),
        left_out=python_files - len(shown) - (entry is not None),
        entry=entry,
        members=members,
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


@functools.cache
def _entry_text() -> str:
    """Return the entry file that this release writes."""
    return _WRITTEN.read_text("utf-8")


def _text(files: dict[str, SourceFile], name: str) -> str:
    return files[name].text if name in files else ""


def _name(entry: zipfile.ZipInfo) -> str:
    """Return the name in the archive's folder; empty: it is not in it."""
    return "" if entry.is_dir() else entry.filename.partition("/")[2]


def _members(archive: bytes) -> dict[str, str]:
    """Return digests by name, of the bytes as they are packed: nothing is unpacked for them."""
    found: dict[str, Any] = {}
    left = 2 * len(archive)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for entry in opened.infolist():
            # Its own header comes first: 30 bytes, a name and more, whose lengths are the last of these.
            start = entry.header_offset
            name, more = struct.unpack("<HH", archive[start + 26 : start + 30])
            start += 30 + name + more
            left -= entry.compress_size
            if left < 0:
                raise zipfile.BadZipFile("its entries overlap")
            digest = found.setdefault(_name(entry) or entry.filename, hashlib.sha256())
            digest.update(f"{entry.compress_type} {entry.compress_size} ".encode())
            digest.update(memoryview(archive)[start : start + entry.compress_size])
    return {name: digest.hexdigest() for name, digest in found.items() if not name.endswith("/")}


def _files(archive: bytes) -> Iterator[SourceFile]:
    """Yield the text files in the archive's folder."""
    left = _MOST_TEXT
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for entry in opened.infolist()[:_MOST_ENTRIES]:
            name = _name(entry)
            is_text = name.endswith((".py", ".txt"))
            if not is_text or entry.compress_type not in _METHODS or not left:
                continue
            most = min(_MOST_BYTES, left)
            with opened.open(entry) as file:
                # What an entry says of its size may be wrong.
                data = file.read(most + 1)
            left -= len(data[:most])
            # Bytes that differ are to differ in the text, too.
            text = data[:most].decode("utf-8", "backslashreplace")
            yield SourceFile(name, text, is_cut=len(data) > most)

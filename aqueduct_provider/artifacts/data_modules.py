"""Find the modules that reading a stored value needs, without reading it.

What a pickle imports is in its opcodes. Nothing is unpickled, so nothing of the value runs or is imported.
"""

from __future__ import annotations

import base64
import io
import pickle
import pickletools
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol, cast

_STRINGS = frozenset(
    ["SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "SHORT_BINSTRING", "BINSTRING", "STRING"]
)
_REMEMBER = frozenset(["MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"])
_RECALL = frozenset(["GET", "BINGET", "LONG_BINGET"])
# They put nothing on the stack.
_SILENT = frozenset(["FRAME", "PROTO"])
# The bytes of the opcodes that name a module: GLOBAL, INST and STACK_GLOBAL. Most data has none.
_NAMING = (b"c", b"i", b"\x93")
# cloudpickle's function that imports a module which is used as a whole.
_IMPORT = ("cloudpickle.cloudpickle", "subimport")

# Some seconds of work: what is in arrays is one operation each.
_MAX_OPERATIONS = 2_000_000

# What the codecs import for the elements of a list or tuple, by serialization type.
_OF_ELEMENTS = {
    "table": frozenset(["pandas"]),
    "parquet": frozenset(["pandas", "pyarrow"]),
    "bson_table": frozenset(["pandas", "bson"]),
    "image": frozenset(["PIL"]),
}


class StoredBytes(Protocol):
    """A stored value: an ``Encoded`` of the codecs, or the ``EncodedValue`` of a parameter."""

    @property
    def data(self) -> bytes:
        """Its bytes."""
        ...

    @property
    def serialization_type(self) -> str:
        """Return how to read it."""
        ...


def packages_needed(stored: StoredBytes, view: str = "") -> frozenset[str]:
    """Return the modules, with their dots, that must be importable where the value is read.

    What a codec itself imports is not among them, for workers add that to the environment. They do not look
    into lists and tuples, so there it is.

    :param stored: the value; it is not read.
    :param view: as which library's frame a table is taken; empty: as what it was.
    """
    if stored.serialization_type == "parquet":
        return _of_table(getattr(stored, "path", None) or stored.data, view)
    if stored.serialization_type != "pickle":
        return frozenset()
    path = getattr(stored, "path", None)
    if path and getattr(stored, "artifact_type", "list") not in ("list", "tuple"):
        # Piece by piece: a model may be larger than memory.
        with Path(path).open("rb") as file:
            return _modules_in(file)
    data = Path(path).read_bytes() if path else stored.data
    elements = _elements_of(data)
    if elements is None:
        return _modules_in(data)
    needed = (
        _modules_in(data) if kind == "pickle" else _OF_ELEMENTS.get(kind, frozenset())
        for kind, data in elements
    )
    return frozenset[str]().union(*needed)


def _of_table(source: str | bytes, view: str) -> frozenset[str]:
    """Return the library of a frame, needed to restore it as such, and what pickled cells need."""
    from aqueduct_provider.runner.parquet_files import note_of

    facts = note_of(source) or {}
    library = (view or facts.get("library", "")).partition(".")[0]
    found = frozenset([library]) - {"", *_OF_ELEMENTS["parquet"]}
    notes = facts.get("columns", {}) if library == "pandas" else {}
    pickled = [name for name, note in notes.items() if note.get("as") == "pickles"]
    if any(note.get("as") == "bson" for note in notes.values()):
        found |= {"bson"}
    cells = _cells(source, pickled) if pickled else set[bytes]()
    return found.union(*map(_modules_in, (*cells, *_pickles_of(facts))))


def holds_pickles(table: bytes) -> bool:
    """Check whether a Parquet file has pickles in its cells or its note."""
    from aqueduct_provider.runner.parquet_files import note_of

    facts = note_of(table) or {}
    columns = facts.get("columns", {}) if facts.get("library") == "pandas" else {}
    in_cells = any(note.get("as") == "pickles" for note in columns.values())
    return in_cells or any(True for _ in _pickles_of(facts))


def _pickles_of(note: Any) -> Iterator[bytes]:
    """Yield the pickles in a file's note: of categories, dtypes, the index, and ``attrs``."""
    if isinstance(note, list):
        for item in note:
            yield from _pickles_of(item)
    elif isinstance(note, dict):
        text = note.get("data") if note.get("kind") == "pickle" else note.get("pickle")
        if isinstance(text, str):
            yield base64.b64decode(text)
        for item in note.values():
            yield from _pickles_of(item)


def _cells(source: str | bytes, columns: list[str]) -> set[bytes]:
    """Return the distinct cells of columns of a Parquet file."""
    import pyarrow.parquet

    from aqueduct_provider.runner.parquet_files import opened

    table = pyarrow.parquet.read_table(opened(source), columns=columns)
    return {cell for column in columns for cell in table.column(column).unique().to_pylist()}


# --- lists and tuples


class _PlainUnpickler(pickle.Unpickler):
    """Reads what is made of Python's basic types, and stops at anything else."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module}.{name}")


class _Pairs(dict[str, Callable[[bytes], Any]]):
    """In place of the codecs' readers: each gives the element's kind and bytes."""

    def __missing__(self, kind: str) -> Callable[[bytes], Any]:
        return lambda data: (kind, data)


def _elements_of(data: bytes) -> list[tuple[str, bytes]] | None:
    """Kinds and bytes of the elements of a list or tuple in the codecs' container; None for other values."""
    from aqueduct_provider.runner.pickles import unpack_elements

    try:
        value = _PlainUnpickler(io.BytesIO(data)).load()
    except Exception:
        return None
    elements = unpack_elements(value, _Pairs())
    return None if elements is value else list(elements)


# --- pickles


def strings_in(data: bytes) -> set[str] | None:
    """Return all strings in a pickle, among them what code in it imports; None where it is not a pickle."""
    found = set[str]()
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in _STRINGS:
                found.add(str(argument))
            elif opcode.name in ("GLOBAL", "INST"):
                found.add(str(argument).partition(" ")[0])
    except ValueError:
        return None
    return found


def _modules_in(data: bytes | BinaryIO) -> frozenset[str]:
    if isinstance(data, bytes) and not any(code in data for code in _NAMING):
        return frozenset()
    found = set[str]()
    # What is not a pickle fails when it is read.
    with suppress(ValueError):
        found.update(_named_modules(data))
    return frozenset(found)


def _named_modules(data: bytes | BinaryIO) -> Iterator[str]:
    memo: dict[int, str | None] = {}
    # The last two things that were put on the stack, where they are strings.
    before, last = None, None
    is_import = False
    for opcode, found, _ in islice(pickletools.genops(data), _MAX_OPERATIONS):
        name, argument = opcode.name, cast("Any", found)
        if name in _REMEMBER:
            memo[len(memo) if name == "MEMOIZE" else int(argument)] = last
        elif name not in _SILENT:
            pushed = argument if name in _STRINGS else memo.get(argument) if name in _RECALL else None
            named = _named(name, argument, before, last)
            if named:
                yield named[0]
            if is_import and pushed:
                yield pushed
            is_import = named == _IMPORT
            before, last = last, pushed


def _named(opcode: str, argument: Any, before: str | None, last: str | None) -> tuple[str, str] | None:
    """Return the module and the name that an opcode imports."""
    if opcode == "STACK_GLOBAL" and before and last:
        return before, last
    if opcode in ("GLOBAL", "INST"):
        module, _, attribute = str(argument).partition(" ")
        return module, attribute
    return None

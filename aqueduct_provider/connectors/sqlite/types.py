"""Determine the types of a SQLite result from its values and from its columns' declarations.

In: for each column, its declared type and what :func:`questions` found of its values. Out: how the
column is read from SQLite, and how Arrow's column becomes the declared one. A declared type counts where all
values fit it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.tables.model import CELLS, KIND, Batches
from aqueduct_provider.errors import StatementRefused

if TYPE_CHECKING:
    import pyarrow

_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_HOUR = "[0-9][0-9]:[0-9][0-9]*"
_EXAMPLES = {"INTEGER": "0", "REAL": "0.0", "TEXT": "''", "BLOB": "x''"}


@dataclass(frozen=True)
class Seen:
    """Facts about the values of a column.

    :param storage: their storage classes: of ``integer``, ``real``, ``text``, ``blob`` and ``null``.
    :param answers: what the column's :func:`question` said of them; NULL answers left out.
    """

    storage: frozenset[str]
    answers: frozenset[int]

    @property
    def fits(self) -> bool:
        """Return whether all values fit the question."""
        return 0 not in self.answers

    @property
    def common(self) -> str:
        """Return the one storage class that takes all values; empty: the column has no values."""
        for name in ("blob", "text", "real", "integer"):
            if name in self.storage:
                return name.upper()
        return ""


def questions(columns: Sequence[tuple[str, str]]) -> str:
    """Return the query columns whose distinct rows :func:`seen` takes; SQLite finds them fast.

    :param columns: name, quoted, and declared type.
    """
    storage = [f"typeof({name})" for name, _ in columns]
    return ", ".join([*storage, *(_question(name, declared_kind(declared)) for name, declared in columns)])


def seen(rows: Iterable[Sequence[Any]], count: int) -> list[Seen]:
    """Return what the distinct rows of :func:`questions` show about each of the columns."""
    storage: list[set[str]] = [set() for _ in range(count)]
    answers: list[set[int]] = [set() for _ in range(count)]
    for row in rows:
        for place in range(count):
            storage[place].add(row[place])
            if row[count + place] is not None:
                answers[place].add(row[count + place])
    return [Seen(frozenset(a), frozenset(b)) for a, b in zip(storage, answers, strict=True)]


def _question(name: str, kind: str) -> str:
    """1 for a value of the declared kind, 2 for one with a zone, 0 for another, NULL for none."""
    match kind:
        case "boolean":
            return f"{name} IN (0, 1)"
        case "date":
            return f"{name} GLOB '{_DAY}'"
        case "time":
            return f"{name} GLOB '{_HOUR}'"
        case "timestamp":
            zone = f"({name} GLOB '*Z' OR {name} GLOB '*[+-][0-9][0-9]:[0-9][0-9]')"
            return f"({name} GLOB '{_DAY}[ T]{_HOUR}') * (1 + {zone})"
    return "NULL"


@dataclass(frozen=True)
class DeclaredColumn:
    """A column of a result and how to read it.

    :param storage: as which storage class: ``INTEGER``, ``REAL``, ``TEXT`` or ``BLOB``.
    :param kind: what becomes of it: a name of :data:`_STORAGE`.
    :param is_mixed: whether its values are of several storage classes.
    """

    name: str
    storage: str
    kind: str
    is_mixed: bool

    @property
    def example(self) -> str:
        """Return a value of the storage class, as SQL."""
        return _EXAMPLES[self.storage]

    def expression(self, name: str) -> str:
        """Return the column in a query."""
        if self.kind == "objects":
            # With all digits of a number: json_quote gives 15.
            return (
                f"CASE typeof({name}) WHEN 'real' THEN replace(printf('%!.17g', {name}), 'Inf', 'Infinity') "
                f"WHEN 'null' THEN NULL WHEN 'blob' THEN json_quote(CAST({name} AS TEXT)) "
                f"ELSE json_quote({name}) END"
            )
        is_cast = self.is_mixed or self.kind == "decimal"
        return f"CAST({name} AS {self.storage})" if is_cast else name


def column_of(name: str, declared: str, values: Seen, *, bytes_as_text: bool = False) -> DeclaredColumn:
    """Return how to read a column.

    :param declared: its type in CREATE TABLE; empty: none, or not asked for.
    :param bytes_as_text: whether bytes next to numbers become text, as in the original, or are refused.
    :raises StatementRefused: bytes are next to numbers.
    """
    kind = declared_kind(declared)
    if not bytes_as_text and "blob" in values.storage and values.storage & {"integer", "real"}:
        raise StatementRefused(
            f"Column {name!r} holds numbers next to bytes (BLOB), which no column of a table can. Read it "
            "with CAST(... AS TEXT), or as two columns with CASE typeof(...)."
        )
    if _is_of_objects(kind, values.storage):
        return DeclaredColumn(name, "TEXT", "objects", is_mixed=True)
    storage = values.common or _STORAGE[kind]
    if values.common and not _fits(kind, values):
        kind = ""
    if kind == "timestamp" and values.answers == {2}:
        kind = "timestamptz"
    return DeclaredColumn(
        name, "TEXT" if kind == "decimal" else storage, kind, is_mixed=len(values.storage - {"null"}) > 1
    )


def _is_of_objects(kind: str, storage: frozenset[str]) -> bool:
    """Check for numbers next to text or bytes: each cell stays what it is, as JSON.

    SQLite itself makes numbers of text in columns of JSON and decimals.
    """
    is_mixed = not storage.isdisjoint(("text", "blob")) and not storage.isdisjoint(("integer", "real"))
    return is_mixed and kind not in ("json", "decimal")


def declared_kind(declared: str) -> str:
    """Return the kind of a declared type: a name of :data:`_STORAGE`."""
    declared = declared.upper()
    name = declared.partition("(")[0].strip()
    if name in ("BOOLEAN", "BOOL"):
        return "boolean"
    if name in ("DATE", "TIME"):
        return name.lower()
    if name in ("DATETIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"):
        return "timestamp"
    if name in ("JSON", "JSON_TEXT"):
        return "json"
    if re.match(r"(DECIMAL|NUMERIC|DECIMAL_TEXT)\(", declared):
        return "decimal"
    # SQLite's own rules (Datatypes in SQLite, 3.1).
    if "INT" in name:
        return "integer"
    if re.search("REAL|FLOA|DOUB", name):
        return "float"
    return "bytes" if "BLOB" in name else ""


# Storage class of a column without values.
_STORAGE = {"boolean": "INTEGER", "integer": "INTEGER", "float": "REAL", "bytes": "BLOB"} | dict.fromkeys(
    ("", "date", "time", "timestamp", "json", "decimal"), "TEXT"
)


def _fits(kind: str, values: Seen) -> bool:
    storage = values.common
    match kind:
        case "boolean" | "date" | "time":
            return values.fits
        case "timestamp":
            return values.fits and len(values.answers) == 1
        case "json":
            return storage == "TEXT"
        case "float":
            return storage in ("INTEGER", "REAL")
        case "decimal":
            # A text is a decimal where it is a number; the spool keeps others as they are.
            return storage != "BLOB"
    return True


# --- Arrow

# Kind -> what the field's metadata says of the text.
_NOTES: dict[str, dict[bytes | str, bytes | str]] = {
    "json": {KIND: b"json"},
    "objects": {KIND: b"json", CELLS: b"json"},
    "decimal": {KIND: b"decimal"},
}


def typed(columns: list[DeclaredColumn], data: Batches) -> Batches:
    """Yield the rows of a result, without the first, in their declared types."""
    import pyarrow as pa

    columns_of = [_field(column, source.type) for column, source in zip(columns, data.schema, strict=True)]
    schema = pa.schema(columns_of)
    return Batches(schema, _batches(columns, schema, data.batches))


def _batches(
    columns: list[DeclaredColumn], schema: pyarrow.Schema, batches: Iterator[pyarrow.RecordBatch]
) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow as pa

    skipped = 1
    for batch in batches:
        batch, skipped = batch.slice(skipped), max(0, skipped - batch.num_rows)
        arrays = [
            _converted(column, array, field.type)
            for column, array, field in zip(columns, batch.columns, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _field(column: DeclaredColumn, stored: pyarrow.DataType) -> pyarrow.Field:
    import pyarrow as pa

    kinds: dict[str, Callable[[], Any]] = {
        "boolean": pa.bool_,
        "date": pa.date32,
        "time": lambda: pa.time64("us"),
        "timestamp": lambda: pa.timestamp("us"),
        "timestamptz": lambda: pa.timestamp("us", "UTC"),
        "float": pa.float64,
    }
    make = kinds.get(column.kind)
    return pa.field(column.name, make() if make else stored, metadata=_NOTES.get(column.kind))


def _converted(column: DeclaredColumn, array: Any, wanted: pyarrow.DataType) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if array.type == wanted:
        return array
    try:
        if column.kind == "time":
            return pc.cast(pc.binary_join_element_wise("1970-01-01 ", array, ""), pa.timestamp("us")).cast(
                wanted
            )
        return array.cast(wanted)
    except pa.ArrowException as error:
        raise StatementRefused(
            f"Column {column.name!r} is declared as {column.kind} and holds a value that is none: {error}. "
            "Correct it, or read the column with CAST(... AS TEXT)."
        ) from error

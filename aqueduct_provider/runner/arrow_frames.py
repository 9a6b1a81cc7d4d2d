"""Store frames of polars, pyarrow, DuckDB and other Arrow streams as Parquet, and read them.

Streams and lazy frames are written batch by batch, and read so from a file: they never pass through memory as
a whole. A column that would come back as another type is refused, or its frame pickled.
"""

from __future__ import annotations

import base64
import inspect
import io
import itertools
import json
from typing import Any, Dict, Iterator, List, Optional, Tuple

from . import parquet_files
from .codec_error import CodecError
from .frame_kinds import check_columns, library_of
from .parquet_files import (
    NOTE,
    Source,
    Target,
    changed_fields,
    in_memory,
    is_kept,
    note,
    opened,
    write_batches,
)
from .pickles import Pickler

# Where Arrow keeps its own schema in a Parquet file.
_ARROW_SCHEMA = b"ARROW:schema"

_NO_COLUMNS = "has rows but no columns, and Arrow forgets such rows: select at least one column"

Schema = List[Dict[str, str]]
# Serialization type, bytes (None when they went to the target), and the type of each column.
Stored = Tuple[str, Optional[bytes], Schema]


# --- polars


def write_polars(value: Any, _: str, target: Target, pickler: Pickler) -> Stored:
    """Write a ``polars.DataFrame``. Raises :class:`CodecError`: a column holds Python objects."""
    import polars

    schema = _polars_schema(value)
    if not schema and value.height:
        return "pickle", pickler(value), schema
    try:
        data = _polars_file(value, note("polars"), target)
    except polars.exceptions.PolarsError:
        # A type that Parquet lacks, such as a struct without fields.
        return "pickle", pickler(value), schema
    if _comes_back(target if data is None else data, value.schema):
        return "parquet", data, schema
    return "pickle", pickler(value), schema


def write_lazy(value: Any, _: str, target: Target, __: Pickler) -> Stored:
    """Write a ``polars.LazyFrame`` in pieces. Raises :class:`CodecError`: Parquet lacks a type."""
    schema = _polars_schema(value)
    for name, dtype in value.collect_schema().items():
        if _has_empty_struct(dtype):
            raise CodecError(f"has the column {name!r} with a struct without fields: drop it, or add a field")
    data = _polars_file(value, note("polars.LazyFrame"), target)
    if not _comes_back(target if data is None else data, value.collect_schema()):
        raise CodecError("has a column of a type that Parquet cannot keep: cast it to another type")
    return "parquet", data, schema


def read_polars(source: Source, _: Any) -> Any:
    """Read a ``polars.DataFrame``."""
    import polars

    return polars.read_parquet(source)


def read_lazy(source: Source, _: Any) -> Any:
    """Return a ``polars.LazyFrame`` that scans the file."""
    import polars

    return polars.scan_parquet(io.BytesIO(source) if isinstance(source, bytes) else source)


def _has_empty_struct(dtype: Any) -> bool:
    fields = getattr(dtype, "fields", None)
    if fields is not None:
        return not fields or any(_has_empty_struct(field.dtype) for field in fields)
    return _has_empty_struct(dtype.inner) if hasattr(dtype, "inner") else False


def _polars_schema(value: Any) -> Schema:
    import polars

    schema = value.collect_schema()
    for name, dtype in schema.items():
        if dtype == polars.Object:
            raise CodecError(
                f"has the column {name!r} of type Object, which cannot be stored: turn its cells into "
                "numbers, text, bytes, lists or structs"
            )
    return [{name: str(dtype)} for name, dtype in schema.items()]


def _polars_file(value: Any, facts: Dict[str, Any], target: Target) -> Optional[bytes]:
    write = value.sink_parquet if hasattr(value, "sink_parquet") else value.write_parquet
    if "metadata" not in inspect.signature(write).parameters:
        # An older polars, which writes no note.
        frame = value.collect() if hasattr(value, "collect") else value
        return parquet_files.write_table(frame.to_arrow(), facts, target)
    sink = io.BytesIO() if target is None else target
    write(sink, compression="zstd", metadata={NOTE.decode(): json.dumps(facts)})
    return sink.getvalue() if isinstance(sink, io.BytesIO) else None


def _comes_back(source: Any, schema: Any) -> bool:
    """Return whether polars restores the columns as they are, and other readers can read them."""
    import polars
    import pyarrow

    file = io.BytesIO(source) if isinstance(source, bytes) else source
    if dict(polars.read_parquet_schema(file)) != dict(schema):
        return False
    try:
        return parquet_files.note_of(source) is not None
    except pyarrow.ArrowNotImplementedError:
        return False  # Integers of 128 bits.


# --- pyarrow


def write_table(value: Any, library: str, target: Target, pickler: Pickler) -> Stored:
    """Write a ``pyarrow.Table`` or ``RecordBatch``."""
    import pyarrow

    check_columns(value.schema.names)
    facts = note(library)
    table = value if isinstance(value, pyarrow.Table) else pyarrow.Table.from_batches([value])
    if table.num_rows and not table.num_columns:
        raise CodecError(_NO_COLUMNS)
    if not _keeps_metadata(table.schema):
        return "pickle", pickler(value), _schema_of(value.schema)
    changed = changed_fields(table.schema)
    if changed:
        if not _can_be_cast(table.select(changed)):
            return "pickle", pickler(value), _schema_of(value.schema)
        facts["schema"] = _schema_text(table.schema)
    return "parquet", parquet_files.write_table(table, facts, target), _schema_of(value.schema)


def read_table(source: Source, facts: Any) -> Any:
    """Read a ``pyarrow.Table``."""

    table = parquet_files.read_table(source)
    if not facts or "schema" not in facts:
        return table
    return table.cast(_stored_schema(facts, table.schema.metadata))


def read_batch(source: Source, facts: Any) -> Any:
    """Read a ``pyarrow.RecordBatch``."""
    table = read_table(source, facts).combine_chunks()
    return table.to_batches()[0] if table.num_rows else _empty_batch(table.schema)


def read_reader(source: Source, facts: Any) -> Any:
    """Return a ``pyarrow.RecordBatchReader``, which reads the file piece by piece."""
    import pyarrow
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(opened(source))
    schema = file.schema_arrow.with_metadata(parquet_files.without_note(file.schema_arrow))
    batches = (pyarrow.RecordBatch.from_arrays(one.columns, schema=schema) for one in file.iter_batches())
    if facts and "schema" in facts:
        stored = _stored_schema(facts, schema.metadata)
        tables = (pyarrow.Table.from_batches([one], schema).cast(stored) for one in batches)
        return pyarrow.RecordBatchReader.from_batches(
            stored, (one for table in tables for one in table.to_batches())
        )
    return pyarrow.RecordBatchReader.from_batches(schema, batches)


def _stored_schema(facts: Dict[str, Any], metadata: Any) -> Any:
    import pyarrow

    schema = pyarrow.ipc.read_schema(pyarrow.py_buffer(base64.b64decode(facts["schema"])))
    return schema.with_metadata(metadata)


def _keeps_metadata(schema: Any) -> bool:
    """Return whether the schema's own metadata is restored; our note and Arrow's have keys there, too."""
    return not {NOTE, _ARROW_SCHEMA}.intersection(schema.metadata or {})


def _can_be_cast(table: Any) -> bool:
    """Return whether a cast restores columns that Parquet returns as other types, such as seconds."""
    import pyarrow

    try:
        schema = _stored_schema({"schema": _schema_text(table.schema)}, table.schema.metadata)
        back = parquet_files.read_table(in_memory(table, note("pyarrow"))).cast(schema)
        return bool(back.schema.equals(table.schema, check_metadata=True) and back.equals(table))
    except (pyarrow.ArrowException, NotImplementedError):
        return False


def _schema_text(schema: Any) -> str:
    return base64.b64encode(schema.remove_metadata().serialize()).decode()


def _schema_of(schema: Any) -> Schema:
    return [{field.name: str(field.type)} for field in schema]


# --- streams


def write_stream(value: Any, library: str, target: Target, _: Pickler) -> Stored:
    """Anything that gives Arrow batches, one after the other; it can be read only once.

    :param library: empty: one that is not known here; it comes back as a ``pyarrow.Table``.
    :raises CodecError: a column would not come back as it is.
    """
    import pyarrow

    is_reader = isinstance(value, pyarrow.RecordBatchReader)
    reader = value if is_reader else pyarrow.RecordBatchReader.from_stream(value)
    stored = _write_batches(reader.schema, reader, library or "pyarrow", target)
    if library == "duckdb":
        _check_duckdb(value, target if stored[1] is None else stored[1])
    return stored


def write_generator(value: Any, target: Target) -> Stored:
    """Write what a generator yields: Arrow batches or tables of one schema; they are read as a table.

    :raises CodecError: it yields anything else, or nothing.
    """
    batches = _batches(value)
    first = next(batches, None)
    if first is None:
        raise CodecError(
            "is a generator that yields nothing: make it a list, or let it yield at least one Arrow batch, "
            "which may have no rows"
        )
    same = _of_one_schema(first.schema, itertools.chain([first], batches))
    return _write_batches(first.schema, same, "pyarrow", target)


def read_duckdb(source: Source, _: Any) -> Any:
    """Return a DuckDB relation that scans the file."""
    import duckdb

    if isinstance(source, bytes):
        return duckdb.from_arrow(parquet_files.read_table(source))
    return duckdb.read_parquet(source)


def _write_batches(schema: Any, batches: Any, library: str, target: Target) -> Stored:
    check_columns(schema.names)
    if not _keeps_metadata(schema):
        raise CodecError(
            f"has metadata in its schema under {NOTE.decode()!r} or {_ARROW_SCHEMA.decode()!r}, a key that "
            "its Parquet file needs itself: take it out, for instance with schema.remove_metadata()"
        )
    if not schema.names:
        raise CodecError(_NO_COLUMNS)
    facts, changed = note(library), changed_fields(schema)
    refused = [name for name in changed if not _differs_in_names(schema.field(name))]
    if refused:
        raise CodecError(
            f"has the column {refused[0]!r} of type {schema.field(refused[0]).type}, which Parquet cannot "
            "keep: cast it to another type"
        )
    if changed:
        facts["schema"] = _schema_text(schema)
    return "parquet", write_batches(schema, batches, facts, target), _schema_of(schema)


def _differs_in_names(field: Any) -> bool:
    """Return whether Parquet changes only the names of a map's fields, which a cast restores."""
    import pyarrow

    empty = pyarrow.schema([field]).empty_table()
    return is_kept(field) and _can_be_cast(empty)


def _check_duckdb(relation: Any, source: Any) -> None:
    made = {name: str(kind) for name, kind in zip(relation.columns, relation.types)}
    back = read_duckdb(source, None)
    for name, kind in zip(back.columns, back.types):
        if str(kind) != made[name]:
            raise CodecError(
                f"has the column {name!r} of type {made[name]}, which would come back as {kind}: cast it to "
                f"a type that Parquet has, for instance with CAST({name} AS VARCHAR)"
            )


def _batches(generator: Any) -> Iterator[Any]:
    for item in generator:
        if library_of(type(item)) == "pyarrow.RecordBatch":
            yield item
        elif hasattr(item, "to_batches"):
            # A table without rows has no batches either.
            yield from item.to_batches() or [_empty_batch(item.schema)]
        else:
            raise CodecError(
                f"is a generator that yields a {type(item).__name__}: only generators of Arrow batches "
                "(pyarrow.RecordBatch or pyarrow.Table) can be stored; make it a list"
            )


def _empty_batch(schema: Any) -> Any:
    import pyarrow

    return pyarrow.RecordBatch.from_pylist([], schema=schema)


def _of_one_schema(schema: Any, batches: Iterator[Any]) -> Iterator[Any]:
    for number, batch in enumerate(batches, 1):
        if not batch.schema.equals(schema):
            raise CodecError(
                f"is a generator whose batch {number} has the columns {_shown(batch.schema)}, but its first "
                f"one has {_shown(schema)}: yield batches of one schema"
            )
        yield batch


def _shown(schema: Any) -> str:
    return ", ".join(f"{field.name}: {field.type}" for field in schema)

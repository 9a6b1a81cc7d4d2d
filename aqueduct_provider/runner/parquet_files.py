"""Parquet files in memory or on disk, and our note in their metadata.

The note is JSON under the key ``aqueduct`` in the file's own key-value metadata:
``{"version": 3, "library": "pandas", ...}``. Files without one were written by other programs, or by
releases before the note.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from typing import Any, Dict, Iterable, List, Optional, Union

from .codec_error import CodecError
from .pickles import check_may_run_code, is_data_only

NOTE = b"aqueduct"
NOTE_VERSION = 3
_ARROW_SCHEMA, _PICKLED_TYPE = b"ARROW:schema", b"arrow.py_extension_type"

# A path, or the bytes themselves.
Source = Union[str, bytes]
# A path; None: in memory.
Target = Optional[str]

# Older pyarrow writes version 2.4, which has no nanoseconds, by default.
# The names of the fields of lists are kept, where Parquet's own are asked for they are all ``element``.
_OPTIONS: Dict[str, Any] = {"compression": "zstd", "version": "2.6", "use_compliant_nested_type": False}
# Seconds to wait for threads of Arrow at most.
_LONGEST_WAIT = 1.0


def note(library: str, **facts: Any) -> Dict[str, Any]:
    """Return a note; ``library`` says whose frame it was."""
    return {"version": NOTE_VERSION, "library": library, **facts}


def write_table(table: Any, facts: Dict[str, Any], target: Target) -> Optional[bytes]:
    """Write an Arrow table with a note.

    :returns: the bytes; None when they went to a file.
    """
    import pyarrow.parquet

    sink = _sink(target)
    pyarrow.parquet.write_table(
        table.replace_schema_metadata(_metadata(table.schema, facts)), sink, **_OPTIONS
    )
    return _written(sink)


def write_batches(
    schema: Any, batches: Iterable[Any], facts: Dict[str, Any], target: Target
) -> Optional[bytes]:
    """Write Arrow record batches, one by one, with a note.

    :returns: as :func:`write_table`.
    """
    import pyarrow
    import pyarrow.parquet

    schema = schema.with_metadata(_metadata(schema, facts))
    sink = _sink(target)
    with pyarrow.parquet.ParquetWriter(sink, schema, **_OPTIONS) as writer:
        for batch in batches:
            writer.write_batch(pyarrow.RecordBatch.from_arrays(batch.columns, schema=schema))
    return _written(sink)


def in_memory(table: Any, facts: Dict[str, Any]) -> bytes:
    """Return the bytes of an Arrow table with a note."""
    data = write_table(table, facts, None)
    assert data is not None
    return data


def note_of(source: Source) -> Optional[Dict[str, Any]]:
    """Return the note in a file; None: it has none.

    :raises CodecError: a newer release wrote it.
    """
    import pyarrow.parquet

    # Only the metadata: the file may have a type that pyarrow does not know. This thread alone reads it, so
    # bytes need not be copied.
    file = pyarrow.BufferReader(source) if isinstance(source, bytes) else source
    metadata = pyarrow.parquet.read_metadata(file).metadata or {}
    # pyarrow before 14.0.1 unpickles such a type when it reads a schema.
    if is_data_only() and _PICKLED_TYPE in base64.b64decode(metadata.get(_ARROW_SCHEMA, b"")):
        check_may_run_code("a pickled type of Arrow")
    stored = metadata.get(NOTE)
    if stored is None:
        return None
    found: Dict[str, Any] = json.loads(stored)
    if found["version"] > NOTE_VERSION:
        raise CodecError("was written by a newer release of airflow-provider-aqueduct: upgrade it here, too")
    return found


def read_table(source: Source) -> Any:
    """Read the Arrow table in a file, without our note."""
    import pyarrow.parquet

    table = _of_bytes(source) if isinstance(source, bytes) else pyarrow.parquet.read_table(source)
    return table.replace_schema_metadata(without_note(table.schema))


def _of_bytes(source: bytes) -> Any:
    """Read the table in a file in memory, without a copy.

    Arrow's threads may let go of the bytes when the table is there already. To let go of a Python object they
    need the interpreter, and abort it when it is just ending: so they are waited for, some microseconds.
    """
    import pyarrow.parquet

    view = memoryview(source)
    held_here = sys.getrefcount(view)
    table = pyarrow.parquet.read_table(pyarrow.BufferReader(view))
    until = time.monotonic() + _LONGEST_WAIT
    while sys.getrefcount(view) > held_here and time.monotonic() < until:
        time.sleep(0)
    return table


def without_note(schema: Any) -> Optional[Dict[bytes, bytes]]:
    """Return the metadata of a schema without our note."""
    return {key: value for key, value in (schema.metadata or {}).items() if key != NOTE} or None


def opened(source: Source) -> Any:
    """Return a source for pyarrow that stays readable after this call."""
    import pyarrow

    if not isinstance(source, bytes):
        return source
    # A copy in Arrow's own memory: threads of Arrow let go of that at any time; see _of_bytes.
    copy = pyarrow.allocate_buffer(len(source))
    pyarrow.FixedSizeBufferWriter(copy).write(source)
    return pyarrow.BufferReader(copy)


def changed_fields(schema: Any) -> List[str]:
    """Return the fields that Parquet would return as another type; all if it lacks one of the types.

    The names of fields inside lists and maps count.
    """
    return [field.name for field in schema if not is_kept(field, names=True)]


def is_kept(field: Any, *, names: bool = False) -> bool:
    """Check that a field of an Arrow schema comes back from Parquet with its type.

    :param names: whether the names of fields inside lists and maps count.
    """
    import pyarrow

    one = pyarrow.schema([field.remove_metadata()])
    try:
        back = read_table(in_memory(one.empty_table(), note("pyarrow"))).schema
    except (pyarrow.ArrowException, NotImplementedError):
        return False
    # Arrow counts these names as metadata.
    return bool(back.equals(one, check_metadata=names))


def _metadata(schema: Any, facts: Dict[str, Any]) -> Dict[bytes, bytes]:
    return {**(schema.metadata or {}), NOTE: json.dumps(facts).encode()}


def _sink(target: Target) -> Any:
    import pyarrow

    return pyarrow.BufferOutputStream() if target is None else pyarrow.OSFile(target, "wb")


def _written(sink: Any) -> Optional[bytes]:
    import pyarrow

    if isinstance(sink, pyarrow.BufferOutputStream):
        data: bytes = sink.getvalue().to_pybytes()
        return data
    sink.close()
    return None

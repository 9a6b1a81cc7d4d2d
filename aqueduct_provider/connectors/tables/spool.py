"""Spool a table to a temporary file on its way into an artifact.

What a column needs is known when its last row has come: whether it holds NULLs, how many digits its decimals
have. So batches go to a file first, and from there, batch by batch, into the artifact: memory does not grow
with the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.connectors.tables.decimals import Digits
from aqueduct_provider.connectors.tables.model import KIND, Batches
from aqueduct_provider.connectors.tables.prefetch import read_ahead
from aqueduct_provider.errors import StatementRefused

if TYPE_CHECKING:
    import pyarrow


@dataclass
class Spool:
    """A table in a file.

    :param path: Arrow's IPC format.
    :param nulls: columns that hold a NULL.
    """

    path: Path
    schema: pyarrow.Schema
    rows: int = 0
    nulls: set[str] = field(default_factory=set)

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows, in the spool's final schema."""
        import pyarrow as pa

        with pa.memory_map(str(self.path)) as source, pa.ipc.open_stream(source) as reader:
            for batch in reader:
                yield _converted(batch, self.schema)


def spool(data: Batches, path: Path) -> Spool:
    """Write the batches to a new file."""
    import pyarrow as pa

    decimals = {place: Digits() for place, one in enumerate(data.schema) if kind_of(one) == b"decimal"}
    found = Spool(path, data.schema)
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(str(path), data.schema, options=options) as writer:
        for batch in read_ahead(data.batches):
            for place, digits in decimals.items():
                digits.add(batch.column(place))
            found.nulls |= with_nulls(batch)
            found.rows += batch.num_rows
            writer.write_batch(batch)
    for place, digits in decimals.items():
        plain = pa.field(data.schema.names[place], digits.type())
        found.schema = found.schema.set(place, plain)
    return found


def with_nulls(batch: pyarrow.RecordBatch) -> set[str]:
    """Return the columns that hold a NULL here."""
    columns = zip(batch.schema.names, batch.columns, strict=True)
    return {name for name, column in columns if column.null_count}


def kind_of(column: pyarrow.Field) -> bytes:
    """Return what a text column really is; see :data:`KIND`."""
    kind: bytes = (column.metadata or {}).get(KIND, b"")
    return kind


def check_names(names: Sequence[str]) -> None:
    """Raises ``StatementRefused`` where two columns have one name."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise several_columns(twice)


def several_columns(names: Iterable[str]) -> StatementRefused:
    """Return the error for columns of one name."""
    return StatementRefused(
        f"The result has several columns named {', '.join(map(repr, names))}: give each its own with AS."
    )


def _converted(batch: pyarrow.RecordBatch, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    import pyarrow as pa

    columns = [
        column if column.type == wanted.type else column.cast(wanted.type)
        for column, wanted in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)

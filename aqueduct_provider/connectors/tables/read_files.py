"""A stored table artifact -> batches, for loads. Parquet is read piece by piece; the original's JSON as a
whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.connectors.tables.arrow_types import pickled_table
from aqueduct_provider.connectors.tables.model import Batches
from aqueduct_provider.errors import LoadRefused
from aqueduct_provider.runner.codecs import CodecError, decode
from aqueduct_provider.runner.pandas_labels import index_columns

if TYPE_CHECKING:
    import pyarrow

_ROWS = 65_536


@contextmanager
def stored_batches(path: Path, serialization_type: str) -> Iterator[Batches]:
    """Yield the table in a file, while the context is open.

    :param serialization_type: ``parquet``, ``table``, ``bson_table`` or ``pickle``.
    :raises LoadRefused: it cannot be read, a column mixes types, or it is pickled.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if serialization_type == "pickle":
        raise pickled_table()
    if serialization_type != "parquet":
        table = _decoded(path, serialization_type)
        yield Batches(table.schema, iter(table.to_batches(_ROWS)))
        return
    try:
        opened = pq.ParquetFile(path)
    except pa.ArrowException as error:
        raise LoadRefused(f"The artifact cannot be read as parquet: {error}.") from error
    with opened as file:
        index = index_columns(file.schema_arrow)
        names = [name for name in file.schema_arrow.names if name not in index]
        schema = pa.schema([file.schema_arrow.field(name) for name in names])
        batches = (
            pa.RecordBatch.from_arrays(batch.columns, schema=schema)
            for batch in file.iter_batches(batch_size=_ROWS, columns=names)
        )
        yield Batches(schema, batches)


def _decoded(path: Path, serialization_type: str) -> pyarrow.Table:
    import pyarrow as pa

    try:
        frame = decode(path.read_bytes(), serialization_type, "table")
        return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    except CodecError as error:
        raise LoadRefused(f"The artifact {error}.") from error
    except pa.ArrowException as error:
        raise LoadRefused(f"The table has a column that no database column can hold: {error}.") from error

"""Limits for what is read from the store although nothing in Airflow's database vouches for it.

A small object can need a lot of memory: a Parquet file of 400 kB can hold gigabytes of equal values.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from aqueduct_provider.errors import IntegrityError

if TYPE_CHECKING:
    from aqueduct_provider.storage.object_store import ObjectStore

# Bytes of an artifact's metadata: with 100,000 columns it has 5 MB.
MAX_METADATA = 16 << 20
# Bytes of an artifact's content, and of a table in memory.
MAX_CONTENT = 2 << 30
# Rows that are decoded at once.
_BATCH_ROWS = 4096
# Of a cell in a DataFrame: a number, or where an object is.
_CELL_BYTES = 8


def bounded_get(store: ObjectStore, key: str, limit: int) -> bytes:
    """Return an object's bytes, unless there are too many.

    :raises ObjectNotFound: the object does not exist.
    :raises IntegrityError: it is larger than ``limit`` bytes.
    """
    entry = next(iter(store.entries(key)), None)
    if entry is not None and entry.key == key and entry.size > limit:
        raise IntegrityError(
            f"{store.url(key)} has {entry.size:,} bytes, which is more than the {limit:,} that are read of "
            "an object that Airflow does not vouch for. Was it changed by hand?"
        )
    return store.get(key)


def check_table_size(data: bytes, limit: int) -> None:
    """Check that the table in a Parquet file fits into ``limit`` bytes of memory.

    :raises IntegrityError: it does not.
    :raises Exception: any of pyarrow's, when it is not a Parquet file.
    """
    from pyarrow import parquet

    file = parquet.ParquetFile(io.BytesIO(data))
    groups = (file.metadata.row_group(index) for index in range(file.num_row_groups))
    cells = file.metadata.num_rows * file.metadata.num_columns
    # First by the footer, which may be wrong about sizes, then by what is decoded.
    _check(max(sum(group.total_byte_size for group in groups), cells * _CELL_BYTES), limit)
    decoded = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS):
        decoded += batch.nbytes
        _check(decoded, limit)


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise IntegrityError(
            f"holds a table of more than {limit:,} bytes, which is not read where Airflow does not vouch for "
            "it"
        )

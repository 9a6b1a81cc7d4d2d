"""Arrow tables for what databases read and write."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from aqueduct_provider.connectors.sql.database import Database
from aqueduct_provider.connectors.sql.query import statement
from aqueduct_provider.connectors.tables.model import Batches


def read(database: Database, sql: str, *parameters: str) -> pa.Table:
    """What a query gives."""
    with database.read(statement([sql], parameters, {}, database.dialect)) as data:
        return pa.Table.from_batches(data.batches, data.schema)


def batches(table: pa.Table) -> Batches:
    """A table on its way."""
    return Batches(table.schema, iter(table.to_batches(max_chunksize=1000)))


def cut_off(table: pa.Table) -> Batches:
    """A table that cannot be read to its end: after its rows comes a RuntimeError."""

    def rows() -> Iterator[pa.RecordBatch]:
        yield from table.to_batches()
        raise RuntimeError("the artifact cannot be read on")

    return Batches(table.schema, rows())


def numbers(count: int) -> pa.Table:
    """The whole numbers from 0, and a text beside each."""
    return pa.table({"n": pa.array(range(count), pa.int64()), "t": ["text"] * count})

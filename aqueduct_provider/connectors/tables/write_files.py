"""Write a table that was read to the file of its artifact: Parquet, or the original's JSON.

In: batches. Out: a file, and the schema for its metadata, ``[{column: dtype}]``. An integer column with
NULLs stays one: ``Int64`` in pandas, which Parquet's own note for pandas says.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.tables.model import CELLS, Batches
from aqueduct_provider.connectors.tables.prefetch import read_ahead
from aqueduct_provider.connectors.tables.spool import Spool, check_names, kind_of, spool, with_nulls
from aqueduct_provider.runner.parquet_files import NOTE
from aqueduct_provider.runner.parquet_files import note as library_note

if TYPE_CHECKING:
    import pandas
    import pyarrow

Schema = list[dict[str, str]]

# Rows in one group of a Parquet file, at most.
_GROUP_ROWS = 131_072
_SPOOL = "rows"
# Where Arrow's readers look for the Arrow schema: base64 of its IPC message (Arrow C++, Parquet metadata).
_ARROW_SCHEMA = "ARROW:schema"


def write_parquet(data: Batches, path: Path, scratch: Path) -> Schema:
    """Write the table as native flows store it.

    :param scratch: a folder for what must lie on disk meanwhile.
    :raises StatementRefused: two columns have one name.
    """
    check_names(data.schema.names)
    if any(kind_of(column) == b"decimal" for column in data.schema):
        table = spool(data, scratch / _SPOOL)
        data = Batches(table.schema, table.batches())
    return _write_parquet(data, path)


def _write_parquet(data: Batches, path: Path) -> Schema:
    import pyarrow.parquet as pq

    nulls = set[str]()
    # The schema is stored at the end, when it is known what pandas needs to know.
    options: dict[str, Any] = {"compression": "zstd", "version": "2.6", "store_schema": False}
    with pq.ParquetWriter(path, data.schema, **options) as writer:
        for batch in read_ahead(data.batches):
            nulls |= with_nulls(batch)
            writer.write_batch(batch, row_group_size=_GROUP_ROWS)
        note = _pandas_note(data.schema, nulls)
        schema = data.schema.with_metadata({"pandas": note})
        stored = base64.b64encode(schema.serialize())
        of_objects = [column for column in schema if CELLS in (column.metadata or {})]
        cells = {column.name: {"as": column.metadata[CELLS].decode()} for column in of_objects}
        facts = json.dumps(library_note("pandas", **({"columns": cells} if cells else {})))
        writer.add_key_value_metadata({"pandas": note, _ARROW_SCHEMA: stored, NOTE: facts})
    frame = schema.empty_table().to_pandas()
    return [{name: "object" if name in cells else str(dtype)} for name, dtype in frame.dtypes.items()]


def write_json(data: Batches, path: Path, scratch: Path) -> Schema:
    """Write the table as compiled flows store it: the text that pandas gives for it, piece by piece.

    :param scratch: as for :func:`write_parquet`.
    :raises StatementRefused: two columns have one name.
    """
    from aqueduct_provider.runner.codecs import encode

    check_names(data.schema.names)
    table = spool(data, scratch / _SPOOL)
    empty = encode(_like_pandas(table, table.schema.empty_table()), "table")
    head, begin, end = empty.data.partition(b'"data":[')
    with path.open("wb") as file:
        file.write(head + begin)
        separator = b""
        for batch in table.batches():
            if batch.num_rows:
                rows = encode(_like_pandas(table, batch), "table").data.partition(begin)[2]
                file.write(separator + rows.removesuffix(end))
                separator = b","
        file.write(end)
    return empty.schema


def _pandas_note(schema: pyarrow.Schema, nulls: set[str]) -> bytes:
    """Return the note that makes pandas read columns with NULLs as integers or booleans, not as floats."""
    import pandas as pd
    import pyarrow as pa

    frame = schema.empty_table().to_pandas()
    for column in schema:
        if column.name in nulls and pa.types.is_integer(column.type):
            frame[column.name] = pd.Series(dtype=str(column.type).replace("i", "I").replace("u", "U"))
        elif column.name in nulls and pa.types.is_boolean(column.type):
            frame[column.name] = pd.Series(dtype="boolean")
    note: bytes = pa.Schema.from_pandas(frame, preserve_index=False).metadata[b"pandas"]
    return note


# --- as the original reads


def _like_pandas(table: Spool, rows: Any) -> pandas.DataFrame:
    """Rows as pandas itself reads them from a database, with the dtypes of the whole table."""
    import pyarrow as pa

    frame = rows.to_pandas(date_as_object=True, timestamp_as_object=False)
    for column in table.schema:
        name, has_nulls = column.name, column.name in table.nulls
        if kind_of(column) == b"json":
            strings = frame[name].astype(object)
            frame[name] = strings.map(lambda text: json.loads(text) if isinstance(text, str) else None)
        elif pa.types.is_integer(column.type):
            frame[name] = frame[name].astype("float64" if has_nulls else "int64")
        elif pa.types.is_decimal(column.type) or pa.types.is_floating(column.type):
            frame[name] = frame[name].astype("float64")
        elif pa.types.is_boolean(column.type) and has_nulls:
            frame[name] = frame[name].astype(object)
        elif pa.types.is_timestamp(column.type):
            zone = f", {column.type.tz}" if column.type.tz else ""
            frame[name] = frame[name].astype(f"datetime64[ns{zone}]")
        elif pa.types.is_list(column.type):
            frame[name] = frame[name].map(lambda items: None if items is None else list(items))
    return frame

"""Move tables between SQL databases and the files of artifacts.

Drivers, pandas and pyarrow are imported when a table is moved.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder
from aqueduct_provider.connectors.sql.database import Database
from aqueduct_provider.connectors.sql.query import statement
from aqueduct_provider.connectors.tables.model import TableLoad
from aqueduct_provider.runner.codecs import encoding_of
from aqueduct_provider.runner.contract import OutputInfo
from aqueduct_provider.runner.describe_output import describe_output


def extract_table(database: Database, request: ExtractOrder, folder: Path) -> OutputInfo:
    """Write the result of a query into a file; return what its metadata says."""
    from aqueduct_provider.connectors.tables.decimals import with_floats
    from aqueduct_provider.connectors.tables.write_files import write_json, write_parquet

    query = statement(request.queries, request.parameters, request.dates, database.dialect)
    write, kind = (write_parquet, "parquet") if request.tables == "parquet" else (write_json, "table")
    with tempfile.TemporaryDirectory(dir=folder) as scratch, database.read(query) as read:
        data = with_floats(read) if request.decimals == "float" else read
        schema = write(data, folder / request.path, Path(scratch))
    glance, preview = describe_output(
        None, "table", str(folder / request.path), previews=request.tables == "parquet"
    )
    return OutputInfo(request.path, "table", kind, "DataFrame", encoding_of(kind), schema, glance, preview)


def load_table(database: Database, request: LoadOrder, target: TableLoad, folder: Path) -> int | None:
    """Write a stored table into a database.

    :returns: the number of rows; None when an earlier try of this load has written them.
    """
    from aqueduct_provider.connectors.tables.read_files import stored_batches

    with stored_batches(folder / request.path, request.serialization_type) as data:
        return database.write(data, target)

"""Doing an order: a query's result becomes an artifact's file, a stored table goes into a data system.

In: an order and the folder that its paths are relative to. Out: the facts of the artifact, or a number of
rows; failures are ``DataSystemError``. The same for a task's child process and for eager work in a notebook.
Must not import at module level: drivers, pandas, pyarrow.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder, SystemOrder
from aqueduct_provider.connectors.sql.query import statement
from aqueduct_provider.connectors.tables.model import Database, TableLoad, TableName
from aqueduct_provider.errors import LoadRefused
from aqueduct_provider.protected_keys import LEDGER_REFUSAL, is_ledger
from aqueduct_provider.runner.codecs import encoding_of
from aqueduct_provider.runner.contract import OutputInfo
from aqueduct_provider.storage.patience import Patience

if TYPE_CHECKING:
    from aqueduct_provider.connectors.mongodb.database import MongoDatabase

MONGODB = "MongoDB"


def check(system: SystemOrder) -> str:
    """Connect and ask something; a few words that say who answered. Raises ``DataSystemError``."""
    with _open(system) as database:
        answer: str = database.check()
        return answer


def discover(system: SystemOrder) -> list[str]:
    """The tables or collections that can be seen. Raises ``DataSystemError``."""
    with _open(system) as database:
        tables: list[str] = database.tables()
        return tables


def extract(order: ExtractOrder, folder: Path) -> OutputInfo:
    """Read a table into a file.

    :returns: what its metadata says.
    :raises DataSystemError: it cannot be read.
    """
    with _open(_as_read(order)) as database:
        if hasattr(database, "patience"):
            database.patience = Patience(order.patience)
        if order.system.connector == MONGODB:
            return _extract_documents(database, order, folder)
        return _extract_table(database, order, folder)


def load(order: LoadOrder, folder: Path) -> int | None:
    """Write a stored table into a data system.

    :returns: the number of rows; None when an earlier try of this load has written them.
    :raises DataSystemError: it cannot be written.
    """
    if order.artifact_type != "table":
        raise LoadRefused(
            f"Only tables can be saved to {order.system.connector}, and the artifact is of type "
            f"{order.artifact_type}: make a table of it first."
        )
    with _open(order.system) as database:
        target = _load_of(order, database)
        if order.system.connector == MONGODB:
            return _load_documents(database, order, target, folder)
        return _load_table(database, order, target, folder)


def _as_read(order: ExtractOrder) -> SystemOrder:
    """The system; where the original's JSON is written, SQLite gives what the original sees: plain values."""
    system = order.system
    if system.connector == "SQLite" and order.tables == "table":
        return replace(
            system,
            config={**system.config, "options": {**(system.config.get("options") or {}), "types": "values"}},
        )
    return system


@contextmanager
def _open(system: SystemOrder) -> Iterator[Any]:
    with closing(registry.connect(system.connector, system.config)) as database:
        yield database


# --- tables


def _extract_table(database: Database, order: ExtractOrder, folder: Path) -> OutputInfo:
    from aqueduct_provider.connectors.tables.write_files import write_json, write_parquet

    query = statement(order.queries, order.parameters, order.dates, database.dialect)
    write, kind = (write_parquet, "parquet") if order.tables == "parquet" else (write_json, "table")
    with tempfile.TemporaryDirectory(dir=folder) as scratch, database.read(query) as data:
        schema = write(data, folder / order.path, Path(scratch))
    return OutputInfo(order.path, "table", kind, "DataFrame", encoding_of(kind), schema)


def _load_table(database: Database, order: LoadOrder, target: TableLoad, folder: Path) -> int | None:
    from aqueduct_provider.connectors.tables.read_files import stored_batches

    with stored_batches(folder / order.path, order.serialization_type) as data:
        return database.write(data, target)


def _load_of(order: LoadOrder, database: Any) -> TableLoad:
    # A string input may have named it.
    if is_ledger(order.target):
        raise LoadRefused(f"The load into {order.target!r} is refused: {LEDGER_REFUSAL}.")
    dialect = getattr(database, "dialect", None)
    # A collection's name is one name, whatever dots it holds.
    parts = dialect.checked_name(order.target, f"The table {order.target!r}") if dialect else (order.target,)
    table = TableName(".".join(parts[:-1]), parts[-1])
    return TableLoad(table, order.mode, order.key, order.digest, order.run)


# --- documents


def _extract_documents(database: MongoDatabase, order: ExtractOrder, folder: Path) -> OutputInfo:
    from aqueduct_provider.connectors.mongodb.database import write_bson_table

    documents = database.find(order.collection, order.find, order.parameters)
    return write_bson_table(documents, folder, order.path)


def _load_documents(database: MongoDatabase, order: LoadOrder, target: TableLoad, folder: Path) -> int | None:
    from aqueduct_provider.connectors.mongodb.database import stored_documents

    documents = stored_documents(folder / order.path, order.serialization_type)
    return database.write(documents, target)

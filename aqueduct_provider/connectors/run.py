"""Doing an order: a query's result becomes an artifact's file, a stored table goes into a data system.

In: an order and the folder that its paths are relative to. Out: the facts of the artifact, or a number of
rows; failures are ``DataSystemError``. The same for a task's child process and for eager work in a notebook.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder, SystemOrder
from aqueduct_provider.connectors.system import DataSystem
from aqueduct_provider.connectors.tables.model import TableLoad, TableName
from aqueduct_provider.errors import LoadRefused
from aqueduct_provider.protected_keys import LEDGER_REFUSAL, is_ledger
from aqueduct_provider.runner.contract import OutputInfo
from aqueduct_provider.storage.patience import Patience


def check(system: SystemOrder) -> str:
    """Connect and ask something; a few words that say who answered. Raises ``DataSystemError``."""
    with _open(system) as database:
        answer: str = database.check()
        return answer


def discover(system: SystemOrder) -> list[str]:
    """Return the tables or collections that the user may see. Raises ``DataSystemError``."""
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
        return registry.get(order.system.connector).extract(database, order, folder)


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
        system = registry.get(order.system.connector)
        return system.load(database, order, _load_of(order, system), folder)


def _as_read(order: ExtractOrder) -> SystemOrder:
    """Return the system with the configuration that the format of the result asks for."""
    system = order.system
    if order.tables != "table":
        return system
    return replace(system, config=registry.get(system.connector).config_for_original(system.config))


@contextmanager
def _open(system: SystemOrder) -> Iterator[Any]:
    with closing(registry.connect(system.connector, system.config)) as database:
        yield database


def _load_of(order: LoadOrder, system: DataSystem) -> TableLoad:
    # A string input may have named it.
    if is_ledger(order.target):
        raise LoadRefused(f"The load into {order.target!r} is refused: {LEDGER_REFUSAL}.")
    parts = system.table_parts(order.target)
    table = TableName(".".join(parts[:-1]), parts[-1])
    return TableLoad(table, order.mode, order.key, order.digest, order.run)

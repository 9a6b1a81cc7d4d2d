"""The protocol of databases, and what their modules share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.sql.query import Statement
from aqueduct_provider.connectors.tables.model import Batches, TableLoad


class Database(Protocol):
    """An open connection to a database. All methods raise subclasses of ``DataSystemError``."""

    dialect: Dialect

    def close(self) -> None:
        """End the connection; what was not finished is undone."""
        ...

    def check(self) -> str:
        """Ask the database something; a few words that say who answered."""
        ...

    def tables(self) -> list[str]:
        """Return the tables and views that the user may see, ``table`` or ``schema.table``, in order."""
        ...

    def read(self, statement: Statement) -> AbstractContextManager[Batches]:
        """Run a query; its rows, while the context is open."""
        ...

    def write(self, data: Batches, load: TableLoad) -> int | None:
        """Write a table: all of it or nothing, and once for each key; see ``docs/data-systems.md``.

        :returns: the number of rows; None when an earlier try has written them.
        """
        ...


def shown_names(found: Iterable[Sequence[Any]]) -> list[str]:
    """Return tables as users write them.

    :param found: schema, name, and whether the schema is the connection's own.
    """
    return [name if is_current else f"{schema}.{name}" for schema, name, is_current in found]

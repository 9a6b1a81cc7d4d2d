"""The values that the modules of databases receive: tables on their way, and loads.

Tables move as batches of Arrow records, so that memory does not grow with them. What Arrow has no type for is
text whose field says what it is, under :data:`KIND`; Parquet keeps that note, so that a table which goes from
one database to another keeps its column types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

# In a text field's metadata: ``decimal`` (still to be converted, see ``spool.py``), ``json``, ``bson``
# (Extended JSON) or ``uuid``; in that of a binary one: ``pickle``.
from aqueduct_provider.runner.object_columns import CELLS as CELLS
from aqueduct_provider.runner.object_columns import KIND as KIND

if TYPE_CHECKING:
    import pyarrow

Config = Mapping[str, Any]
UpdateMode = Literal["append", "replace", "fail"]


@dataclass(frozen=True)
class Batches:
    """A table on its way.

    :param batches: records of this schema; read once, and only while the database is open.
    """

    schema: pyarrow.Schema
    batches: Iterator[pyarrow.RecordBatch]


@dataclass(frozen=True)
class TableName:
    """A table, spelled as the database stores it.

    :param schema: empty: the one that the connection is in.
    """

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name

    @property
    def parts(self) -> tuple[str, ...]:
        """Schema and name, or the name alone."""
        return (self.schema, self.name) if self.schema else (self.name,)


@dataclass(frozen=True)
class TableLoad:
    """One load of one run.

    :param mode: what is done where the table exists.
    :param key: 64 hexadecimal digits, the same for every try of this load in this run and for no other: what
        a first try has already written, a second one must not write again.
    :param digest: sha256 of the artifact.
    :param run: a readable name of the run.
    """

    table: TableName
    mode: UpdateMode
    key: str
    digest: str
    run: str

    @property
    def staging(self) -> str:
        """Return the staging table's name: the same at every try, so that each can clean up."""
        return f"aqueduct_{self.key[:24]}"


def config_text(config: Config, name: str, default: str = "") -> str:
    """Return a configuration field as text; ports may be numbers."""
    value = config.get(name)
    return default if value in (None, "") else str(value)

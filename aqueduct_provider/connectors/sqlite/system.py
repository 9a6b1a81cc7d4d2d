"""Declare SQLite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote

from aqueduct_provider.connectors.sql.dialect import COMMON_TYPES, DecimalColumn, Dialect
from aqueduct_provider.connectors.system import (
    TABLE_MODULES,
    AirflowConnection,
    Config,
    DataSystem,
    Extra,
    OptionRules,
)


class _SqliteDialect(Dialect):
    def decimal_column(self, precision: int, scale: int) -> DecimalColumn:
        """Return a type of text: SQLite would make floats of decimals."""
        found = super().decimal_column(precision, scale)
        # TEXT in the name of a type keeps SQLite from turning strings into numbers.
        sql = found.sql if found.fits else found.sql.replace("AL(", "AL_TEXT(")
        return DecimalColumn(sql, fits=True, is_text=True)


SQLITE: Dialect = _SqliteDialect(
    "SQLite",
    # Bound as text, a number would never be equal to an expression, which has no affinity.
    strict_types=True,
    types={
        **COMMON_TYPES,
        "float32": "FLOAT",
        "float64": "FLOAT",
        "json": "JSON_TEXT",
        "uuid": "TEXT",
        "binary": "BLOB",
        "timestamp": "DATETIME",
        "timestamptz": "TIMESTAMP",
    },
    # More would become floating-point numbers.
    decimal_digits=(15, 15),
    # SQLite has no such types, only functions that read them from text.
    has_temporal=False,
)


class Sqlite(DataSystem):
    """A file on the worker."""

    def config_of_connection(self, connection: AirflowConnection, extra: Extra) -> Config:
        # `sqlite:////path` has it as host or as schema, by the line of Airflow and by how it was added.
        path = connection.host or connection.schema or extra.fields.get("database") or ""
        return {"database": path, **extra.option_field}

    def config_of_url(self, url: str, parts: SplitResult) -> Mapping[str, str]:  # noqa: ARG002
        # sqlite:///relative, sqlite:////absolute.
        return {"database": unquote(parts.path.removeprefix("/"))}

    def config_for_original(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give what the original sees: plain values."""
        return {**config, "options": {**(config.get("options") or {}), "types": "values"}}


SYSTEMS = (
    Sqlite(
        "SQLite",
        __package__,
        needed=("database",),
        paths=("database",),
        secrets=(),
        schemes=("sqlite",),
        connection_types=("sqlite",),
        needed_of_connection=("database",),
        options=OptionRules(
            known=frozenset({"types", "mode", "cache", "immutable", "nolock", "psow", "vfs"}),
            # Of an Airflow that saved the path there.
            fields={"database": "database"},
        ),
        extra="sqlite",
        drivers=("adbc_driver_sqlite", "adbc_driver_manager", *TABLE_MODULES),
        dialect=SQLITE,
        original_config="sqlite",
    ),
)

"""Declare DuckDB. Aqueduct reads this module when a spec names DuckDB, so it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, unquote

from aqueduct_provider.connectors.sql.dialect import COMMON_TYPES, Dialect
from aqueduct_provider.connectors.system import AirflowConnection, Config, DataSystem, Extra, OptionRules

DUCKDB = Dialect(
    "DuckDB",
    dollar_quotes=True,
    nested_comments=True,
    # DuckDB does not compare a number with a string.
    strict_types=True,
    types={
        **COMMON_TYPES,
        "float64": "DOUBLE",
        "json": "JSON",
        "uuid": "UUID",
        "binary": "BLOB",
        "timestamptz": "TIMESTAMPTZ",
    },
    has_arrays=True,
)


class DuckDb(DataSystem):
    """A file on the worker."""

    def config_of_connection(self, connection: AirflowConnection, extra: Extra) -> Config:
        return {"database": connection.host or connection.schema or "", **extra.option_field}

    def config_of_url(self, url: str, parts: SplitResult) -> Mapping[str, str]:  # noqa: ARG002
        # duckdb:///relative, duckdb:////absolute.
        return {"database": unquote(parts.path.removeprefix("/"))}


SYSTEMS = (
    DuckDb(
        "DuckDB",
        __package__,
        needed=("database",),
        paths=("database",),
        secrets=(),
        schemes=("duckdb",),
        connection_types=("duckdb",),
        needed_of_connection=("database",),
        options=OptionRules(known=frozenset({"memory_limit", "threads"})),
        distribution="aqueduct-duckdb",
        drivers=("duckdb", "pandas", "pyarrow"),
        dialect=DUCKDB,
    ),
)

"""Declare Postgres."""

from __future__ import annotations

from aqueduct_provider.connectors.sql.dialect import COMMON_TYPES, Dialect
from aqueduct_provider.connectors.system import NO_CURSOR, NO_IAM, TABLE_MODULES, DatabaseServer, OptionRules

POSTGRES = Dialect(
    "Postgres",
    dollar_quotes=True,
    nested_comments=True,
    placeholder="${n}",
    max_name=63,
    types={
        **COMMON_TYPES,
        "decimal": "NUMERIC({precision}, {scale})",
        "json": "JSONB",
        # Binary COPY takes the text of JSON as it is, and JSONB only with a mark before it.
        "nested": "JSON",
        "uuid": "UUID",
        "binary": "BYTEA",
    },
    decimal_digits=(76, 76),
    has_arrays=True,
)

_IAM_EXTRAS = ("redshift", "redshift-serverless", "cluster-identifier", "workgroup-name", "azure_conn_id")

SYSTEMS = (
    DatabaseServer(
        "Postgres",
        __package__,
        aliases=("postgresql",),
        schemes=("postgresql", "postgres"),
        connection_types=("postgres",),
        options=OptionRules(
            refused={**dict.fromkeys(("iam", "aws_conn_id", *_IAM_EXTRAS), NO_IAM), **NO_CURSOR},
            fields={"database": "database"},
        ),
        extra="postgres",
        drivers=("adbc_driver_postgresql", "adbc_driver_manager", *TABLE_MODULES),
        dialect=POSTGRES,
        uri=("postgres", 5432, "public"),
    ),
)

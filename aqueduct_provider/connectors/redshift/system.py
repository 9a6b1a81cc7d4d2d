"""Declare Redshift."""

from __future__ import annotations

from aqueduct_provider.connectors.sql.dialect import COMMON_TYPES, Dialect
from aqueduct_provider.connectors.system import (
    NO_CURSOR,
    SET_HERE,
    TABLE_MODULES,
    DatabaseServer,
    OptionRules,
)

REDSHIFT = Dialect(
    "Redshift",
    dollar_quotes=True,
    nested_comments=True,
    backslashes=True,
    # The server's own placeholders: Amazon's driver would misread strings with backslashes.
    placeholder="${n}",
    max_name=127,
    # The longest there are: Redshift has no unlimited types.
    types={
        **COMMON_TYPES,
        "text": "VARCHAR(65535)",
        "json": "VARCHAR(65535)",
        "binary": "VARBYTE(1024000)",
    },
    decimal_digits=(38, 37),
)

SYSTEMS = (
    DatabaseServer(
        "Redshift",
        __package__,
        schemes=("redshift", "postgresql", "postgres"),
        connection_types=("redshift", "postgres"),
        options=OptionRules(
            refused={
                **NO_CURSOR,
                "aws_conn_id": (
                    "name a profile of the worker in profile, or the keys in access_key_id and so on"
                ),
                "serverless_token_duration_seconds": "remove it, for Amazon's driver has no such option",
                "max_prepared_statements": SET_HERE,
            },
            fields={"database": "database"},
        ),
        extra="redshift",
        drivers=("redshift_connector", *TABLE_MODULES),
        dialect=REDSHIFT,
        uri=("redshift", 5439, "public"),
    ),
)

"""Declare BigQuery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult

from aqueduct_provider.connectors.google import FIELDS, GOOGLE_OPTIONS, KEYS, PREFIX, REFUSED, GoogleSystem
from aqueduct_provider.connectors.sql.dialect import COMMON_TYPES, DecimalColumn, Dialect
from aqueduct_provider.connectors.system import TABLE_MODULES, OptionRules
from aqueduct_provider.connectors.uris import name_parts, on_host


class _BigQueryDialect(Dialect):
    def decimal_column(self, precision: int, scale: int) -> DecimalColumn:
        # NUMERIC has 29 digits before the point and 9 after it, BIGNUMERIC has 38 and 38.
        whole = precision - scale
        sql = "NUMERIC" if whole <= 29 and scale <= 9 else "BIGNUMERIC"
        return DecimalColumn(sql, fits=whole <= 38 and scale <= 38)


BIGQUERY: Dialect = _BigQueryDialect(
    "BigQuery",
    quotes=("`", "`"),
    string_quotes="'\"",
    backslashes=True,
    hash_comments=True,
    concat="CONCAT",
    strict_types=True,
    max_name=1024,
    types={
        **COMMON_TYPES,
        "bool": "BOOL",
        "int16": "INT64",
        "int32": "INT64",
        "int64": "INT64",
        "float32": "FLOAT64",
        "float64": "FLOAT64",
        "text": "STRING",
        "json": "STRING",
        "uuid": "STRING",
        "binary": "BYTES",
        "timestamp": "DATETIME",
        "timestamptz": "TIMESTAMP",
    },
)


class BigQuery(GoogleSystem):
    """A project of BigQuery."""

    def config_of_url(self, url: str, parts: SplitResult) -> Mapping[str, str]:  # noqa: ARG002
        return {"project_id": parts.hostname or "", "options": parts.query}

    def table_uri(self, config: Mapping[str, Any], table: str) -> str | None:
        parts = name_parts(table)
        return on_host("bigquery", config.get("project_id"), parts) if len(parts) == 2 else None


SYSTEMS = (
    BigQuery(
        "BigQuery",
        __package__,
        needed=("project_id",),
        optional=("service_account_credentials_path", "options", "connection_id"),
        secrets=(KEYS,),
        schemes=("bigquery",),
        connection_types=("google_cloud_platform", "gcpbigquery"),
        needed_of_connection=("project_id",),
        options=OptionRules(
            known=frozenset({*GOOGLE_OPTIONS, "api_endpoint", "labels", "location", "priority"}),
            refused={
                **REFUSED,
                "use_legacy_sql": "write the query in GoogleSQL",
                "api_resource_configs": "remove it, and use location, labels and priority",
            },
            fields=FIELDS,
            prefix=PREFIX,
        ),
        extra="bigquery",
        drivers=("google.cloud.bigquery", *TABLE_MODULES),
        dialect=BIGQUERY,
        original_config="bigquery",
    ),
)

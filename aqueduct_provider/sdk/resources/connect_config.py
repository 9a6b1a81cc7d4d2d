"""The original's classes for the fields of a resource: ``from aqueduct.resources.connect_config import ...``.

Each is a dict of what it was given, as ``client.connect_resource(name, service, config)`` takes it, which
checks the fields.
"""

from __future__ import annotations

from typing import Any

from aqueduct_provider.sdk.enums import AWSCredentialType

__all__ = [
    "AWSCredentialType",
    "AirflowConfig",
    "AthenaConfig",
    "BigQueryConfig",
    "GCSConfig",
    "MongoDBConfig",
    "MySQLConfig",
    "PostgresConfig",
    "RedshiftConfig",
    "S3Config",
    "SQLiteConfig",
    "SnowflakeConfig",
    "SqlServerConfig",
]


class ConnectionConfig(dict[str, Any]):
    """The fields of a resource, by keyword; those that are None count as not given.

    ::

        client.connect_resource("shop", "SQLite", SQLiteConfig(database="~/shop.sqlite"))
    """

    def __init__(self, **fields: Any) -> None:
        super().__init__({name: value for name, value in fields.items() if value is not None})

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} was given no {name!r}") from None

    def __repr__(self) -> str:
        # Values may be secrets.
        return f"<{type(self).__name__}: {', '.join(self)}>"


class AirflowConfig(ConnectionConfig):
    """Of an Airflow: ``host``, ``username``, ``password``, ``s3_credentials_path``, ..."""


class AthenaConfig(ConnectionConfig):
    """Of Athena: ``database``, ``output_location``, ``region`` and AWS credentials."""


class BigQueryConfig(ConnectionConfig):
    """Of BigQuery: ``project_id`` and ``service_account_credentials`` or the path of a file of them."""


class GCSConfig(ConnectionConfig):
    """Of Google Cloud Storage: ``bucket`` and ``service_account_credentials``."""


class MongoDBConfig(ConnectionConfig):
    """Of MongoDB: ``auth_uri`` and ``database``."""


class MySQLConfig(ConnectionConfig):
    """Of MySQL or MariaDB: ``host``, ``port``, ``database``, ``username``, ``password``."""


class PostgresConfig(ConnectionConfig):
    """Of Postgres: ``host``, ``port``, ``database``, ``username``, ``password``."""


class RedshiftConfig(PostgresConfig):
    """Of Redshift: the same fields."""


class S3Config(ConnectionConfig):
    """Of S3: ``bucket``, ``region``, ``root_dir`` and AWS credentials."""


class SQLiteConfig(ConnectionConfig):
    """Of SQLite: ``database``, the path of a file."""


class SnowflakeConfig(ConnectionConfig):
    """Of Snowflake: ``account_identifier``, ``database``, ``warehouse``, ``username``, ``password``, ...

    :param db_schema: another name of the field ``schema``.
    """

    def __init__(self, *, db_schema: str | None = None, **fields: Any) -> None:
        super().__init__(**{"schema": db_schema, **fields})


class SqlServerConfig(ConnectionConfig):
    """Of SQL Server: ``host``, ``port``, ``database``, ``username``, ``password``."""

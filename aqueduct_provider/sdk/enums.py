"""The choices that users make, or read, by name."""

from __future__ import annotations

from enum import Enum
from typing import Literal, TypeAlias

from aqueduct_provider.spec.artifact_types import ArtifactType as ArtifactType


class _Choice(str, Enum):
    """A text; printed as such."""

    __str__ = str.__str__


class CheckSeverity(_Choice):
    """The effect of a failed check: it is recorded and the flow goes on, or it fails the flow."""

    WARNING = "warning"
    ERROR = "error"


class LoadUpdateMode(_Choice):
    """The effect of a save on a table that exists already."""

    APPEND = "append"
    REPLACE = "replace"
    FAIL = "fail"


class ExecutionStatus(_Choice):
    """How far a run, or an operator in it, has come."""

    REGISTERED = "registered"
    PENDING = "pending"
    RUNNING = "running"
    CANCELED = "canceled"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    DELETED = "deleted"
    UNKNOWN = "unknown"


class FlowState(_Choice):
    """How what Airflow shows of a flow differs from what was published last.

    ``CURRENT``: not at all; ``STALE``: it is an older version; ``MISSING``: Airflow does not show the flow;
    ``BROKEN``: it cannot use the spec or the file; ``UNREACHABLE``: Airflow cannot be asked; ``RETIRED``: the
    flow was deleted.
    """

    CURRENT = "current"
    STALE = "stale"
    MISSING = "missing"
    BROKEN = "broken"
    UNREACHABLE = "unreachable"
    RETIRED = "retired"


class ServiceType(_Choice):
    """The kind of resource."""

    AIRFLOW = "Airflow"
    POSTGRES = "Postgres"
    REDSHIFT = "Redshift"
    MYSQL = "MySQL"
    MARIADB = "MariaDB"
    SQLITE = "SQLite"
    SQLSERVER = "SQL Server"
    AZURESQL = "AzureSQL"
    SNOWFLAKE = "Snowflake"
    BIGQUERY = "BigQuery"
    ATHENA = "Athena"
    S3 = "S3"
    GCS = "GCS"
    MONGO_DB = "MongoDB"


# The services of each class of resources, for type checkers.
AirflowService: TypeAlias = Literal["Airflow", ServiceType.AIRFLOW]
SqlService: TypeAlias = Literal[
    "Postgres",
    "Redshift",
    "MySQL",
    "MariaDB",
    "SQLite",
    "SQL Server",
    "AzureSQL",
    "Snowflake",
    "BigQuery",
    "Athena",
    ServiceType.POSTGRES,
    ServiceType.REDSHIFT,
    ServiceType.MYSQL,
    ServiceType.MARIADB,
    ServiceType.SQLITE,
    ServiceType.SQLSERVER,
    ServiceType.AZURESQL,
    ServiceType.SNOWFLAKE,
    ServiceType.BIGQUERY,
    ServiceType.ATHENA,
]
FilesService: TypeAlias = Literal["S3", "GCS", ServiceType.S3, ServiceType.GCS]
MongoService: TypeAlias = Literal["MongoDB", ServiceType.MONGO_DB]


class S3TableFormat(_Choice):
    """The format of a table in a file, of a bucket or here: the original has two names for it."""

    CSV = "CSV"
    JSON = "JSON"
    PARQUET = "Parquet"


LocalDataTableFormat = S3TableFormat


class AWSCredentialType(_Choice):
    """How a resource of AWS is given its credentials."""

    ACCESS_KEY = "access_key"
    CONFIG_FILE_PATH = "config_file_path"
    CONFIG_FILE_CONTENT = "config_file_content"

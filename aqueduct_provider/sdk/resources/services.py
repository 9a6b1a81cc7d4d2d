"""The services that can be connected: what each is called, its fields, and which of them are secrets (pure).

In: a service's name, as people write it. Out: a :class:`Service`. Must not import: anything heavy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Family = Literal["airflow", "sql", "files", "mongodb"]


@dataclass(frozen=True)
class Service:
    """A kind of resource.

    :param name: as it is spelled in specs and in the configuration file.
    :param needed: fields without which it cannot be reached.
    :param optional: its other fields, without secrets.
    :param secrets: fields that are kept in the keyring.
    :param schemes: beginnings of URLs that lead to it.
    :param variables: fields that an environment variable overrides, beside secrets; None: all.
    """

    name: str
    family: Family
    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ("password",)
    schemes: tuple[str, ...] = ()
    variables: tuple[str, ...] | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """All its fields."""
        url = ("url",) if self.schemes else ()
        return tuple(dict.fromkeys((*self.needed, *self.optional, *self.secrets, *url)))

    @property
    def overridable(self) -> tuple[str, ...]:
        """The fields, without secrets, that an environment variable overrides."""
        every = [field for field in self.fields if field not in self.secrets]
        return tuple(every) if self.variables is None else self.variables


_AIRFLOW = Service(
    "Airflow",
    "airflow",
    needed=("host",),
    optional=(
        "username",
        "ca_file",
        "s3_credentials_path",
        "s3_credentials_profile",
        "connection_id",
        "dags_folder",
        "python_versions",
    ),
    secrets=("password", "token"),
    variables=("host", "username"),
)
_SERVER = ("host", "database", "username")
_SERVER_MORE = ("port", "options", "connection_id")
_AWS = ("type", "access_key_id", "config_file_path", "config_file_profile", "region", "connection_id")
_AWS_SECRETS = ("session_token", "secret_access_key", "config_file_content")
_GOOGLE_SECRETS = ("service_account_credentials",)

SERVICES = {
    service.name: service
    for service in (
        _AIRFLOW,
        Service("Postgres", "sql", _SERVER, _SERVER_MORE, schemes=("postgresql", "postgres")),
        Service("Redshift", "sql", _SERVER, _SERVER_MORE, schemes=("redshift", "postgresql", "postgres")),
        Service("MySQL", "sql", _SERVER, _SERVER_MORE, schemes=("mysql", "mariadb")),
        Service("MariaDB", "sql", _SERVER, _SERVER_MORE, schemes=("mariadb", "mysql")),
        Service(
            "SQLite", "sql", ("database",), ("options", "connection_id"), secrets=(), schemes=("sqlite",)
        ),
        Service("SQL Server", "sql", _SERVER, _SERVER_MORE, schemes=("mssql",)),
        Service("AzureSQL", "sql", _SERVER, _SERVER_MORE, schemes=("mssql",)),
        Service(
            "Snowflake",
            "sql",
            ("account_identifier", "database", "warehouse", "username"),
            ("schema", "role", "options", "connection_id"),
            schemes=("snowflake",),
        ),
        Service(
            "BigQuery",
            "sql",
            ("project_id",),
            ("service_account_credentials_path", "options", "connection_id"),
            secrets=_GOOGLE_SECRETS,
            schemes=("bigquery",),
        ),
        Service(
            "Athena",
            "sql",
            ("database", "output_location"),
            ("endpoint_url", "options", *_AWS),
            secrets=_AWS_SECRETS,
        ),
        Service("S3", "files", (), ("bucket", "root_dir", "endpoint_url", *_AWS), secrets=_AWS_SECRETS),
        Service(
            "GCS",
            "files",
            ("bucket",),
            (
                *("root_dir", "endpoint", "project_id", "options"),
                *("service_account_credentials_path", "connection_id"),
            ),
            secrets=_GOOGLE_SECRETS,
        ),
        Service(
            "MongoDB",
            "mongodb",
            ("auth_uri", "database"),
            ("connection_id",),
            secrets=("auth_uri",),
            schemes=("mongodb", "mongodb+srv"),
        ),
    )
}
# Only read: it can be no target of a load.
READ_ONLY = frozenset({"Athena"})
SECRETS = tuple(dict.fromkeys(secret for service in SERVICES.values() for secret in service.secrets))

_OTHER_NAMES = {"postgresql": "postgres", "mssql": "sqlserver", "mongo": "mongodb"}
_BY_WORD = {re.sub(r"[^a-z0-9]", "", name.lower()): service for name, service in SERVICES.items()}


def service_of(name: str) -> Service | None:
    """The service that people mean: case, spaces and signs do not count. None where there is no such one."""
    word = re.sub(r"[^a-z0-9]", "", name.lower())
    return _BY_WORD.get(_OTHER_NAMES.get(word, word))

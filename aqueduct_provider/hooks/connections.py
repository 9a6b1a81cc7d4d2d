"""From Airflow connections to the configurations of data systems (Aqueduct formats, section 6).

In: the id of a connection, which Airflow resolves from its database, its variables or a secrets backend, and
whose secrets it masks. Out: the fields that ``connectors/`` takes. Hooks of other providers are not needed:
their connection types are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from aqueduct_provider.compat import mask_secret
from aqueduct_provider.connectors.catalog import CONNECTORS
from aqueduct_provider.connectors.order import SystemOrder
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec.compiled_facts import secret_texts
from aqueduct_provider.spec.models import ExtractOperator, LoadOperator, WorkflowSpec

Config = dict[str, Any]

_SNOWFLAKE_FIELDS = ("database", "warehouse", "role")
_UNUSED_BY_AWS = frozenset({"role_arn", "profile_name", "aws_session_token", "session_kwargs"})
_AWS_FIELDS = ("database", "output_location", "bucket", "root_dir")


def system_for(workflow: WorkflowSpec, operator: ExtractOperator | LoadOperator) -> SystemOrder:
    """The data system of an extract or a load, with its credentials, which are masked from now on.

    :raises ConfigError: the connection is not there, or lacks something.
    """
    part = operator.source if isinstance(operator, ExtractOperator) else operator.target
    connectors = workflow.compiled.connectors if workflow.compiled else {}
    if operator.id in connectors:
        config: Mapping[str, Any] = connectors[operator.id]
    else:
        config = connection_config(part.connector, part.connection_id or "")
    for secret in secret_texts(config):
        mask_secret(secret)
    return SystemOrder(part.connector, config)


def connection_config(connector: str, connection_id: str) -> Config:
    """The configuration of a data system that an Airflow connection names.

    :raises ConfigError: there is no such connection, it is of another type, or fields are missing.
    """
    try:
        connection = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException as error:
        wanted = " or ".join(CONNECTORS[connector].connection_types)
        raise ConfigError(
            f"There is no Airflow connection {connection_id!r}, which the flow uses for {connector}. Add "
            f"one of type {wanted}, under Admin > Connections or with `airflow connections add`."
        ) from error
    if connection.conn_type not in CONNECTORS[connector].connection_types:
        wanted = " or ".join(CONNECTORS[connector].connection_types)
        raise ConfigError(
            f"The Airflow connection {connection_id!r} is of type {connection.conn_type!r}; for {connector} "
            f"it must be of type {wanted}."
        )
    config = _READERS[connector](connection, _extra(connection, connection_id))
    missing = [field for field in _NEEDED[connector] if not config.get(field)]
    if missing:
        raise ConfigError(
            f"The Airflow connection {connection_id!r} lacks what {connector} needs: "
            f"{', '.join(_PLACES.get(field, field) for field in missing)}."
        )
    return config


# How the form of Airflow calls our fields.
_PLACES = {"username": "login", "database": "schema (the database)", "account_identifier": "account in extra"}


def _extra(connection: Any, connection_id: str) -> Config:
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise ConfigError(f"The extra of the Airflow connection {connection_id!r} is not a JSON object.")
    return extra


def _server(connection: Any, extra: Config) -> Config:
    """A database server: all that the extra holds goes to the driver."""
    config: Config = {
        "username": connection.login or "",
        "password": connection.password or "",
        "host": connection.host or "",
        "database": connection.schema or extra.pop("database", ""),
        "options": {name: _option(value) for name, value in extra.items() if value not in (None, "")},
    }
    return {**config, "port": str(connection.port)} if connection.port else config


def _option(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _sqlite(connection: Any, _: Config) -> Config:
    # `sqlite:////path` has it as host or as schema, by the line of Airflow and by how it was added.
    return {"database": connection.host or connection.schema or ""}


def _snowflake(connection: Any, extra: Config) -> Config:
    plain = {name.removeprefix("extra__snowflake__"): value for name, value in extra.items()}
    config = {name: str(plain[name]) for name in _SNOWFLAKE_FIELDS if plain.get(name)}
    return {
        "username": connection.login or "",
        "password": connection.password or "",
        "account_identifier": plain.get("account") or connection.host or "",
        "schema": connection.schema or "public",
        **config,
    }


def _google(connection: Any, extra: Config) -> Config:
    plain = {name.removeprefix("extra__google_cloud_platform__"): value for name, value in extra.items()}
    keys = plain.get("keyfile_dict") or _file(connection, plain.get("key_path") or plain.get("keyfile_path"))
    return {
        "project_id": plain.get("project") or plain.get("project_id") or "",
        "service_account_credentials": keys if isinstance(keys, str) else json.dumps(keys),
        "bucket": plain.get("bucket") or "",
    }


def _file(connection: Any, path: str | None) -> str:
    """What a file on this worker holds, that the extra names as Google's hook does; empty: it names none."""
    try:
        return Path(path).read_text(encoding="utf-8") if path else ""
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The Airflow connection {connection.conn_id!r} names a key file that this worker cannot read: "
            f"{error}."
        ) from error


def _aws(connection: Any, extra: Config) -> Config:
    ignored = sorted(_UNUSED_BY_AWS & {name for name, value in extra.items() if value})
    if ignored:
        raise ConfigError(
            f"The Airflow connection {connection.conn_id!r} has {' and '.join(ignored)} in its extra, which "
            "Athena's connector does not take: give the keys as login and password, or leave them out, so "
            "that the worker's own credentials are used."
        )
    return {
        "type": "access_key",
        "access_key_id": connection.login or extra.get("aws_access_key_id", ""),
        "secret_access_key": connection.password or extra.get("aws_secret_access_key", ""),
        "region": extra.get("region_name", ""),
        **{name: extra[name] for name in _AWS_FIELDS if extra.get(name)},
    }


def _mongo(connection: Any, extra: Config) -> Config:
    """The URI; what the extra says beyond ``srv`` are its options, such as ``authSource``."""
    scheme = "mongodb+srv" if str(extra.pop("srv", "")).lower() in ("true", "1") else "mongodb"
    login = f"{quote(connection.login or '', safe='')}:{quote(connection.password or '', safe='')}@"
    place = f"{connection.host or ''}{f':{connection.port}' if connection.port else ''}"
    options = "&".join(f"{name}={quote(_option(value), safe='')}" for name, value in extra.items())
    uri = f"{scheme}://{login if connection.login else ''}{place}/{'?' if options else ''}{options}"
    return {"auth_uri": uri if connection.host else "", "database": connection.schema or ""}


_SERVER_FIELDS = ("host", "database")
_READERS: dict[str, Callable[[Any, Config], Config]] = {
    **dict.fromkeys(("Postgres", "Redshift", "MySQL", "MariaDB", "SQL Server", "AzureSQL"), _server),
    "SQLite": _sqlite,
    "Snowflake": _snowflake,
    "BigQuery": _google,
    "GCS": _google,
    "Athena": _aws,
    "MongoDB": _mongo,
}
_NEEDED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Postgres", "Redshift", "MySQL", "MariaDB", "SQL Server", "AzureSQL"), _SERVER_FIELDS),
    "SQLite": ("database",),
    "Snowflake": ("username", "account_identifier", "database", "warehouse"),
    "BigQuery": ("project_id",),
    "GCS": ("bucket",),
    "Athena": ("database", "output_location"),
    "MongoDB": ("auth_uri", "database"),
}

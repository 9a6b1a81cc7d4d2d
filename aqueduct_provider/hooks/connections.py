"""From Airflow connections to the configurations of data systems (Aqueduct formats, section 6).

In: the id of a connection, which Airflow resolves from its database, its variables or a secrets backend, and
whose secrets it masks. Out: the fields that ``connectors/`` takes. Hooks of other providers are not needed:
their connection types are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aqueduct_provider.compat import AirflowNotFoundException, BaseHook, mask_secret
from aqueduct_provider.connectors.registry import CONNECTORS
from aqueduct_provider.connectors.requests import SystemOrder
from aqueduct_provider.connectors.system_options import (
    OPTIONS,
    is_empty,
    option_problems,
    option_text,
    used_options,
)
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec.compiled_facts import secret_texts
from aqueduct_provider.spec.models import ExtractOperator, LoadOperator, WorkflowSpec
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.storage.files import expanded

Config = dict[str, Any]

_KEYS, _INSECURE = "service_account_credentials", "tlsAllowInvalidCertificates"


def mask(secrets: Iterable[str], redact: Redactor) -> None:
    """Mask secrets from now on, in what the task and what Airflow itself writes.

    :param redact: that of the task, which knows more spellings than Airflow.
    """
    secrets = tuple(secrets)
    redact.add(secrets)
    for secret in secrets:
        mask_secret(secret)


def system_for(
    workflow: WorkflowSpec, operator: ExtractOperator | LoadOperator, redact: Redactor | None = None
) -> SystemOrder:
    """The data system of an extract or a load, with its credentials, which are masked from now on.

    :param redact: that of the task; None: only Airflow learns the secrets.
    :raises ConfigError: the connection is not there, or lacks something.
    """
    part = operator.source if isinstance(operator, ExtractOperator) else operator.target
    connectors = workflow.compiled.connectors if workflow.compiled else {}
    if operator.id in connectors:
        config: Mapping[str, Any] = connectors[operator.id]
    else:
        config = connection_config(part.connector, part.connection_id or "")
    mask(secret_texts(config), redact or Redactor())
    return SystemOrder(part.connector, config)


_GENERIC = (
    " Airflow stores generic where no installed provider knows the type that `airflow connections add "
    "--conn-type` names: give it with --conn-json instead."
)


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
            f"it must be of type {wanted}.{_GENERIC if connection.conn_type == 'generic' else ''}"
        )
    extra = _checked_extra(connector, _extra(connection, connection_id), connection_id)
    config = _READERS[connector](connection, extra)
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


@dataclass(frozen=True)
class _Extra:
    """The extra of a connection.

    :param fields: those that are fields of the configuration, by our names; nothing empty.
    :param options: those that are used or passed on, as text.
    :param plain: all of it, by Airflow's names without their old prefix; nothing empty.
    """

    plain: Config
    fields: Config
    options: dict[str, str]


def _checked_extra(connector: str, extra: Config, connection_id: str) -> _Extra:
    """Sort the extra into fields and options.

    :raises ConfigError: the connector cannot use a part of it; names all such parts, and no value.
    """
    rules = OPTIONS[connector]
    plain = {name.removeprefix(rules.prefix): value for name, value in extra.items()}
    filled = {name: value for name, value in plain.items() if not is_empty(value)}
    fields = {rules.fields[name]: value for name, value in filled.items() if name in rules.fields}
    options = {name: value for name, value in filled.items() if name not in rules.fields}
    if problems := list(option_problems(connector, options)):
        raise ConfigError(
            f"The extra of the Airflow connection {connection_id!r} has what {connector} cannot use:"
            f" {'; '.join(problems)}. Correct it there, or make a connection for this flow."
        )
    return _Extra(filled, fields, used_options(connector, options))


def _server(connection: Any, extra: _Extra) -> Config:
    """A database server: all that the extra holds goes to the driver."""
    config: Config = {
        "username": connection.login or "",
        "password": connection.password or "",
        "host": connection.host or "",
        "database": extra.fields.get("database") or connection.schema or "",
        "options": extra.options,
    }
    return {**config, "port": str(connection.port)} if connection.port else config


def _sqlite(connection: Any, extra: _Extra) -> Config:
    # `sqlite:////path` has it as host or as schema, by the line of Airflow and by how it was added.
    path = connection.host or connection.schema or extra.fields.get("database") or ""
    return {"database": path, **_options(extra)}


def _options(extra: _Extra) -> Config:
    return {"options": extra.options} if extra.options else {}


def _snowflake(connection: Any, extra: _Extra) -> Config:
    options = dict(extra.options)
    account = str(extra.fields.get("account_identifier", ""))
    if account:
        # Beside an account, a host is an address.
        addresses = {"host": connection.host, "port": connection.port}
        options = {**{name: str(found) for name, found in addresses.items() if found}, **options}
    texts = {name: str(value) for name, value in extra.fields.items()}
    return {
        "username": connection.login or "",
        "password": connection.password or "",
        "schema": connection.schema or "public",
        **texts,
        "account_identifier": account or connection.host or "",
        **({"options": options} if options else {}),
    }


def _google(connection: Any, extra: _Extra) -> Config:
    config = {name: str(value) for name, value in extra.fields.items() if name != _KEYS}
    plain = extra.plain
    keys = plain.get("keyfile_dict") or _file(connection, plain.get("key_path") or plain.get("keyfile_path"))
    return {"project_id": "", "bucket": "", **config, _KEYS: option_text(keys), **_options(extra)}


def _file(connection: Any, path: str | None) -> str:
    """What a file on this worker holds, that the extra names as Google's hook does; empty: it names none."""
    try:
        return expanded(path).read_text(encoding="utf-8") if path else ""
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The Airflow connection {connection.conn_id!r} names a key file that this worker cannot read: "
            f"{error}."
        ) from error


def _aws(connection: Any, extra: _Extra) -> Config:
    fields = {name: str(value) for name, value in extra.fields.items()}
    if connection.login and fields.get("config_file_profile"):
        raise ConfigError(
            f"The Airflow connection {connection.conn_id!r} has keys and a profile_name, of which only one"
            " can be used. Remove the other."
        )
    return {
        "type": "access_key",
        "database": connection.schema or "",
        "region": "",
        **fields,
        "access_key_id": connection.login or fields.get("access_key_id", ""),
        "secret_access_key": connection.password or fields.get("secret_access_key", ""),
        **_options(extra),
    }


def _mongo(connection: Any, extra: _Extra) -> Config:
    """The URI; what the extra says beyond ``srv`` are its options, such as ``authSource``."""
    fields = dict(extra.fields)
    scheme = "mongodb+srv" if option_text(fields.pop("srv", "")).lower() in ("true", "1") else "mongodb"
    login = f"{quote(connection.login or '', safe='')}:{quote(connection.password or '', safe='')}@"
    place = f"{connection.host or ''}{f':{connection.port}' if connection.port else ''}"
    if option_text(fields.get(_INSECURE, "")).lower() not in ("true", "1"):
        # Without TLS, pymongo refuses to be told anything about it.
        fields.pop(_INSECURE, None)
    values = {**{name: option_text(value) for name, value in fields.items()}, **extra.options}
    options = "&".join(f"{name}={quote(_uri_value(value), safe='')}" for name, value in values.items())
    uri = f"{scheme}://{login if connection.login else ''}{place}/{'?' if options else ''}{options}"
    return {"auth_uri": uri if connection.host else "", "database": connection.schema or ""}


def _uri_value(text: str) -> str:
    """An object or a list as a MongoDB URI has them."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, dict):
        return ",".join(f"{name}:{one}" for name, one in value.items())
    return ",".join(map(str, value)) if isinstance(value, list) else text


_SERVER_FIELDS = ("host", "database")
_READERS: dict[str, Callable[[Any, _Extra], Config]] = {
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

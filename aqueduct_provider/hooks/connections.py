"""Turn Airflow connections into configurations of data systems (Aqueduct formats, section 6).

In: the id of a connection, which Airflow resolves from its database, its variables or a secrets backend, and
whose secrets it masks. Out: the fields that ``connectors/`` takes. Hooks of other providers are not needed:
their connection types are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aqueduct_provider.compat import AirflowNotFoundException, BaseHook, mask_secret
from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.requests import SystemOrder
from aqueduct_provider.connectors.system import Extra, is_empty
from aqueduct_provider.connectors.system_options import option_problems, used_options
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.spec.compiled_facts import secret_texts
from aqueduct_provider.spec.models import ExtractOperator, LoadOperator, WorkflowSpec
from aqueduct_provider.spec.redactor import Redactor

Config = dict[str, Any]


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
    """Return the data system of an extract or a load, with its credentials, which are masked from then on.

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
    """Return the configuration of a data system that an Airflow connection names.

    :raises ConfigError: the connection does not exist, is of another type, or lacks fields.
    """
    system = registry.get(connector)
    try:
        connection = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException as error:
        use = f", which the flow uses for {connector}"
        raise missing_connection(connection_id, system.connection_types, use) from error
    if system.connection_types and connection.conn_type not in system.connection_types:
        wanted = " or ".join(system.connection_types)
        raise ConfigError(
            f"The Airflow connection {connection_id!r} is of type {connection.conn_type!r}; for {connector} "
            f"it must be of type {wanted}.{_GENERIC if connection.conn_type == 'generic' else ''}"
        )
    extra = _checked_extra(connector, _extra(connection, connection_id), connection_id)
    config = system.config_of_connection(connection, extra)
    missing = [field for field in system.needed_of_connection if not config.get(field)]
    if missing:
        raise ConfigError(
            f"The Airflow connection {connection_id!r} lacks what {connector} needs: "
            f"{', '.join(_PLACES.get(field, field) for field in missing)}."
        )
    return config


def missing_connection(connection_id: str, types: Collection[str], use: str = "") -> ConfigError:
    """Return the error for a connection that Airflow does not find.

    :param types: those that it may be of; empty: any.
    :param use: what it is for, behind a comma.
    """
    wanted = f"type {' or '.join(types)}" if types else "any type"
    subject = f"the connection {connection_id!r}{use}"
    # Airflow goes on as if a variable that it cannot parse were not there.
    variable = f"AIRFLOW_CONN_{connection_id.upper()}"
    if os.environ.get(variable):
        return ConfigError(
            f"Airflow cannot read {subject}, in the variable {variable}: it must be a URL, or valid "
            f"JSON with a conn_type, of {wanted}. Correct it."
        )
    return ConfigError(
        f"Airflow has no {subject.removeprefix('the ')}. Add one of {wanted}, under Admin > Connections "
        "or with `airflow connections add`."
    )


# How the form of Airflow calls our fields.
_PLACES = {"username": "login", "database": "schema (the database)", "account_identifier": "account in extra"}


def _extra(connection: Any, connection_id: str) -> Config:
    try:
        extra = json.loads(connection.extra or "{}")
    except (ValueError, RecursionError):
        extra = None
    if not isinstance(extra, dict):
        raise ConfigError(f"The extra of the Airflow connection {connection_id!r} is not a JSON object.")
    return extra


def _checked_extra(connector: str, extra: Config, connection_id: str) -> Extra:
    """Sort the extra into fields and options.

    :raises ConfigError: the connector cannot use a part of it; names all such parts, and no value.
    """
    rules = registry.get(connector).options
    plain = {name.removeprefix(rules.prefix): value for name, value in extra.items()}
    filled = {name: value for name, value in plain.items() if not is_empty(value)}
    fields = {rules.fields[name]: value for name, value in filled.items() if name in rules.fields}
    options = {name: value for name, value in filled.items() if name not in rules.fields}
    if problems := list(option_problems(connector, options)):
        raise ConfigError(
            f"The extra of the Airflow connection {connection_id!r} has what {connector} cannot use:"
            f" {'; '.join(problems)}. Correct it there, or make a connection for this flow."
        )
    return Extra(filled, fields, used_options(connector, options))

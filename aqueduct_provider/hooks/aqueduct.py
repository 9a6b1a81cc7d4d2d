"""From Airflow to the artifact store: a connection, or what a spec says, becomes an ``S3Store``.

In: connections of type ``aqueduct``, the ``[aqueduct]`` section, specs. Out: settings and stores. The form of
the connection is in ``get_provider_info.py``, which Airflow 3.2 and newer read; older lines ask the hook
for it. Every secret is registered with Airflow's masker as soon as it is seen.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aqueduct_provider import config
from aqueduct_provider.compat import AirflowNotFoundException, BaseHook
from aqueduct_provider.errors import AqueductError, ConfigError
from aqueduct_provider.execution.known_secrets import store_secrets
from aqueduct_provider.get_provider_info import get_provider_info
from aqueduct_provider.hooks.connections import mask, missing_connection, system_for
from aqueduct_provider.spec.document import json_value
from aqueduct_provider.spec.models import ConnectionStore, ExtractOperator, LoadOperator, WorkflowSpec
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.storage import gcs
from aqueduct_provider.storage.layout import DEFAULT_CONNECTION
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.storage.patience import IMPATIENT, Patience
from aqueduct_provider.storage.read_budget import ReadBudget
from aqueduct_provider.storage.s3 import S3Settings, S3Store, connect
from aqueduct_provider.storage.s3_connector import connector_settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FORM: Mapping[str, Any] = get_provider_info()["connection-types"][0]
_FIELDS: Mapping[str, Mapping[str, Any]] = _FORM["conn-fields"]


class AqueductHook(BaseHook):
    """The artifact store behind an Airflow connection of type ``aqueduct``.

    :param aqueduct_conn_id: id of the connection.

    Example::

        store = AqueductHook("aqueduct_default").store()
        print(*store.list("flows/"), sep="\\n")
    """

    conn_name_attr = "aqueduct_conn_id"
    default_conn_name = DEFAULT_CONNECTION
    conn_type = "aqueduct"
    hook_name = "Aqueduct artifact store"

    def __init__(self, aqueduct_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.aqueduct_conn_id = aqueduct_conn_id

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the fields of the form, for Airflow before 3.2."""
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
        from flask_babel import lazy_gettext
        from wtforms import StringField

        return {
            name: StringField(
                lazy_gettext(field["label"]), description=field["description"], widget=BS3TextFieldWidget()
            )
            for name, field in _FIELDS.items()
        }

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return which usual fields the form hides, for Airflow before 3.2."""
        behaviour = deepcopy(_FORM["ui-field-behaviour"])
        return {name.replace("-", "_"): value for name, value in behaviour.items()}

    def settings(self) -> S3Settings:
        """Read what the connection and the ``[aqueduct]`` section say.

        :raises ConfigError: the connection does not exist or is not valid; names every problem.
        """
        try:
            connection = self.get_connection(self.aqueduct_conn_id)
        except AirflowNotFoundException as error:
            raise missing_connection(self.aqueduct_conn_id, (self.conn_type,)) from error
        fields, problems = _read_extra(connection.extra)
        if connection.conn_type != self.conn_type:
            problems.append(f"its type is {connection.conn_type!r}, not {self.conn_type!r}")
        if connection.login or connection.password:
            problems.append("login and password are not used: name an S3 credentials path instead")
        _raise_problems(f"The Airflow connection {self.aqueduct_conn_id!r}", problems)
        return S3Settings(**fields, **_requests())

    def store(self, patience: Patience = IMPATIENT) -> S3Store:
        """Return the store. Raises ``ConfigError`` or ``CredentialsError``."""
        return connect(self.settings(), patience)

    def get_conn(self) -> S3Client:
        """Return the S3 client of botocore behind the store."""
        return self.store().client

    def test_connection(self) -> tuple[bool, str]:
        """List the bucket; return whether that went well, and a sentence for users."""
        try:
            store = self.store()
            store.check()
        except AqueductError as error:
            return False, str(error)
        return True, f"{store.url('')} at {store.client.meta.endpoint_url} can be listed."


def store_for(
    workflow: WorkflowSpec, patience: Patience = IMPATIENT, redact: Redactor | None = None
) -> S3Store:
    """Return the artifact store of a flow.

    :param patience: that of the task, should it be one that asks.
    :param redact: masks what the task writes; learns the keys of the store.
    :raises ConfigError: the connection or the settings in the spec are wrong.
    :raises CredentialsError: the credentials are not available.
    """
    mask(workflow.secrets, redact or Redactor())
    where = workflow.artifact_store
    if isinstance(where, ConnectionStore):
        return _known(AqueductHook(where.connection_id).store(patience), redact)
    keys = workflow.compiled.access_keys if workflow.compiled else None
    settings = S3Settings(
        bucket=where.bucket,
        region=where.region,
        root_dir=where.root_dir,
        endpoint_url=where.endpoint_url or "",
        credentials_path=where.credentials_path,
        credentials_profile=where.credentials_profile,
        access_keys=(keys[0].get_secret_value(), keys[1].get_secret_value()) if keys else None,
        **_requests(),
    )
    return _known(connect(settings, patience), redact)


def page_store(connection_id: str, budget: ReadBudget, redact: Redactor) -> S3Store:
    """Return the artifact store of a connection for a page, which does not wait long.

    :param budget: bytes that ``get`` returns at most.
    :param redact: masks what the page shows of errors; learns the keys of the store.
    :raises ConfigError: the connection is missing or wrong.
    :raises CredentialsError: the credentials are not available.
    """
    settings = AqueductHook(connection_id).settings()
    store = connect(replace(settings, max_attempts=2, connect_timeout=2.0, read_timeout=10.0), IMPATIENT)
    store.budget = budget
    return _known(store, redact)


def store_for_connector(
    workflow: WorkflowSpec,
    operator: ExtractOperator | LoadOperator,
    patience: Patience = IMPATIENT,
    redact: Redactor | None = None,
) -> ObjectStore:
    """Return the store of an extract or load of files: its connector's, connection's or flow's.

    :param patience: as for :func:`store_for`.
    :param redact: as for :func:`store_for`.
    :raises ConfigError: the connector's configuration or the connection is wrong.
    :raises CredentialsError: the credentials are not available.
    """
    part = operator.source if isinstance(operator, ExtractOperator) else operator.target
    connectors = workflow.compiled.connectors if workflow.compiled else {}
    if part.connector == "GCS":
        return gcs.connect(gcs.connector_settings(system_for(workflow, operator, redact).config), patience)
    if operator.id in connectors:
        config = system_for(workflow, operator, redact).config
        return _known(connect(connector_settings(config, **_requests()), patience), redact)
    if not part.connection_id:
        return store_for(workflow, patience, redact)
    return _known(AqueductHook(part.connection_id).store(patience), redact)


def _known(store: S3Store, redact: Redactor | None) -> S3Store:
    """Return the store, once its keys are masked where there is a task that could write them."""
    if redact is not None:
        mask(store_secrets(store), redact)
    return store


def _requests() -> dict[str, Any]:
    return {
        "retry_mode": config.s3_retry_mode(),
        "max_attempts": config.s3_max_attempts(),
        "connect_timeout": config.s3_connect_timeout(),
        "read_timeout": config.s3_read_timeout(),
        "max_connections": config.parallel_requests(),
    }


def _read_extra(extra: str | None) -> tuple[dict[str, Any], list[str]]:
    """Return the connection's own fields, and what is wrong with them."""
    try:
        given = json_value(extra or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return {}, ["its extra is not a JSON object"]
    # Forms save what was left empty as null or as an empty text.
    filled = {name: value for name, value in given.items() if value not in (None, "")}
    problems = [_unknown(name) for name in filled if name not in _FIELDS]
    fields = {name: value for name, value in filled.items() if name in _FIELDS}
    problems += [f"{name} must be text" for name, value in fields.items() if not isinstance(value, str)]
    if "bucket" not in fields:
        problems.append("bucket is missing")
    return fields, problems


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, _FIELDS, n=1)
    return f"unknown field {name!r}" + (f", did you mean {close[0]!r}?" if close else "")


def _raise_problems(subject: str, problems: list[str]) -> None:
    if problems:
        count = f"{len(problems)} problem" + ("s" if len(problems) != 1 else "")
        raise ConfigError(f"{subject} has {count}: {'; '.join(problems)}.")

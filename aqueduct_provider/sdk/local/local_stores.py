"""The stores of a local run: those that are available without Airflow.

In: a spec. Out: stores, or an error that says what only Airflow knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import ConfigError

if TYPE_CHECKING:
    from aqueduct_provider.sdk.local.systems import Find
    from aqueduct_provider.spec.models import ExtractOperator, LoadOperator, WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore

_FIELDS = ("bucket", "region", "root_dir", "endpoint_url", "credentials_path", "credentials_profile")


def store_of_spec(spec: WorkflowSpec, overrides: Mapping[str, str] | None = None) -> ObjectStore:
    """Return the S3 artifact store that a spec names.

    :param overrides: fields of ``S3Settings`` that beat the spec's, whose credentials file is one of the
        Airflow machines.
    :raises ConfigError: the spec names an Airflow connection instead, or the settings are wrong.
    :raises CredentialsError: no credentials were found on this machine.
    """
    from aqueduct_provider.spec.models import ConnectionStore
    from aqueduct_provider.storage import s3

    where, given = spec.artifact_store, overrides or {}
    if isinstance(where, ConnectionStore):
        raise ConfigError(
            f"The artifact store of {spec.flow.name!r} is that of the Airflow connection"
            f" {where.connection_id!r}, which only Airflow knows."
        )
    fields: dict[str, Any] = {name: given.get(name) or getattr(where, name) or "" for name in _FIELDS}
    keys = spec.compiled.access_keys if spec.compiled else None
    if keys and not (given.get("credentials_path") or given.get("credentials_profile")):
        fields["access_keys"] = tuple(key.get_secret_value() for key in keys)
    return s3.connect(s3.S3Settings(**fields))


def connector_store(
    spec: WorkflowSpec, store: ObjectStore, find: Find, operator: ExtractOperator | LoadOperator
) -> ObjectStore:
    """Return the store that an extract of files reads or a load of files writes.

    :param store: the flow's artifact store.
    :param find: finds the resource of a connection.
    :raises ConfigError: no resource is connected for its connection, or a configuration is wrong.
    :raises CredentialsError: no credentials were found on this machine.
    """
    from aqueduct_provider.sdk.resources.files_resource import FilesResource
    from aqueduct_provider.spec.models import ConnectionStore, ExtractOperator
    from aqueduct_provider.storage import s3
    from aqueduct_provider.storage.s3_connector import connector_settings

    place = operator.source if isinstance(operator, ExtractOperator) else operator.target
    connectors = spec.compiled.connectors if spec.compiled else {}
    if operator.id in connectors:
        config = connectors[operator.id]
        if place.connector == "GCS":
            from aqueduct_provider.storage import gcs, gcs_connector

            return gcs.connect(gcs_connector.connector_settings(config))
        return s3.connect(connector_settings(config))
    own = spec.artifact_store
    same = isinstance(own, ConnectionStore) and own.connection_id == place.connection_id
    if place.connection_id is None or same:
        return store
    resource = find(place.connection_id, place.connector)
    if not isinstance(resource, FilesResource):
        raise ConfigError(f"The resource {resource.name()!r} holds no files.")
    return resource.store()

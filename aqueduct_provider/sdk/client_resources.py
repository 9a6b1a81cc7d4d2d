"""The client's resources: connected, listed, found and forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, overload

from aqueduct_provider.sdk.console import print_text
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods
from aqueduct_provider.sdk.publishing.rehearsal import current_rehearsal, not_while_rehearsing

if TYPE_CHECKING:
    from aqueduct_provider.sdk.enums import AirflowService, FilesService, MongoService, SqlService
    from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
    from aqueduct_provider.sdk.resources.create_resource import Resource
    from aqueduct_provider.sdk.resources.files_resource import FilesResource
    from aqueduct_provider.sdk.resources.mongodb_resource import MongoResource
    from aqueduct_provider.sdk.resources.sql_resource import SqlResource
    from aqueduct_provider.sdk.session import Session


@suggest_keywords_of_methods
class ResourceMethods:
    """The methods of a client that concern resources."""

    _session: Session

    def connect_resource(self, name: str, service: str, config: Mapping[str, Any]) -> None:
        """Connect a resource under a name, and check the connection at once.

        For ``"Airflow"``: ``host`` (``host:port`` or a URL), ``username`` and ``password``, or ``token``;
        ``s3_credentials_path`` and ``s3_credentials_profile`` as they are on the Airflow machines, or
        ``connection_id`` of an Airflow connection of type ``aqueduct``; ``dags_folder`` to deliver specs into
        a folder instead of S3; ``ca_file``; ``python_versions``. Passwords and tokens are kept in the
        system's keyring where there is one, else in the configuration file.

        For a data system, such as ``"Postgres"`` or ``"S3"`` (``docs/data-systems.md`` lists them): its
        fields, or ``url`` in place of them; ``connection_id``: the Airflow connection by which runs reach it.

        :raises ConfigError: the configuration is wrong.
        :raises AirflowError: the connection to an Airflow does not work.
        :raises DataSystemError: the connection to a data system does not work.

        ::

            client.connect_resource("warehouse", "Postgres", {"url": url, "connection_id": "warehouse"})
        """
        from aqueduct_provider.sdk.resources.connecting import connect_resource

        print_text(
            connect_resource(self._session, name, service, config, rehearsed=bool(current_rehearsal()))
        )

    def list_resources(self) -> dict[str, Resource]:
        """Return the connected resources by name, without ``Demo``; warn of those that cannot be used."""
        from aqueduct_provider.sdk.resources.connecting import usable_resources

        self._session.refresh()
        return usable_resources(self._session)

    @overload
    def resource(self, name: str, service: AirflowService) -> AirflowResource: ...
    @overload
    def resource(self, name: str, service: SqlService) -> SqlResource: ...
    @overload
    def resource(self, name: str, service: FilesService) -> FilesResource: ...
    @overload
    def resource(self, name: str, service: MongoService) -> MongoResource: ...
    @overload
    def resource(self, name: str, service: None = None) -> Any: ...
    def resource(self, name: str, service: str | None = None) -> Any:
        """Return the connected resource with this name; ``"Demo"`` is a small database that always exists.

        :param service: what the resource must be, such as ``"Postgres"``: editors then know its methods.
        :return: an ``AirflowResource``, ``SqlResource``, ``FilesResource`` or ``MongoResource``.
        :raises NotFound: there is none.
        :raises AuthoringError: it is of another service, or the service is unknown.
        """
        self._session.refresh()
        found = self._session.resource(name)
        if service is not None:
            from aqueduct_provider.sdk.resources.create_resource import check_service

            check_service(found, service)
        return found

    @not_while_rehearsing
    def delete_resource(self, name: str) -> None:
        """Forget a resource and its secrets; flows that were published with it go on. Raises ``NotFound``."""
        self._session.profile.delete_resource(name)
        self._session.forget(name)

    # The original's older names.
    connect_integration = connect_resource
    list_integrations = list_resources
    integration = resource
    delete_integration = delete_resource

    def describe(self) -> None:
        """Print the artifact store and the resources."""
        from aqueduct_provider.sdk.resources.connecting import print_surroundings

        print_surroundings(self._session)

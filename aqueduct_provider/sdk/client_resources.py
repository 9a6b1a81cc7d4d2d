"""The client's resources: connected, listed, found and forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aqueduct_provider.sdk.console import print_text
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods
from aqueduct_provider.sdk.publishing.rehearsal import current_rehearsal, not_while_rehearsing

if TYPE_CHECKING:
    from aqueduct_provider.sdk.resources.create_resource import Resource
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

    def resource(self, name: str) -> Any:
        """Return the connected resource with this name; ``"Demo"`` is a small database that always exists.

        :return: an ``AirflowResource``, ``SqlResource``, ``FilesResource`` or ``MongoResource``.
        :raises NotFound: there is none.
        """
        self._session.refresh()
        return self._session.resource(name)

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

"""Make the object that users work with from a kept resource, by the class of its family."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AuthoringError, ConfigError
from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
from aqueduct_provider.sdk.resources.data_system import ConnectedSystem
from aqueduct_provider.sdk.resources.files_resource import FilesResource
from aqueduct_provider.sdk.resources.mongodb_resource import MongoResource
from aqueduct_provider.sdk.resources.profile import ResourceProfile
from aqueduct_provider.sdk.resources.services import service_names, service_of
from aqueduct_provider.sdk.resources.sql_resource import SqlResource
from aqueduct_provider.sdk.suggest import suggestion

if TYPE_CHECKING:
    from aqueduct_provider.storage.object_store import ObjectStore

Resource = AirflowResource | ConnectedSystem


def resource_from(profile: ResourceProfile, store: Callable[[], ObjectStore]) -> Resource:
    """Return the resource that the profile describes.

    :param store: the client's artifact store, connected when it is needed.
    :raises ConfigError: the service is unknown, or its configuration is wrong.
    """
    service = service_of(profile.service)
    if service is None:
        raise ConfigError(
            f"The resource {profile.name!r} is of service {profile.service!r}, which cannot be connected."
            f"{suggestion(profile.service, service_names())}"
        )
    match service.family:
        case "airflow":
            return AirflowResource(profile.name, profile.fields)
        case "sql":
            return SqlResource(service, profile.name, profile.fields)
        case "files":
            return FilesResource(service, profile.name, profile.fields, store)
        case "mongodb":
            return MongoResource(service, profile.name, profile.fields)


def check_service(resource: Resource, expected: str) -> None:
    """Check that a resource is of the service that a user expects.

    :raises AuthoringError: it is not, or the service is unknown.
    """
    word = str(getattr(expected, "value", expected))
    service, name = service_of(word), resource.name()
    if service is None:
        raise AuthoringError(f"The service {word!r} is unknown.{suggestion(word, service_names())}")
    actual = resource.service.name if isinstance(resource, ConnectedSystem) else "Airflow"
    if service.name != actual:
        raise AuthoringError(
            f"The resource {name!r} is of service {actual!r}, not {service.name!r}. Name another "
            f"resource, or ask for client.resource({name!r}, {actual!r})."
        )

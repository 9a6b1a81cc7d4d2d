"""Look up the services that can be connected, with their fields and secrets (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.system import DataSystem, Family


@dataclass(frozen=True)
class Service:
    """A kind of resource.

    :param name: as it is spelled in specs and in the configuration file.
    :param needed: fields without which it cannot be reached.
    :param optional: its other fields, without secrets.
    :param secrets: fields that are kept in the keyring.
    :param schemes: beginnings of URLs that lead to it.
    :param variables: fields that an environment variable overrides, next to secrets; None: all.
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


def _service(system: DataSystem) -> Service:
    return Service(system.name, system.family, system.needed, system.optional, system.secrets, system.schemes)


SERVICES = {service.name: service for service in (_AIRFLOW, *map(_service, registry.built_in().values()))}
SECRETS = tuple(dict.fromkeys(secret for service in SERVICES.values() for secret in service.secrets))


def service_of(name: str) -> Service | None:
    """Return the service that a user means: case, spaces and signs do not count; None: there is none."""
    if name.strip().lower() == _AIRFLOW.name.lower():
        return _AIRFLOW
    system = registry.find_typed(name)
    return SERVICES.get(system.name) or _service(system) if system else None


def service_names() -> tuple[str, ...]:
    """Return the names of all services, those of other installed packages too."""
    return (*SERVICES, *registry.registered())

"""Look up the services that can be connected, with their fields and secrets (pure).

They are the data systems, and Airflow, which is described as one.
"""

from __future__ import annotations

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.system import DataSystem

_AIRFLOW = DataSystem(
    "Airflow",
    family="airflow",
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
)

SERVICES = {"Airflow": _AIRFLOW, **registry.built_in()}
SECRETS = tuple(dict.fromkeys(secret for service in SERVICES.values() for secret in service.secrets))


def overridable(service: DataSystem) -> tuple[str, ...]:
    """Return the fields, without secrets, that an environment variable overrides."""
    if service is _AIRFLOW:
        return ("host", "username")
    return tuple(field for field in service.fields if field not in service.secrets)


def service_of(name: str) -> DataSystem | None:
    """Return the service that a user means: case, spaces and signs do not count; None: there is none."""
    return _AIRFLOW if name.strip().lower() == "airflow" else registry.find_typed(name)


def service_names() -> tuple[str, ...]:
    """Return the names of all services, those of other installed packages too."""
    return (*SERVICES, *registry.registered())

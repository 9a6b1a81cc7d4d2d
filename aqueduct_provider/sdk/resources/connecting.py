"""The client's resources: check that one answers, then keep it; list what is kept."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import ConfigError, CredentialsError

if TYPE_CHECKING:
    from aqueduct_provider.sdk.resources.resources import AirflowResource
    from aqueduct_provider.sdk.session import Session

log = logging.getLogger("aqueduct")


def connect_resource(session: Session, name: str, service: str, config: Mapping[str, Any]) -> str:
    """Check a resource and keep it in the profile; a sentence that says what was reached.

    :raises ConfigError: the configuration is wrong; nothing was kept.
    :raises AirflowError: the resource does not answer as it should; nothing was kept.
    """
    from aqueduct_provider.sdk.resources.profile import ResourceProfile
    from aqueduct_provider.sdk.resources.resources import resource_from

    if not isinstance(config, Mapping):
        raise ConfigError(
            f"The configuration of {name!r} must be a dict such as {{'host': ...}}, not a "
            f"{type(config).__name__}."
        )
    profile = ResourceProfile(name, str(getattr(service, "value", service)), dict(config))
    verdict = resource_from(profile).check_connection()
    kept_in = session.profile.save_resource(profile)
    session.forget(name)
    secret = f" Its secret is kept in {kept_in}." if kept_in else ""
    return f"Connected {name!r}: {verdict}{secret}"


def usable_resources(session: Session) -> dict[str, AirflowResource]:
    """The connected resources by name; those that cannot be used are left out, and logged."""
    found: dict[str, AirflowResource] = {}
    for name in session.profile.services():
        try:
            found[name] = session.resource(name)
        except ConfigError as error:
            log.warning("%s", error)
    return found


def print_surroundings(session: Session) -> None:
    """Print the artifact store and the connected resources; what cannot be used, with the reason."""
    from aqueduct_provider.sdk.display.tables import console, plain_table

    out = console()
    try:
        store = session.store.url("")
    except (ConfigError, CredentialsError) as error:
        store = f"cannot be used: {error}"
    out.print(f"Artifact store: {store}")
    services = session.profile.services()
    rows = [(name, service, *_place(session, name)) for name, service in services.items()]
    if not rows:
        out.print(
            'No resource is connected: client.connect_resource(name, "Airflow", {"host": ...}) does it.'
        )
        return
    out.print()
    out.print(plain_table(("resource", "service", "host", ""), rows))


def _place(session: Session, name: str) -> tuple[str, str]:
    """The resource's host; why it cannot be used."""
    try:
        return session.resource(name).host, ""
    except ConfigError as error:
        return "", str(error)

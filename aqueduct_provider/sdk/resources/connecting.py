"""The client's resources: check that one answers, then keep it; list what is kept."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AqueductError, ConfigError, CredentialsError
from aqueduct_provider.spec.url_credentials import without_credentials

if TYPE_CHECKING:
    from aqueduct_provider.sdk.resources.create_resource import Resource
    from aqueduct_provider.sdk.resources.profile import ResourceProfile
    from aqueduct_provider.sdk.session import Session

log: logging.Logger = logging.getLogger("aqueduct")


def connect_resource(
    session: Session, name: str, service: str, config: Mapping[str, Any], *, rehearsed: bool = False
) -> str:
    """Check a resource and keep it in the profile; a sentence that says what was reached.

    :param rehearsed: connect no Airflow, for nothing is published.
    :raises ConfigError: the configuration is wrong; nothing was kept.
    :raises AirflowError: Airflow does not answer as it should; nothing was kept.
    :raises DataSystemError: the data system does not; nothing was kept.
    :raises StorageError: the bucket does not; nothing was kept.
    """
    from aqueduct_provider.sdk.resources.create_resource import resource_from
    from aqueduct_provider.sdk.resources.profile import ResourceProfile
    from aqueduct_provider.sdk.resources.services import service_of

    if not isinstance(config, Mapping):
        raise ConfigError(
            f"The configuration of {name!r} must be a dict such as {{'host': ...}}, not a "
            f"{type(config).__name__}."
        )
    # By this field the original's server made a resource the artifact store, too.
    if str(config.get("use_as_storage", "false")).lower() not in ("false", ""):
        raise ConfigError(
            f"{name!r} cannot be made the artifact store by use_as_storage: name its bucket in "
            "aq.Client(bucket=...), in AQUEDUCT_BUCKET, or under [store] of the configuration file."
        )
    config = {key: value for key, value in config.items() if key != "use_as_storage"}
    word = str(getattr(service, "value", service))
    known = service_of(word)
    if rehearsed and known and known.family == "airflow":
        return f"{name!r} is not connected, for nothing is published."
    profile = ResourceProfile(name, known.name if known else word, config)
    resource = resource_from(profile, lambda: session.store)
    verdict = resource.check_connection()
    kept_in = session.profile.save_resource(_to_be_kept(profile, resource))
    session.forget(name)
    secret = f" Its secret is kept in {kept_in}." if kept_in else ""
    return f"Connected {name!r}: {verdict}{secret}"


def _to_be_kept(profile: ResourceProfile, resource: Resource) -> ResourceProfile:
    """Return what is stored: of a data system single fields, so that no URL with a password is among them."""
    from aqueduct_provider.sdk.resources.data_system import ConnectedSystem

    return replace(profile, fields=resource.fields) if isinstance(resource, ConnectedSystem) else profile


def usable_resources(session: Session) -> dict[str, Resource]:
    """Return the connected resources by name; log those that cannot be used, and leave them out."""
    found: dict[str, Resource] = {}
    for name in session.profile.services():
        try:
            found[name] = session.resource(name)
        except ConfigError as error:
            log.warning("%s", error)
    return found


def summary(session: Session) -> str:
    """Return in one line which store, Airflow and configuration are used; nothing is asked or connected."""
    profile = session.profile
    try:
        store = f"store {profile.store.place}"
    except ConfigError:
        store = "no artifact store"
    hosts = profile.hosts()
    engines = [f"{name!r}{_at(hosts.get(name, ''))}" for name in session.engines()]
    airflow = f"Airflow {', '.join(engines)}" if engines else "no Airflow"
    missing = "" if profile.path.exists() else " (not there yet)"
    return f"{store}, {airflow}, configuration {profile.path}{missing}"


def _at(host: str) -> str:
    return f" at {without_credentials(host)}" if host else ""


def print_surroundings(session: Session) -> None:
    """Print the artifact store and the connected resources; what cannot be used, with the reason."""
    from aqueduct_provider.sdk.console import console, plain_table

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
    out.print(plain_table(("resource", "service", "where", ""), rows))


def _place(session: Session, name: str) -> tuple[str, str]:
    """Return where the resource is, or why it cannot be used."""
    try:
        return session.resource(name).place, ""
    # Where the artifact store is, is a resource's place, too.
    except AqueductError as error:
        return "", str(error)

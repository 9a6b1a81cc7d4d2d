"""The session of a client: the profile, the artifact store, its registry, and Airflow, each made once.

Everything is made when it is first used, so that authoring needs neither a bucket nor an Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from aqueduct_provider.errors import AuthoringError, ConfigError

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.publishing.registry import Registry
    from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
    from aqueduct_provider.sdk.resources.create_resource import Resource
    from aqueduct_provider.sdk.resources.profile import Profile
    from aqueduct_provider.storage.object_store import ObjectStore


class HasSession(Protocol):
    """A client."""

    @property
    def session(self) -> Session:
        """The services behind it."""
        ...


@dataclass(eq=False)
class Session:
    """The services behind a client, its flows and its runs."""

    profile: Profile
    _airflows: dict[str, Airflow] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def store(self) -> ObjectStore:
        """The artifact store. Raises ``ConfigError`` where none is named."""
        return self.profile.store.connect()

    @cached_property
    def registry(self) -> Registry:
        """The registry of what is published in the store."""
        from aqueduct_provider.sdk.publishing.registry import Registry

        return Registry(self.store)

    def resource(self, name: str) -> Resource:
        """Return the named resource; ``Demo`` is there without being connected.

        :raises NotFound: there is none.
        :raises ConfigError: its configuration is wrong.
        """
        from aqueduct_provider.sdk.resources.create_resource import resource_from
        from aqueduct_provider.sdk.resources.demo import DEMO_NAMES, demo_profile

        is_demo = name in DEMO_NAMES and name not in self.profile.services()
        profile = demo_profile(self.profile.path.parent) if is_demo else self.profile.resource(name)
        return resource_from(profile, lambda: self.store)

    def engine(self, engine: str | AirflowResource | None) -> AirflowResource:
        """Return the connected Airflow that flows run on.

        :param engine: a resource, or its name; None: the only one that is connected.
        :raises NotFound: no resource has this name.
        :raises AuthoringError: it is not a resource; or None was given, and not exactly one is connected.
        :raises ConfigError: the resource is not an Airflow, or its configuration is wrong.
        """
        from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource

        # A resource is found by its name, as it may have been connected again.
        name = engine.name() if isinstance(engine, AirflowResource) else engine
        if name is None:
            name = self._only_engine()
        if not isinstance(name, str):
            raise AuthoringError(f"engine is a {type(name).__name__}: give the name of a connected Airflow.")
        resource = self.resource(name)
        if not isinstance(resource, AirflowResource):
            raise ConfigError(
                f"The resource {name!r} is {resource.service.name}, a data system: flows run on Airflow. "
                "Name a connected Airflow as the engine."
            )
        return resource

    def _only_engine(self) -> str:
        known = self.engines()
        if len(known) != 1:
            names = ", ".join(map(repr, known)) or "none"
            raise AuthoringError(
                f"Say where the flow is to run: engine='<resource>'. Connected: {names}. "
                'client.connect_resource(name, "Airflow", {"host": ...}) connects one.'
            )
        return known[0]

    def engines(self) -> list[str]:
        """Return the names of the connected Airflows, sorted; nothing is asked of them."""
        from aqueduct_provider.sdk.resources.services import service_of

        airflow = service_of("Airflow")
        services = self.profile.services()
        return sorted(name for name, service in services.items() if service_of(service) is airflow)

    def airflow(self, engine: str) -> Airflow:
        """Return the Airflow behind the resource ``engine``, logged in when it is first asked."""
        if engine not in self._airflows:
            self._airflows[engine] = self.engine(engine).airflow()
        return self._airflows[engine]

    def refresh(self) -> None:
        """Read the configuration again: another client or process may have connected a resource since.

        :raises ConfigError: it is wrong.
        """
        if self.profile.reload():
            for engine in list(self._airflows):
                self.forget(engine)

    def forget(self, engine: str) -> None:
        """Make a changed or deleted resource again at its next use."""
        if known := self._airflows.pop(engine, None):
            known.close()

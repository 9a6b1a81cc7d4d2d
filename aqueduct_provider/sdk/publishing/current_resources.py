"""Find the data systems of a flow by their names, as they are connected when the flow is published.

An extract or a load remembers the resource that it was recorded with. Since then that may have been connected
again with other settings, under the same name, or deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aqueduct_provider.errors import AuthoringError, NotFound
from aqueduct_provider.sdk.authoring.nodes import OperatorNode

# Gives the connected resource of a name; raises ``NotFound``.
Lookup = Callable[[str], Any]

# What a spec's source or target says of the resource, and not of the table or file.
_OF_THE_RESOURCE = ("connector", "connection_id")


def current_place(operator: OperatorNode, lookup: Lookup | None) -> Mapping[str, Any]:
    """Return the source or target of an extract or a load, with the current settings of its resource.

    :param lookup: finds resources by name; None: the operator's own resource is current.
    :raises AuthoringError: the resource is gone, or it is of another service.
    :raises ConfigError: its configuration cannot be used.
    """
    if operator.system is None or lookup is None:
        return operator.place
    found = _settings(operator, operator.system.name(), lookup)
    others = {key: value for key, value in operator.place.items() if key not in _OF_THE_RESOURCE}
    return {**found, **others}


def _settings(operator: OperatorNode, name: str, lookup: Lookup) -> Mapping[str, Any]:
    """Return what the resource of this name says of itself now."""
    from aqueduct_provider.sdk.resources.data_system import ConnectedSystem

    recorded = operator.place["connector"]
    try:
        resource = lookup(name)
    except NotFound as error:
        raise AuthoringError(
            f"{operator.name!r} uses the resource {name!r}, which is not connected any more. Connect it "
            f"again under this name, or record the call again with another {recorded} resource. ({error})"
        ) from error
    settings = resource.spec_place() if isinstance(resource, ConnectedSystem) else {}
    connected = settings.get("connector") or "Airflow"
    if connected != recorded:
        raise AuthoringError(
            f"{operator.name!r} was recorded with the {recorded} resource {name!r}, which is {connected} "
            f"now: record the call again with client.resource({name!r}), or connect {recorded} again "
            "under this name."
        )
    return dict(settings)

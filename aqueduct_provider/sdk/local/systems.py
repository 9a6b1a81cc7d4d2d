"""The data systems of a local run: an Airflow connection -> the connected resource for it.

In: the session of a client, connection ids. Out: resources, or an error that says what to connect.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.data_system import ConnectedSystem
from aqueduct_provider.sdk.resources.demo import DEMO, DEMO_CONNECTION
from aqueduct_provider.sdk.resources.services import service_of

if TYPE_CHECKING:
    from aqueduct_provider.connectors.requests import SystemOrder
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.spec.models import ExtractOperator, LoadOperator, WorkflowSpec
    from aqueduct_provider.spec.redactor import Redactor

# Connection id and connector -> the resource. Raises ``ConfigError``.
Find = Callable[[str, str], ConnectedSystem]


def systems_of(session: Session) -> Find:
    """Finds the resources that are connected in a client's session, and the demo database."""

    def find(connection_id: str, connector: str) -> ConnectedSystem:
        connected = session.profile.connections().items()
        names = [name for name, known in connected if known == connection_id]
        if connection_id == DEMO_CONNECTION:
            names.append(DEMO)
        for name in names:
            service = service_of(session.profile.services().get(name, "SQLite"))
            if service and service.name == connector:
                resource = session.resource(name)
                if isinstance(resource, ConnectedSystem):
                    return resource
        return nothing(connection_id, connector)

    return find


def nothing(connection_id: str, connector: str) -> ConnectedSystem:
    """Find no resource, where none is connected."""
    raise ConfigError(
        f"The Airflow connection {connection_id!r} is not there without Airflow, and no {connector} resource "
        f"is connected for it. Connect one: client.connect_resource(name, {connector!r}, {{..., "
        f'"connection_id": {connection_id!r}}}), or aqueduct-airflow connect NAME --service '
        f"{shlex.quote(connector)} --connection-id {shlex.quote(connection_id)}."
    )


def system_order(
    spec: WorkflowSpec, find: Find, redact: Redactor, operator: ExtractOperator | LoadOperator
) -> SystemOrder:
    """Return the data system that an extract reads or a load writes, with its credentials.

    :param redact: learns the credentials, to mask them.
    :raises ConfigError: no resource is connected for its connection.
    """
    from aqueduct_provider.connectors.requests import SystemOrder
    from aqueduct_provider.spec.compiled_facts import secret_texts
    from aqueduct_provider.spec.models import ExtractOperator

    part = operator.source if isinstance(operator, ExtractOperator) else operator.target
    connectors = spec.compiled.connectors if spec.compiled else {}
    if operator.id in connectors:
        order = SystemOrder(part.connector, connectors[operator.id])
    else:
        order = find(part.connection_id or "", part.connector).system
    redact.add(secret_texts(order.config))
    return order

"""List what a flow saves to data systems: the loads of a spec -> tables, collections, files by resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.sdk.resources.data_system import ConnectedSystem
from aqueduct_provider.sdk.resources.demo import DEMO, DEMO_CONNECTION
from aqueduct_provider.sdk.resources.services import service_of

if TYPE_CHECKING:
    from aqueduct_provider.sdk.resources.profile import Profile
    from aqueduct_provider.spec.models import LoadOperator, WorkflowSpec

# What the store's own connection is called.
ARTIFACT_STORE = "artifact store"


@dataclass(frozen=True)
class SavedObject:
    """A table, a collection or a file that runs write.

    :param name: table, collection or key; where a string artifact gives it: ``{name of the artifact}``.
    :param resource_name: the connected resource; where none is connected here, the Airflow connection.
    :param service: such as ``Postgres``.
    :param update_mode: ``append``, ``replace`` or ``fail``; files are replaced.
    :param asset: URI of the Airflow asset that the load updates; None where its name is only known in a run.
    """

    name: str
    operator_name: str
    resource_name: str
    service: str
    update_mode: str
    asset: str | None = None


class SavedObjects(dict[str, list[SavedObject]]):
    """The objects that runs save, by the name of the resource; the resource itself may be the key, too.

    As in the original, nothing is saved to a resource that is not there.
    """

    def __missing__(self, resource: Any) -> list[SavedObject]:
        name = resource.name() if isinstance(resource, ConnectedSystem) else resource
        return self.get(name, [])


def saved_objects(spec: WorkflowSpec, profile: Profile) -> SavedObjects:
    """Return what the version saves, by the name of the resource."""
    from aqueduct_provider.spec.models import LoadOperator

    found = SavedObjects()
    for operator in spec.operators:
        if isinstance(operator, LoadOperator):
            one = _saved(spec, operator, _resource(operator, profile))
            found.setdefault(one.resource_name, []).append(one)
    return found


def _saved(spec: WorkflowSpec, operator: LoadOperator, resource: str) -> SavedObject:
    from aqueduct_provider.spec.assets import saved_asset
    from aqueduct_provider.spec.system_operators import FilesLoad, MongoLoad

    target, asset = operator.target, saved_asset(spec, operator)
    if isinstance(target, FilesLoad):
        return SavedObject(target.filepath, operator.name, resource, target.connector, "replace", asset)
    name = target.collection if isinstance(target, MongoLoad) else target.table
    name = name or f"{{{spec.artifact(operator.inputs[0]).name}}}"
    return SavedObject(name, operator.name, resource, target.connector, target.update_mode, asset)


def _resource(operator: LoadOperator, profile: Profile) -> str:
    connection, services = operator.target.connection_id, profile.services()
    for name, known in profile.connections().items():
        service = service_of(services[name])
        if known == connection and service and service.name == operator.target.connector:
            return name
    return DEMO if connection == DEMO_CONNECTION else connection or ARTIFACT_STORE

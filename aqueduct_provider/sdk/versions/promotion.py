"""Take a version of a flow to another store and its Airflow, or publish it from an export.

In: a copy of a version, and where it goes. Out: a plan, which shows what would change there and publishes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.function_source import source_of
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.console import print_text
from aqueduct_provider.sdk.publishing.deployment import SHOWN_SECONDS, show
from aqueduct_provider.sdk.publishing.flow_copy import FlowCopy
from aqueduct_provider.sdk.publishing.origin import publisher, version_message
from aqueduct_provider.sdk.publishing.publish import check_spec, deliver
from aqueduct_provider.sdk.publishing.republish import NO_CHANGES, Changes, places_of, republished
from aqueduct_provider.sdk.versions.flow_diff import FlowDiff, flow_diff
from aqueduct_provider.sdk.versions.version import read_source
from aqueduct_provider.spec.version_label import version_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aqueduct_provider.artifacts.function_source import FunctionSource
    from aqueduct_provider.sdk.publishing.compose import Composition
    from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
    from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.spec.models import Code, WorkflowSpec


@dataclass(frozen=True)
class PublicationPlan:
    """A version that would be published.

    :param session: of where it goes.
    :param engine: the Airflow there; None: not known, so that it can only be compared.
    :param connections: ids of Airflow connections that it needs there: in the copy -> there.
    """

    session: Session
    engine: AirflowResource | None
    composition: Composition
    connections: Mapping[str, str]

    @cached_property
    def current(self) -> WorkflowSpec | None:
        """The version that is published there now; None: the flow is new there."""
        record = self.session.registry.at(self.composition.spec.dag_id)
        return None if record is None else self.session.registry.latest_spec(record)

    def diff(self) -> FlowDiff | None:
        """Compare with the version that is published there now; None: the flow is new there."""
        if self.current is None:
            return None
        names = version_label(str(self.current.version.id), self.current.version.number), "the new version"
        return flow_diff(self.current, self.composition.spec, names, self._source)

    def _source(self, code: Code) -> FunctionSource:
        """Read the text of code, from the copy where it has it."""
        archive = self.composition.objects.get(code.key)
        return source_of(archive, code, code.key) if archive else read_source(self.session.store, code)

    def publish(self) -> FlowRecord:
        """Publish it, print where its spec is, and wait a moment until Airflow shows it.

        :raises AuthoringError: another flow has its DAG id there.
        """
        if self.engine is None:
            raise ValueError("it is not known where this is published")
        record = deliver(self.session, self.composition, self.engine)
        if notice := show(self.session, record, SHOWN_SECONDS):
            print_text(notice)
        return record


def plan_publication(
    session: Session,
    copy: FlowCopy,
    engine: AirflowResource,
    changes: Changes = NO_CHANGES,
    *,
    message: str = "",
) -> PublicationPlan:
    """Plan to publish a copy as the next version of its flow; nothing is written.

    :param session: of where it goes.
    :param message: what this version changes and why; empty: what its publisher said first.
    :raises AuthoringError: this Airflow cannot run it, a flow that it runs after is missing there, or a
        change does not fit it.
    """
    store = engine.artifact_store(session.profile.store)
    number = session.registry.next_number(str(copy.spec.flow.id))
    version = {**version_message("publish", message or copy.spec.version.message), **publisher()}
    composition = republished(copy, store, changes, number=number, version=version)
    check_spec(session, composition.spec, engine)
    needed = dict.fromkeys(place["connection_id"] for place in places_of(copy.document))
    return PublicationPlan(
        session, engine, composition, {one: changes.connections.get(one, one) for one in needed}
    )


def plan_of_script(session: Session, composition: Composition) -> PublicationPlan:
    """Plan to publish what a rehearsed script has composed; it can be compared, and not published."""
    plan = PublicationPlan(session, None, composition, {})
    if plan.current is None:
        return plan
    # A script says only when it is run where the flow goes.
    store = plan.current.artifact_store.model_dump(mode="json", exclude_unset=True)
    copy = FlowCopy(composition.spec, composition.text, composition.objects)
    return replace(plan, composition=republished(copy, store))


def refuse_same_store(source: Session, target: Session) -> None:
    """Raise ``AuthoringError`` where both have one store: the record of a flow has one Airflow."""
    place = target.store.url("")
    if source.store.url("") == place:
        raise AuthoringError(
            f"Both sides have the same artifact store, {place}: a flow there belongs to one Airflow. "
            + (
                f"{' and '.join(variables)} in the environment beat both configuration files: unset them."
                if (variables := target.profile.store_variables)
                else "Give the target a bucket, or a root_dir, of its own; client.rollback(...) puts an "
                "earlier version back."
            )
        )

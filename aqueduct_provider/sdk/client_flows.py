"""The client's flows: found, triggered, rolled back, imported, deleted, and their status."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.argument_checks import check_folder
from aqueduct_provider.sdk.console import print_text
from aqueduct_provider.sdk.flow import Flow
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods
from aqueduct_provider.sdk.publishing.rehearsal import not_while_rehearsing
from aqueduct_provider.sdk.run import Run

if TYPE_CHECKING:
    from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
    from aqueduct_provider.sdk.results.flow_status import FlowStatus
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.sdk.versions.version import Version

Identifier = str | UUID | None

# How long Airflow may take to show a new version: it parses every 30 s, and may be slow.
DEPLOY_SECONDS = 600.0


@suggest_keywords_of_methods
class FlowMethods:
    """The methods of a client that concern published flows."""

    _session: Session

    @property
    def session(self) -> Session:
        """The services behind the client, its flows and its runs."""
        return self._session

    @not_while_rehearsing
    def trigger(
        self,
        flow_identifier: Identifier = None,
        parameters: Mapping[str, Any] | None = None,
        flow_id: Identifier = None,
        flow_name: str | None = None,
        *,
        unpause: bool = False,
        timeout: float = DEPLOY_SECONDS,
        progress: bool = True,
    ) -> Run:
        """Run a flow once, now, in the version that was published last.

        :param flow_identifier: name or id of the flow; or give ``flow_id`` or ``flow_name``.
        :param parameters: values by parameter name, of the types of the defaults: JSON goes to Airflow as it
            is, anything else is stored by key. Parameters that are left out have their defaults.
        :param unpause: unpause the flow when it is paused, instead of refusing.
        :param timeout: seconds to wait until Airflow shows the latest version.
        :param progress: show the waiting.
        :raises AuthoringError: a name or a value does not fit, or the flow is paused, or was deleted.
        """
        from aqueduct_provider.sdk.publishing.triggering import trigger

        flow = self.flow(flow_identifier, flow_id, flow_name)
        given = {} if parameters is None else parameters
        info = trigger(flow, given, unpause=unpause, timeout=timeout, progress=progress)
        return Run(self._session, flow.record, info.run_id, info)

    @not_while_rehearsing
    def flow(
        self, flow_identifier: Identifier = None, flow_id: Identifier = None, flow_name: str | None = None
    ) -> Flow:
        """Return the published flow with this name or id; where there is none, one that was deleted.

        Of a deleted flow, what its runs left can be read until that is deleted, too.

        :raises NotFound: there is none.
        """
        given = [one for one in (flow_identifier, flow_id, flow_name) if one not in (None, "")]
        if len({str(one) for one in given}) != 1:
            what = " and ".join(repr(str(one)) for one in given) or "nothing"
            raise AuthoringError(f"Name one flow, by its name or its id, such as 'churn'; {what} was given.")
        return Flow(self._session, self._session.registry.find(given[0], retired=True))

    @not_while_rehearsing
    def import_flow(
        self,
        folder: str | Path,
        engine: str | AirflowResource | None = None,
        *,
        connections: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        message: str = "",
    ) -> Flow:
        """Publish what ``flow.export(folder)`` wrote, without its source; it is verified first.

        :param engine: as in :meth:`publish_flow`.
        :param connections: ids of Airflow connections of the flow -> those here; others stay as they are.
        :param parameters: defaults that are others here, by name.
        :param message: why; empty: the message of the version.
        :raises NotFound: nothing was exported there, or an object is missing.
        :raises DigestMismatch: an object in it was changed.
        :raises AuthoringError: this Airflow cannot run it, or a change does not fit it.
        """
        from aqueduct_provider.sdk.publishing.republish import changes_of
        from aqueduct_provider.sdk.versions.export_folder import read_export
        from aqueduct_provider.sdk.versions.promotion import plan_publication

        self._session.refresh()
        changes = changes_of(connections, parameters)
        copy, to = read_export(check_folder("import_flow", folder)), self._session.engine(engine)
        return Flow(
            self._session, plan_publication(self._session, copy, to, changes, message=message).publish()
        )

    @not_while_rehearsing
    def list_flows(self, retired: bool = False) -> list[dict[str, Any]]:
        """List the published flows: name, flow id, DAG id, and id, number, time and engine of the version.

        :param retired: instead, those that were deleted and whose runs are kept, with ``retired_at``.
        """
        names = "name flow_id dag_id version_id created_at engine number".split() + ["retired_at"] * retired
        records = self._session.registry.retired() if retired else self._session.registry.records()
        return [{name: getattr(record, name) for name in names} for record in records]

    @not_while_rehearsing
    def status(self) -> list[FlowStatus]:
        """Return for every published flow whether Airflow shows the version that was published last.

        It takes few requests; an Airflow that does not answer is a part of the status.
        """
        from aqueduct_provider.sdk.results.flow_status import statuses

        return statuses(self._session, self._session.registry.records())

    @not_while_rehearsing
    def rollback(
        self,
        flow: Flow | Identifier,
        version: int | str | UUID | Version | Run,
        message: str = "",
        *,
        wait: float | None = None,
        progress: bool = True,
        trust_store: bool = False,
    ) -> Flow:
        """Put an earlier version back, as a new version with its content, and print what that changes.

        It needs neither the source nor the machine of that version: what it names is verified in the store by
        its digest. Runs that are under way finish on the version that they began with.

        :param version: its number, ``12`` or ``"v12"``; its id, or 8 or more characters of it; or a run.
        :param message: why; ``flow.versions()`` shows it.
        :param wait: as in :meth:`publish_flow`.
        :param progress: print what it changes, and what Airflow shows.
        :param trust_store: put it back, too, where the flow's record has no digest of it.
        :raises NotFound: the flow or the version does not exist, or the store lacks what it needs.
        :raises AuthoringError: it is published already, or this Airflow cannot run it; nothing was changed.
        :raises DigestMismatch: it was changed in the store; nothing was changed.
        :raises IntegrityError: the flow's record does not know it; nothing was changed.
        """
        from aqueduct_provider.sdk.publishing.deployment import SHOWN_SECONDS, show
        from aqueduct_provider.sdk.versions.rollback import print_rollback, rollback

        self._session.refresh()
        found = flow if isinstance(flow, Flow) else self.flow(flow)
        restored = rollback(self._session, found.record, version, message, trust_store=trust_store)
        if progress:
            print_rollback(restored)
        seconds = SHOWN_SECONDS if wait is None else wait
        if (notice := show(self._session, restored.record, seconds, progress=progress)) and progress:
            print_text(notice)
        return Flow(self._session, restored.record)

    @not_while_rehearsing
    def delete_flow(
        self,
        flow_identifier: Identifier = None,
        flow_id: Identifier = None,
        flow_name: str | None = None,
        saved_objects_to_delete: Mapping[Any, Any] | None = None,
        force: bool = False,
        *,
        artifacts: bool = False,
    ) -> None:
        """Delete a flow: its spec goes, and Airflow then shows its DAG no more. What its runs left stays.

        That can still be read: ``client.flow(name)``. Published again, the flow goes on where it was.

        :param saved_objects_to_delete: must be empty: what runs saved to data systems stays there, for tables
            and files may be of use to others. ``flow.list_saved_objects()`` lists it.
        :param force: do not ask when runs are active; they are ended.
        :param artifacts: delete all that its runs left, too, in the store and in Airflow. That waits until
            Airflow has noticed that the spec is gone, which may take minutes.
        :raises AuthoringError: runs are active, and no one is there to be asked.
        """
        from aqueduct_provider.sdk.publishing.deletion import delete_flow

        if saved_objects_to_delete:
            raise AuthoringError(
                "saved_objects_to_delete must be empty: what runs have saved to data systems cannot be "
                "deleted from here. flow.list_saved_objects() lists them: delete them there. "
                "artifacts=True deletes what the runs left in the artifact store."
            )
        flow = self.flow(flow_identifier, flow_id, flow_name)
        print_text(delete_flow(flow, artifacts=artifacts, force=force))

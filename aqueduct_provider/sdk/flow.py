"""A published flow: its versions, its runs, and what they measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aqueduct_provider.errors import AirflowUnreachable, AuthoringError, NotFound
from aqueduct_provider.sdk.argument_checks import check_folder, check_limit
from aqueduct_provider.sdk.keywords import suggest_keywords_of_methods
from aqueduct_provider.sdk.results.outcomes import run_status
from aqueduct_provider.sdk.run import Run
from aqueduct_provider.sdk.session import Session

if TYPE_CHECKING:
    import pandas

    from aqueduct_provider.sdk.airflow_api.airflow import Airflow
    from aqueduct_provider.sdk.publishing.registry import FlowRecord
    from aqueduct_provider.sdk.results.flow_status import FlowStatus
    from aqueduct_provider.sdk.results.saved_objects import SavedObjects
    from aqueduct_provider.sdk.session import HasSession
    from aqueduct_provider.sdk.versions.flow_diff import FlowDiff
    from aqueduct_provider.sdk.versions.version import Version, Versions
    from aqueduct_provider.spec.models import WorkflowSpec


@suggest_keywords_of_methods
@dataclass(eq=False)
class Flow:
    """A published flow; ``client.publish_flow(...)`` and ``client.flow(name)`` give it.

    One that was deleted can be read as before, as long as its runs are kept; it cannot run.

    Example::

        flow = client.flow("churn")
        flow.latest().artifact("model").get()
        flow.metric_history("accuracy").plot(x="created_at", y="value")
    """

    session: Session
    record: FlowRecord

    def __repr__(self) -> str:
        gone = self.record.retired_at
        deleted = f", deleted on {gone:%Y-%m-%d}" if gone else ""
        return f"<Flow {self.record.name!r} on {self.record.engine!r}{deleted}>"

    def id(self) -> UUID:
        """Return the id, which is the same for every version of the flow."""
        return UUID(self.record.flow_id)

    def name(self) -> str:
        """Return the name that its publisher gave it."""
        return self.record.name

    def retired_at(self) -> datetime | None:
        """Return when the flow was deleted; None: it is published."""
        return self.record.retired_at

    def status(self) -> FlowStatus:
        """Return whether Airflow shows the version that was published last, and since when it does not.

        An Airflow that does not answer is a part of the status, too.
        """
        from aqueduct_provider.sdk.results.flow_status import statuses

        # What is published may have changed since this flow was read.
        return statuses(self.session, [self._newest()])[0]

    @cached_property
    def spec(self) -> WorkflowSpec:
        """The spec of the version that was published last."""
        return self.session.registry.latest_spec(self.record)

    def versions(self, limit: int = 50) -> Versions:
        """Return the newest versions first: number, id, time, publisher, message, and what each changed.

        :param limit: how many at most.
        """
        from aqueduct_provider.sdk.versions.finding import list_versions

        return list_versions(self.session.registry, self._newest(), check_limit("versions", limit))

    def version(self, version: int | str | UUID | Version | Run = "latest") -> Version:
        """Return one version, also an old one.

        :param version: its number, ``12`` or ``"v12"``; its id, or 8 or more characters of it; ``"latest"``;
            or a run, which stands for the version that it ran.
        :raises NotFound: there is none.
        """
        from aqueduct_provider.sdk.versions.finding import find_version

        return find_version(self.session.registry, self._newest(), version)

    def diff(
        self, before: int | str | UUID | Version | Run, after: int | str | UUID | Version | Run | None = None
    ) -> FlowDiff:
        """Compare two versions: operators and their source, requirements, parameters, schedule, edges.

        Nothing is unpickled.

        :param before: a version, or a run, as :meth:`version` takes it.
        :param after: the same; None: the version that was published last.
        :raises NotFound: one of them does not exist.
        """
        from aqueduct_provider.sdk.versions.version import diff_versions

        return diff_versions(self.version(before), self.version("latest" if after is None else after))

    def export(
        self,
        folder: str | Path,
        *,
        version: int | str | UUID | Version = "latest",
        trust_store: bool = False,
    ) -> None:
        """Write a version into a folder: its spec, its objects, and the text of its functions to be read.

        ``client.import_flow(folder)`` publishes it, here or elsewhere; Git shows what a new version changes.

        :param folder: it is made; one that is there must be empty, or an export of this flow.
        :param version: as :meth:`version` takes it.
        :param trust_store: write it, too, where the flow's record has no digest of it.
        :raises AuthoringError: something else is in the folder.
        :raises DigestMismatch: it was changed in the store.
        :raises IntegrityError: the flow's record does not know it.
        """
        from aqueduct_provider.sdk.publishing.flow_copy import copy_of
        from aqueduct_provider.sdk.versions.export_folder import write_export

        path, found = check_folder("export", folder), self.version(version)
        copy = copy_of(self.session.registry, self._newest(), found.id, trust_store=trust_store)
        write_export(copy, path)
        print(f"Wrote {found} of {self.name()!r} into {folder}.")

    def promote(
        self,
        to: HasSession,
        *,
        version: int | str | UUID | Version = "latest",
        engine: str | None = None,
        connections: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        message: str = "",
        trust_store: bool = False,
    ) -> Flow:
        """Publish a version to another store and its Airflow, without its source, and return the flow there.

        :param to: a client of where it goes.
        :param version: as :meth:`version` takes it.
        :param engine: the connected Airflow there; may be left out where there is only one.
        :param connections: ids of Airflow connections of the flow -> those there; others stay as they are.
        :param parameters: defaults that are others there, by name.
        :param message: why; empty: the message of the version.
        :param trust_store: publish it, too, where the flow's record here has no digest of it.
        :raises AuthoringError: both have one store, or the Airflow there cannot run it.
        :raises DigestMismatch: it was changed in the store; nothing was published.
        :raises IntegrityError: the flow's record does not know it.
        """
        from aqueduct_provider.sdk.publishing.flow_copy import copy_of
        from aqueduct_provider.sdk.publishing.republish import changes_of
        from aqueduct_provider.sdk.versions.promotion import plan_publication, refuse_same_store

        target = getattr(to, "session", None)
        if not isinstance(target, Session) or isinstance(to, (Flow, Run)):
            raise AuthoringError(
                "promote takes a client of where it goes, such as aq.Client(config_path=...), not "
                f"{type(to).__name__}."
            )
        target.refresh()
        refuse_same_store(self.session, target)
        found = self.version(version)
        copy = copy_of(self.session.registry, self._newest(), found.id, trust_store=trust_store)
        changes = changes_of(connections, parameters)
        plan = plan_publication(target, copy, target.engine(engine), changes, message=message)
        return Flow(target, plan.publish())

    def list_runs(self, limit: int = 10) -> list[dict[str, Any]]:
        """List the newest runs first: ``run_id``, ``created_at`` and ``status`` of each.

        Waiting and running ones are among them.

        :param limit: how many at most.
        """
        return [
            {"run_id": info.run_id, "created_at": info.created_at, "status": run_status(info.state).value}
            for info in self._airflow.runs(self.record.dag_id, limit)
        ]

    def runs(self, limit: int = 10) -> list[Run]:
        """Return the newest runs first, as :meth:`list_runs`, but as objects."""
        found = self._airflow.runs(self.record.dag_id, limit)
        return [Run(self.session, self.record, info.run_id, info) for info in found]

    def latest(self) -> Run | None:
        """Return the newest run, whatever its status; None when the flow has not run yet."""
        runs = self.runs(limit=1)
        return runs[0] if runs else None

    def fetch(self, run_id: str) -> Run:
        """Return the run with this id, from the store where Airflow has forgotten it or is away.

        :raises NotFound: neither knows it.
        :raises AirflowUnreachable: Airflow is away, and the store does not know it.
        """
        wanted, airflow = str(run_id), self._airflow
        try:
            return Run(self.session, self.record, wanted, airflow.run(self.record.dag_id, wanted))
        except (NotFound, AirflowUnreachable) as error:
            if not self.session.registry.version_of_run(self.record.flow_id, wanted):
                if isinstance(error, AirflowUnreachable):
                    raise
                raise NotFound(
                    f"{self.name()!r} has no run {wanted!r}. flow.list_runs(), or "
                    "`aqueduct-airflow runs`, gives the ids of its runs."
                ) from error
            return Run(self.session, self.record, wanted)

    def list_saved_objects(self) -> SavedObjects:
        """Return what runs of the latest version save to data systems, by the name of the resource.

        The resource itself may be the key, too.
        """
        from aqueduct_provider.sdk.results.saved_objects import saved_objects

        return saved_objects(self.spec, self.session.profile)

    def metric_history(self, name: str, limit: int = 100, *, trust_store: bool = False) -> pandas.DataFrame:
        """A metric, check or numeric parameter over the newest runs, newest first.

        Columns ``run_id``, ``created_at``, ``status`` and ``value``, which is missing where a run has none,
        or where it was deleted or changed in the store: one warning names such runs. Runs that Airflow has
        forgotten are not among them: read those with :meth:`fetch`.

        :param name: the artifact's name.
        :param limit: how many runs at most.
        :param trust_store: take the values of runs of which Airflow has no record without a warning.
        :raises NotFound: no run has such an artifact.
        :raises AuthoringError: it is not a number or a check.
        """
        from aqueduct_provider.sdk.results.history import metric_history

        return metric_history(name, self.runs(limit), trust_store=trust_store)

    def runs_table(self, limit: int = 100) -> pandas.DataFrame:
        """Return the newest runs as a table, newest first, with what they were given and what they measured.

        Columns ``run_id``, ``created_at``, ``version``, ``status`` and ``duration`` in seconds; then
        ``param.<name>``, ``metric.<name>`` and ``check.<name>`` by the names of artifacts, and
        ``seconds.<name>`` by those of operators. Values are those in Airflow's database: what is too long
        for it is missing, as is everything with the name of a secret. Where Airflow serves the provider's
        pages, a hundred runs are one request.

        :param limit: how many at most.
        """
        from aqueduct_provider.sdk.results.run_reading import newest_by_route, read_one_by_one
        from aqueduct_provider.sdk.results.runs_table import runs_table, version_labels

        check_limit("runs_table", limit)
        runs = newest_by_route(self._airflow, self.record.dag_id, limit)
        if runs is None:
            runs = read_one_by_one(self.runs(limit))
        return runs_table(runs, version_labels(self._newest().versions))

    def prune(self, keep: int | None = None, *, dry_run: bool = False) -> list[dict[str, Any]]:
        """Delete the artifacts of older runs; ``run_id``, ``objects`` and ``size`` in bytes of each run.

        Runs that are waiting or running are never touched, nor those that are not known to have
        ended. Status, logs, metadata and :meth:`metric_history` stay.

        :param keep: how many of the newest successful runs keep their artifacts; None: ``k_latest_runs``.
        :param dry_run: delete nothing, and report what would be deleted.
        :raises AuthoringError: neither is set.
        :raises AirflowUnreachable: Airflow is away.
        """
        from aqueduct_provider.sdk.publishing.pruning import prune_flow

        return prune_flow(self.session, self.record, keep, dry_run=dry_run)

    def wait_until_deployed(self, timeout: float = 600, *, progress: bool = True) -> None:
        """Wait until Airflow shows the version that was published last.

        Airflow looks for changed specs by itself, by default every 30 seconds; where its API allows, it is
        asked to look at once.

        :param timeout: seconds.
        :raises WaitTimedOut: it does not show it in time.
        """
        from aqueduct_provider.sdk.publishing.deployment import wait_until_deployed

        wait_until_deployed(self.session, self.record, timeout, progress=progress)

    def describe(self) -> None:
        """Print the flow: version, schedule, parameters, operators and artifacts, newest runs.

        In a notebook its graph is among it.
        """
        from aqueduct_provider.sdk.display.tables import print_flow

        print_flow(self)

    def url(self) -> str:
        """Return the flow's page in Airflow's UI."""
        return self._airflow.url(self.record.dag_id)

    def _repr_html_(self) -> str:
        from aqueduct_provider.sdk.display.notebook import flow_html

        return flow_html(self)

    def _newest(self) -> FlowRecord:
        """Return the record of the flow as it is now: it may have been published again meanwhile."""
        return self.session.registry.newest(self.record)

    @property
    def _airflow(self) -> Airflow:
        return self.session.airflow(self.record.engine)

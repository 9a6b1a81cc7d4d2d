"""The client: parameters, publishing, triggering, and the way back to flows."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload
from uuid import UUID

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.client_flows import DEPLOY_SECONDS, FlowMethods, Identifier
from aqueduct_provider.sdk.client_resources import ResourceMethods
from aqueduct_provider.sdk.console import print_text
from aqueduct_provider.sdk.flow import Flow
from aqueduct_provider.sdk.keywords import suggest_keywords, suggest_keywords_of_methods
from aqueduct_provider.sdk.notify import Receivers, notifications_of
from aqueduct_provider.sdk.publishing.rehearsal import current_rehearsal
from aqueduct_provider.sdk.session import Session
from aqueduct_provider.sdk.suggest import tidy

if TYPE_CHECKING:
    from datetime import timedelta

    from aqueduct_provider.sdk.authoring.artifacts import Artifact, BoolArtifact, NumericArtifact
    from aqueduct_provider.sdk.authoring.value_types import AnyValue
    from aqueduct_provider.sdk.publishing.registry import FlowRecord
    from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
    from aqueduct_provider.sdk.schedule import OnAssets

log: logging.Logger = logging.getLogger("aqueduct")


def get_apikey() -> str:
    """Return an empty key, for code of the original: ``Client(get_apikey(), address)`` ignores both."""
    return ""


@suggest_keywords_of_methods
class Client(FlowMethods, ResourceMethods):
    """Publishes flows to Airflow and reads what they left.

    Where the artifact store is, and which resources are known, comes from these arguments, else from
    ``AQUEDUCT_*`` environment variables, else from ``~/.aqueduct/config.toml``; nothing is asked before it is
    needed.

    :param api_key: ignored: the original's server is gone; its code still runs.
    :param aqueduct_address: ignored, too.
    :param logging_level: of the logger ``aqueduct``, such as ``logging.INFO``; None: as it is.
    :param bucket: the artifact store: ``bucket`` or ``s3://bucket/some/prefix``.
    :param folder: a local folder as the artifact store, instead of a bucket: for work without Airflow.
    :param region: AWS region.
    :param root_dir: a further prefix.
    :param endpoint_url: of S3-compatible stores.
    :param credentials_path: AWS credentials file on this machine.
    :param credentials_profile: profile in it.
    :param config_path: instead of ``~/.aqueduct/config.toml``.

    Example::

        client = aq.Client(bucket="my-bucket", credentials_profile="research")
        client.connect_resource("cluster", "Airflow", {"host": "https://airflow.example.com", "token": token})
        flow = client.publish_flow("churn", artifacts=[model], schedule=aq.daily(hour=6), engine="cluster")
        run = client.trigger("churn", parameters={"trees": 200})
    """

    @suggest_keywords
    def __init__(
        self,
        api_key: str = "",
        aqueduct_address: str = "",
        logging_level: int | None = None,
        *,
        bucket: str = "",
        folder: str = "",
        region: str = "",
        root_dir: str = "",
        endpoint_url: str = "",
        credentials_path: str = "",
        credentials_profile: str = "",
        config_path: str | Path | None = None,
    ) -> None:
        from aqueduct_provider.sdk.resources.profile import Profile

        if logging_level is not None:
            log.setLevel(logging_level)
        if api_key or aqueduct_address:
            log.info("No Aqueduct server is needed any more: api_key and aqueduct_address are ignored.")
        given = {
            "bucket": bucket,
            "folder": folder,
            "region": region,
            "root_dir": root_dir,
            "endpoint_url": endpoint_url,
            "credentials_path": credentials_path,
            "credentials_profile": credentials_profile,
        }
        overrides = {name: value for name, value in given.items() if value}
        path = Path(config_path) if config_path else None
        self._session = Session(Profile.load(path, overrides=overrides))
        if logging_level is not None:
            log.info("%r", self)

    def __repr__(self) -> str:
        from aqueduct_provider.sdk.resources.connecting import summary

        return f"<Client: {summary(self._session)}>"

    # --- authoring

    @overload
    def create_param(self, name: str, default: AnyValue, description: str = "") -> Artifact[AnyValue]: ...
    @overload
    def create_param(
        self,
        name: str,
        default: Any,
        description: str = "",
        use_local: bool = False,
        as_type: str | None = None,
        format: str | None = None,
    ) -> Artifact: ...
    def create_param(
        self,
        name: str,
        default: Any,
        description: str = "",
        use_local: bool = False,
        as_type: str | None = None,
        format: str | None = None,
    ) -> Artifact:
        """Make a parameter: an artifact whose value may be set for each run.

        :param name: unique in a flow; the key in ``parameters`` and in Airflow's trigger form.
        :param default: its value where none is given: anything that can be stored, but None.
        :param description: shown in Airflow's trigger form.
        :param use_local: ``default`` is the path of a local file that is read now.
        :param as_type: what that file holds, of ``ArtifactType``: collections as JSON or a pickle.
        :param format: of a table: ``"csv"``, ``"json"`` or ``"parquet"``.
        :raises AuthoringError: name or default cannot be used.
        """
        from aqueduct_provider.sdk.authoring.artifacts import artifact_for
        from aqueduct_provider.sdk.authoring.local_data import read_local
        from aqueduct_provider.sdk.authoring.parameters import parameter_node

        value = read_local(default, as_type, format) if use_local else default
        return artifact_for(parameter_node(name, value, description, implicit=False))

    def publish_flow(
        self,
        name: str,
        description: str = "",
        schedule: str | OnAssets = "",
        engine: str | AirflowResource | None = None,
        artifacts: Artifact | Iterable[Artifact] | None = None,
        metrics: Iterable[NumericArtifact] | None = None,
        checks: Iterable[BoolArtifact] | None = None,
        k_latest_runs: int | None = None,
        source_flow: Flow | Identifier | Iterable[Flow | str | UUID] = None,
        run_now: bool | None = None,
        use_local: bool | None = None,  # noqa: ARG002 (code of the original gives it)
        disable_snapshots: bool | None = False,
        tags: Iterable[str] = (),
        wait: float | None = None,
        fuse: bool | None = None,
        check_requirements: bool = False,
        retries: int | None = None,
        retry_delay: float | timedelta | None = None,
        owner: str | None = None,
        notify: Receivers = None,
        message: str = "",
        spec_file: bool | str | PathLike[str] = False,
    ) -> Flow:
        """Publish a flow to Airflow; under the name of a known flow, a new version of it.

        Code and parameter values are uploaded first, the spec last. Then Airflow is asked to look for it at
        once, and waited for; an Airflow that is slow or away is reported, and not an error.

        :param description: Markdown; the DAG's docs.
        :param schedule: cron text, ``aq.daily(...)``, ``aq.cron("0 6 * * 1-5", timezone="Europe/Berlin")``,
            or ``aq.on_assets("s3://bucket/sales.parquet")``; empty: the flow runs when it is triggered.
        :param engine: name of the connected Airflow resource; may be left out where there is only one.
        :param artifacts: what is to be computed, with all that it needs.
        :param metrics: metrics to compute; None: all that were computed on artifacts of the flow.
        :param checks: checks to compute; None: all that were computed on artifacts of the flow.
        :param k_latest_runs: how many of the newest successful runs keep their artifacts; None: all.
        :param source_flow: the flow (or flows) after whose success this one runs, instead of a schedule.
        :param run_now: wait until Airflow shows this version, then run it once; the flow is unpaused for it.
        :param use_local: ignored; the original needs it for local data.
        :param disable_snapshots: delete what functions return once the run has succeeded.
        :param tags: further tags of the DAG.
        :param wait: seconds to wait at most until Airflow shows this version; None: 60; 0: only ask it to.
            With ``run_now`` it is waited for in any case.
        :param fuse: True: all operators run one after the other in one Airflow task; False: each in its own;
            None: as the ``fuse`` of their decorators says.
        :param check_requirements: resolve the requirements of every operator with uv first, for Linux and
            this version of Python, with the index that is configured on this machine.
        :param retries: tries after the first, 0 to 100, where a decorator sets none; None: Airflow's default.
        :param retry_delay: seconds between two tries of those operators, or a timedelta.
        :param owner: of the DAG, in Airflow; None: the user who publishes; empty: Airflow's default owner.
        :param notify: who is notified of changes: ``aq.notify.slack("ops")`` or its like, or a list of them.
        :param message: what this version changes, and why; ``flow.versions()`` shows it.
        :param spec_file: the path of a file for a copy of the spec, to look at or to keep in Git; True:
            ``<flow>_airflow.json`` in the working directory, as the original writes it.
        :raises AuthoringError: something in the flow would fail later; nothing was published.
        :raises EnvironmentBuildError: the requirements could not be checked; nothing was published.
        """
        from aqueduct_provider.sdk.authoring.arguments import as_list, nodes_of
        from aqueduct_provider.sdk.authoring.options import retry_of
        from aqueduct_provider.sdk.publishing.compose import FlowRequest
        from aqueduct_provider.sdk.publishing.deployment import SHOWN_SECONDS, how_it_starts, show
        from aqueduct_provider.sdk.publishing.publish import publish_flow
        from aqueduct_provider.sdk.publishing.triggering import trigger

        switches = {"run_now": run_now, "fuse": fuse, "check_requirements": check_requirements}
        for argument, given in switches.items():
            if given is not None and not isinstance(given, bool):
                raise AuthoringError(f"publish_flow: {argument} must be True, False or None, not {given!r}.")
        self._session.refresh()
        rehearsal = current_rehearsal()
        sources = [] if rehearsal else [self._record(source) for source in as_list(source_flow)]
        request = FlowRequest(
            name=tidy(name),
            description=description or "",
            schedule=schedule or "",
            artifacts=nodes_of(artifacts, "artifacts"),
            metrics=None if metrics is None else nodes_of(metrics, "metrics"),
            checks=None if checks is None else nodes_of(checks, "checks"),
            k_latest_runs=k_latest_runs,
            source_flows=tuple(source.name for source in sources),
            disable_snapshots=bool(disable_snapshots),
            tags=(tags,) if isinstance(tags, str) else tuple(tags),
            fuse=fuse,
            retry=retry_of("publish_flow", retries, retry_delay),
            owner=owner,
            notifications=notifications_of("publish_flow", notify),
            message=message,
        )
        if rehearsal:
            return rehearsal.publish(request)
        to = self._session.engine(engine)
        record = publish_flow(
            self._session, request, to, sources=sources, resolve=check_requirements, spec_file=spec_file
        )
        flow = Flow(self._session, record)
        if run_now:
            info = trigger(flow, {}, unpause=True, timeout=DEPLOY_SECONDS, progress=True)
            print(f"Started run {info.run_id}.")
        else:
            if notice := show(self._session, record, SHOWN_SECONDS if wait is None else wait):
                print_text(notice)
            print(how_it_starts(record.name, request.schedule, request.source_flows))
        return flow

    def _record(self, source: Flow | str | UUID) -> FlowRecord:
        return source.record if isinstance(source, Flow) else self._session.registry.find(source)

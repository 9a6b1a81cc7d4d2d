"""What ``client.publish_flow`` does: a request and an engine -> a delivered version and its record."""

from __future__ import annotations

import logging
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AuthoringError, ConfigError, NotFound
from aqueduct_provider.sdk.authoring.nodes import NO_OPTIONS, Options

if TYPE_CHECKING:
    from aqueduct_provider.sdk.authoring.nodes import NO_OPTIONS, ArtifactNode
    from aqueduct_provider.sdk.publishing.compose import Composition
    from aqueduct_provider.sdk.publishing.current_resources import Lookup
    from aqueduct_provider.sdk.publishing.registry import Record
    from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
    from aqueduct_provider.sdk.schedule import OnAssets
    from aqueduct_provider.sdk.session import Session

log = logging.getLogger("aqueduct")


@dataclass(frozen=True)
class FlowRequest:
    """What is to be published; ``Client.publish_flow`` says what each field means."""

    name: str
    artifacts: list[ArtifactNode]
    description: str = ""
    schedule: str | OnAssets = ""
    metrics: list[ArtifactNode] | None = None
    checks: list[ArtifactNode] | None = None
    k_latest_runs: int | None = None
    sources: tuple[Record, ...] = ()
    disable_snapshots: bool = False
    tags: tuple[str, ...] = ()
    fuse: bool | None = None
    check_requirements: bool = False
    retry: Options = NO_OPTIONS


def publish_flow(session: Session, request: FlowRequest, engine: AirflowResource) -> Record:
    """Compose, upload and deliver a flow, and tell where its spec is.

    :raises AuthoringError: something in it would fail later; nothing was published.
    :raises EnvironmentBuildError: the requirements could not be checked; nothing was published.
    """
    from aqueduct_provider.sdk.packaging import load_check
    from aqueduct_provider.sdk.publishing.requirement_check import refuse_unresolvable
    from aqueduct_provider.sdk.publishing.upload import publish

    _check_python(engine)
    _check_sources(session, request, engine)
    store = engine.artifact_store(session.profile.store)
    composition = composition_of(request, store, session.resource)
    if request.check_requirements:
        refuse_unresolvable(composition)
    load_check.check_archives(composition.archives())
    record = publish(composition, session.store, engine.delivery(session.store), engine.name())
    _tell(record, composition.text)
    if loads := composition.separate_loads():
        print(f"Not fused, so that a retry cannot write twice: {', '.join(map(repr, loads))}.")
    return record


def composition_of(
    request: FlowRequest, artifact_store: Mapping[str, Any], resources: Lookup | None = None
) -> Composition:
    """Compose a new version of a flow; nothing is uploaded.

    :param artifact_store: the field of the spec.
    :param resources: finds the connected resource of a name; None: those that were recorded are current.
    :raises AuthoringError: something in it would fail later.
    """
    from aqueduct_provider.sdk.publishing.compose import FlowDescription, compose

    return compose(
        FlowDescription(
            name=request.name,
            description=request.description,
            schedule=request.schedule,
            source_flows=tuple(source.name for source in request.sources),
            k_latest_runs=request.k_latest_runs,
            disable_snapshots=request.disable_snapshots,
            tags=request.tags,
            fuse=request.fuse,
            retry=request.retry,
        ),
        request.artifacts,
        request.metrics,
        request.checks,
        artifact_store,
        version_id=str(uuid.uuid4()),
        created_at=datetime.now(timezone.utc),
        resources=resources,
    )


def _check_python(engine: AirflowResource) -> None:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if engine.python_versions and here not in engine.python_versions:
        raise AuthoringError(
            f"Functions of Python {here} cannot run on {engine.name()!r}, which has "
            f"{', '.join(engine.python_versions)}. Publish from one of those, or add {here} to the "
            "resource's python_versions once its workers have it."
        )


def _check_sources(session: Session, request: FlowRequest, engine: AirflowResource) -> None:
    """Refuse to wait for flows that this one could not follow."""
    for source in request.sources:
        if source.retired_at is not None:
            raise AuthoringError(
                f"{request.name!r} cannot run after {source.name!r}, which was deleted. Publish that first."
            )
        if source.name == request.name:
            raise AuthoringError(
                f"{request.name!r} cannot run after itself: give another flow as source_flow."
            )
        if source.engine != engine.name() and _host(session, source.engine) != engine.host:
            raise AuthoringError(
                f"{request.name!r} cannot run after {source.name!r}, which runs on {source.engine!r}: a flow "
                f"only follows flows of the same Airflow. Publish both to {engine.name()!r}, or use a "
                "schedule."
            )


def _host(session: Session, engine: str) -> str:
    """Where another resource is; empty where that is not known here."""
    try:
        return session.engine(engine).host
    except (ConfigError, NotFound):
        return ""


def _tell(record: Record, text: bytes) -> None:
    path = Path(f"{record.dag_id}_airflow.json")
    try:
        path.write_bytes(text)
    except OSError as error:
        log.warning("The spec could not be written to %s: %s", path.absolute(), error.strerror)
        written = ""
    else:
        written = f" A copy is in {path}."
    print(f"Published {record.name!r} (DAG {record.dag_id}) to {record.delivered_to}.{written}")

"""Publish a flow: a request and an engine -> a delivered version and its record."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.errors import AuthoringError, ConfigError, NotFound

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.compose import Composition, FlowRequest
    from aqueduct_provider.sdk.publishing.registry import FlowRecord
    from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
    from aqueduct_provider.sdk.session import Session
    from aqueduct_provider.spec.models import WorkflowSpec

log: logging.Logger = logging.getLogger("aqueduct")


def publish_flow(
    session: Session,
    request: FlowRequest,
    engine: AirflowResource,
    *,
    sources: Sequence[FlowRecord] = (),
    resolve: bool = False,
    spec_file: bool | str | PathLike[str] = False,
) -> FlowRecord:
    """Compose, upload and deliver a flow, and print where its spec is.

    :param sources: the flows after which it runs; the request names them.
    :param resolve: resolve the requirements of every operator first.
    :param spec_file: where to write a copy of the spec; True: to ``<flow>_airflow.json`` here.
    :raises AuthoringError: something in it would fail later; nothing was published.
    :raises EnvironmentBuildError: the requirements could not be checked; nothing was published.
    """
    from aqueduct_provider.sdk.packaging.load_check import unloadable
    from aqueduct_provider.sdk.publishing.compose import compose, flow_id_of
    from aqueduct_provider.sdk.publishing.flow_problems import FlowProblems
    from aqueduct_provider.sdk.publishing.origin import code_origin, publisher
    from aqueduct_provider.sdk.publishing.requirement_check import refuse_unresolvable

    problems = FlowProblems(request.name)
    if not isinstance(spec_file, bool | str | PathLike):
        message = f"publish_flow: spec_file must be the path of a file, or True, not {spec_file!r}."
        problems.add(AuthoringError(message))
    with problems.of():
        check_python(engine, [f"{sys.version_info.major}.{sys.version_info.minor}"])
    with problems.of():
        check_sources(session, request.name, sources, engine)
    store = engine.artifact_store(session.profile.store)
    number = session.registry.next_number(flow_id_of(request.name))
    origin = {**publisher(), **code_origin()}
    composition = compose(
        request,
        store,
        number=number,
        origin=origin,
        resources=session.resource,
        problems=problems,
        unloadable=unloadable,
    )
    if resolve:
        refuse_unresolvable(composition)
    record = deliver(session, composition, engine, spec_file=spec_file)
    if loads := composition.separate_loads():
        print(f"Not fused, so that a retry cannot write twice: {', '.join(map(repr, loads))}.")
    return record


def deliver(
    session: Session,
    composition: Composition,
    engine: AirflowResource,
    *,
    spec_file: bool | str | PathLike[str] = False,
) -> FlowRecord:
    """Publish what was composed, and print where its spec is.

    :param spec_file: as for :func:`publish_flow`.
    :raises AuthoringError: another flow has its DAG id.
    """
    from aqueduct_provider.sdk.publishing.upload import publish

    record = publish(composition, session.store, engine.delivery(session.store), engine.name())
    written = _write_copy(record, composition.text, spec_file) if spec_file else ""
    number = f"v{record.number} of " if record.number else ""
    print(f"Published {number}{record.name!r} (DAG {record.dag_id}) to {record.delivered_to}.{written}")
    return record


def check_python(engine: AirflowResource, needed: Iterable[str]) -> None:
    """Refuse functions that the workers of an Airflow have no Python for.

    :param needed: minor versions.
    :raises AuthoringError: they lack one of them.
    """
    for version in needed:
        if engine.python_versions and version not in engine.python_versions:
            raise AuthoringError(
                f"Functions of Python {version} cannot run on {engine.name()!r}, which has "
                f"{', '.join(engine.python_versions)}. Publish from one of those, or add {version} to the "
                "resource's python_versions once its workers have it."
            )


def check_sources(
    session: Session, name: str, sources: Sequence[FlowRecord], engine: AirflowResource
) -> None:
    """Refuse to wait for flows that this one could not follow.

    :raises AuthoringError: with the first of them.
    """
    for source in sources:
        if source.retired_at is not None:
            raise AuthoringError(
                f"{name!r} cannot run after {source.name!r}, which was deleted. Publish that first."
            )
        if source.name == name:
            raise AuthoringError(f"{name!r} cannot run after itself: give another flow as source_flow.")
        if source.engine != engine.name() and _host(session, source.engine) != engine.host:
            raise AuthoringError(
                f"{name!r} cannot run after {source.name!r}, which runs on {source.engine!r}: a flow "
                f"only follows flows of the same Airflow. Publish both to {engine.name()!r}, or use a "
                "schedule."
            )


def check_spec(session: Session, spec: WorkflowSpec, engine: AirflowResource) -> None:
    """Refuse what was published once, and what an Airflow cannot run.

    :raises AuthoringError: it lacks a Python, or a flow that this one runs after.
    """
    from aqueduct_provider.spec.models import AfterFlowsSchedule, CallOperator

    codes = [one.code for one in spec.operators if isinstance(one, CallOperator)]
    check_python(engine, dict.fromkeys(one.python_version for one in codes if one.python_version))
    flows = spec.schedule.flows if isinstance(spec.schedule, AfterFlowsSchedule) else ()
    try:
        sources = [session.registry.find(name, retired=True) for name in flows]
    except NotFound as error:
        raise AuthoringError(
            f"{spec.flow.name!r} runs after a flow that is missing there. {error}"
        ) from error
    check_sources(session, spec.flow.name, sources, engine)


def _host(session: Session, engine: str) -> str:
    """Return where another resource is; empty where that is not known here."""
    try:
        return session.engine(engine).host
    except (ConfigError, NotFound):
        return ""


def _write_copy(record: FlowRecord, text: bytes, spec_file: bool | str | PathLike[str]) -> str:
    path = Path(f"{record.dag_id}_airflow.json" if isinstance(spec_file, bool) else spec_file)
    try:
        path.write_bytes(text)
    except OSError as error:
        log.warning("The spec could not be written to %s: %s", path.absolute(), error.strerror)
        return ""
    return f" A copy is in {path}."

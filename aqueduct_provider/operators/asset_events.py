"""Say in the events of assets what a run has made, so that those who wait for them need not read it first.

In: the manifests of a run's tasks, whose values the worker has checked and masked. Out: ``extra`` of
Airflow's asset events: metrics and checks in that of the flow, rows in that of what a load has written. An
event without it is as good for Airflow, so nothing here fails a task.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aqueduct_provider.artifacts.glance import glance_value
from aqueduct_provider.artifacts.manifest import ArtifactRef, Manifest, check_outcome, manifest_from_xcom
from aqueduct_provider.compat import Asset
from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.spec.assets import flow_asset, saved_asset
from aqueduct_provider.spec.metric_names import metric_name
from aqueduct_provider.spec.models import (
    CheckOperator,
    LoadOperator,
    MetricOperator,
    Operator,
    SystemMetricOperator,
    WorkflowSpec,
)
from aqueduct_provider.spec.version_label import version_label

log = logging.getLogger(__name__)

# Of metrics and checks: on Airflow 3, each task that made one costs a request.
_MOST = 50


def describe_flow(
    context: Mapping[str, Any],
    outlets: Iterable[Any],
    workflow: WorkflowSpec,
    left: Callable[[str], Any] | None = None,
) -> None:
    """Put metrics and checks of the run into the event of the flow's asset, if the task has this outlet.

    :param outlets: the task's.
    :param left: Airflow task id -> what the task left in XCom; None: Airflow is asked.
    """
    _describe(
        context, outlets, flow_asset(workflow.flow.name), lambda: _outcomes(workflow, left or _pull(context))
    )


def describe_saved(
    context: Mapping[str, Any],
    outlets: Iterable[Any],
    workflow: WorkflowSpec,
    operators: Sequence[Operator],
    refs: Mapping[str, ArtifactRef],
) -> None:
    """Put the number of rows into the event of each table or file that these operators have written.

    :param outlets: the task's.
    :param refs: artifact id -> the artifact that an operator read or wrote.
    """
    for load in operators:
        if not isinstance(load, LoadOperator) or (ref := refs.get(load.inputs[-1])) is None:
            continue
        rows = {name: ref.glance[name] for name in ("rows", "columns") if name in ref.glance}
        if rows and (uri := saved_asset(workflow, load)):
            _describe(context, outlets, uri, lambda found=rows: {**_origin(workflow), **found})  # type: ignore[misc]


def _describe(
    context: Mapping[str, Any], outlets: Iterable[Any], uri: str, extra: Callable[[], dict[str, Any]]
) -> None:
    events = context.get("outlet_events")
    if events is None:
        return
    try:
        wanted = Asset(uri).uri
        for asset in outlets:
            if asset.uri == wanted:
                events[asset].extra.update(extra())
    except Exception as error:
        log.warning("The event of %s has no facts of this run: %s", uri, type(error).__name__)


def _pull(context: Mapping[str, Any]) -> Callable[[str], Any]:
    return lambda task_id: context["ti"].xcom_pull(task_ids=task_id)


def _origin(workflow: WorkflowSpec) -> dict[str, Any]:
    version = workflow.version
    return {"flow": workflow.flow.name, "version": version_label(str(version.id), version.number)}


def _outcomes(workflow: WorkflowSpec, left: Callable[[str], Any]) -> dict[str, Any]:
    metrics: dict[str, float | str] = {}
    checks: dict[str, str] = {}
    names = {artifact.id: artifact.name for artifact in workflow.artifacts}
    telling = [
        one
        for one in workflow.operators
        if isinstance(one, MetricOperator | SystemMetricOperator | CheckOperator)
    ]
    for operator in telling[:_MOST]:
        with suppress(IntegrityError):
            task_id = operator.airflow_task_id
            manifest = manifest_from_xcom(left(task_id), task_id, operator.task_id)
            if isinstance(operator, CheckOperator):
                checks[operator.name] = check_outcome(manifest.status)
            elif (value := _number(manifest)) is not None:
                metrics[metric_name(operator.name, names[operator.outputs[0]])] = value
    return {**_origin(workflow), "metrics": metrics, "checks": checks}


def _number(manifest: Manifest) -> float | str | None:
    """Return the number of a metric; one that JSON has not, as a word that ``float`` takes."""
    for ref in manifest.artifacts.values():
        value = glance_value(ref)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value if math.isfinite(value) else str(value)
    return None

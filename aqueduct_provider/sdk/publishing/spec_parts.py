"""Operators, artifacts and parameters as a native spec has them (docs/spec-reference.md).

In: a :class:`FlowGraph`, encoded defaults and function archives. Out: JSON objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.encode_values import EncodedValue
from aqueduct_provider.sdk.authoring.nodes import NO_OPTIONS, ArtifactNode, OperatorNode, Options
from aqueduct_provider.sdk.publishing.current_resources import Lookup, current_place
from aqueduct_provider.sdk.publishing.flow_graph import FlowGraph
from aqueduct_provider.spec.retries import OWN_KINDS
from aqueduct_provider.storage.layout import FlowLayout, function_archive

if TYPE_CHECKING:
    from aqueduct_provider.sdk.packaging.package import Package

Json = dict[str, Any]

# The task that runs a flow of which all operators are fused.
FLOW_TASK = "flow"


def artifact_part(
    graph: FlowGraph, artifact: ArtifactNode, default: EncodedValue | None, *, disable_snapshots: bool
) -> Json:
    """Return one of the spec's ``artifacts``.

    :param default: of a parameter, which has its type.
    :param disable_snapshots: whether outputs of functions need not be kept.
    """
    dropped = disable_snapshots and artifact.producer.kind == "function"
    return {
        "id": graph.ids[artifact],
        "name": graph.names[artifact],
        "type": default.type if default else artifact.type,
        "keep_snapshot": artifact.keep_snapshot and not dropped,
    }


def parameter_part(graph: FlowGraph, operator: OperatorNode, default: EncodedValue, flow_id: str) -> Json:
    """Return one of the spec's ``parameters``.

    :raises AuthoringError: runs use its name themselves.
    """
    from aqueduct_provider.spec.run_values import VALUES_KEY

    name = graph.name(operator)
    if name == VALUES_KEY:
        raise AuthoringError(
            f"No parameter can be named {name!r}, which runs use themselves; choose another."
        )
    return {
        "name": name,
        "type": default.type,
        "default": default.inline() or default.stored(FlowLayout(flow_id).value(default.sha256)),
        "description": operator.parameter.description if operator.parameter else "",
    }


def operator_part(
    graph: FlowGraph,
    operator: OperatorNode,
    package: Package | None,
    fuse: bool | None = None,
    resources: Lookup | None = None,
    retry: Options = NO_OPTIONS,
) -> Json:
    """Return one of the spec's ``operators``; what was not said is left to the spec's own defaults.

    :param package: its function, for kinds that have one.
    :param fuse: True: as all others of the flow, it runs in one task; False: in one of its own; None: as its
        author said.
    :param resources: finds the connected resource of a name; None: those that were recorded are current.
    :param retry: how often it is tried again where its author said nothing.
    """
    options = operator.options
    if operator.kind in OWN_KINDS:
        retry = NO_OPTIONS
    task_id = graph.task_ids[operator]
    document = {
        "id": task_id,
        "task_id": task_id,
        "name": graph.name(operator),
        "type": operator.kind,
        "description": operator.description,
        "inputs": [graph.ids[artifact] for artifact in operator.inputs],
        "outputs": [graph.ids[artifact] for artifact in operator.outputs],
        "retries": _chosen(options.retries, retry.retries),
        "retry_delay": _chosen(options.retry_delay, retry.retry_delay),
        "timeout": options.timeout,
        "pool": options.pool,
        "fuse": options.fuse if fuse is None else FLOW_TASK if fuse else None,
        "resources": dict(options.resources) or None,
        "parameter": graph.name(operator) if operator.kind == "param" else None,
        "metric": operator.system_metric if operator.kind == "system_metric" else None,
        "severity": operator.severity if operator.kind == "check" else None,
        "notifications": [dict(one) for one in operator.notifications] or None,
        "code": _code(package, operator) if package else None,
        "source": _place(operator, resources) if operator.kind == "extract" else None,
        "target": _place(operator, resources) if operator.kind == "load" else None,
    }
    return {field: value for field, value in document.items() if value is not None}


def _chosen(own: float | None, flow: float | None) -> float | None:
    return flow if own is None else own


def _place(operator: OperatorNode, resources: Lookup | None) -> Json:
    """Return where an extract reads, or a load writes.

    :raises AuthoringError: no Airflow connection leads there.
    """
    place = current_place(operator, resources)
    if operator.system and "connection_id" not in place:
        connector, resource = place["connector"], operator.system.name()
        raise AuthoringError(
            f"Runs of {operator.name!r} need an Airflow connection to {resource!r}, and the resource names "
            f"none. Connect it again with connection_id: the id of a connection to this {connector} that "
            f"whoever runs your Airflow has made, as in client.connect_resource({resource!r}, {connector!r}, "
            '{..., "connection_id": ...}).'
        )
    return dict(place)


def _code(package: Package, operator: OperatorNode) -> Json:
    code: Json = {
        "key": function_archive(package.sha256),
        "sha256": package.sha256,
        "python_version": package.python_version,
    }
    if operator.function and operator.function.views:
        code["views"] = list(operator.function.views)
    return code

"""Calls of operators, recorded without the SDK's decorators: nodes made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aqueduct_provider.runner.codecs import infer_type
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode, ParameterNode
from aqueduct_provider.sdk.packaging.user_function import UserFunction

_TYPES = {"metric": "numeric", "check": "boolean"}


def param(name: str, default: Any, kind: str | None = None) -> ArtifactNode:
    """A parameter.

    :param kind: its artifact type; None: that of the default.
    """
    operator = OperatorNode("param", name, "", parameter=ParameterNode(default, "", implicit=False))
    return _outputs(operator, 1, name, kind or infer_type(default))[0]


def step(call: Callable[..., Any], *inputs: ArtifactNode, **fields: Any) -> ArtifactNode:
    """An operator with one output; ``fields`` are those of :func:`operator`."""
    return operator(call, *inputs, **fields).outputs[0]


def operator(
    call: Callable[..., Any],
    *inputs: ArtifactNode,
    kind: Any = "function",
    name: str = "",
    outputs: int = 1,
    type: str = "untyped",
    severity: Any = "warning",
    files: tuple[str, ...] = (),
    folder: Path | None = None,
    views: tuple[str, ...] = (),
) -> OperatorNode:
    """An operator that calls ``call`` and is called like it."""
    name = name or call.__name__
    function = UserFunction(call, (), files, folder or Path.cwd(), views)
    node = OperatorNode(kind, name, "", inputs, function=function, severity=severity)
    _outputs(node, outputs, f"{name} artifact", _TYPES.get(kind, type))
    for artifact in inputs:
        if kind != "function":
            artifact.derived.append(node)
    return node


def _outputs(operator: OperatorNode, count: int, name: str, type: str) -> tuple[ArtifactNode, ...]:
    operator.outputs = tuple(ArtifactNode(operator, name, named=False, type=type) for _ in range(count))
    return operator.outputs

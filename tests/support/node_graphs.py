"""Graphs of ``sdk/authoring/nodes.py`` for tests, built by hand, and a packager that makes no archives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from aqueduct_provider.runner.codecs import infer_type
from aqueduct_provider.sdk.authoring.nodes import (
    ArtifactNode,
    Kind,
    OperatorNode,
    Options,
    ParameterNode,
    Severity,
)
from aqueduct_provider.sdk.packaging.package import Package
from aqueduct_provider.sdk.packaging.user_function import UserFunction

STORE = {"type": "connection", "connection_id": "aqueduct_default"}


def identity(value: Any) -> Any:
    """Stands for any function."""
    return value


def user_function(call: Callable[..., Any] = identity, *requirements: str) -> UserFunction:
    return UserFunction(call, requirements, (), Path())


def param(name: str, default: Any, *, implicit: bool = False, description: str = "") -> ArtifactNode:
    """What ``create_param``, or with ``implicit`` a plain argument, records."""
    operator = OperatorNode(
        "param", name, description, parameter=ParameterNode(default, description, implicit)
    )
    return _outputs(operator, [name], named=not implicit, type_=infer_type(default))[0]


def call(
    name: str,
    *inputs: ArtifactNode,
    kind: Kind = "function",
    outputs: Sequence[str] | int = 1,
    type_: str = "untyped",
    function: UserFunction | None = None,
    options: Options | None = None,
    severity: Severity = "warning",
    notifications: Sequence[Mapping[str, Any]] = (),
    system_metric: str = "",
) -> list[ArtifactNode]:
    """What a call of a decorated function records: all outputs.

    :param outputs: their number, or explicit names.
    """
    operator = OperatorNode(
        kind,
        name,
        f"About {name}.",
        inputs,
        function=None if kind == "system_metric" else function or user_function(),
        options=options or Options(),
        severity=severity,
        notifications=notifications,
        system_metric=system_metric,
    )
    if kind != "function":
        for artifact in dict.fromkeys(inputs):
            artifact.derived.append(operator)
    if isinstance(outputs, int):
        return _outputs(operator, [f"{name} artifact"] * outputs, named=False, type_=type_)
    return _outputs(operator, outputs, named=True, type_=type_)


def _outputs(operator: OperatorNode, names: Sequence[str], *, named: bool, type_: str) -> list[ArtifactNode]:
    operator.outputs = tuple(ArtifactNode(operator, name, named, type_) for name in names)
    return list(operator.outputs)


def op(name: str, *inputs: ArtifactNode, **fields: Any) -> ArtifactNode:
    """The one output of a function."""
    (output,) = call(name, *inputs, **fields)
    return output


def metric(name: str, *inputs: ArtifactNode, **fields: Any) -> ArtifactNode:
    return op(name, *inputs, kind="metric", type_="numeric", **fields)


def check(name: str, *inputs: ArtifactNode, **fields: Any) -> ArtifactNode:
    return op(name, *inputs, kind="check", type_="boolean", **fields)


def system_metric(artifact: ArtifactNode, measured: str = "runtime") -> ArtifactNode:
    name = f"{artifact.producer.name} {measured}"
    return op(name, artifact, kind="system_metric", type_="numeric", system_metric=measured)


class Warehouse:
    """A connected data system that answers nothing."""

    def name(self) -> str:
        return "warehouse"

    def read(self, source: Mapping[str, Any], parameters: Sequence[str]) -> Any:
        raise AssertionError("nothing is to be read")


CONNECTED = {"connector": "Postgres", "connection_id": "wh"}


def extract(name: str, *inputs: ArtifactNode, **place: Any) -> ArtifactNode:
    """What ``resource.sql`` records."""
    source = {**CONNECTED, "queries": ["SELECT 1"], **place}
    operator = OperatorNode("extract", name, "", inputs, system=Warehouse(), place=source)
    return _outputs(operator, [f"{name} artifact"], named=False, type_="table")[0]


def save(artifact: ArtifactNode, *inputs: ArtifactNode, **place: Any) -> OperatorNode:
    """What ``resource.save`` records."""
    target = {**CONNECTED, "table": "t", "update_mode": "append", **place}
    operator = OperatorNode(
        "load", "save to warehouse", "", (*inputs, artifact), system=Warehouse(), place=target
    )
    artifact.derived.append(operator)
    return operator


def light_packager(function: UserFunction, name: str) -> Package:
    """No archives, but as many different ones as there are names."""
    data = name.encode()
    return Package(data, hashlib.sha256(data).hexdigest(), "3.11")

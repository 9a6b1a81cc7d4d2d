"""Metrics and checks that artifacts offer themselves: presets, bounds, system metrics.

In: the artifacts and what to compute. Out: one more operator in the graph, computed unless lazy. A call that
raises leaves no trace in the graph. As in the original, one of the same name on the same artifacts takes the
place of the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk import settings
from aqueduct_provider.sdk.authoring import evaluate
from aqueduct_provider.sdk.authoring.nodes import NO_OPTIONS, ArtifactNode, OperatorNode, Options, Severity
from aqueduct_provider.sdk.packaging.user_function import UserFunction
from aqueduct_provider.sdk.suggest import suggestion, tidy
from aqueduct_provider.spec.retries import OWN_DELAY, OWN_RETRIES

# What is measured of an operator -> its unit and description.
SYSTEM_METRICS = {
    "runtime": ("sec", "How long the operator's function ran."),
    "max_memory": ("Mb", "The most memory that the operator had resident."),
}
_MEASURED = ("function", "metric", "check")
_UNMEASURED = {
    "param": "a parameter",
    "system_metric": "itself a system metric",
    "extract": "read from a data system",
}


def derive(
    kind: Literal["metric", "check", "system_metric"],
    name: str,
    inputs: tuple[ArtifactNode, ...],
    call: Callable[..., Any] | None = None,
    *,
    requirements: tuple[str, ...] = (),
    description: str = "",
    severity: Severity = "warning",
    notifications: Sequence[Mapping[str, Any]] = (),
    system_metric: str = "",
    lazy: bool = False,
) -> ArtifactNode:
    """Record an operator on ``inputs`` and compute it unless lazy.

    :param call: for metrics and checks.
    :param notifications: for checks: who is notified of them.
    :param system_metric: for system metrics: which one.
    """
    # Presets are written for DataFrames of pandas, whatever library made the table.
    function = call and UserFunction(call, requirements, (), Path(__file__).parent, ("pandas",) * len(inputs))
    operator = OperatorNode(
        kind,
        name,
        description,
        inputs,
        function=function,
        # What it runs is the provider's own.
        options=Options(retries=OWN_RETRIES, retry_delay=OWN_DELAY) if function else NO_OPTIONS,
        severity=severity,
        notifications=notifications,
        system_metric=system_metric,
    )
    result = "boolean" if kind == "check" else "numeric"
    output = ArtifactNode(operator, f"{name} artifact", named=False, type=result)
    operator.outputs = (output,)
    if not (lazy or settings.is_lazy()):
        evaluate.compute(operator)
    _attach(operator)
    return output


def system_metric(artifact: ArtifactNode, metric: str, *, lazy: bool) -> ArtifactNode:
    """Record what is measured when the artifact's producer runs.

    :raises AuthoringError: the system metric is unknown, or nothing is measured of the producer.
    """
    producer = artifact.producer
    if metric not in SYSTEM_METRICS:
        names = " and ".join(map(repr, SYSTEM_METRICS))
        raise AuthoringError(f"Unknown system metric {metric!r}; known are {names}.")
    if producer.kind not in _MEASURED:
        raise AuthoringError(
            f"{artifact.name!r} is {_UNMEASURED[producer.kind]}: nothing is measured of it. System metrics "
            "are those of functions, metrics and checks."
        )
    unit, description = SYSTEM_METRICS[metric]
    name = f"{producer.name} {metric}({unit}) metric"
    return derive(
        "system_metric", name, (artifact,), description=description, system_metric=metric, lazy=lazy
    )


def remove_check(artifact: ArtifactNode, name: str) -> None:
    """Take a check off the artifact and off the other artifacts that it was computed on.

    :raises AuthoringError: when it has no check of that name.
    """
    checks = {operator.name: operator for operator in artifact.derived if operator.kind == "check"}
    if (name := tidy(name)) not in checks:
        hint = suggestion(str(name), checks) or " It has no checks."
        raise AuthoringError(f"{artifact.name!r} has no check {name!r}.{hint}")
    _detach(checks[name])


def _attach(operator: OperatorNode) -> None:
    for artifact in operator.inputs:
        for other in artifact.derived:
            if (other.kind, other.name, other.inputs) == (operator.kind, operator.name, operator.inputs):
                _detach(other)
                break
    for artifact in dict.fromkeys(operator.inputs):
        artifact.derived.append(operator)


def _detach(operator: OperatorNode) -> None:
    for artifact in operator.inputs:
        if operator in artifact.derived:
            artifact.derived.remove(operator)

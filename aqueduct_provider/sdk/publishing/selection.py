"""Which operators a flow has: the artifacts asked for -> all that they need, and what measures them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator, Sequence

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, Kind, OperatorNode, reported_checks, upstream
from aqueduct_provider.sdk.packaging.user_function import innermost

_NOUNS: dict[Kind, str] = {
    "function": "operator",
    "metric": "metric",
    "check": "check",
    "param": "parameter",
    "system_metric": "system metric",
    "extract": "query",
    "load": "load",
}


def select(
    artifacts: Sequence[ArtifactNode],
    metrics: Sequence[ArtifactNode] | None,
    checks: Sequence[ArtifactNode] | None,
    value_key: Callable[[OperatorNode], Hashable],
) -> list[OperatorNode]:
    """Return the operators of the flow, in the order of creation, which is topological.

    In the flow are the artifacts that are named here and all inputs of the operators that they need; an
    output that is neither named nor read is not, though its operator runs.

    :param metrics: outputs of metrics; None: every metric on an artifact in the flow, and on those metrics,
        with all else that they need, as in the original. A metric that only shares a parameter with the flow
        stays out: notebooks use one parameter for several flows.
    :param checks: as ``metrics``.

    A load belongs to the artifact that it saves, whatever metrics and checks are named.

    :param value_key: distinguishes the defaults of ``param`` operators.
    :raises AuthoringError: nothing is named.
    """
    named = [*artifacts, *(metrics or ()), *(checks or ())]
    if not named:
        raise AuthoringError("A flow needs content: name at least one artifact in artifacts=[...].")
    flow = _Selection(named, value_key)
    kinds: set[Kind] = {"load"}
    kinds.update(("metric", "system_metric") if metrics is None else ())
    kinds.update(("check",) if checks is None else ())
    while joining := flow.joining(kinds):
        for operator in joining:
            flow.join(operator)
    return sorted(flow.operators, key=lambda operator: operator.number)


def unreported(operators: Sequence[OperatorNode]) -> list[str]:
    """Return the checks of which somebody would be notified, were they in the flow: their artifacts are not.

    A check that has nothing in common with the flow is one of another flow.

    :param operators: of the flow.
    :return: each as ``'check' (on 'artifact')``.
    """
    flow = set(operators)
    parameters = {one.name for one in operators if one.kind == "param"}
    names = {one.name for one in operators if one.kind == "check"}

    def is_shared(operator: OperatorNode) -> bool:
        return operator in flow or (operator.kind == "param" and operator.name in parameters)

    # A cell that runs again leaves the checks of its last time behind.
    found = {
        f"{one.name!r} (on {_measured(one).name!r})": None
        for one in reported_checks()
        if one.name not in names and any(map(is_shared, upstream(one.inputs)))
    }
    return list(found)


def _measured(operator: OperatorNode) -> ArtifactNode:
    """Return the artifact that a check is about; of one on a metric, that of the metric."""
    computed = [item for item in operator.inputs if item.producer.kind != "param"] or operator.inputs
    producer = computed[0].producer
    return _measured(producer) if producer.kind == "metric" and producer.inputs else computed[0]


def wrong_kinds(
    metrics: Sequence[ArtifactNode] | None, checks: Sequence[ArtifactNode] | None
) -> Iterator[tuple[AuthoringError, OperatorNode]]:
    """Yield an error for each artifact that is named as a metric or a check and is none, with its maker."""
    for artifact in metrics or ():
        if artifact.producer.kind not in ("metric", "system_metric") and artifact.type != "numeric":
            yield _wrong_kind("metrics", "metric", artifact), artifact.producer
    for artifact in checks or ():
        if artifact.producer.kind != "check":
            yield _wrong_kind("checks", "check", artifact), artifact.producer


def _wrong_kind(argument: str, wanted: Kind, artifact: ArtifactNode) -> AuthoringError:
    return AuthoringError(
        f"{argument}=[...] takes the results of {argument}, but {artifact.name!r} is the output of the "
        f"{_NOUNS[artifact.producer.kind]} {artifact.producer.name!r}. Name it in artifacts=[...], or "
        f"decorate the function that makes it with @{wanted}."
    )


class _Selection:
    """A flow in the making."""

    def __init__(self, named: Sequence[ArtifactNode], value_key: Callable[[OperatorNode], Hashable]) -> None:
        self.operators = set(upstream(named))
        self._artifacts = {*named, *(item for operator in self.operators for item in operator.inputs)}
        self._value_key = value_key

    def join(self, operator: OperatorNode) -> None:
        """Take in a metric, a check or a load with all that it needs."""
        needed = [*upstream(operator.inputs), operator]
        self.operators.update(needed)
        self._artifacts.update((*operator.outputs, *(item for other in needed for item in other.inputs)))

    def joining(self, kinds: set[Kind]) -> list[OperatorNode]:
        """Return the metrics, checks and loads on what is in the flow that are not in it yet.

        A notebook's cell that runs twice computes its metrics twice: only the latest counts.
        """
        latest: dict[Hashable, OperatorNode] = {}
        for operator in sorted(self._fitting(kinds), key=lambda operator: operator.number):
            latest[self._call_of(operator)] = operator
        return [operator for operator in latest.values() if operator not in self.operators]

    def _fitting(self, kinds: set[Kind]) -> set[OperatorNode]:
        derived = {operator for artifact in self._artifacts for operator in artifact.derived}
        return {operator for operator in derived if operator.kind in kinds and self._measures(operator)}

    def _measures(self, operator: OperatorNode) -> bool:
        """Return whether the operator is about an artifact of the flow, or about its parameters alone."""
        if operator.kind == "load":
            return operator.inputs[-1] in self._artifacts
        computed = [item for item in operator.inputs if item.producer.kind != "param"]
        return any(item in self._artifacts for item in computed or operator.inputs)

    def _call_of(self, operator: OperatorNode) -> Hashable:
        """Return a key that is equal for the same computation of the same inputs, wherever it was written."""
        inputs = tuple(
            (item.producer.name, self._value_key(item.producer)) if item.producer.kind == "param" else item
            for item in operator.inputs
        )
        names = tuple(artifact.name for artifact in operator.outputs if artifact.named)
        captured = tuple(_captured(operator))
        place = tuple(repr(operator.place.get(name)) for name in ("table", "collection", "filepath"))
        return operator.kind, operator.name, operator.system_metric, names, captured, place, inputs


def _captured(operator: OperatorNode) -> Iterator[str]:
    """Yield the plain values in the function's closure: functions of one factory have the same name."""
    call = innermost(operator.function.call) if operator.function else None
    for cell in getattr(call, "__closure__", None) or ():
        with contextlib.suppress(ValueError):  # The cell is still empty.
            if isinstance(cell.cell_contents, str | int | float):
                yield repr(cell.cell_contents)

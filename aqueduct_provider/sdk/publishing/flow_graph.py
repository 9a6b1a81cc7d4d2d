"""The operators of one flow, and what each of them and of their outputs is called in it.

In: the operators that were selected. Out: the same with names and ids; parameters that were created again,
equal, are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aqueduct_provider.sdk.authoring.encode_values import EncodedValue
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode
from aqueduct_provider.sdk.publishing.flow_names import artifact_names, is_explicit, unique_slugs

Encode = Callable[[OperatorNode], EncodedValue]


@dataclass(frozen=True)
class FlowGraph:
    """A flow with its names.

    :param operators: in the order of creation.
    :param task_ids: of the operators; also their ids.
    :param names: of the outputs, no two alike.
    :param ids: of the artifacts; parameters that are one share one.
    """

    operators: Sequence[OperatorNode]
    task_ids: Mapping[OperatorNode, str]
    names: Mapping[ArtifactNode, str]
    ids: Mapping[ArtifactNode, str]

    def name(self, operator: OperatorNode) -> str:
        """Return the operator's name; for a parameter, the one by which runs set it."""
        return _name(operator, self.names)


def flow_graph(selected: Iterable[OperatorNode], encode: Encode) -> FlowGraph:
    """Return the flow of these operators.

    :param selected: in the order of creation.
    :param encode: gives the default of a ``param`` operator.
    :raises AuthoringError: an explicit name is used twice, or a default cannot be stored.
    """
    every = list(selected)
    same = _equal_parameters(every, encode)
    operators = [operator for operator in every if same.keys().isdisjoint(operator.outputs)]
    names = artifact_names(operators)
    ids = dict(zip(names, unique_slugs(names.values()), strict=True))
    slugs = unique_slugs(_name(operator, names) for operator in operators)
    ids |= {again: ids[first] for again, first in same.items()}
    return FlowGraph(operators, dict(zip(operators, slugs, strict=True)), names, ids)


def _name(operator: OperatorNode, names: Mapping[ArtifactNode, str]) -> str:
    # A counter distinguishes them. What create_param named keeps its name when its artifact gets another.
    is_argument = operator.parameter is not None and operator.parameter.implicit
    return names[operator.outputs[0]] if is_argument else operator.name


def _equal_parameters(operators: Iterable[OperatorNode], encode: Encode) -> dict[ArtifactNode, ArtifactNode]:
    """Map parameters created again with the same name, default and description to the first of them."""
    first: dict[Any, ArtifactNode] = {}
    same: dict[ArtifactNode, ArtifactNode] = {}
    for operator in operators:
        if operator.parameter is None or not is_explicit(operator.outputs[0]):
            continue
        (artifact,) = operator.outputs
        what = artifact.name, operator.name, operator.parameter.description, encode(operator)
        other = first.setdefault(what, artifact)
        if other is not artifact:
            same[artifact] = other
    return same

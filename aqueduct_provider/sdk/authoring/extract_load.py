"""Extracts and loads: what is read from data systems and saved to them, as operators of the graph.

In: a data system, the spec's source or target, and artifacts. Out: the artifact that an extract makes,
computed unless lazy; a load hangs on the artifact that it saves and is published with it, nothing is written
here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk import settings
from aqueduct_provider.sdk.authoring import evaluate
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode, System
from aqueduct_provider.sdk.authoring.options import options_of
from aqueduct_provider.sdk.authoring.parameters import parameter_node
from aqueduct_provider.sdk.keywords import RunOptions
from aqueduct_provider.sdk.suggest import tidy

if TYPE_CHECKING:
    from aqueduct_provider.sdk.authoring.artifacts import Artifact

# Text that reads as JSON has a type of its own.
_STRINGS = ("string", "json")
_UNKNOWN = "untyped"


@dataclass(frozen=True)
class Labels:
    """The names of an extract.

    :param name: of the operator.
    :param output: name of its artifact; None: made of the operator's.
    """

    name: str
    output: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        for what, text in (("name", self.name), ("output", self.output)):
            if text is not None and (not isinstance(text, str) or not text.strip()):
                raise AuthoringError(f"{what} must be a non-empty string, not {text!r}.")
        object.__setattr__(self, "name", tidy(self.name))
        if not isinstance(self.description, str):
            raise AuthoringError(f"description must be text, not {type(self.description).__name__}.")


def extract(
    system: System,
    source: Mapping[str, Any],
    type_: str,
    labels: Labels,
    parameters: Iterable[Artifact | str] | None,
    *,
    lazy: bool,
    how: RunOptions | None = None,
) -> ArtifactNode:
    """Record an extract and compute it unless lazy.

    :param source: of the spec.
    :param type_: of the artifact.
    :param parameters: string artifacts; plain strings become parameters.
    :param how: retries and the like, as in ``@op``.
    :raises AuthoringError: a parameter is not a string.
    """
    inputs = _strings(labels.name, parameters)
    operator = OperatorNode(
        "extract",
        labels.name,
        labels.description,
        inputs,
        options=options_of(repr(labels.name), how or {}),
        system=system,
        place=source,
    )
    name = labels.output or f"{labels.name} artifact"
    output = ArtifactNode(operator, name, named=labels.output is not None, type=type_)
    operator.outputs = (output,)
    if not (lazy or settings.is_lazy()):
        evaluate.compute(operator)
    return output


def load(
    system: System,
    target: Mapping[str, Any],
    artifact: Artifact,
    parameters: Iterable[Artifact | str],
    *,
    tables_only: bool = False,
    how: RunOptions | None = None,
) -> None:
    """Record a load: the artifact is saved in every run of a flow that it is in.

    As a cell that runs twice records it twice, one with the same target takes the place of the one before.

    :param target: of the spec.
    :param parameters: string artifacts: what the target's name is made of.
    :raises AuthoringError: the artifact cannot be saved there, or a parameter is not a string.
    """
    node = _node(artifact, "saved")
    if tables_only and node.type not in ("table", _UNKNOWN):
        raise AuthoringError(
            f"Only tables can be saved to {system.name()!r}, and {node.name!r} is of type {node.type}: make "
            "a table of it in an @op first."
        )
    name = f"save to {system.name()}"
    inputs = (*_strings(name, parameters), node)
    options = options_of(repr(name), how or {})
    operator = OperatorNode("load", name, "", inputs, options=options, system=system, place=target)
    place = _place_of(operator)
    node.derived[:] = [other for other in node.derived if other.kind != "load" or _place_of(other) != place]
    node.derived.append(operator)


def saved_type(artifact: Any) -> str:
    """Return the type of an artifact that is to be saved. Raises ``AuthoringError`` where it is none."""
    return _node(artifact, "saved").type


def _place_of(operator: OperatorNode) -> Any:
    """Return a key that is equal for loads to the same place, however they write there."""
    names = ("table", "collection", "filepath")
    system = operator.system.name() if operator.system else ""
    parameters = tuple(item.producer.name for item in operator.inputs[:-1])
    return system, [operator.place.get(name) for name in names], parameters


def _strings(operator: str, given: Iterable[Artifact | str] | None) -> tuple[ArtifactNode, ...]:
    """Return the artifacts of string parameters."""
    from aqueduct_provider.sdk.authoring.artifacts import Artifact

    if isinstance(given, str | Artifact):
        raise AuthoringError("parameters must be a list of string artifacts, such as parameters=[country].")
    return tuple(_text(operator, number, item) for number, item in enumerate(given or (), 1))


def _text(operator: str, number: int, given: Any) -> ArtifactNode:
    where = f"Parameter {number} of {operator!r}"
    if isinstance(given, str):
        parameter = parameter_node(f"{operator}:{number}", given, f"{where}.", implicit=True)
        # Whatever its default reads as: any text may be given in its place.
        parameter.type = "string"
        return parameter
    if isinstance(given, int | float):
        raise AuthoringError(f"{where} is of type {type(given).__name__}: give it as text, '{given}'.")
    node = _node(given, "a parameter", where)
    if node.producer.kind == "check":
        raise AuthoringError(f"{where} is the output of a check; nothing can be computed from a check.")
    if node.type not in (*_STRINGS, _UNKNOWN):
        raise AuthoringError(f"{where}, {node.name!r}, must be a string, not {node.type}.")
    return node


def _node(given: Any, what: str, where: str = "What is saved") -> ArtifactNode:
    from aqueduct_provider.sdk.authoring.artifacts import Artifact

    if not isinstance(given, Artifact):
        raise AuthoringError(f"{where} is of type {type(given).__name__}, not an artifact of the flow.")
    if given.node is None:
        raise AuthoringError(
            f"{given.name()!r} was read back from a run, which has ended with it: it cannot be {what}. Use "
            "the artifact that the decorated function returned."
        )
    return given.node

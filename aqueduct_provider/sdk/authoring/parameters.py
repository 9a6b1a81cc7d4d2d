"""A value that may be set for each run, as a node of the graph.

In: a name and a default. Out: the artifact that an operator of kind ``param`` makes. A default that could not
be stored when the flow is published is refused here, where its author sees the line.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode, ParameterNode

_MUTABLE = frozenset({"dictionary", "list", "tuple", "table"})


def parameter_node(name: str, default: Any, description: str, implicit: bool) -> ArtifactNode:
    """Return the artifact of a new parameter.

    :param name: unique in a flow; ``<operator>:<argument>`` when implicit.
    :param default: its value in runs that set none. Of collections and tables a copy is kept, so that later
        changes of them change nothing here.
    :param implicit: made of a plain argument. Only such a default may be None.
    :raises AuthoringError: the name is not text, or the default cannot be stored.
    """
    from aqueduct_provider.sdk.authoring.encode_values import encoded_value

    if not isinstance(name, str) or not name.strip():
        raise AuthoringError(f"The name of a parameter must be text, and not empty; {name!r} is not.")
    if not isinstance(description, str):
        raise AuthoringError(
            f"The description of the parameter {name!r} must be text, not {type(description).__name__}."
        )
    what = _what(name, implicit)
    if default is None and not implicit:
        raise AuthoringError(f"The default of {what} cannot be None; give it a value.")
    if holds_artifact(default):
        fix = (
            "Pass artifacts as arguments of their own, or through *args."
            if implicit
            else "Pass what its .get() returns, or pass the artifact itself to the operators that need it."
        )
        raise AuthoringError(f"The value of {what} holds an artifact. {fix}")
    stored_as = encoded_value(default, "untyped", f"The value of {what}").type
    value = _own(default, stored_as)
    # None says "not given": whatever is given instead must be accepted.
    kind = "untyped" if default is None else stored_as
    operator = OperatorNode("param", name, description, parameter=ParameterNode(value, description, implicit))
    artifact = ArtifactNode(operator, name, named=not implicit, type=kind)
    operator.outputs = (artifact,)
    return artifact


def holds_artifact(value: Any) -> bool:
    """Return whether the value is an artifact, or a collection that holds one at any depth."""
    from aqueduct_provider.sdk.authoring.artifacts import Artifact

    seen = set[int]()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Artifact):
            return True
        if id(item) in seen:
            continue
        if isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, (list, tuple, set, frozenset)):
            waiting += item
        else:
            continue
        seen.add(id(item))
    return False


def _what(name: str, implicit: bool) -> str:
    operator, _, argument = name.rpartition(":")
    return f"argument {argument!r} of {operator!r}" if implicit else f"the parameter {name!r}"


def _own(value: Any, kind: str) -> Any:
    if kind not in _MUTABLE:
        return value
    try:
        return copy.deepcopy(value)
    # cloudpickle stores more than deepcopy can copy, such as modules.
    except Exception:
        return value

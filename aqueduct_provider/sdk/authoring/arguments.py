"""Turn what users pass where artifacts or lists are wanted into the graph's nodes, values, and lists."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from aqueduct_provider.errors import AuthoringError


def nodes_of(artifacts: Any, argument: str) -> list[Any]:
    """Return the graph's nodes behind artifacts, as ``publish_flow`` takes them: one, a sequence, or None."""
    from aqueduct_provider.sdk.authoring.artifacts import Artifact

    nodes = []
    for artifact in as_list(artifacts):
        if not isinstance(artifact, Artifact):
            raise AuthoringError(
                f"{argument} holds something of type {type(artifact).__name__}, not an artifact: give what "
                "decorated functions return, such as artifacts=[model]."
            )
        if artifact.node is None:
            raise AuthoringError(
                f"{argument} holds {artifact.name()!r}, which was read from a run; give what decorated "
                "functions return."
            )
        nodes.append(artifact.node)
    return nodes


def with_values(argument: Any) -> Any:
    """Replace artifacts by their values, also in lists, tuples, sets and dicts at any depth.

    :param argument: changed in no way; collections that hold an artifact are copied.
    """
    from aqueduct_provider.sdk.authoring.parameters import holds_artifact

    return _replaced(argument, {}) if holds_artifact(argument) else argument


def _replaced(item: Any, done: dict[int, Any]) -> Any:
    """:param done: the copies of the collections that hold this one, which may hold themselves."""
    from aqueduct_provider.sdk.authoring.artifacts import Artifact

    if isinstance(item, Artifact):
        return item.get()
    if id(item) in done:
        return done[id(item)]
    if isinstance(item, list):
        found = done[id(item)] = copy.copy(item)
        found[:] = [_replaced(one, done) for one in item]
        return found
    if isinstance(item, dict):
        entries = done[id(item)] = copy.copy(item)
        entries.clear()
        entries.update({_replaced(key, done): _replaced(value, done) for key, value in item.items()})
        return entries
    if isinstance(item, tuple):
        values = [_replaced(one, done) for one in item]
        return item._make(values) if hasattr(item, "_make") else type(item)(values)
    if isinstance(item, set | frozenset):
        return type(item)(_replaced(one, done) for one in item)
    return item


def as_list(value: Any) -> list[Any]:
    """Return one thing, a sequence of things, or None, as a list."""
    if value is None:
        return []
    # Artifacts and strings can be iterated, too, or raise an error that says they cannot.
    return list(value) if isinstance(value, list | tuple | set | frozenset | Iterator) else [value]

"""What people give where artifacts or lists are wanted -> the graph's nodes, and lists (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aqueduct_provider.errors import AuthoringError


def nodes_of(artifacts: Any, argument: str) -> list[Any]:
    """The graph's nodes behind artifacts, as ``publish_flow`` takes them: one, a sequence, or None."""
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


def as_list(value: Any) -> list[Any]:
    """One thing, a sequence of things, or None, as a list."""
    if value is None:
        return []
    # Artifacts and texts can be iterated, too, or say that they cannot.
    return list(value) if isinstance(value, list | tuple | set | frozenset | Iterator) else [value]

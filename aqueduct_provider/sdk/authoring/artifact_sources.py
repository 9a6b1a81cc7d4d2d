"""Where an artifact's value comes from: this process's graph, or a run that Airflow made.

In: nothing. Out: the :class:`ArtifactSource` that every ``Artifact`` of the SDK holds.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring import evaluate
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode

_ids: WeakKeyDictionary[ArtifactNode, str] = WeakKeyDictionary()


class ArtifactSource(Protocol):
    """The source of an artifact, as the artifact needs to know it."""

    @property
    def id(self) -> str:
        """A text that stays the same for the same artifact."""
        ...

    @property
    def name(self) -> str:
        """The name that users give the artifact."""
        ...

    @property
    def type(self) -> str:
        """Its artifact type (Aqueduct formats, section 4); ``untyped`` while that is not known."""
        ...

    @property
    def node(self) -> ArtifactNode | None:
        """Its place in this process's graph; None for artifacts that were read back from a run."""
        ...

    @property
    def ready(self) -> bool:
        """Check whether :meth:`value` returns at once, without computing anything."""
        ...

    def value(self, parameters: Mapping[str, Any] | None) -> Any:
        """Return the value, a copy of the caller's own.

        :param parameters: values of parameters by name; None: their defaults.
        """
        ...

    def trust(self) -> None:
        """Read from now on what Airflow does not vouch for, even if that can run code."""
        ...


class GraphSource:
    """The source of artifacts that were recorded in this process.

    :param node: the artifact's place in the graph.
    """

    def __init__(self, node: ArtifactNode) -> None:
        self.node = node

    @property
    def id(self) -> str:
        return _ids.setdefault(self.node, str(uuid.uuid4()))

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def type(self) -> str:
        return self.node.type

    @property
    def ready(self) -> bool:
        return evaluate.is_computed(self.node.producer)

    def value(self, parameters: Mapping[str, Any] | None) -> Any:
        return evaluate.value_of(self.node, parameters)

    def trust(self) -> None:
        raise AuthoringError(f"{self.name!r} is computed here and read from no store: leave trust_store out.")

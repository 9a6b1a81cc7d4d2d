"""The versions of a flow, and what each of them changed, as far as the store can be read.

In: a registry. Out: one value for each version, the newest first, with sentences about the specs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.function_source import FunctionSource, function_source
from aqueduct_provider.errors import NotFound, ObjectTooLarge, SpecError

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.registry import Registry
    from aqueduct_provider.sdk.versions.flow_diff import FlowDiff
    from aqueduct_provider.spec.models import Code, WorkflowSpec
    from aqueduct_provider.storage.object_store import ObjectStore

# Each costs a request for its spec.
_COMPARED = 6
# Function archives that a page reads, and bytes of one.
_ARCHIVES, _MOST_ARCHIVE = 40, 1_000_000


@dataclass(frozen=True)
class ShownVersion:
    """A version of a flow.

    :param name: what users call it: ``v12 (7d49f3c4)``.
    :param is_shown: whether it is the one that Airflow shows now.
    :param changes: what it changed against the one before; None: this is not known.
    """

    version_id: str
    name: str
    created_at: datetime
    is_shown: bool
    changes: Sequence[str] | None = None


@dataclass
class FewSources:
    """Reads the text of functions from a store: of each archive once, and of no more than a page may take."""

    store: ObjectStore
    _left: count[int] = field(default_factory=lambda: count(_ARCHIVES, -1))
    _read: dict[str, FunctionSource] = field(default_factory=dict)

    def __call__(self, code: Code) -> FunctionSource:
        """Return the text of a function, or why it is not compared."""
        if code.sha256 not in self._read:
            self._read[code.sha256] = (
                function_source(self.store, code, _MOST_ARCHIVE)
                if next(self._left) > 0
                else FunctionSource(problem="Too many functions changed to compare the text of all.")
            )
        return self._read[code.sha256]


def versions_of(registry: Registry, dag_id: str, shown: str) -> list[ShownVersion]:
    """Return the versions that the flow's record names, the newest first; empty without a record.

    :param shown: the id of the version that Airflow shows.
    :raises StorageError: the store cannot be read.
    :raises IntegrityError: the record is damaged.
    """
    record = registry.at(dag_id)
    if record is None:
        return []
    specs: list[WorkflowSpec | None] = []
    for one in record.versions[: _COMPARED + 1]:
        try:
            specs.append(registry.spec(record.flow_id, one.version_id))
        except (NotFound, SpecError, ObjectTooLarge):
            # Deleted by retention, of a later release, or too large: the others can still be compared.
            specs.append(None)
    found, sources = [], FewSources(registry.store)
    for place, one in enumerate(record.versions):
        new, old = (specs[at] if at < len(specs) else None for at in (place, place + 1))
        changes = changes_of(old, new, sources) if old is not None and new is not None else None
        found.append(
            ShownVersion(one.version_id, one.label, one.created_at, one.version_id == shown, changes)
        )
    return found


def changes_of(old: WorkflowSpec, new: WorkflowSpec, sources: FewSources) -> list[str]:
    """Return sentences about what differs between two versions."""
    return differences_of(old, new, sources).summary() or ["published again without changes"]


def differences_of(old: WorkflowSpec, new: WorkflowSpec, sources: FewSources) -> FlowDiff:
    """Return what differs between two versions, with the text of their functions."""
    from aqueduct_provider.sdk.versions.flow_diff import flow_diff

    return flow_diff(old, new, read=sources)

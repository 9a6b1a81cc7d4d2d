"""The versions of a flow, and what each of them changed, as far as the store can be read.

In: a registry. Out: one value for each version, the newest first, with sentences about the specs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aqueduct_provider.errors import NotFound, SpecError

if TYPE_CHECKING:
    from aqueduct_provider.sdk.publishing.registry import Registry
    from aqueduct_provider.spec.models import Operator, WorkflowSpec

# Each costs a request for its spec.
_COMPARED = 6
_NAMES = 5


@dataclass(frozen=True)
class ShownVersion:
    """A version of a flow.

    :param is_shown: whether it is the one that Airflow shows now.
    :param changes: what it changed against the one before; None: this is not known.
    """

    version_id: str
    created_at: datetime
    is_shown: bool
    changes: Sequence[str] | None = None


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
        except (NotFound, SpecError):
            # Deleted by retention, or of a later release: the others can still be compared.
            specs.append(None)
    found = []
    for place, one in enumerate(record.versions):
        new, old = (specs[at] if at < len(specs) else None for at in (place, place + 1))
        changes = changes_of(old, new) if old is not None and new is not None else None
        found.append(ShownVersion(one.version_id, one.created_at, one.version_id == shown, changes))
    return found


def changes_of(old: WorkflowSpec, new: WorkflowSpec) -> list[str]:
    """Return sentences about what differs between two versions."""
    before = {operator.name: operator for operator in old.operators}
    after = {operator.name: operator for operator in new.operators}
    found = []
    for verb, names in (
        ("added", [name for name in after if name not in before]),
        ("removed", [name for name in before if name not in after]),
        ("changed", [name for name in after if name in before and _differs(before[name], after[name])]),
    ):
        if names:
            found.append(f"{verb} {_listed(names)}")
    if old.schedule != new.schedule:
        found.append("changed the schedule")
    if old.flow.description != new.flow.description:
        found.append("changed the description")
    return found or ["published again without changes of operators"]


def _differs(old: Operator, new: Operator) -> bool:
    # Every version has new ids; the archive of a function is known by its content.
    ids = {"id", "inputs", "outputs"}
    return bool(old.model_dump(exclude=ids) != new.model_dump(exclude=ids))


def _listed(names: Iterable[str]) -> str:
    some = list(names)
    shown = ", ".join(some[:_NAMES])
    return f"{shown} and {len(some) - _NAMES} more" if len(some) > _NAMES else shown

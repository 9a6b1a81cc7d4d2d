"""What differs between two versions of a flow, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

# Names that a sentence has at most.
_NAMES = 5


@dataclass(frozen=True)
class Change:
    """A value that differs, as JSON.

    :param name: what has this value.
    :param before: None: it was not there.
    :param after: None: it is not there any more.
    """

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class OperatorChange:
    """What differs in an operator that both versions have.

    :param name: its name; with its task id where several have this name.
    :param source: unified diff of its text; empty: the same, or not read.
    :param requirements: the lines of each distribution.
    :param options: its other fields, such as ``retries``.
    :param code_changed: whether its archive is another one.
    :param note: what the diff of its code does not show, or why there is none; empty: it shows all.
    :param is_repackaged: whether nothing that was compared differs but the pickle of its function.
    """

    name: str
    source: str = ""
    requirements: tuple[Change, ...] = ()
    options: tuple[Change, ...] = ()
    code_changed: bool = False
    note: str = ""
    is_repackaged: bool = False


@dataclass(frozen=True)
class OperatorCode:
    """The code of an operator that one version alone has.

    :param name: as of :class:`OperatorChange`.
    :param source: its text, each line behind ``+`` or ``-``; empty: not read.
    :param note: what the text leaves out, or why there is none.
    """

    name: str
    source: str = ""
    note: str = ""


@dataclass(frozen=True)
class Differences:
    """What differs between two versions of a flow.

    :param before: what the earlier version is called, ``v11 (1f0c77aa)``.
    :param after: what the later version is called.
    :param added: operators that only the later version has.
    :param removed: operators that only the earlier version has.
    :param changed: operators that both have, and that differ.
    :param schedule: None: the same.
    :param parameters: with ``type``, ``default`` and ``description``.
    :param artifacts: with ``type`` and ``keep_snapshot``.
    :param edges: from operator to operator: the artifacts that the second reads, and as which input.
    :param settings: of the flow, such as its description, tags and retention.
    :param added_code: of the operators that only the later version has, those with code.
    :param removed_code: of the operators that only the earlier version has, those with code.
    """

    before: str
    after: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[OperatorChange, ...] = ()
    schedule: Change | None = None
    parameters: tuple[Change, ...] = ()
    artifacts: tuple[Change, ...] = ()
    edges: tuple[Change, ...] = ()
    settings: tuple[Change, ...] = ()
    added_code: tuple[OperatorCode, ...] = ()
    removed_code: tuple[OperatorCode, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Check whether both versions do the same."""
        parts = (*self.added, *self.removed, *self.changed, *self.parameters, *self.artifacts)
        return not (parts or self.edges or self.settings or self.schedule)

    def summary(self) -> list[str]:
        """Return short sentences that name what differs; empty where nothing does."""
        words = [
            *(("added", self.added), ("removed", self.removed)),
            ("changed", [one.name for one in self.changed if not one.is_repackaged]),
            ("packaged again, with the same text,", [one.name for one in self.changed if one.is_repackaged]),
            ("changed the parameters", [one.name for one in self.parameters]),
            # Those of new and removed operators are among these.
            ("changed the artifacts", [one.name for one in self.artifacts if one.before and one.after]),
        ]
        found = [f"{verb} {_listed(names)}" for verb, names in words if names]
        settings = [*(["schedule"] if self.schedule else []), *(one.name for one in self.settings)]
        found += [f"changed the {name.replace('_', ' ')}" for name in settings]
        if not found and not self.is_empty:
            found.append("changed the edges" if self.edges else "renamed artifacts")
        return found

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON values, for programs."""
        return {**asdict(self), "is_empty": self.is_empty}


def _listed(names: Iterable[str]) -> str:
    some = list(names)
    shown = ", ".join(some[:_NAMES])
    return f"{shown} and {len(some) - _NAMES} more" if len(some) > _NAMES else shown

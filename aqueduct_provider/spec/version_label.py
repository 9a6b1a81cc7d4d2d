"""Name a version of a flow as users see it, and find that name at the end of a DAG's description (pure)."""

from __future__ import annotations

import re

# Of a version's id: enough to distinguish the versions of one flow.
_CHARACTERS = 8
_LABEL = re.compile(
    rf"(?:^|\s)(?:v[1-9]\d* \((?P<numbered>[0-9a-f]{{{_CHARACTERS}}})\)|"
    rf"version (?P<plain>[0-9a-f]{{{_CHARACTERS}}}))\s*$",
    re.ASCII,
)


def version_label(version_id: str, number: int | None) -> str:
    """Return ``v12 (7d49f3c4)``, or ``version 7d49f3c4`` where the number is unknown."""
    name = version_name(version_id, number)
    return f"version {name}" if number is None else name


def version_name(version_id: str, number: int | None) -> str:
    """Return the same where a title says that it is a version: ``v12 (7d49f3c4)``, or ``7d49f3c4``."""
    short = short_id(version_id)
    return short if number is None else f"v{number} ({short})"


def short_id(version_id: str) -> str:
    """Return the part of a version's id that is shown."""
    return version_id[:_CHARACTERS]


def labelled_version(description: str) -> str:
    """Return the short id of the version that a DAG's description ends with; empty: it names none."""
    found = _LABEL.search(description)
    return (found["numbered"] or found["plain"]) if found else ""

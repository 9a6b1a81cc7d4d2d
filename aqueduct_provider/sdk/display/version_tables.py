"""The versions of a flow as a table, for terminals and notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from aqueduct_provider.sdk.console import plain_table
from aqueduct_provider.spec.version_label import short_id

if TYPE_CHECKING:
    from rich.text import Text

    from aqueduct_provider.sdk.display.views import VersionView

_COLUMNS = ("version", "id", "published", "by", "commit", "message", "what changed")
_NONE = "No version is in the store."


def versions_table(versions: Sequence[VersionView]) -> Text:
    """Return versions as a table."""
    from rich.text import Text

    return plain_table(_COLUMNS, _rows(versions)) if versions else Text(_NONE)


def versions_html(versions: Sequence[VersionView]) -> str:
    """Return versions as a table for a notebook."""
    from aqueduct_provider.sdk.display.notebook import html_table

    return html_table(_COLUMNS, _rows(versions)) if versions else f"<div>{_NONE}</div>"


def _rows(versions: Iterable[VersionView]) -> list[tuple[Any, ...]]:
    return [
        (
            one.label,
            short_id(one.id),
            one.created_at,
            one.published_by,
            _commit(one),
            one.message,
            _changes(one),
        )
        for one in versions
    ]


def _commit(version: VersionView) -> str:
    git = version.git
    return "" if git is None else f"{git.commit[:8]}{'' if git.clean else ', and changes'}"


def _changes(version: VersionView) -> str:
    restored = [f"restored v{version.restores}"] if version.restores else []
    known = version.changes
    return "; ".join([*restored, *(known or ([] if known is None or restored else ["nothing"]))])

"""Two runs side by side, as terminals and notebooks show them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from aqueduct_provider.sdk.console import cell_text, plain_table
from aqueduct_provider.sdk.display.flow_diffs import diff_html, diff_text
from aqueduct_provider.sdk.display.notebook import html_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

    from aqueduct_provider.sdk.display.views import ComparisonView
    from aqueduct_provider.sdk.results.difference_rows import ComparedRun, DifferenceRow, Section

_ABSENT = "not there"
_MARKS = {"changed": "#b58900", "added": "#2aa198", "removed": "#cb4b16"}


def comparison_text(found: ComparisonView) -> Text:
    """Return a comparison as a table of aligned columns; ``*`` marks what differs."""
    columns = ("", "", "", "before", "now", "difference")
    ids, versions = ((found.before.run_id, found.now.run_id), (found.before.version, found.now.version))
    rows: list[tuple[str | None, ...]] = [("Run", "", "id", *ids, ""), ("", "", "version", *versions, "")]
    for section in found.sections:
        title = "" if section.title == "Run" else section.title
        for row in _shown(section):
            rows.append((title, "*" if row.mark else "", row.name, *_sides(row), row.note or row.mark))
            title = ""
    table = plain_table(columns, rows)
    return table if found.flow_diff is None else table.append("\n\n").append_text(diff_text(found.flow_diff))


def comparison_html(found: ComparisonView) -> str:
    """Return a comparison as HTML in which all text of users is escaped."""
    head = f"<div><b>{escape(found.flow)}</b>: {_run(found.before)} &rarr; {_run(found.now)}</div>"
    parts = []
    for section in found.sections:
        rows = [(row.name, *_sides(row), row.note, f"{row.mark}") for row in _shown(section)]
        columns = (f"{section.title} ({_count(section.changes)})", "before", "now", "", "")
        parts.append(html_table(columns, rows))
    if found.flow_diff is not None:
        parts.append(diff_html(found.flow_diff))
    return f"<div>{head}{''.join(parts)}</div>"


def _run(run: ComparedRun) -> str:
    facts = ", ".join(filter(None, [run.version, run.status, cell_text(run.created_at)]))
    return f"{escape(cell_text(run.run_id))} ({escape(facts)})"


def _shown(section: Section) -> Iterable[DifferenceRow]:
    # The version is shown by its label.
    return [row for row in section.rows if (section.title, row.name) != ("Run", "Version")]


def _sides(row: DifferenceRow) -> tuple[str, str]:
    before, now = (_ABSENT if side is None else side for side in (row.before, row.now))
    return before, now


def _count(changes: int) -> str:
    return "1 difference" if changes == 1 else f"{changes} differences" if changes else "no differences"

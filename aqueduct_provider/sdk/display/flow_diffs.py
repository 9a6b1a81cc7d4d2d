"""What differs between two versions, for terminals and notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from aqueduct_provider.sdk.console import cell_text, console, plain_table

if TYPE_CHECKING:
    from rich.text import Text

    from aqueduct_provider.sdk.versions.differences import Change, Differences

_LONGEST = 80
_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_COLOURS = {"+": "#2e7d32", "-": "#c62828", "@": "#00838f"}
_COLUMNS = ("", "what", "before", "after")
_NOTHING = "Nothing differs."


def print_diff(diff: Differences) -> None:
    """Print it."""
    console().print(diff_text(diff))


def diff_text(diff: Differences) -> Text:
    """Return a table of what differs, then the text of the code that does."""
    text = short_diff_text(diff)
    for title, source in _sources(diff):
        text.append(f"\n\n{title}\n", "bold")
        for number, line in enumerate(source.splitlines()):
            text.append("\n" if number else "").append(line, _STYLES.get(line[:1], ""))
    return text


def short_diff_text(diff: Differences) -> Text:
    """Return a table of what differs, without the text of code."""
    from rich.text import Text

    text = Text().append(f"{cell_text(diff.before)} -> {cell_text(diff.after)}", "bold").append("\n")
    rows = [*_rows(diff)]
    return text.append_text(plain_table(_COLUMNS, rows) if rows else Text(_NOTHING))


def diff_html(diff: Differences) -> str:
    """Return both for a notebook."""
    from aqueduct_provider.sdk.display.notebook import html_table

    rows = [*_rows(diff)]
    parts = [
        f"<div><b>{escape(diff.before)}</b> → <b>{escape(diff.after)}</b></div>",
        html_table(_COLUMNS, rows) if rows else f"<div>{_NOTHING}</div>",
        *(
            f"<div><b>{escape(title)}</b></div><pre>{_html_lines(source)}</pre>"
            for title, source in _sources(diff)
        ),
    ]
    return f"<div>{''.join(parts)}</div>"


def _html_lines(source: str) -> str:
    return "\n".join(
        f'<span style="color:{_COLOURS[line[0]]}">{escape(line)}</span>'
        if line[:1] in _COLOURS
        else escape(line)
        for line in source.splitlines()
    )


def _sources(diff: Differences) -> Iterator[tuple[str, str]]:
    return ((one.name, one.source) for one in diff.changed if one.source)


def _rows(diff: Differences) -> Iterator[tuple[str, str, str, str]]:
    yield from (("added", f"operator {name}", "", "") for name in diff.added)
    yield from (("removed", f"operator {name}", "", "") for name in diff.removed)
    for one in diff.changed:
        if one.code_changed:
            yield "changed", f"code of {one.name}", one.note, "" if one.note else _lines_changed(one.source)
        yield from _changes(f"requirement of {one.name}:", one.requirements)
        yield from _changes(f"operator {one.name},", one.options)
    if diff.schedule:
        yield from _changes("", [diff.schedule])
    yield from _changes("parameter", diff.parameters)
    yield from _changes("artifact", diff.artifacts)
    yield from _changes("edge", diff.edges)
    yield from _changes("", diff.settings)


def _lines_changed(source: str) -> str:
    lines = source.splitlines()
    added, removed = (
        sum(line.startswith(sign) and not line.startswith(f"{sign * 3} ") for line in lines) for sign in "+-"
    )
    return f"+{added} -{removed} lines" if lines else ""


def _changes(noun: str, changes: Iterable[Change]) -> Iterator[tuple[str, str, str, str]]:
    for one in changes:
        word = "added" if one.before is None else "removed" if one.after is None else "changed"
        yield word, f"{noun} {one.name}".strip(), *_sides(one.before, one.after)


def _sides(before: Any, after: Any) -> tuple[str, str]:
    """Return both values; of two objects only the fields that differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        before, after = ({name: side[name] for name in names if name in side} for side in (before, after))
    return _value(before), _value(after)


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(item) or 'none'}" for name, item in value.items() if item != "")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."

"""What differs between two versions, for terminals and notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from aqueduct_provider.sdk.console import cell_text, console, plain_table, terminal_safe

if TYPE_CHECKING:
    from rich.text import Text

    from aqueduct_provider.sdk.versions.differences import Change, Differences, OperatorChange, OperatorCode

# Characters of a value; of those, how many before the first that differs.
_LONGEST, _BEFORE = 80, 20
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
        text.append(f"\n\n{cell_text(title)}\n", "bold")
        for number, line in enumerate(_lines(source)):
            text.append("\n" if number else "").append(line, _STYLES.get(line[:1], ""))
    return text


def short_diff_text(diff: Differences) -> Text:
    """Return a table of what differs, and what the text of code does not show, without that text."""
    from rich.text import Text

    text = Text().append(f"{cell_text(diff.before)} -> {cell_text(diff.after)}", "bold").append("\n")
    rows = [*_rows(diff)]
    text.append_text(plain_table(_COLUMNS, rows) if rows else Text(_NOTHING))
    notes = [f"{cell_text(one.name)}: {cell_text(one.note)}" for one in _codes(diff) if one.note]
    return text.append("\n\n" + "\n".join(notes)) if notes else text


def diff_html(diff: Differences) -> str:
    """Return both for a notebook."""
    from aqueduct_provider.sdk.display.notebook import html_table

    rows = [*_rows(diff)]
    parts = [
        f"<div><b>{_html(diff.before)}</b> → <b>{_html(diff.after)}</b></div>",
        html_table(_COLUMNS, rows) if rows else f"<div>{_NOTHING}</div>",
        *(f"<div><b>{_html(one.name)}</b>: {_html(one.note)}</div>" for one in _codes(diff) if one.note),
        *(
            f"<div><b>{_html(title)}</b></div><pre>{_html_lines(source)}</pre>"
            for title, source in _sources(diff)
        ),
    ]
    return f"<div>{''.join(parts)}</div>"


def _html(text: str) -> str:
    return escape(cell_text(text))


def _html_lines(source: str) -> str:
    return "\n".join(
        f'<span style="color:{_COLOURS[line[0]]}">{escape(line)}</span>'
        if line[:1] in _COLOURS
        else escape(line)
        for line in _lines(source)
    )


def _lines(source: str) -> list[str]:
    """Return the lines of a diff, with what reorders, hides or breaks text escaped."""
    return [terminal_safe(line) for line in source.removesuffix("\n").split("\n")] if source else []


def _codes(diff: Differences) -> Iterator[OperatorChange | OperatorCode]:
    yield from diff.changed
    yield from diff.added_code
    yield from diff.removed_code


def _sources(diff: Differences) -> Iterator[tuple[str, str]]:
    return ((one.name, one.source) for one in _codes(diff) if one.source)


def _rows(diff: Differences) -> Iterator[tuple[str, str, str, str]]:
    yield from (("added", f"operator {name}", "", "") for name in diff.added)
    yield from (("removed", f"operator {name}", "", "") for name in diff.removed)
    for one in diff.changed:
        if one.code_changed:
            yield "changed", f"code of {one.name}", "", _lines_changed(one.source)
        yield from _changes(f"requirement of {one.name}:", one.requirements)
        yield from _changes(f"operator {one.name},", one.options)
    if diff.schedule:
        yield from _changes("", [diff.schedule])
    yield from _changes("parameter", diff.parameters)
    yield from _changes("artifact", diff.artifacts)
    yield from _changes("edge", diff.edges)
    yield from _changes("", diff.settings)


def _lines_changed(source: str) -> str:
    lines = _lines(source)
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
    if not all(side is None or isinstance(side, dict) for side in (before, after)):
        return _cut(_value(before), _value(after))
    first, second = before or {}, after or {}
    pairs = {name: _sides(first.get(name), second.get(name)) for name in {**first, **second}}
    named = {name: pair for name, pair in pairs.items() if _differ(first.get(name), second.get(name))}
    old = (f"{name} {pair[0] or 'none'}" for name, pair in named.items() if first.get(name, "") != "")
    new = (f"{name} {pair[1] or 'none'}" for name, pair in named.items() if second.get(name, "") != "")
    return ", ".join(old), ", ".join(new)


def _differ(before: Any, after: Any) -> bool:
    # To Python, 1 and True are equal.
    return json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)


def _value(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(before: str, after: str) -> tuple[str, str]:
    """Cut both, where they are too long, around the first character that differs."""
    pairs = enumerate(zip(before, after, strict=False))
    same = next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))
    start = same - _BEFORE if same > _LONGEST // 2 and max(len(before), len(after)) > _LONGEST else 0
    return _part(before, start), _part(after, start)


def _part(text: str, start: int) -> str:
    begin = "..." if start else ""
    room = _LONGEST - len(begin)
    rest = text[start:]
    return f"{begin}{rest}" if len(rest) <= room else f"{begin}{rest[: room - 3]}..."

"""The terminal: the one place through which text from the store, Airflow or another server is printed.

Whoever can write there could put escape sequences into it that rewrite what the terminal shows. Import rich
only when something is printed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_COLOURS = {"succeeded": "green", "failed": "red", "running": "yellow", "warning": "yellow"}
# Colours of logs: harmless, but unreadable when they are escaped.
_STYLES = re.compile(r"\x1b\[[0-9;:]*m")
_LINE_ENDS = re.compile(r"\r\n?")
# C0 and C1 but for tabs and line ends, marks that reorder text, and halves of surrogate pairs.
_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f"
    r"\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SPACES = re.compile(r"[\t\n]+")


def terminal_safe(text: str) -> str:
    """Return text without what steers a terminal: colours go, other control characters are escaped."""
    text = _LINE_ENDS.sub("\n", _STYLES.sub("", text))
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def print_text(text: str, *, stderr: bool = False, end: str = "\n") -> None:
    """Print text that may come from the store, Airflow or another server."""
    print(terminal_safe(text), file=sys.stderr if stderr else sys.stdout, end=end)


def confirmed(question: str) -> bool:
    """Ask whoever sits at the terminal; False where no one does."""
    if not (sys.stdin and sys.stdin.isatty()):
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def console(*, stderr: bool = False, fold: bool = False) -> Console:
    """Return a console on which nothing is markup, no line is cut and no text steers the terminal.

    :param fold: fold lines at the terminal's width, for what is drawn again in place.
    """
    from rich.console import Console
    from rich.segment import Segment

    class SafeConsole(Console):
        """Escapes control characters in all text; rich's own control sequences pass."""

        def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(terminal_safe(segment.text), segment.style)

    return SafeConsole(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=not fold)


@contextmanager
def spinner(message: str, *, shown: bool) -> Iterator[Callable[[str], None]]:
    """Show a moving sign next to the message; the message alone where nothing can move.

    Yields a function that prints a line about the waiting itself.

    :param shown: False: print nothing at all.
    """
    out = console(stderr=True)
    if not shown:
        yield lambda _line: None
    elif out.is_terminal and not out.is_jupyter:
        from rich.text import Text

        with out.status(Text(message)):
            yield lambda line: out.print(Text(line))
    else:
        out.print(message)
        yield out.print


def plain_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> Text:
    """Return a table of aligned columns, leaving out those in which every row is empty.

    :param columns: their titles; no line of titles where all are empty.
    :param right: columns that are aligned to the right.
    """
    from rich.cells import cell_len
    from rich.text import Text

    cells = [[cell_text(cell) for cell in row] for row in rows]
    used = [index for index in range(len(columns)) if not cells or any(row[index] for row in cells)]
    head = [list(columns)] if any(columns) else []
    widths = {index: max([0, *(cell_len(row[index]) for row in head + cells)]) for index in used}
    table = Text()
    for number, row in enumerate(head + cells):
        line = Text("\n") if number else Text()
        for place, index in enumerate(used):
            space = " " * (widths[index] - cell_len(row[index]))
            style = "bold" if head and not number else _style(columns[index], row[index])
            line.append("  " if place else "")
            line.append(space if columns[index] in right else "").append(row[index], style)
            line.append("" if columns[index] in right else space)
        line.rstrip()
        table.append_text(line)
    return table


def cell_text(value: Any) -> str:
    """Return a value as one line of text, as cells of tables show it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    return _SPACES.sub(" ", terminal_safe(text)).strip()


def _style(column: str, cell: str) -> str:
    return _COLOURS.get(cell, "") if column == "status" else ""

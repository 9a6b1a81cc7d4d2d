"""Print the problems of files in a terminal: one line for each file, one for each problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aqueduct_provider.errors import Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def print_verdict(
    console: Console, file: str, errors: Sequence[Problem], warnings: Sequence[Problem] = ()
) -> None:
    """Print whether a file is good, and its problems.

    :param file: its name, and what else there is to say.
    """
    from rich.text import Text

    mark, style = ("error", "bold red") if errors else ("ok   ", "bold green")
    console.print(Text(mark, style), Text(printable(file)))
    for problem in errors:
        path = printable(problem.path)
        console.print(Text("  "), Text(path, "cyan"), _message(problem, bool(path)), sep="")
    for problem in warnings:
        path = "" if problem.path == "$" else f" {printable(problem.path)}"
        console.print(Text("  "), Text("warning", "yellow"), Text(path), _message(problem, True), sep="")


def printable(text: str) -> str:
    """Return the text with escapes for what would steer a terminal: names in files may hold anything."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _message(problem: Problem, follows: bool) -> Text:
    from rich.text import Text

    return Text(f"{': ' if follows else ''}{printable(problem.message)}")

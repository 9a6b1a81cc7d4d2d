"""The results in ``benchmarks/README.md``: a row for each figure, with the commit that it was measured at.

Between two markers: a line for each commit that the table names, saying where and with what it was measured,
and the table. Writing some benchmarks replaces their rows; all others keep what they have, their commits too.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import Figure

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
INTRODUCTION = (
    "Medians, with the smallest and the largest value. Each row names the commit that it was measured at; "
    "`-dirty`: with changes that were not committed."
)


class Row(NamedTuple):
    """One line of the table."""

    benchmark: str
    what: str
    ours: str
    against: str
    result: str
    target: str
    verdict: str
    commit: str


def row(benchmark: str, figure: Figure, commit: str) -> Row:
    """The line of a figure."""
    facts = (figure.what, figure.ours, figure.against, figure.result, figure.target, figure.verdict)
    return Row._make([f"`{benchmark}`", *(fact.replace("|", "/") for fact in facts), f"`{commit}`"])


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown."""
    lines = [Row._fields, ("---",) * len(Row._fields), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def updated(readme: str, new: Sequence[Row], machine: str, order: Sequence[str]) -> str:
    """Replace the rows of the benchmarks that were measured.

    :param new: the rows of one measurement, all of the same commit.
    :param machine: what they were measured on, and with what.
    :param order: the names of all benchmarks; rows of others are dropped.
    """
    before, _, rest = readme.partition(BEGIN)
    section, _, after = rest.partition(END)
    measured = {one.benchmark for one in new}
    rows = [*(one for one in _rows(section) if one.benchmark not in measured), *new]
    places = {f"`{name}`": place for place, name in enumerate(order)}
    rows = sorted((one for one in rows if one.benchmark in places), key=lambda one: places[one.benchmark])
    machines = _machines(section) | {one.commit: machine for one in new}
    report = f"{INTRODUCTION}\n\n{_listed(machines, rows)}\n\n{table(rows)}"
    return f"{before}{BEGIN}\n\n{report}\n\n{END}{after}"


def commit_of(folder: Path) -> str:
    """The short hash of HEAD; with ``-dirty`` when anything but the table itself has changed since."""
    git = ["git", "-C", str(folder)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    if head.returncode:
        return "unknown"
    status = [*git, "status", "--porcelain", "--", ":/", ":(top,exclude)benchmarks/README.md"]
    changed = subprocess.run(status, capture_output=True, text=True).stdout.strip()
    return head.stdout.strip() + ("-dirty" if changed else "")


def _rows(section: str) -> list[Row]:
    """The rows of a table, without its head."""
    lines = [line[2:-2].split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [Row._make(cells) for cells in lines]


def _machines(section: str) -> dict[str, str]:
    """What each commit was measured on."""
    return dict(re.findall(r"^- (`[^`]+`): (.+)$", section, re.MULTILINE))


def _listed(machines: Mapping[str, str], rows: Iterable[Row]) -> str:
    """A line for each commit that a row names."""
    named = {one.commit for one in rows}
    return "\n".join(f"- {commit}: {machine}" for commit, machine in machines.items() if commit in named)

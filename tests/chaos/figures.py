"""What a campaign found, as the table of ``benchmarks/RELIABILITY.md``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

REPORT = Path(__file__).resolve().parents[2] / "benchmarks" / "RELIABILITY.md"
_BEGIN, _END = "<!-- figures -->\n", "<!-- end of figures -->\n"


@dataclass(frozen=True)
class Figure:
    """One row.

    :param right: outcomes that were right, of ``total``.
    :param note: what else was measured.
    """

    name: str
    right: int
    total: int
    note: str = ""

    @property
    def row(self) -> str:
        return f"| {self.name} | {self.right:,} of {self.total:,} | {self.note} |"


def table(figures: Iterable[Figure]) -> str:
    """Return the rows as Markdown."""
    return "\n".join(["| | right | |", "| --- | --- | --- |", *(figure.row for figure in figures), ""])


def write(figures: Iterable[Figure], airflow: str, commit: str) -> None:
    """Put the table into the report, in place of the one that is there."""
    text = REPORT.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    block = f"Airflow {airflow}, commit {commit}:\n\n{table(figures)}"
    REPORT.write_text(f"{before}{_BEGIN}{block}{_END}{after}", encoding="utf-8")

"""Divide a task's log into sections: which lines belong to which operator of a fused task.

In: an operator, or a whole log. Out: the lines around an operator's part of the log, in the notation that
Airflow's UI folds; or that part. Imports nothing.
"""

from __future__ import annotations

from collections.abc import Collection

SECTION_END = "::endgroup::"
_GROUP = "::group::"


def section_start(name: str, task_id: str) -> str:
    """Return the line before an operator's part of the log."""
    label = " ".join(name.split())
    return f"::group::{label}" if label == task_id else f"::group::{label} ({task_id})"


def section_of(text: str, start: str, others: Collection[str]) -> str | None:
    """Return one operator's part of a log, without the lines around it; None: it is not there.

    :param start: its first line, as :func:`section_start` gives it.
    :param others: those of the other operators in the log, before which it ends at the latest.
    """
    lines = text.split("\n")
    # Airflow puts the time and more before each line.
    begins = [number for number, line in enumerate(lines) if line.endswith(start)]
    if not begins:
        return None
    depth, part = 1, list[str]()
    for line in lines[begins[0] + 1 :]:
        if any(map(line.endswith, others)):
            break
        # The operator's code may print groups of its own.
        depth += (_GROUP in line) - line.endswith(SECTION_END)
        if depth == 0:
            break
        part.append(line)
    return "\n".join(part)

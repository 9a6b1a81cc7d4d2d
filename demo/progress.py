"""A run as it goes on: every task's state, live."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.integration.client import FINISHED, AirflowClient

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_COLOURS = {"success": "green", "failed": "red", "running": "yellow", "upstream_failed": "red"}


def watch(
    client: AirflowClient, dag_id: str, run_id: str, order: list[str], console: Console, *, seconds: float
) -> str:
    """Show the run until it ends; its last state, when the time is over too.

    :param order: the task ids as they are shown.
    :param seconds: how long to wait for the end.
    """
    from rich.live import Live

    console.print(f"Run {run_id}", highlight=False)
    end = time.monotonic() + seconds
    state = "queued"
    with Live(console=console, refresh_per_second=4) as live:
        while state not in FINISHED and time.monotonic() < end:
            time.sleep(0.5)
            state = client.runs(dag_id)[run_id]["state"]
            live.update(_table(client.tasks(dag_id, run_id), order))
    console.print()
    return state


def _table(tasks: dict[str, dict[str, Any]], order: list[str]) -> Table:
    from rich.table import Table

    table = Table()
    for column in ("task", "state", "seconds"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for task_id in order:
        task = tasks.get(task_id, {})
        state = task.get("state") or "waiting"
        took = f"{task['duration']:.1f}" if task.get("duration") else ""
        table.add_row(task_id, f"[{_COLOURS.get(state, 'dim')}]{state}[/]", took)
    return table

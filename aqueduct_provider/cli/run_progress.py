"""Progress of a run here, on stderr: a live table in a terminal, else a line for each change.

What the user's code prints is shown as it comes, behind the operator's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from aqueduct_provider.sdk.local.run_flow import Event
    from aqueduct_provider.sdk.results.outcomes import OperatorRun
    from aqueduct_provider.spec.models import WorkflowSpec

# Longer lists would not fit a screen: of larger flows only what runs is shown.
_MOST_SHOWN = 20


@contextmanager
def shown(spec: WorkflowSpec) -> Iterator[Callable[[Event], None]]:
    """Return the function to call with each event of a run of this spec."""
    from aqueduct_provider.sdk.console import console

    out = console(stderr=True)
    if not out.is_terminal:
        yield _Progress(spec, out, lambda _: None).line
        return
    from rich.live import Live

    with Live(console=out, refresh_per_second=4, transient=True) as live:
        yield _Progress(spec, out, live.update).picture


class _Progress:
    """How far the operators of a run are.

    :param update: replaces what is shown in place.
    """

    def __init__(self, spec: WorkflowSpec, out: Console, update: Callable[[Text], None]) -> None:
        from aqueduct_provider.sdk.results.outcomes import OperatorRun, labels

        self._out, self._update = out, update
        blank = [OperatorRun(one.name, one.task_id, one.type) for one in spec.operators]
        self._seen = {one.task_id: one for one in blank}
        self._labels = dict(zip(self._seen, labels(blank), strict=True))

    def line(self, event: Event) -> None:
        """Print the event."""
        from aqueduct_provider.sdk.local.run_flow import LinePrinted

        if isinstance(event, LinePrinted):
            self._print(event.operator, event.line)
            return
        one = event.operator
        reason = f": {one.tip}" if one.tip else ""
        self._out.print(f"{self._labels[one.task_id]}: {one.word}{reason}")

    def picture(self, event: Event) -> None:
        """Print lines, and show the operators below them."""
        from aqueduct_provider.sdk.display.tables import operators_table_of
        from aqueduct_provider.sdk.local.run_flow import LinePrinted

        if isinstance(event, LinePrinted):
            self._print(event.operator, event.line)
            return
        self._seen[event.operator.task_id] = event.operator
        operators = list(self._seen.values())
        self._update(operators_table_of(operators, only=_worth_showing(operators)))

    def _print(self, operator: str, line: str) -> None:
        self._out.print(f"{operator} | {line}")


def _worth_showing(operators: list[OperatorRun]) -> list[OperatorRun]:
    if len(operators) <= _MOST_SHOWN:
        return operators
    return [one for one in operators if one.word == "running"][:_MOST_SHOWN]

"""Progress of what takes a while: live in a terminal or notebook, one line for each change elsewhere.

It goes to stderr: on stdout stand results alone.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aqueduct_provider.sdk.console import console
from aqueduct_provider.sdk.display.tables import headline, operators_table_of
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import ENDED, OperatorRun, labels

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from aqueduct_provider.sdk.display.views import RunView

# Longer lists would not fit a screen: of larger flows only what runs or has failed is shown.
_MOST_SHOWN = 20


@contextmanager
def run_progress(run: RunView) -> Iterator[_InPlace | _Lines]:
    """Show a run in the way that fits where this process runs.

    Yields a function of its status and operators; its ``say`` shows a message about the waiting itself.
    """
    out = console(stderr=True)
    if out.is_jupyter:
        yield _InPlace(run, _notebook_cell())
    elif out.is_terminal:
        from rich.live import Live

        with Live(console=console(stderr=True, fold=True), refresh_per_second=4) as live:
            yield _InPlace(run, live.update)
    else:
        yield _Lines(run, out)


def _notebook_cell() -> Callable[[RenderableType], None]:
    """Return a part of a cell's output whose content is replaced; rich's own needs ipywidgets."""
    # Only there is it installed for certain.
    display: Any = import_module("IPython.display").display
    handle = display({"text/plain": ""}, raw=True, display_id=True)

    def update(shown: RenderableType) -> None:
        text = str(shown)
        page = f'<pre style="line-height: normal">{html.escape(text)}</pre>'
        handle.update({"text/plain": text, "text/html": page}, raw=True)

    return update


class _InPlace:
    """Shows a run in place of what it has shown before, when that has changed."""

    def __init__(self, run: RunView, update: Callable[[RenderableType], None]) -> None:
        self._run, self._update = run, update
        self._shown: Text | None = None

    def __call__(self, status: ExecutionStatus, operators: Sequence[OperatorRun]) -> None:
        text = picture(self._run, status, operators)
        if text != self._shown:
            self._shown = text
            self._update(text)

    def say(self, message: str) -> None:
        from rich.text import Text

        self._update(Text("\n").join([*([self._shown] if self._shown else []), Text(message)]))
        self._shown = None


def picture(run: RunView, status: ExecutionStatus, operators: Sequence[OperatorRun]) -> Text:
    """Return a run and its operators on one screen, and why operators have failed."""
    from rich.text import Text

    over = sum(one.status in ENDED for one in operators)
    count = "" if over == len(operators) else f", {over} of {len(operators)} operators are over"
    lines = [Text(f"{headline(run, status)}{count}", "bold")]
    shown = _worth_showing(operators)
    if shown:
        lines.append(operators_table_of(operators, only=shown))
    failed = [pair for pair in zip(labels(operators), operators, strict=True) if pair[1].has_failed]
    lines += [Text(f"{label}: {one.tip}") for label, one in failed[:_MOST_SHOWN] if one.tip]
    return Text("\n").join(lines)


def _worth_showing(operators: Sequence[OperatorRun]) -> Sequence[OperatorRun]:
    if len(operators) <= _MOST_SHOWN:
        return operators
    special = [one for one in operators if one.has_failed or one.status is ExecutionStatus.RUNNING]
    return special[:_MOST_SHOWN]


class _Lines:
    """Shows a run by a line for each change."""

    def __init__(self, run: RunView, out: Console) -> None:
        self._run, self._out = run, out
        self._seen: dict[str, str] = {}

    def __call__(self, status: ExecutionStatus, operators: Sequence[OperatorRun]) -> None:
        if status not in ENDED:
            self._tell("", headline(self._run, status))
        for label, one in zip(labels(operators), operators, strict=True):
            if one.word != "pending" or one.task_id in self._seen:
                reason = f": {one.tip}" if one.tip else ""
                self._tell(one.task_id, f"{label}: {one.word}{reason}")
        self._tell("", headline(self._run, status))

    def say(self, message: str) -> None:
        self._out.print(message)

    def _tell(self, key: str, line: str) -> None:
        if self._seen.get(key) != line:
            self._seen[key] = line
            self._out.print(line)

"""Two runs side by side, as users get them: facts by kinds, with what differs marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.sdk.results.difference_rows import ComparedRun, DifferenceRow, Section

if TYPE_CHECKING:
    import pandas
    from rich.text import Text

    from aqueduct_provider.sdk.versions.flow_diff import FlowDiff

VERSION = 1


@dataclass(frozen=True, repr=False)
class RunComparison:
    """Two runs of a flow side by side; ``run.compare(other)`` gives it.

    Each of its properties has a row for each fact that one of the runs has, with ``name``, ``before``,
    ``now``, ``mark`` (``changed``, ``added``, ``removed``, or empty) and ``note``, which says by how much.

    :param flow: the flow's name.
    :param before: the run that is compared with.
    :param now: the run that was asked.
    :param sections: the facts by their kinds.
    :param flow_diff: what changed between the versions that they used; None: nothing, or it is not known.
    """

    flow: str
    before: ComparedRun
    now: ComparedRun
    sections: Sequence[Section]
    flow_diff: FlowDiff | None = None

    @property
    def parameters(self) -> Sequence[DifferenceRow]:
        """Values of parameters."""
        return self._rows("Parameters")

    @property
    def metrics(self) -> Sequence[DifferenceRow]:
        """Values of metrics."""
        return self._rows("Metrics")

    @property
    def checks(self) -> Sequence[DifferenceRow]:
        """How checks ended: ``passed``, ``warning``, ``failed``."""
        return self._rows("Checks")

    @property
    def durations(self) -> Sequence[DifferenceRow]:
        """What operators took; marked from 20 % and one second on."""
        return self._rows("Durations")

    @property
    def artifacts(self) -> Sequence[DifferenceRow]:
        """Types and sizes of other artifacts; of tables also rows and columns."""
        return self._rows("Artifacts")

    @property
    def schemas(self) -> Sequence[DifferenceRow]:
        """How many columns tables have, and the columns that differ."""
        return self._rows("Schemas")

    @property
    def statistics(self) -> Sequence[DifferenceRow]:
        """Columns of tables of which the range or the share of missing values differs."""
        return self._rows("Statistics")

    @property
    def code(self) -> Sequence[DifferenceRow]:
        """Digests of functions, where the versions differ."""
        return self._rows("Code")

    @property
    def changes(self) -> int:
        """How many facts differ."""
        return sum(section.changes for section in self.sections)

    def _rows(self, title: str) -> Sequence[DifferenceRow]:
        return next((section.rows for section in self.sections if section.title == title), ())

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON: numbers as numbers, all else as it is shown."""
        return {
            "version": VERSION,
            "flow": self.flow,
            "before": _run_json(self.before),
            "now": _run_json(self.now),
            "changes": self.changes,
            "sections": {
                section.title.lower(): [_row_json(row) for row in section.rows] for section in self.sections
            },
            "flow_diff": self.flow_diff and self.flow_diff.to_json(),
        }

    def to_frame(self) -> pandas.DataFrame:
        """Return it as a table with ``section``, ``name``, ``before``, ``now``, ``mark`` and ``note``."""
        import pandas

        columns = ["section", "name", "before", "now", "mark", "note"]
        rows = [
            [section.title.lower(), row.name, row.before, row.now, row.mark, row.note]
            for section in self.sections
            for row in section.rows
        ]
        return pandas.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        return self.__rich__().plain

    def __rich__(self) -> Text:
        from aqueduct_provider.sdk.display.comparisons import comparison_text

        return comparison_text(self)

    def _repr_html_(self) -> str:
        from aqueduct_provider.sdk.display.comparisons import comparison_html

        return comparison_html(self)


def _run_json(run: ComparedRun) -> dict[str, Any]:
    created = None if run.created_at is None else run.created_at.isoformat()
    return {"run_id": run.run_id, "created_at": created, "status": run.status, "version": run.version}


def _row_json(row: DifferenceRow) -> Mapping[str, Any]:
    values = zip((row.before, row.now), row.values, strict=True)
    before, now = (text if value is None else value for text, value in values)
    return {"name": row.name, "before": before, "now": now, "mark": row.mark, "note": row.note}

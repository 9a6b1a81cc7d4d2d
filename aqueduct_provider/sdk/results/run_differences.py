"""Two runs of a flow side by side: what differs, and how (pure). Pages and the SDK show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aqueduct_provider.artifacts.numbers import counted, duration, number, size
from aqueduct_provider.artifacts.stored_facts import ColumnPreview, StoredFacts, TablePreview
from aqueduct_provider.sdk.results.difference_rows import DifferenceRow, Mark, Section
from aqueduct_provider.sdk.results.outcomes import labels
from aqueduct_provider.sdk.results.recorded_runs import (
    METRICS,
    NOTHING,
    PARAMETERS,
    SHORT,
    RecordedRun,
    ShownArtifact,
    ShownOperator,
)
from aqueduct_provider.spec.metric_names import metric_name

if TYPE_CHECKING:
    from aqueduct_provider.sdk.versions.differences import Differences, OperatorChange
    from aqueduct_provider.spec.models import WorkflowSpec

# Two measurements are as good as equal below this share, or these seconds or megabytes.
_SHARE, _SECONDS = 0.2, 1.0

Stored = Mapping[str, StoredFacts]


def differences(
    run: RecordedRun,
    other: RecordedRun,
    stored: Stored,
    other_stored: Stored,
    changed: Differences | None = None,
) -> list[Section]:
    """Return the facts of both runs, by kinds; kinds of which neither has any are left out.

    :param other: the run that is compared with.
    :param stored: what the metadata of tables says, by their names.
    :param changed: what differs between their versions; None: unknown, or nothing.
    """
    sections = [
        Section("Run", tuple(_run_rows(run, other))),
        _values("Parameters", run, other, PARAMETERS),
        _values("Metrics", run, other, METRICS),
        _section("Checks", run.of_kind("check"), other.of_kind("check"), lambda one: one.outcome),
        Section("Durations", tuple(_durations(run, other))),
        Section("Artifacts", tuple(_artifacts(run, other))),
        Section("Schemas", tuple(_columns(stored, other_stored))),
        Section("Statistics", tuple(_statistics(stored, other_stored))),
        Section("Code", tuple(_code(run, other, changed))),
    ]
    return [section for section in sections if section.rows]


def row(
    name: str, before: str | None, now: str | None, values: tuple[Any, Any] = (None, None)
) -> DifferenceRow:
    """Return a fact with its mark."""
    mark: Mark = (
        "" if before == now else "added" if before is None else "removed" if now is None else "changed"
    )
    return DifferenceRow(name, before, now, mark, "", values)


def _run_rows(run: RecordedRun, other: RecordedRun) -> Iterable[DifferenceRow]:
    yield row("Outcome", other.status, run.status)
    before, now = (one.version_name or NOTHING for one in (other, run))
    yield row("Version", before, now, (other.version or None, run.version or None))
    yield _duration("Duration", other.seconds, run.seconds)


def _values(title: str, run: RecordedRun, other: RecordedRun, kinds: tuple[str, ...]) -> Section:
    before, now = (
        {
            metric_name(maker.name, one.name) if maker.kind in METRICS else one.name: (one, maker.kind)
            for maker in side.operators
            for one in maker.outputs
            if maker.kind in kinds
        }
        for side in (other, run)
    )
    rows = []
    for name in {**before, **now}:
        (first, _), (second, kind) = before.get(name, (None, "")), now.get(name, (None, ""))
        found = _value(name, first, second)
        if kind == "system_metric" and _is_noise(*found.values):
            found = replace(found, mark="", note="")
        rows.append(found)
    return Section(title, tuple(rows))


def _is_noise(before: Any, now: Any) -> bool:
    """Check whether two measurements, in seconds or megabytes, are as good as equal."""
    if not (_is_number(before) and _is_number(now)):
        return False
    return bool(abs(now - before) <= max(_SECONDS, _SHARE * abs(before)))


def _value(name: str, before: ShownArtifact | None, now: ShownArtifact | None) -> DifferenceRow:
    values = before and before.glance.get("value"), now and now.glance.get("value")
    found = row(name, before.value if before else None, now.value if now else None, values)
    if before is None or now is None or before.ref is None or now.ref is None:
        return found
    if not found.mark and before.ref.sha256 != now.ref.sha256:
        # Rounded, cut or hidden, both look alike.
        return replace(found, mark="changed")
    return replace(found, note=_by(*values) if found.mark else "")


def _by(before: Any, now: Any) -> str:
    if not (_is_number(before) and _is_number(now)):
        return ""
    change = now - before
    share = f" ({change / abs(before):+.2%})" if before else ""
    return f"{'+' if change > 0 else ''}{number(change)}{share}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _section(
    title: str,
    run: Iterable[ShownOperator],
    other: Iterable[ShownOperator],
    of: Callable[[ShownOperator], str],
) -> Section:
    before, now = ({one.task_id: one for one in side} for side in (other, run))
    rows = [
        row(
            (now.get(task_id) or before[task_id]).name,
            of(before[task_id]) if task_id in before else None,
            of(now[task_id]) if task_id in now else None,
        )
        for task_id in {**before, **now}
    ]
    return Section(title, tuple(rows))


def _durations(run: RecordedRun, other: RecordedRun) -> Iterable[DifferenceRow]:
    before, now = ({one.task_id: one for one in side.operators} for side in (other, run))
    for task_id in {**before, **now}:
        first, second = before.get(task_id), now.get(task_id)
        name = (second or first).name  # type: ignore[union-attr]
        if first is None or second is None:
            found = row(
                name, _time(first.seconds) if first else None, _time(second.seconds) if second else None
            )
            yield replace(found, values=(first and first.seconds, second and second.seconds))
        else:
            yield _duration(name, first.seconds, second.seconds)


def _duration(name: str, before: float | None, now: float | None) -> DifferenceRow:
    mark: Mark = ""
    note = ""
    if before is not None and now is not None:
        change = now - before
        if not _is_noise(before, now):
            mark, note = "changed", f"{'+' if change > 0 else '-'}{duration(abs(change))}"
    return DifferenceRow(name, _time(before), _time(now), mark, note, (before, now))


def _time(seconds: float | None) -> str:
    return duration(seconds) or NOTHING


def _artifacts(run: RecordedRun, other: RecordedRun) -> Iterable[DifferenceRow]:
    before, now = (
        {one.name: one for one in side.artifacts.values() if side.makers[one.name].kind not in SHORT}
        for side in (other, run)
    )
    for name in {**before, **now}:
        first, second = before.get(name), now.get(name)
        values = _facts(first), _facts(second)
        found = row(name, first.summary if first else None, second.summary if second else None, values)
        if first is None or second is None or first.ref is None or second.ref is None:
            yield found
        elif first.ref.sha256 == second.ref.sha256:
            yield replace(found, mark="", note="same content")
        else:
            yield replace(found, mark="changed", note=_grown(first, second))


def _facts(artifact: ShownArtifact | None) -> Mapping[str, Any] | None:
    if artifact is None:
        return None
    written = artifact.ref and {"size": artifact.ref.size, "sha256": artifact.ref.sha256, **artifact.glance}
    return {"type": artifact.type, **(written or {})}


def _grown(before: ShownArtifact, now: ShownArtifact) -> str:
    parts = []
    for what in ("rows", "columns", "items"):
        if what in before.glance and what in now.glance and before.glance[what] != now.glance[what]:
            parts.append(f"{now.glance[what] - before.glance[what]:+,} {what}")
    if before.ref and now.ref and not parts:
        change = now.ref.size - before.ref.size
        parts.append(f"{'+' if change > 0 else '-'}{size(abs(change))}" if change else "other content")
    return ", ".join(parts)


def _columns(stored: Stored, other_stored: Stored) -> Iterable[DifferenceRow]:
    """Yield how many columns each table has, and those that differ."""
    for table in stored:
        if table not in other_stored:
            continue
        before, now = (_schema(side[table]) for side in (other_stored, stored))
        if not before and not now:
            continue
        yield row(table, counted(len(before), "column"), counted(len(now), "column"), (before, now))
        rows = (row(f"{table}: {name}", before.get(name), now.get(name)) for name in {**before, **now})
        yield from (found for found in rows if found.mark)


def _schema(stored: StoredFacts) -> dict[str, str]:
    # A preview of a wide table has some of its columns.
    if not stored.columns and isinstance(stored.preview, TablePreview):
        return {one.name: one.dtype for one in stored.preview.columns}
    return dict(stored.columns)


def _statistics(stored: Stored, other_stored: Stored) -> Iterable[DifferenceRow]:
    """Yield the columns of which the range or the share of missing values differs."""
    for table in stored:
        before, now = (_previewed(side.get(table)) for side in (other_stored, stored))
        for name in now:
            if name in before:
                values = _figures(before[name]), _figures(now[name])
                if values[0] != values[1]:
                    yield row(f"{table}: {name}", _words(values[0]), _words(values[1]), values)


def _previewed(stored: StoredFacts | None) -> dict[str, ColumnPreview]:
    preview = stored.preview if stored else None
    return {one.name: one for one in preview.columns} if isinstance(preview, TablePreview) else {}


def _figures(column: ColumnPreview) -> dict[str, Any]:
    return {"min": column.lowest, "max": column.highest, "nulls": column.nulls}


def _words(figures: Mapping[str, Any]) -> str:
    """Return the statistics of a column as text: ``1.5 to 9, 25% missing``."""
    parts = []
    if figures["min"] is not None:
        parts.append(f"{number(figures['min'])} to {number(figures['max'])}")
    if figures["nulls"] is not None:
        parts.append(f"{figures['nulls']:.3%}".rstrip("0%").rstrip(".") + "% missing")
    return ", ".join(parts) or NOTHING


def _code(run: RecordedRun, other: RecordedRun, changed: Differences | None) -> Iterable[DifferenceRow]:
    """Compare the functions of the two versions: by their text where it was read, else by their digests."""
    if run.spec is None or other.spec is None or run.spec.sha256 == other.spec.sha256:
        return
    before, now = (_digests(side.spec) for side in (other, run))
    changes = {one.name: one for one in changed.changed} if changed else {}
    for name in {**before, **now}:
        found, change = row(name, before.get(name), now.get(name)), changes.get(name)
        if not change or found.mark != "changed":
            yield found
        elif change.is_repackaged:
            yield replace(found, mark="", note="same text, packaged again: values and helpers may differ")
        else:
            yield replace(found, note=_changed_lines(change))


def _digests(spec: WorkflowSpec | None) -> dict[str, str]:
    """Return the digest of each function, by the label of its operator."""
    operators = spec.operators if spec else ()
    named = zip(labels(operators), operators, strict=True)
    return {label: one.code.sha256[:12] for label, one in named if hasattr(one, "code")}


def _changed_lines(change: OperatorChange) -> str:
    lines = [line for line in change.source.splitlines() if not line.startswith(("+++ ", "--- "))]
    count = {sign: sum(line.startswith(sign) for line in lines) for sign in "+-"}
    text = [f"{sign}{counted(number, 'line')}" for sign, number in count.items() if number]
    return ", ".join([*text, *(["requirements"] if change.requirements else [])])

"""Flows and runs as a terminal shows them: aligned columns, never cut at the terminal's width."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from aqueduct_provider.artifacts.numbers import duration
from aqueduct_provider.errors import AirflowError, NotFound
from aqueduct_provider.sdk.console import cell_text, console, plain_table
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import OperatorRun, labels
from aqueduct_provider.spec.version_label import version_name

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from aqueduct_provider.sdk.display.views import FlowView, RunView
    from aqueduct_provider.spec.models import Schedule, WorkflowSpec

_LONGEST_VALUE = 60
_RUNS_SHOWN = 5


# --- runs


def operators_table_of(
    operators: Sequence[OperatorRun], *, only: Iterable[OperatorRun] | None = None
) -> Text:
    """Return the operators of a run as they are now.

    :param only: show these of them; None: all.
    """
    shown = set(operators if only is None else only)
    rows = [
        (
            label,
            one.kind.replace("_", " "),
            one.word,
            one.duration,
            one.try_number if one.try_number > 1 else None,
            # Failures are shown in full elsewhere.
            "" if one.has_failed else one.tip,
        )
        for label, one in zip(labels(operators), operators, strict=True)
        if one in shown
    ]
    return plain_table(
        ("operator", "type", "status", "seconds", "tries", ""), rows, right=("seconds", "tries")
    )


def headline(run: RunView, status: ExecutionStatus) -> str:
    """Return the line that names the run and its status."""
    return f"{cell_text(run.record.name)}, run {cell_text(run.run_id)}: {status.value}"


def print_run(run: RunView) -> None:
    """Print a run; each failure with its reason, the user's traceback and what the code printed.

    Where Airflow does not answer, print what the store knows, and why Airflow is missing.
    """
    out = console()
    status, operators, lack = run.as_far_as_known()
    out.print(headline(run, status), style="bold")
    if facts := list(_run_facts(run)):
        out.print(plain_table(("", ""), facts))
    if lack:
        out.print(f"What follows is from the store alone: {lack}")
    out.print()
    out.print(operators_table_of(operators))
    for label, one in zip(labels(operators), operators, strict=True):
        if one.has_failed:
            _print_failure(out, label, one)


def _run_facts(run: RunView) -> Iterable[tuple[str, Any]]:
    from aqueduct_provider.spec.run_values import VALUES_KEY

    version = run.spec.version
    yield "version", version_name(str(version.id), version.number)
    if run.info is None:
        return
    yield "created", run.created_at()
    if run.info.started_at and run.info.ended_at:
        yield "took", duration((run.info.ended_at - run.info.started_at).total_seconds())
    stored = run.info.conf.get(VALUES_KEY)
    given = {name: value for name, value in run.info.conf.items() if name != VALUES_KEY}
    for name, value in given.items():
        yield "parameter", f"{name} = {_short(value)}"
    for name in stored if isinstance(stored, Mapping) else ():
        yield "parameter", f"{name} = (a stored value)"


def _print_failure(out: Console, label: str, failed: OperatorRun) -> None:
    out.print(f"\n{label}: {failed.tip or failed.word}", style="bold")
    for title, text in (
        ("", failed.traceback),
        ("It printed to stdout:", failed.stdout),
        ("It printed to stderr:", failed.stderr),
    ):
        if text.strip():
            out.print("\n".join(filter(None, [title, text.rstrip()])))


# --- flows


def print_flow(flow: FlowView) -> None:
    """Print a flow: what was published, and its newest runs where Airflow answers."""
    out, spec, record = console(), flow.spec, flow.record
    out.print(cell_text(record.name), style="bold")
    if spec.flow.description:
        out.print(spec.flow.description)
    out.print(plain_table(("", ""), flow_facts(flow)))
    for table in (parameters_table(spec), operators_table(spec)):
        if table:
            out.print()
            out.print(table)
    if out.is_jupyter:
        _show_graph(spec)
    out.print()
    out.print(_newest_runs(flow))


def flow_facts(flow: FlowView) -> list[tuple[str, str]]:
    """Return the facts about a flow, without its parts."""
    record = flow.record
    return [
        ("flow id", record.flow_id),
        ("DAG", f"{record.dag_id}, on {record.engine}"),
        ("version", f"{_version(flow.spec)}, published {cell_text(record.created_at)}"),
        ("version id", record.version_id),
        *([("deleted", cell_text(record.retired_at))] if record.retired_at else []),
        ("spec", record.delivered_to),
        ("schedule", schedule_text(flow.spec.schedule)),
    ]


def _version(spec: WorkflowSpec) -> str:
    """Return the version, who published it and why."""
    version = spec.version
    by = f" by {version.published_by}" if version.published_by else ""
    restored = f", restores v{version.restores}" if version.restores else ""
    message = f": {version.message}" if version.message else ""
    return cell_text(f"{version_name(str(version.id), version.number)}{by}{restored}{message}")


def _show_graph(spec: WorkflowSpec) -> None:
    """Show the graph as a picture, in a notebook."""
    from aqueduct_provider.sdk.display.graph_svg import flow_svg

    # Only there is it installed for certain.
    ipython: Any = import_module("IPython.display")
    ipython.display(ipython.SVG(flow_svg(spec)))


def _newest_runs(flow: FlowView) -> Text | str:
    try:
        runs = flow.list_runs(_RUNS_SHOWN)
    except (AirflowError, NotFound) as error:
        return f"Its runs are not known now: {error}"
    return runs_table(runs) if runs else "It has not run yet."


def runs_table(runs: Iterable[Mapping[str, Any]]) -> Text:
    """Return runs, as ``Flow.list_runs`` gives them, as a table."""
    return plain_table(
        ("run", "created", "status"), [(one["run_id"], one["created_at"], one["status"]) for one in runs]
    )


def schedule_text(schedule: Schedule | None) -> str:
    """Describe a schedule in words."""
    from aqueduct_provider.spec.models import AssetsSchedule, CronSchedule

    if schedule is None:
        return "none, it runs when it is triggered"
    if isinstance(schedule, CronSchedule):
        return f"{schedule.cron} ({schedule.timezone})"
    if isinstance(schedule, AssetsSchedule):
        return f"when updated: {', '.join(schedule.assets)}"
    return f"after {', '.join(schedule.flows)}"


def parameters_table(spec: WorkflowSpec) -> Text | None:
    """Return the parameters of a flow with their defaults; None where it has none."""
    from aqueduct_provider.spec.models import InlineDefault

    rows = [
        (
            parameter.name,
            parameter.type.value,
            _short(parameter.default.value)
            if isinstance(parameter.default, InlineDefault)
            else "(a stored value)",
            parameter.description,
        )
        for parameter in spec.parameters
    ]
    return plain_table(("parameter", "type", "default", "description"), rows) if rows else None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


def operators_table(spec: WorkflowSpec) -> Text:
    """Return the operators of a flow with what they read and write."""
    names = {artifact.id: artifact.name for artifact in spec.artifacts}
    rows = [
        (
            label,
            operator.type.replace("_", " "),
            ", ".join(names[artifact] for artifact in operator.inputs),
            ", ".join(names[artifact] for artifact in operator.outputs),
        )
        for label, operator in zip(labels(spec.operators), spec.operators, strict=True)
    ]
    return plain_table(("operator", "type", "reads", "writes"), rows)

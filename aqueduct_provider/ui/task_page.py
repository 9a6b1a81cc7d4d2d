"""The page of one Airflow task of a run: its operators, what each read, wrote and printed, and its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.function_source import FunctionSource, function_source
from aqueduct_provider.artifacts.numbers import duration
from aqueduct_provider.artifacts.stored_facts import ROWS
from aqueduct_provider.artifacts.transfer import fetch_small
from aqueduct_provider.environment.cache import WORKER
from aqueduct_provider.errors import AqueductError, NotFound
from aqueduct_provider.sdk.results.recorded_runs import ShownArtifact, ShownOperator
from aqueduct_provider.storage.parallel import together
from aqueduct_provider.ui.flow_page import flow_page
from aqueduct_provider.ui.html import Page, Visit, render
from aqueduct_provider.ui.previews import hex_lines
from aqueduct_provider.ui.request_reads import MOST, RequestReads
from aqueduct_provider.ui.run_links import RunLinks
from aqueduct_provider.ui.run_page import TABLE_ROWS, ShownContent, contents_of, page_of
from aqueduct_provider.ui.shown_run import ShownRun, read_run

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import Code, Operator

# Characters of a description, which is rendered as Markdown.
_DESCRIPTION = 20_000
# Operators of one task on a page, artifacts of an operator, bytes of which the first are shown.
_OPERATORS, _ARTIFACTS, _MOST_BYTES = 10, 24, 100_000
_REQUESTS = 8


@dataclass(frozen=True)
class OperatorDetails:
    """An operator with all that is known of its part in a run.

    :param description: Markdown, as its function's docstring has it.
    :param source: None: it calls no function, or the store cannot be read.
    :param bytes_shown: artifact id -> its first bytes, as text.
    """

    operator: ShownOperator
    inputs: Sequence[ShownContent]
    outputs: Sequence[ShownContent]
    description: str = ""
    entry: str = ""
    digest: str = ""
    source: FunctionSource | None = None

    @property
    def environment(self) -> str:
        """The Python environment that it ran in, a line; empty: none, or unknown."""
        manifest = self.operator.manifest
        if manifest is None or not manifest.environment:
            return ""
        if manifest.environment == WORKER:
            return "the worker's own Python"
        built = duration(manifest.build_seconds)
        return f"{manifest.environment}, {f'built in {built}' if built else 'was built before'}"

    @property
    def measured(self) -> list[tuple[str, str]]:
        """What was measured while it ran, with units."""
        found = {name: value for one in self.outputs for name, value in one.stored.measured}
        return [(name.replace("_", " "), _measured(name, value)) for name, value in found.items()]


def task_page(visit: Visit) -> Page:
    """Return the page of a task; of one that runs no operators, that of its run.

    Tasks of flows are not mapped: the map index is not looked at.

    :raises NotFound: the run has no such task.
    """
    facts = visit.database.facts([visit.dag_id]).get(visit.dag_id)
    if facts is None:
        return flow_page(visit)
    task_id = visit.names["task_id"]
    run = read_run(visit.database, visit.dag_id, visit.names["run_id"], facts, visit.reads, whole=(task_id,))
    own = [one for one in run.operators if one.airflow_task_id == task_id]
    if not own:
        if any(task.task_id == task_id for task in visit.database.tasks(visit.dag_id, run.info.run_id)):
            # It runs no operators, as the last task of a flow, to which the events of its asset lead.
            return page_of(visit, run, facts)
        raise NotFound(f"Run {run.info.run_id!r} has no task {task_id!r}.")
    links = RunLinks(visit, run.info.run_id)
    pages = -(-len(own) // _OPERATORS)
    page = visit.number("page", 1, pages)
    shown = own[(page - 1) * _OPERATORS : page * _OPERATORS]
    details = together([partial(_details, run, one, links, MOST // len(shown)) for one in shown], _REQUESTS)
    return render(
        visit,
        "task.html",
        run=run,
        links=links,
        task_id=task_id,
        operators=own,
        details=details,
        hexes=_hexes(run, details, visit.reads),
        rows=ROWS,
        input_rows=TABLE_ROWS,
        page=page,
        pages=pages,
    )


def newest_task_page(visit: Visit) -> Page:
    """Return the page of a task in the newest run of the flow: docs of tasks lead to it.

    :raises NotFound: the flow has not run yet.
    """
    runs = visit.database.runs(visit.dag_id, 1)
    if not runs:
        raise NotFound(f"{visit.dag_id!r} has not run yet: its tasks have pages once it has.")
    return task_page(replace(visit, names={**visit.names, "run_id": runs[0].run_id}))


def _details(run: ShownRun, operator: ShownOperator, links: RunLinks, most: int) -> OperatorDetails:
    artifacts = run.artifacts
    read = [artifacts[name] for name in operator.facts.inputs if name in artifacts]
    spec = _in_spec(run, operator)
    code: Code | None = getattr(spec, "code", None)
    source = function_source(run.store, code, most) if code and run.store else None
    entry = code and ".".join(filter(None, (code.entry_file, code.entry_class, code.entry_method)))
    return OperatorDetails(
        operator=operator,
        inputs=contents_of(run, links, read[:_ARTIFACTS]),
        outputs=contents_of(run, links, operator.outputs[:_ARTIFACTS]),
        description=spec.description[:_DESCRIPTION] if spec else "",
        entry=entry or "",
        digest=code.sha256 if code else "",
        source=source and replace(source, problem=links.visit.reads.redact(source.problem)),
    )


def _measured(name: str, value: str) -> str:
    """Return a measurement, which is a number as text, with the unit that it has."""
    try:
        amount = float(value)
    except ValueError:
        return value
    return f"{amount:.3g} MB" if name.endswith("memory") else duration(amount) or value


def _in_spec(run: ShownRun, operator: ShownOperator) -> Operator | None:
    operators = run.spec.operators if run.spec else ()
    return next((one for one in operators if one.task_id == operator.task_id), None)


def _hexes(run: ShownRun, details: Sequence[OperatorDetails], reads: RequestReads) -> dict[str, str]:
    """Return the first bytes of small artifacts that are bytes, by their ids."""
    wanted = {
        one.artifact.id: one.artifact
        for some in details
        for one in (*some.inputs, *some.outputs)
        if one.artifact.type == "bytes" and one.artifact.ref and not one.artifact.is_secret
    }
    found = together([partial(_hex, run, one, reads) for one in wanted.values()], _REQUESTS)
    return dict(zip(wanted, found, strict=True))


def _hex(run: ShownRun, artifact: ShownArtifact, reads: RequestReads) -> str:
    ref = artifact.ref
    if run.store is None or ref is None or ref.size > _MOST_BYTES:
        return ""
    try:
        return hex_lines(fetch_small(run.store, ref.key, ref.sha256, _MOST_BYTES))
    except AqueductError as error:
        return reads.problem(error)

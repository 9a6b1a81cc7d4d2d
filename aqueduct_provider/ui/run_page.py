"""The page of one run: its graph, what it made, why it failed; and the same of two runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.stored_facts import StoredFacts
from aqueduct_provider.sdk.results.recorded_runs import SHORT, ShownArtifact
from aqueduct_provider.sdk.results.run_differences import differences
from aqueduct_provider.ui.flow_page import flow_page
from aqueduct_provider.ui.html import Page, Visit, render
from aqueduct_provider.ui.run_links import RunLinks, picture
from aqueduct_provider.ui.shown_run import ShownRun, is_own, read_run
from aqueduct_provider.ui.verified_objects import stored_facts

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
    from aqueduct_provider.spec.dag_facts import DagFacts

# Artifacts with a preview on a page; runs to choose from.
_AT_ONCE = 24
_RUNS = 50
# Rows of each table on the page of a run; all that a preview has are on the page of the task that made it.
TABLE_ROWS = 10


@dataclass(frozen=True)
class ShownContent:
    """An artifact with what its task wrote about it.

    :param maker: the address of the operator that made it.
    """

    artifact: ShownArtifact
    maker_name: str
    maker: str
    stored: StoredFacts


def run_page(visit: Visit) -> Page:
    """Return the page of a run; with ``?compare=<run id>`` the differences to another one."""
    facts = visit.database.facts([visit.dag_id]).get(visit.dag_id)
    if facts is None:
        # It says so.
        return flow_page(visit)
    run = read_run(visit.database, visit.dag_id, visit.names["run_id"], facts, visit.reads)
    return page_of(visit, run, facts)


def page_of(visit: Visit, run: ShownRun, facts: DagFacts) -> Page:
    """Return the page of a run that was read.

    :param facts: of the DAG as it is now.
    """
    links = RunLinks(visit, run.info.run_id)
    others = [one for one in visit.database.runs(visit.dag_id, _RUNS) if one.run_id != run.info.run_id]
    if other_id := visit.query.get("compare", ""):
        other = read_run(visit.database, visit.dag_id, other_id, facts, visit.reads)
        return _compared(visit, run, other, links, others)
    long = [one for one in run.artifacts.values() if run.makers[one.name].kind not in SHORT]
    # Tables take a row of their own.
    long.sort(key=lambda one: one.type == "table")
    pages = max(1, -(-len(long) // _AT_ONCE))
    page = visit.number("page", 1, pages)
    shown = long[(page - 1) * _AT_ONCE : page * _AT_ONCE]
    return render(
        visit,
        "run.html",
        run=run,
        links=links,
        others=others,
        compared="",
        picture=picture(run, links),
        failures=[one for one in run.operators if one.run.has_failed],
        contents=contents_of(run, links, shown),
        count=len(long),
        page=page,
        pages=pages,
        table_rows=TABLE_ROWS,
        longest=max((one.seconds or 0 for one in run.operators), default=0),
    )


def contents_of(run: ShownRun, links: RunLinks, artifacts: Sequence[ShownArtifact]) -> list[ShownContent]:
    """Return artifacts with what their tasks wrote about them, read from the store where it is there."""
    refs = {
        one.id: one.ref
        for one in artifacts
        if one.ref and not one.is_secret and is_own(one.ref, run.facts, run.info.run_id, one.id)
    }
    stored: dict[str, StoredFacts] = {}
    if run.store is not None:
        stored = dict(zip(refs, stored_facts(run.store, list(refs.values()), links.visit.reads), strict=True))
    makers = run.makers
    return [
        ShownContent(
            artifact=one,
            maker_name=makers[one.name].name,
            maker=links.task(makers[one.name]),
            stored=stored.get(one.id, StoredFacts()),
        )
        for one in artifacts
    ]


def _compared(
    visit: Visit, run: ShownRun, other: ShownRun, links: RunLinks, others: Sequence[RunInfo]
) -> Page:
    pair = run, other
    tables = [
        {one.name: one for one in side.artifacts.values() if one.type == "table" and one.ref is not None}
        for side in pair
    ]
    # Columns are in the metadata; what is in one run only is marked as such without them.
    names = [name for name in tables[0] if name in tables[1]][:_AT_ONCE]
    stored = [
        contents_of(side, links, [some[name] for name in names])
        for side, some in zip(pair, tables, strict=True)
    ]
    return render(
        visit,
        "compare.html",
        run=run,
        other=other,
        links=links,
        others=others,
        compared=other.info.run_id,
        sections=differences(
            run, other, *({one.artifact.name: one.stored for one in side} for side in stored)
        ),
    )

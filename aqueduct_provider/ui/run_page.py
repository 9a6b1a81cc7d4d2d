"""The page of one run: its graph, what it made, why it failed; and the same of two runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from difflib import unified_diff
from itertools import islice
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.stored_facts import StoredFacts, TextPreview
from aqueduct_provider.sdk.results.recorded_runs import SHORT, ShownArtifact
from aqueduct_provider.sdk.results.run_differences import differences
from aqueduct_provider.ui.flow_page import flow_page
from aqueduct_provider.ui.html import Page, Visit, render
from aqueduct_provider.ui.request_reads import MOST
from aqueduct_provider.ui.run_links import RunLinks, picture
from aqueduct_provider.ui.shown_run import ShownRun, is_own, read_run
from aqueduct_provider.ui.verified_objects import stored_facts
from aqueduct_provider.ui.version_changes import FewSources, differences_of

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
    from aqueduct_provider.sdk.versions.differences import Differences
    from aqueduct_provider.spec.dag_facts import DagFacts

# Artifacts with a preview on a page; runs to choose from.
_AT_ONCE = 24
_RUNS = 50
# Lines of a text that are shown of what differs, and characters of one.
_LINES, _LINE = 60, 1_000
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


@dataclass(frozen=True)
class CompareContent:
    """The content of an artifact in two runs, where it differs.

    :param lines: those of text that differ, with their neighbours, marked as in a unified diff.
    """

    before: ShownArtifact
    now: ShownArtifact
    lines: Sequence[str] = ()

    @classmethod
    def of(cls, before: ShownContent, now: ShownContent) -> CompareContent:
        """Compare what tasks wrote about it."""
        lines: Sequence[str] = ()
        first, second = before.stored.preview, now.stored.preview
        if isinstance(first, TextPreview) and isinstance(second, TextPreview):
            found = unified_diff(first.text.splitlines(), second.text.splitlines(), lineterm="", n=2)
            # After the names of the files.
            lines = [line[:_LINE] for line in islice(found, 2, 2 + _LINES)]
        return cls(before.artifact, now.artifact, lines)

    @property
    def is_image(self) -> bool:
        """Check whether both are images that pages may show."""
        pair = (self.before, self.now)
        return all(one.type == "image" and one.ref and one.ref.size <= MOST for one in pair)


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
        long_text=_long_text(run, links),
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


def _long_text(run: ShownRun, links: RunLinks) -> dict[str, TextPreview]:
    """Return the text of parameters and metrics that are too long for a value, by their names."""
    long = [
        one
        for one in run.artifacts.values()
        if one.ref and run.makers[one.name].kind in SHORT and "value" not in one.glance
    ]
    found = {one.artifact.name: one.stored.preview for one in contents_of(run, links, long[:_AT_ONCE])}
    return {name: preview for name, preview in found.items() if isinstance(preview, TextPreview)}


def _compared(
    visit: Visit, run: ShownRun, other: ShownRun, links: RunLinks, others: Sequence[RunInfo]
) -> Page:
    # Whichever of them the page is of, the older one is "before".
    before, now = sorted((other, run), key=_began)
    both = [name for name in now.artifacts if name in before.artifacts]
    pairs = [(before.artifacts[name], now.artifacts[name]) for name in both]
    # Columns are in the metadata; what is in one run only is marked as such without them.
    is_table = {name for name in both if now.artifacts[name].type == before.artifacts[name].type == "table"}
    tables = [pair for pair in pairs if pair[1].name in is_table and pair[0].ref and pair[1].ref][:_AT_ONCE]
    shown = [*tables, *[pair for pair in pairs if _has_changed(*pair)][:_AT_ONCE]]
    sides = [
        contents_of(side, RunLinks(visit, side.info.run_id), [pair[place] for pair in shown])
        for place, side in enumerate((before, now))
    ]
    stored = [{one.artifact.name: one.stored for one in side[: len(tables)]} for side in sides]
    found = [CompareContent.of(*pair) for pair in zip(*(side[len(tables) :] for side in sides), strict=True)]
    return render(
        visit,
        "compare.html",
        run=run,
        before=before,
        now=now,
        before_links=RunLinks(visit, before.info.run_id),
        now_links=RunLinks(visit, now.info.run_id),
        links=links,
        others=others,
        compared=other.info.run_id,
        contents=[one for one in found if one.is_image or one.lines],
        sections=differences(now, before, stored[1], stored[0], _version_differences(before, now)),
    )


def _began(run: ShownRun) -> datetime:
    return run.info.started_at or run.info.queued_at or datetime.max.replace(tzinfo=timezone.utc)


def _has_changed(before: ShownArtifact, now: ShownArtifact) -> bool:
    """Check whether two artifacts are to be shown side by side: tables and short values are elsewhere."""
    if before.ref is None or now.ref is None or before.ref.sha256 == now.ref.sha256:
        return False
    is_value = "value" in before.glance and "value" in now.glance and before.type in ("numeric", "boolean")
    return "table" not in (before.type, now.type) and not (is_value or before.is_secret or now.is_secret)


def _version_differences(before: ShownRun, now: ShownRun) -> Differences | None:
    if before.spec is None or now.spec is None or before.spec.sha256 == now.spec.sha256 or now.store is None:
        return None
    return differences_of(before.spec, now.spec, FewSources(now.store))

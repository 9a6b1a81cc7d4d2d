"""The page of all flows that a user may read: how they are, a page of them at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from aqueduct_provider.ui.html import Page, Visit, render
from aqueduct_provider.ui.published_versions import Freshness, freshness_of
from aqueduct_provider.ui.run_history import MetricSeries, Outcome, RunHistory, history_of, tasks_of

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
    from aqueduct_provider.spec.dag_facts import DagFacts
    from aqueduct_provider.ui.airflow_database import ShownDag

_AT_ONCE = 25
# Runs that a sparkline shows; sparklines that are seen at once, and those behind "more".
_RUNS, _SPARKS, _FOLDED = 20, 3, 30
SORTS = {"name": "Name", "last": "Last run", "state": "Outcome", "owner": "Owner", "next": "Next run"}
_STATES = ("failed", "running", "queued", "success")


@dataclass(frozen=True)
class FlowRow:
    """A flow in the list.

    :param last: its last run; None: it has none.
    :param facts: None: it was made by an older release, or its DAG was not serialized yet.
    :param checks: the worst outcome among the checks of the last run that ran any.
    :param history: of its metrics; None: the user may not read values.
    :param freshness: whether Airflow shows the version that was published last; None: unknown.
    """

    dag: ShownDag
    last: RunInfo | None
    facts: DagFacts | None
    checks: Outcome | None = None
    history: RunHistory | None = None
    freshness: Freshness | None = None

    @property
    def metrics(self) -> list[MetricSeries]:
        """The metrics that have values."""
        return [one for one in self.history.metrics if one.last is not None] if self.history else []

    @property
    def begun_at(self) -> datetime | None:
        """When its last run began, or was queued."""
        return (self.last.started_at or self.last.queued_at) if self.last else None


def flows_page(visit: Visit) -> Page:
    """Return the list of flows."""
    wanted = visit.query.get("q", "").strip()
    sort = visit.query.get("sort", "name")
    sort = sort if sort in SORTS else "name"
    dags = [dag for dag in visit.database.flows(visit.readable()) if _fits(dag, wanted)]
    dags = _sorted(visit, dags, sort)
    pages = max(1, -(-len(dags) // _AT_ONCE))
    page = min(pages, visit.number("page", 1, pages))
    some = dags[(page - 1) * _AT_ONCE : page * _AT_ONCE]
    return render(
        visit,
        "flows.html",
        rows=rows_of(visit, some),
        count=len(dags),
        page=page,
        pages=pages,
        q=wanted,
        sort=sort,
        sorts=SORTS,
        sparks=_SPARKS,
        folded=_FOLDED,
    )


def rows_of(visit: Visit, dags: Sequence[ShownDag]) -> list[FlowRow]:
    """Return what the list shows of these flows, with a number of queries that does not depend on theirs."""
    database, ids = visit.database, [dag.dag_id for dag in dags]
    if not ids:
        return []
    facts, runs = database.facts(ids), database.latest_runs(ids, _RUNS)
    open_ = [dag_id for dag_id in facts if visit.may_read_values(dag_id)]
    xcoms = database.manifests_of(
        {dag_id: [run.run_id for run in runs.get(dag_id, ())] for dag_id in open_},
        {dag_id: tasks_of(facts[dag_id]) for dag_id in open_},
    )
    freshness = freshness_of(visit, facts)
    found = []
    for dag in dags:
        own, known = runs.get(dag.dag_id, []), facts.get(dag.dag_id)
        row = FlowRow(dag, own[0] if own else None, known, freshness=freshness.get(dag.dag_id))
        if known is not None and dag.dag_id in open_:
            history = history_of(known, own, xcoms.get(dag.dag_id, {}))
            row = replace(row, checks=history.newest_checks, history=history)
        found.append(row)
    return found


def _fits(dag: ShownDag, wanted: str) -> bool:
    return wanted.casefold() in f"{dag.name}\n{dag.dag_id}\n{dag.owner}".casefold()


def _sorted(visit: Visit, dags: list[ShownDag], sort: str) -> list[ShownDag]:
    """Sort flows, which come in the order of their names."""
    if sort == "owner":
        return sorted(dags, key=lambda dag: dag.owner.casefold())
    if sort == "next":
        return sorted(dags, key=lambda dag: (dag.next_run_at is None, dag.next_run_at or 0))
    if sort == "name" or not dags:
        return dags
    last = visit.database.last_states([dag.dag_id for dag in dags])
    if sort == "last":
        return sorted(dags, key=lambda dag: -last.get(dag.dag_id, (0, ""))[0])
    places = {state: place for place, state in enumerate(_STATES)}
    return sorted(dags, key=lambda dag: places.get(last.get(dag.dag_id, (0, ""))[1], len(places)))

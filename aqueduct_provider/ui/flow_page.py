"""The page of one flow, the tab of its DAG: metrics, checks, durations and versions over its runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from aqueduct_provider.errors import AqueductError, DigestMismatch, NotFound
from aqueduct_provider.sdk.results.outcomes import run_status
from aqueduct_provider.spec.version_label import short_id
from aqueduct_provider.ui.charts import ChartPoint, line_chart
from aqueduct_provider.ui.html import Page, Visit, render
from aqueduct_provider.ui.reading import PageSession
from aqueduct_provider.ui.run_history import MetricSeries, RunHistory, durations, history_of, tasks_of

if TYPE_CHECKING:
    from markupsafe import Markup

    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
    from aqueduct_provider.sdk.resources.profile import Profile
    from aqueduct_provider.sdk.results.saved_objects import SavedObject
    from aqueduct_provider.spec.dag_facts import DagFacts
    from aqueduct_provider.ui.version_changes import ShownVersion

RUN_COUNTS = (20, 50, 100, 200, 500)
_RUNS = 50
# Runs whose durations are compared, and operators that are shown at once.
_TIMED, _SLOWEST = 20, 15
_MOST_RUNS = 1_000_000
# How exactly the axis of a chart says when runs began.
_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M UTC", "%Y-%m-%d %H:%M:%S UTC")
_COMPILED = (
    "This flow was published by the original Aqueduct. Its spec may hold keys, so it is not shown here; "
    "it is in the DAG folder."
)


@dataclass(frozen=True)
class FromStore:
    """What only the store knows of a flow.

    :param problem: why nothing of it is known, a sentence; empty: it is.
    """

    versions: Sequence[ShownVersion] = ()
    saved: Sequence[SavedObject] = ()
    problem: str = ""

    def version_name(self, version_id: str) -> str:
        """Return what users call a version; of one that is not known, the beginning of its id."""
        return next((one.name for one in self.versions if one.version_id == version_id), short_id(version_id))


class _NoProfile:
    """No resources are connected here: what is saved is named by Airflow's connections."""

    def services(self) -> Mapping[str, Any]:
        return {}

    def connections(self) -> Mapping[str, str]:
        return {}


def flow_page(visit: Visit) -> Page:
    """Return the page of a flow, or a friendly sentence about a DAG that is not one."""
    database, dag_id = visit.database, visit.dag_id
    facts = database.facts([dag_id]).get(dag_id)
    shown = next(iter(database.shown([dag_id])), None)
    if facts is None or shown is None:
        return render(visit, "no_flow.html", dag=shown)
    count, skip = visit.number("runs", _RUNS, RUN_COUNTS[-1]), visit.number("skip", 0, _MOST_RUNS)
    runs = database.runs(dag_id, count, skip)
    ids = [run.run_id for run in runs]
    xcoms = database.manifests(dag_id, ids, tasks_of(facts))
    times = database.task_times(dag_id, ids, tasks_of(facts))
    history = history_of(facts, runs, xcoms, times)
    slow = database.task_times(dag_id, ids[:_TIMED])
    place = {run_id: at for at, run_id in enumerate(ids)}
    slow.sort(key=lambda time: place[time.run_id])
    return render(
        visit,
        "flow.html",
        facts=facts,
        dag=shown,
        history=history,
        charts=_charts(visit, history),
        durations=durations(facts, slow, xcoms),
        slowest=_SLOWEST,
        timed=min(_TIMED, len(runs)),
        store=from_store(visit, facts),
        run_counts=RUN_COUNTS,
        count=count,
        skip=skip,
        newest=_RUNS,
        total=database.count_runs(dag_id),
    )


def facts_or_raise(visit: Visit) -> DagFacts:
    """Return what the DAG of a visit states of its flow.

    :raises NotFound: it is not a DAG of a flow.
    """
    facts = visit.database.facts([visit.dag_id]).get(visit.dag_id)
    if facts is None:
        raise NotFound(
            f"{visit.dag_id!r} is not a DAG of a flow that this release of Aqueduct's provider made."
        )
    return facts


def spec_page(visit: Visit) -> Page:
    """Return the workflow spec of a flow, to read or, with ``?download=1``, as a file.

    :raises NotFound: the flow's spec is not shown, or not in the store.
    :raises DigestMismatch: it is not the one that the DAG was made of.
    """
    facts = facts_or_raise(visit)
    if facts.flow.dialect == "compiled":
        raise NotFound(_COMPILED)
    text = PageSession(visit.database, facts, visit.reads).registry.spec_text(
        facts.flow.id, facts.flow.version
    )
    if facts.flow.sha256 and hashlib.sha256(text).hexdigest() != facts.flow.sha256:
        raise DigestMismatch(
            "The spec in the store is not the one that Airflow's DAG was made of: it was changed, or Airflow "
            "has not shown the newest version yet. Publish the flow again."
        )
    if visit.query.get("download") == "1":
        name = f"{visit.dag_id}-{short_id(facts.flow.version)}.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Page(body=text, content_type="application/json", headers=headers)
    shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return render(visit, "spec.html", facts=facts, text=shown)


def from_store(visit: Visit, facts: DagFacts) -> FromStore:
    """Return what the store knows of a flow; where it cannot be read, why."""
    from aqueduct_provider.sdk.results.saved_objects import saved_objects
    from aqueduct_provider.ui.version_changes import versions_of

    if facts.flow.dialect == "compiled":
        return FromStore(problem=_COMPILED)
    try:
        registry = PageSession(visit.database, facts, visit.reads).registry
        # The bytes that a page reads are limited, and this spec is shown in any case.
        spec = registry.spec(facts.flow.id, facts.flow.version)
        versions = versions_of(registry, visit.dag_id, facts.flow.version)
        found = saved_objects(spec, cast("Profile", _NoProfile()))
        saved = [one for objects in found.values() for one in objects]
    except AqueductError as error:
        return FromStore(
            problem=f"The artifact store cannot be read from here, so this page shows what "
            f"Airflow's database has. {visit.reads.problem(error)}"
        )
    return FromStore(versions, saved)


def _charts(visit: Visit, history: RunHistory) -> list[tuple[MetricSeries, Markup]]:
    shorts = _dates([_begun(run) for run in history.runs])
    labels = [f"{run.run_id}, {run_status(run.state).value}" for run in history.runs]
    links = [visit.link("dags", visit.dag_id, "runs", run.run_id) for run in history.runs]
    found = []
    for series in history.metrics:
        points = [
            ChartPoint(label, short, value, link)
            for label, short, value, link in zip(labels, shorts, series.values, links, strict=True)
        ]
        found.append((series, line_chart(series.name, points, series.bounds, history.version_changes)))
    return found


def _begun(run: RunInfo) -> datetime | None:
    begun = run.started_at or run.queued_at or run.logical_date
    return begun.astimezone(timezone.utc) if begun else None


def _dates(moments: Sequence[datetime | None]) -> list[str]:
    """Return the labels of moments at the ends of an axis, exact enough to distinguish these."""
    ends = [moment for moment in (*moments[:1], *moments[-1:]) if moment]
    form = next((one for one in _DATES if len({end.strftime(one) for end in ends}) > 1), _DATES[1])
    return [moment.strftime(form) if moment else "" for moment in moments]

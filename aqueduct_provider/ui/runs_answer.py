"""The runs of a flow as JSON, for the SDK: what one request answers would otherwise cost one per task.

In: Airflow's database, a number of queries that does not depend on the number of runs. Out: the document of
``sdk/results/runs_document.py``. Values are masked as on pages.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from aqueduct_provider.sdk.airflow_api.api_models import TaskInfo
from aqueduct_provider.sdk.results.recorded_runs import recorded_run
from aqueduct_provider.sdk.results.runs_document import MOST_RUNS, runs_document
from aqueduct_provider.ui.flow_page import facts_or_raise
from aqueduct_provider.ui.html import Page, Visit

if TYPE_CHECKING:
    from aqueduct_provider.sdk.airflow_api.api_models import RunInfo

JSON = "application/json"


def runs_answer(visit: Visit) -> Page:
    """Return the newest runs, with ``?run=<run id>`` this one, with ``?before=<run id>`` those before it.

    :raises NotFound: the DAG is not one of a flow, or Airflow does not know the run.
    """
    database, dag_id = visit.database, visit.dag_id
    facts = facts_or_raise(visit)
    limit = visit.number("limit", MOST_RUNS, MOST_RUNS)
    infos = _runs(visit, limit)
    ids = [info.run_id for info in infos[:limit]]
    left = database.manifests(dag_id, ids)
    tasks: defaultdict[str, dict[str, TaskInfo]] = defaultdict(dict)
    for one in database.task_times(dag_id, ids):
        tasks[one.run_id][one.task_id] = TaskInfo(one.task_id, one.state, 0, duration=one.seconds)
    runs = [recorded_run(facts, one, tasks[one.run_id], left.get(one.run_id, {})) for one in infos[:limit]]
    document = runs_document(runs, more=len(infos) > limit)
    return Page(body=json.dumps(document).encode(), content_type=JSON)


def _runs(visit: Visit, limit: int) -> list[RunInfo]:
    """Return the runs that are asked for, and one more where there are more."""
    if run_id := visit.query.get("run"):
        return [visit.database.run(visit.dag_id, run_id)]
    return visit.database.runs(visit.dag_id, limit + 1, before=visit.query.get("before", ""))


def error_answer(status: int, reason: str) -> Page:
    """Return an error as Airflow's REST API words it."""
    return Page(status, json.dumps({"detail": reason}).encode(), JSON)

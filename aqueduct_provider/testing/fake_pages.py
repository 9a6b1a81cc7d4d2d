"""What ``FakeAirflow`` answers in the place of the provider's own route in Airflow: runs as JSON."""

from __future__ import annotations

import re
from itertools import takewhile

from aqueduct_provider.artifacts.manifest import LEFT_KEY
from aqueduct_provider.sdk.airflow_api.api_models import run_of, task_of
from aqueduct_provider.sdk.results.recorded_runs import RecordedRun, recorded_run
from aqueduct_provider.sdk.results.runs_document import MOST_RUNS, runs_document
from aqueduct_provider.spec.dag_facts import DagFacts, facts_of
from aqueduct_provider.testing.fake_bodies import json_answer, run_json, task_json
from aqueduct_provider.testing.fake_state import Answer, Asked, FakeDag, FakeRun, FakeState

RUNS_PATH = re.compile(r"/aqueduct/dags/([^/]+)/runs\.json")


def runs_page(fake: FakeState, asked: Asked, dag_id: str) -> Answer:
    """Answer with runs of a flow, newest first: by ``run`` one, or ``limit`` of them, ``before`` one."""
    dag = fake.dags.get(dag_id)
    facts = DagFacts.of(facts_of(dag.spec)) if dag is not None and dag.spec is not None else None
    if dag is None or facts is None:
        return json_answer({"detail": f"{dag_id!r} is not a DAG of a flow"}, 404)
    query = {name: values[0] for name, values in asked.query.items()}
    if "run" in query and query["run"] not in dag.runs:
        return json_answer({"detail": f"Airflow has no run {query['run']!r} of {dag_id!r}"}, 404)
    runs = [dag.runs[query["run"]]] if "run" in query else _before(dag, query.get("before", ""))
    limit = min(MOST_RUNS, int(query.get("limit", MOST_RUNS)))
    found = [_recorded(fake, dag, run, facts) for run in runs[:limit]]
    return json_answer(runs_document(found, more=len(runs) > limit))


def _before(dag: FakeDag, run_id: str) -> list[FakeRun]:
    return list(takewhile(lambda run: run.run_id != run_id, dag.runs.values()))[::-1]


def _recorded(fake: FakeState, dag: FakeDag, run: FakeRun, facts: DagFacts) -> RecordedRun:
    tasks = {task.task_id: task_of(task_json(task)) for task in run.tasks.values()}
    left = {
        task.task_id: task.xcoms.get("return_value", task.xcoms.get(LEFT_KEY)) for task in run.tasks.values()
    }
    return recorded_run(facts, run_of(run_json(fake, dag, run)), tasks, left)

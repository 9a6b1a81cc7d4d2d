"""The bodies of ``FakeAirflow``'s answers: DAGs, runs, tasks, pages and errors of either line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NoReturn

from aqueduct_provider.testing.fake_state import Answer, Asked, FakeDag, FakeRun, FakeState, FakeTask

Json = dict[str, Any]


class Refused(Exception):
    """A request is answered with an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def refuse(fake: FakeState, status: int, detail: str, title: str = "") -> NoReturn:
    if fake.major == 3:
        raise Refused(json_answer({"detail": detail}, status))
    problem = {"detail": detail if title else None, "status": status, "title": title or detail}
    raise Refused(Answer(status, json.dumps(problem).encode(), "application/problem+json"))


def dag_of(fake: FakeState, dag_id: str) -> FakeDag:
    if dag_id not in fake.dags:
        refuse(fake, 404, f"The Dag with ID: `{dag_id}` was not found", "DAG not found")
    return fake.dags[dag_id]


def run_of(fake: FakeState, dag: FakeDag, run_id: str) -> FakeRun:
    if run_id not in dag.runs:
        said = f"The DagRun with dag_id: `{dag.dag_id}` and run_id: `{run_id}` was not found"
        refuse(fake, 404, said, "DAGRun not found")
    return dag.runs[run_id]


def refuse_doubled(fake: FakeState) -> NoReturn:
    if fake.major == 2:
        refuse(fake, 409, "it already exists", "Conflict")
    detail = {"reason": "Unique constraint violation", "statement": "hidden", "message": "Serious error"}
    raise Refused(json_answer({"detail": detail}, 409))


def dag_json(fake: FakeState, dag: FakeDag) -> Json:
    return {
        "dag_id": dag.dag_id,
        "dag_display_name": dag.display_name or dag.dag_id,
        "is_paused": dag.paused,
        "has_import_errors": dag.import_errors,
        **({"bundle_name": dag.bundle} if fake.major == 3 else {}),
        **({"is_stale": not dag.active} if fake.major == 3 else {"is_active": dag.active}),
        "description": dag.description or None,
        "tags": [{"name": tag} for tag in dag.tags],
        "file_token": dag.file_token,
        "last_parsed_time": text_of(dag.parsed_at),
    }


def run_json(fake: FakeState, dag: FakeDag, run: FakeRun) -> Json:
    return {
        "dag_id": dag.dag_id,
        "dag_run_id": run.run_id,
        "state": run.state,
        "run_type": run.run_type,
        "conf": run.conf,
        "logical_date": text_of(run.logical_date),
        "start_date": text_of(run.started),
        "end_date": text_of(run.ended),
        **({"queued_at": text_of(run.queued)} if fake.major == 3 else {}),
    }


def task_json(task: FakeTask) -> Json:
    length = (task.ended - task.started).total_seconds() if task.started and task.ended else None
    return {
        "task_id": task.task_id,
        "state": task.state,
        "try_number": task.try_number,
        "start_date": text_of(task.started),
        "end_date": text_of(task.ended),
        "duration": length,
        "map_index": -1,
    }


def page_of(fake: FakeState, asked: Asked, name: str, items: Iterable[Json]) -> Answer:
    found = list(items)
    start = int(asked.query.get("offset", ["0"])[0])
    size = min(int(asked.query.get("limit", ["50"])[0]), fake.most_per_page)
    return json_answer({name: found[start : start + size], "total_entries": len(found)})


def json_answer(body: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode())


def text_of(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None

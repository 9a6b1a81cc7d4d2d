"""A chain of small functions on a real Airflow: fused into one Airflow task, against a task for each.

Both flows are there before Airflow starts, one Airflow with the default settings of its scheduler:
``_DEFAULTS`` undoes what ``AirflowStack`` tunes for tests. A run lasts from the request that triggers it
until the REST API says that it has succeeded.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import flows
from benchmarks.figures import Figure, Series, at_most
from benchmarks.lab import ROOT, BenchmarkFailed, Lab
from tests.integration.client import AirflowClient
from tests.integration.stack import AirflowStack
from tests.integration.waiting import wait_for
from tests.oracle.harness import Store

LIMIT = 0.15
SECONDS = 300

_DEFAULTS = {
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1",
    "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "60",
    "AIRFLOW__CORE__MIN_SERIALIZED_DAG_FETCH_INTERVAL": "10",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "300",
    "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "5",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
    "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "50",
}


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param turns: with the first, which fills the caches of this machine and is left out.
    """

    operators: int
    turns: int


FULL, SMOKE = Sizes(operators=20, turns=4), Sizes(operators=2, turns=1)


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    store = lab.bucket()
    airflow = AirflowStack(lab.folder / "airflow", _DEFAULTS)
    airflow.dags.mkdir(parents=True)
    shutil.copy(ROOT / "dags_example" / "aqueduct_dags.py", airflow.dags)
    operators = [_operator(lab, store, number) for number in range(sizes.operators)]
    for dag_id, group in (("fused", "chain"), ("unfused", None)):
        document = chain(lab, store, operators, dag_id, group)
        (airflow.dags / f"{dag_id}.json").write_text(json.dumps(document))
    fused, unfused = Series(), Series()
    with airflow:
        wait_for(lambda: {"fused", "unfused"} <= airflow.client.dags().keys(), what="both flows", seconds=90)
        for _ in range(sizes.turns):
            for series, dag_id, tasks in ((fused, "fused", 1), (unfused, "unfused", sizes.operators)):
                series.values.append(run(airflow.client, store, dag_id, tasks, sizes.operators))
    what = f"a run of {sizes.operators} small functions in a chain, fused; a task for each"
    return [at_most(what, fused.warm, unfused.warm, LIMIT)]


def run(airflow: AirflowClient, store: Store, dag_id: str, tasks: int, operators: int) -> float:
    """Seconds of one run; every operator left its exec state and its artifact."""
    before = len(keys(store))
    started = time.perf_counter()
    run_id = airflow.trigger(dag_id)
    state = wait_for(
        lambda: _ended(airflow, dag_id, run_id), what=f"the end of {dag_id}", seconds=SECONDS, pause=0.05
    )
    seconds = time.perf_counter() - started
    states = airflow.states(dag_id, run_id)
    if state != "success" or len(states) != tasks:
        failed = next((task_id for task_id, state in states.items() if state == "failed"), None)
        log = airflow.log(dag_id, run_id, failed)[-2000:] if failed else ""
        raise BenchmarkFailed(f"{dag_id}: {state}, {states}\n{log}")
    # Content, metadata and exec state of each operator.
    made = len(keys(store)) - before
    if made < 3 * operators:
        raise BenchmarkFailed(f"{dag_id} left {made} objects, and should have left {3 * operators}")
    return seconds


def _ended(airflow: AirflowClient, dag_id: str, run_id: str) -> str | None:
    state: str = airflow.runs(dag_id)[run_id]["state"]
    return state if state in ("success", "failed") else None


def keys(store: Store) -> list[str]:
    """The keys of all objects."""
    pages = store.client.get_paginator("list_objects_v2").paginate(Bucket=store.bucket)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def chain(
    lab: Lab, store: Store, operators: Sequence[Mapping[str, Any]], dag_id: str, group: str | None
) -> dict[str, Any]:
    """The spec of the operators in a chain."""
    document = flows.native(lab.endpoint, store, b"", "", 0, 1).document
    outs = flows.names("out", len(operators))
    document["flow"]["name"] = document["dag_id"] = dag_id
    document["artifacts"] = [{"id": out, "name": out, "type": "numeric"} for out in outs]
    document["operators"] = [
        {**operator, "inputs": outs[:n][-1:], "outputs": [out], "fuse": group}
        for n, (operator, out) in enumerate(zip(operators, outs, strict=True))
    ]
    return document


def _operator(lab: Lab, store: Store, number: int) -> dict[str, Any]:
    """An operator with an archive of its own, which is put into the store."""
    archive = flows.archive(f"def predict(*values):\n    return sum(values) + {number}\n")
    key = f"function{number}.zip"
    store.put(key, archive)
    flow = flows.native(lab.endpoint, store, archive, key, 0, 1)
    (operator,) = flow.document["operators"]
    return {**operator, "id": f"id{number}", "task_id": f"task{number}", "name": f"task {number}"}

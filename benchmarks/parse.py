"""Specs to DAGs: what ``DagFactory`` costs beside hand-written DAGs. For information; there are no targets.

``python -m benchmarks.parse WHAT FOLDER DAG_ID``, with the name of a function in ``MEASURED``, measures one
thing in a process of its own and prints seconds.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks import flows
from benchmarks.figures import Figure, Series, duration
from benchmarks.lab import Lab, run
from tests.oracle.harness import Store, TaskSpecs

SPECS = 1000
MANY = 5000
TASKS = 10
RUNS = 3
ORIGIN = datetime(2022, 1, 1, 1, tzinfo=timezone.utc)


def measure(lab: Lab) -> list[Figure]:
    store = Store(None, "bucket", lab.folder / "credentials")
    by_hand = timed(lab, "hand_written", lab.folder)
    figures = []
    for dialect in (native_chain, compiled_chain):
        folder = write(lab, store, dialect, SPECS)
        name = dialect.__name__.partition("_")[0]
        what = f"one DAG of {TASKS} tasks out of {SPECS}, {name} specs; hand-written"
        ours = timed(lab, "dags_in", folder)
        ratio = f"{ours.median / by_hand.median:.2f}x"
        figures.append(Figure(what, str(per_dag(ours)), str(per_dag(by_hand)), ratio))
    one = timed(lab, "task_start", write(lab, store, native_chain, 1))
    for name, how in (("{}.json", "named after their DAGs"), ("spec {}.json", "named otherwise")):
        many = timed(lab, "task_start", write(lab, store, native_chain, MANY, name))
        extra = f"{duration(many.median - one.median)} more"
        figures.append(Figure(f"task start, {MANY} specs {how}; one spec", str(many), str(one), extra))
    return figures


def timed(lab: Lab, what: str, folder: Path) -> Series:
    """One of ``MEASURED``, some times, each in a new process."""
    command = [sys.executable, "-m", "benchmarks.parse", what, str(folder), dag_id(0)]
    return Series([float(run(command, lab.variables()).splitlines()[-1]) for _ in range(RUNS)])


def per_dag(series: Series) -> Series:
    return Series([seconds / SPECS for seconds in series.values])


def write(lab: Lab, store: Store, dialect: Any, count: int, name: str = "{}.json") -> Path:
    """A folder of specs."""
    folder = lab.folder / f"specs-{uuid.uuid4().hex}"
    folder.mkdir()
    for number in range(count):
        document = {**dialect(store), "dag_id": dag_id(number)}
        (folder / name.format(dag_id(number))).write_text(json.dumps(document))
    return folder


def dag_id(number: int) -> str:
    return f"flow_{number:05}"


def native_chain(store: Store) -> dict[str, Any]:
    """A native spec of tasks that follow one another; each reads what the one before wrote."""
    document = flows.native("http://127.0.0.1:1", store, b"", "code.zip", 0, 1).document
    (first,) = document["operators"]
    outs = flows.names("out", TASKS)
    document["artifacts"] = [{"id": out, "name": out, "type": "numeric"} for out in outs]
    document["operators"] = [
        {
            **first,
            "id": f"id{n}",
            "task_id": f"task{n}",
            "name": f"task {n}",
            "inputs": outs[:n][-1:],
            "outputs": [out],
        }
        for n, out in enumerate(outs)
    ]
    return document


def compiled_chain(store: Store) -> dict[str, Any]:
    """The same in the compiled dialect."""
    document = flows.compiled(store, "code.zip", 0, 1).document
    specs, outs = TaskSpecs(store, Path("/tmp")), flows.names("out", TASKS)
    document["task_specs"] = {
        f"task{n}": specs.function(
            "code.zip", inputs=outs[:n][-1:], outputs=[out], metadata_path=f"state{n}", name=f"task {n}"
        )
        for n, out in enumerate(outs)
    }
    document["task_edges"] = {f"task{n}": [f"task{n + 1}"] for n in range(TASKS - 1)}
    return document


def hand_written(_folder: str, _dag_id: str) -> float:
    """DAGs as a person would write them, of an operator with two plain fields."""
    from airflow.sdk import DAG, BaseOperator

    class HandWritten(BaseOperator):  # type: ignore[misc]
        def __init__(self, *, code: str, inputs: list[str], **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.code = code
            self.inputs = inputs

    started = time.perf_counter()
    dags = {}
    for number in range(SPECS):
        dag = DAG(dag_id(number), schedule=None, start_date=ORIGIN, catchup=False, tags=["aqueduct"])
        before = None
        for n in range(TASKS):
            task = HandWritten(
                task_id=f"task{n}", dag=dag, retries=0, code="code.zip", inputs=[f"out{n - 1}"]
            )
            if before is not None:
                task.set_upstream(before)
            before = task
        dags[dag.dag_id] = dag
    return time.perf_counter() - started


def dags_in(folder: str, _dag_id: str) -> float:
    """Every DAG of a folder, with everything imported."""
    from aqueduct_provider import DagFactory
    from aqueduct_provider.factory import discovery

    started = time.perf_counter()
    dags = DagFactory.dags_in(folder)
    seconds = time.perf_counter() - started
    assert len(dags) == SPECS, discovery
    return seconds


def task_start(folder: str, dag_id: str) -> float:
    """The one DAG that a task needs, in a process that has loaded Airflow and nothing of ours."""
    from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager

    with _airflow_parsing_context_manager(dag_id, "task0"):
        started = time.perf_counter()
        from aqueduct_provider import DagFactory

        dags = DagFactory.dags_in(folder)
        seconds = time.perf_counter() - started
    assert list(dags) == [dag_id], dags
    return seconds


MEASURED = {function.__name__: function for function in (hand_written, dags_in, task_start)}

if __name__ == "__main__":
    print(MEASURED[sys.argv[1]](sys.argv[2], sys.argv[3]))

"""One measurement of DAGs in a process of its own: ``python -m benchmarks.building WHAT FOLDER [DAG_ID]``,
with the name of a function in ``MEASURED``. Prints a number: seconds, or bytes.

Before the clock starts, everything is imported and one DAG of the same kind is made, but for the starts of
tasks, whose imports count.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, BaseOperator

from benchmarks import chains

START = datetime(2022, 1, 1, 1, tzinfo=timezone.utc)
BUNDLE = "aq"


class PlainOperator(BaseOperator):  # type: ignore[misc]
    """An operator with as many plain fields as a function of a flow has."""

    def __init__(
        self, *, code: str, sha256: str, inputs: Sequence[str], outputs: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.code = code
        self.sha256 = sha256
        self.inputs = inputs
        self.outputs = outputs


# --- many DAGs


def dags_in(folder: str) -> float:
    """The DAGs of a folder of specs."""
    from aqueduct_provider import DagFactory

    with_one = chains.write(Path(folder).parent, chains.native, 1)
    DagFactory.dags_in(with_one)
    started = time.perf_counter()
    dags = DagFactory.dags_in(folder)
    return _done(started, dags, folder, "*.json")


def by_hand(folder: str) -> float:
    """The very DAGs of a folder of native specs, built from literals; the specs are read before that."""
    from aqueduct_provider.factory.dag import dag_of
    from aqueduct_provider.spec import loader

    specs = [loader.load(path) for path in sorted(Path(folder).glob("*.json"))]
    # Its docs and descriptions, which a hand would write down, are taken from the factory's DAG before
    # the time begins.
    made = [dag_of(spec, source=f"{spec.dag_id}.json", fileloc=__file__) for spec in specs]
    if _serialized(made[0]) != _serialized(_by_hand(specs[0], made[0])):
        raise ValueError("the hand-written DAG is another than the factory's")
    started = time.perf_counter()
    dags = {spec.dag_id: _by_hand(spec, written) for spec, written in zip(specs, made, strict=True)}
    return _done(started, dags, folder, "*.json")


def _by_hand(spec: Any, written: DAG) -> DAG:
    from aqueduct_provider import AqueductOperator

    dag = DAG(
        spec.dag_id,
        dag_display_name="benchmark",
        schedule=None,
        start_date=START,
        catchup=False,
        is_paused_upon_creation=False,
        tags=["aqueduct"],
        description=written.description,
        doc_md=written.doc_md,
    )
    before = None
    for number, operator in enumerate(spec.operators):
        described: Any = written.task_dict[f"task{number}"]
        task = AqueductOperator(
            task_id=f"task{number}",
            dag=dag,
            task_display_name=f"task {number}",
            retries=0,
            outlets=[Asset("aqueduct://benchmark")] if number == chains.TASKS - 1 else [],
            doc_md=described.doc_md,
            aqueduct=described.aqueduct,
            workflow=spec,
            operators=(operator,),
        )
        if before is not None:
            task.set_upstream(before)
        before = task
    return dag


def dag_factory(folder: str) -> float:
    """The DAGs of a folder of YAML, by ``dag-factory`` as its documentation says."""
    import logging

    from dagfactory import load_yaml_dags

    # Its two lines for each file; ours logs none.
    logging.disable(logging.INFO)
    path = Path(folder)
    sample = chains.write_yaml(path.parent, chains.write(path.parent, chains.native, 1), one_file=False)
    load_yaml_dags({}, dags_folder=str(sample), defaults_config_path=str(sample))
    dags: dict[str, Any] = {}
    started = time.perf_counter()
    load_yaml_dags(dags, dags_folder=folder, defaults_config_path=folder)
    seconds = time.perf_counter() - started
    (any_dag, *_) = dags.values()
    edges = [task.upstream_task_ids for task in any_dag.tasks]
    if edges != [set(), *({f"task{n}"} for n in range(chains.TASKS - 1))]:
        raise ValueError(f"these are not the same DAGs: {edges}")
    return seconds / len(dags)


def _done(started: float, dags: dict[str, Any], folder: str, pattern: str) -> float:
    """Seconds for each DAG."""
    seconds = time.perf_counter() - started
    wanted = len(list(Path(folder).glob(pattern)))
    if len(dags) != wanted or any(len(dag.tasks) != chains.TASKS for dag in dags.values()):
        raise ValueError(f"{len(dags)} DAGs instead of {wanted}, or not all of their tasks")
    return seconds / wanted


# --- the one DAG of a task


def task_start(folder: str, dag_id: str) -> float:
    """From a folder of specs, in a process that has loaded Airflow and nothing of ours."""
    with _parsing_for(dag_id):
        started = time.perf_counter()
        from aqueduct_provider import DagFactory

        dags = DagFactory.dags_in(folder)
        seconds = time.perf_counter() - started
    if list(dags) != [dag_id]:
        raise ValueError(f"DAGs {list(dags)} instead of {dag_id}")
    return seconds


def stub_start(folder: str, dag_id: str) -> float:
    """From a bundle over a folder of specs, at its latest version, which this machine has begun to use."""
    head = _bundle(folder)
    head.initialize()
    version = str(getattr(head.get_current_version(), "version", head.get_current_version()))
    command = [sys.executable, "-m", "benchmarks.building", "pinned_start", folder, dag_id, version]
    seconds = [float(subprocess.check_output(command, text=True).splitlines()[-1]) for _ in range(2)]
    return seconds[-1]


def pinned_start(folder: str, dag_id: str, version: str) -> float:
    """What :func:`stub_start` measures, in a process that has loaded Airflow and nothing of ours."""
    from airflow.dag_processing.bundles.base import BaseDagBundle  # noqa: F401

    with _parsing_for(dag_id):
        started = time.perf_counter()
        bundle = _bundle(folder, version)
        bundle.initialize()
        names = runpy.run_path(str(bundle.path / f"{dag_id}.json.py"))
        seconds = time.perf_counter() - started
    if dag_id not in names:
        raise ValueError(f"the stub made no DAG {dag_id}")
    return seconds


def _bundle(folder: str, version: str | None = None) -> Any:
    from aqueduct_provider.bundles import AqueductDagBundle

    return AqueductDagBundle(name=f"{BUNDLE}-{Path(folder).name}", folder=folder, version=version)


def _parsing_for(dag_id: str) -> Any:
    from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager

    return _airflow_parsing_context_manager(dag_id, "task0")


# --- what Airflow's database stores


def stored_ours(folder: str) -> float:
    """Bytes of a serialized task of ours."""
    from aqueduct_provider import DagFactory

    (dag,) = DagFactory.dags_in(folder).values()
    return _task_bytes(dag)


def stored_empty(_folder: str) -> float:
    """The same of Airflow's operator that does nothing."""
    from airflow.providers.standard.operators.empty import EmptyOperator

    return _task_bytes(_described(EmptyOperator))


def stored_python(_folder: str) -> float:
    """The same of Airflow's operator that calls a function."""
    from airflow.providers.standard.operators.python import PythonOperator

    return _task_bytes(_described(PythonOperator, python_callable=_described))


def _described(operator: Any, **kwargs: Any) -> DAG:
    """The DAG of :func:`chains.described`, of another operator."""
    dag = DAG(chains.dag_id(0), schedule=None, start_date=START)
    before = None
    for number in range(chains.TASKS):
        task = operator(
            task_id=f"task{number}",
            dag=dag,
            task_display_name=f"task {number}",
            doc_md="What it does.\n",
            retries=2,
            retry_delay=timedelta(seconds=60),
            execution_timeout=timedelta(seconds=600),
            pool="small",
            outlets=[Asset("aqueduct://benchmark")] if number == chains.TASKS - 1 else [],
            **kwargs,
        )
        if before is not None:
            task.set_upstream(before)
        before = task
    return dag


def _task_bytes(dag: DAG) -> float:
    tasks = _serialized(dag)["dag"]["tasks"]
    return len(json.dumps(tasks)) / len(tasks)


def _serialized(dag: DAG) -> Any:
    from airflow.serialization.serialized_objects import DagSerialization

    document = DagSerialization.to_dict(dag)
    document["dag"].pop("fileloc")
    return document


MEASURED = {
    function.__name__: function
    for function in (
        dags_in,
        by_hand,
        dag_factory,
        task_start,
        stub_start,
        pinned_start,
        stored_ours,
        stored_empty,
        stored_python,
    )
}

if __name__ == "__main__":
    print(MEASURED[sys.argv[1]](*sys.argv[2:]))

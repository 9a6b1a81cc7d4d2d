"""A client, a bucket and an Airflow, and a small flow that is published there: for tests of what comes after.

    with deployment(bucket, s3_server, credentials_file, tmp_path) as made:
        flow = made.publish()
        run = made.client.trigger("churn", {"rows": 4})
        made.work(run.run_id)
        assert run.artifact("total").get() == 6

The Airflow is ``FakeAirflow``: it shows what was delivered whenever it is asked to parse, and ``work`` runs
the tasks of a run for real, in children, into the store.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keyring.backends.null
import pandas

import aqueduct_provider.sdk as aq
from aqueduct_provider.artifacts.manifest import (
    LEFT_KEY,
    GroupManifest,
    Manifest,
    manifest_from_xcom,
    nothing_left,
)
from aqueduct_provider.errors import AqueductError
from aqueduct_provider.operators.xcom import with_spec
from aqueduct_provider.sdk.flow import Flow
from aqueduct_provider.sdk.session import Session
from aqueduct_provider.spec.flow_plan import flow_plan
from aqueduct_provider.spec.graph import order
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import InlineDefault, WorkflowSpec
from aqueduct_provider.spec.run_values import values_from_conf
from aqueduct_provider.storage.layout import DELIVERED_PREFIX, delivered_spec
from aqueduct_provider.storage.object_store import ObjectStore
from aqueduct_provider.testing import FakeAirflow, FakeRun
from tests.support.flow_runs import LocalRun
from tests.support.keyrings import selected


@aq.op(requirements=["pandas"], outputs=["table"])
def features(rows: int) -> pandas.DataFrame:
    print(f"{rows} rows are made")
    if rows < 0:
        raise ValueError("rows must not be negative")
    return pandas.DataFrame({"n": range(rows)})


@aq.metric(requirements=["pandas"], outputs=["total"])
def total(table: pandas.DataFrame) -> int:
    return int(table["n"].sum())


@aq.check(requirements=[], outputs=["many"], severity="warning")
def many(total: int) -> bool:
    return total > 4


@dataclass
class Deployment:
    """What a user and an Airflow share.

    :param folder: scratch space; the client's configuration is there.
    :param hidden: DAG ids that Airflow does not show, whatever is delivered.
    """

    client: aq.Client
    fake: FakeAirflow
    folder: Path
    hidden: set[str] = field(default_factory=set)

    @property
    def session(self) -> Session:
        """What is behind the client."""
        return self.client._session

    @property
    def store(self) -> ObjectStore:
        """The artifact store."""
        return self.session.store

    def author(self, rows: int = 3, **names: str) -> list[Any]:
        """The small flow: a parameter, a table, a metric and a check that only warns.

        :param names: other names of artifacts: ``table``, ``total`` or ``many``.
        """
        made = {"table": features(self.client.create_param("rows", rows, "how many"))}
        made["total"] = total(made["table"])
        made["many"] = many(made["total"])
        for which, name in names.items():
            made[which].set_name(name)
        return list(made.values())

    def publish(self, name: str = "churn", artifacts: list[Any] | None = None, **options: Any) -> Flow:
        """Publish the small flow, or these artifacts, with the scratch space as the working directory."""
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            return self.client.publish_flow(name, artifacts=artifacts or self.author(), **options)
        finally:
            os.chdir(before)

    # --- what Airflow does

    def parse(self, *_: Any) -> None:
        """Show what is delivered now, as Airflow's loader does."""
        self.fake.parsed.clear()
        found = set()
        for key in self.store.list(DELIVERED_PREFIX):
            spec = parse(self.store.get(key), key)
            if spec.dag_id not in self.hidden:
                found.add(spec.dag_id)
                self.fake.show(spec)
        for dag_id, dag in self.fake.dags.items():
            dag.active = dag_id in found or dag_id == "other"

    def spec(self, dag_id: str = "churn") -> WorkflowSpec:
        """The spec that Airflow runs."""
        return parse(self.store.get(delivered_spec(dag_id)), dag_id)

    def work(self, run_id: str, dag_id: str = "churn", *, tasks: int | None = None) -> None:
        """Run the tasks of a run, as Airflow's workers do.

        :param tasks: how many at most; the run goes on then. None: all; the run is over then.
        """
        run, spec = self.fake.dags[dag_id].runs[run_id], self.spec(dag_id)
        self.fake.set_state(dag_id, run_id, "running")
        work = _Work(self, spec, run)
        task_of = {operator.task_id: operator.airflow_task_id for operator in spec.operators}
        in_order = dict.fromkeys(task_of[task_id] for task_id in order(spec))
        waiting = [task for task in in_order if run.tasks[task].state is None]
        for task in waiting[:tasks]:
            work.do(task)
        if tasks is None:
            failed = any(task.state != "success" for task in run.tasks.values())
            self.fake.set_state(dag_id, run_id, "failed" if failed else "success")

    def run(self, dag_id: str = "churn", **parameters: Any) -> aq.Run:
        """Trigger a run and let it end."""
        run = self.client.trigger(flow_name=dag_id, parameters=parameters, progress=False)
        self.work(run.run_id, dag_id)
        return run

    def publish_unseen(self, name: str = "churn", artifacts: list[Any] | None = None, **options: Any) -> Flow:
        """Publish, while Airflow is asked to parse and does not."""
        on_parse, self.fake.on_parse = self.fake.on_parse, lambda _token: self.fake.parsed.clear()
        try:
            return self.publish(name, artifacts, wait=0, **options)
        finally:
            self.fake.on_parse = on_parse

    @contextmanager
    def away(self) -> Iterator[None]:
        """Airflow does not answer while the block runs."""
        self.fake.drop(1_000_000)
        try:
            yield
        finally:
            self.fake.recover()

    @contextmanager
    def meanwhile(self, act: Callable[[], None]) -> Iterator[None]:
        """Do something in another thread while the block runs."""
        errors: list[BaseException] = []

        def caught() -> None:
            try:
                act()
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=caught)
        thread.start()
        try:
            yield
        finally:
            thread.join()
        if errors:
            raise errors[0]


class _Work:
    """One run at work."""

    def __init__(self, made: Deployment, spec: WorkflowSpec, run: FakeRun) -> None:
        self.made, self.spec, self.run_ = made, spec, run
        defaults = {one.name: one.default for one in spec.parameters}
        params = {
            name: default.value if isinstance(default, InlineDefault) else None
            for name, default in defaults.items()
        }
        given = {name: value for name, value in run.conf.items() if name in params}
        scratch = made.folder / "work"
        self.local = LocalRun(spec, made.store, scratch, params={**params, **given}, run_id=run.run_id)
        self.local.given = values_from_conf(run.conf)
        for operator in spec.operators:
            task_id = operator.airflow_task_id
            if task_id not in run.tasks:
                made.fake.add_task(spec.dag_id, run.run_id, task_id, state=None, try_number=0)
            elif run.tasks[task_id].state == "success":
                # Of a run that goes on.
                left = run.tasks[task_id].xcoms["return_value"]
                self.local.manifests[operator.task_id] = manifest_from_xcom(left, task_id, operator.task_id)

    def do(self, task_id: str) -> None:
        """Run one task."""
        before = flow_plan(self.spec).tasks[task_id].upstream
        if any(self.run_.tasks[one].state != "success" for one in before):
            self._set(task_id, "upstream_failed")
            return
        self.run_.tasks[task_id].try_number += 1
        # As Airflow does it.
        self.run_.tasks[task_id].xcoms.clear()
        self._set(task_id, "running")
        self.local.lines.clear()
        try:
            self._attempt(task_id)
        except AqueductError:
            self._set(task_id, "failed")
        else:
            self._set(task_id, "success")
        lines = [f"running {task_id}", *(line for _stream, line in self.local.lines)]
        self.run_.tasks[task_id].logs[self.run_.tasks[task_id].try_number] = "\n".join(lines)

    def _set(self, task_id: str, state: str) -> None:
        self.made.fake.set_state(self.spec.dag_id, self.run_.run_id, state, task_id)

    def _attempt(self, task_id: str) -> None:
        is_group = flow_plan(self.spec).tasks[task_id].operators[0].fuse is not None
        number = self.run_.tasks[task_id].try_number
        attempt = self.local.group(task_id, number) if is_group else self.local.attempt(task_id)
        try:
            with _sections_in(self.local.lines) if is_group else nullcontext():
                manifest = attempt.run()
        except AqueductError:
            self._tell(task_id, LEFT_KEY, attempt.left() or nothing_left(is_group=is_group))
            raise
        self._tell(task_id, "return_value", manifest)
        self.local.manifests.update(
            manifest.operators if isinstance(manifest, GroupManifest) else {task_id: manifest}
        )

    def _tell(self, task_id: str, key: str, manifest: Manifest | GroupManifest) -> None:
        self.run_.tasks[task_id].xcoms[key] = with_spec(manifest, self.spec)


@contextmanager
def _sections_in(lines: list[tuple[str, str]]) -> Iterator[None]:
    """While it holds, what groups of operators log is added to the lines, with a time as Airflow has it."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(("stderr", f"[2026-01-01T00:00:00Z] {record.levelname} - {record.getMessage()}"))

    logger, handler = logging.getLogger("aqueduct_provider.execution.fused"), Handler()
    logger.addHandler(handler)
    level, logger.level = logger.level, logging.INFO
    try:
        yield
    finally:
        logger.level = level
        logger.removeHandler(handler)


@contextmanager
def deployment(
    bucket: str, endpoint_url: str, credentials_file: Path, folder: Path, *, major: int = 3
) -> Iterator[Deployment]:
    """A client whose bucket is on a real S3 server, and a resource ``cluster`` that is a fake Airflow.

    :param folder: a new, empty one.
    """
    with selected(keyring.backends.null.Keyring()), FakeAirflow(major) as fake:  # type: ignore[no-untyped-call]
        client = aq.Client(
            bucket=bucket,
            region="us-east-1",
            endpoint_url=endpoint_url,
            credentials_path=str(credentials_file),
            config_path=folder / "config.toml",
        )
        made = Deployment(client, fake, folder)
        # Another flow: without any, nothing tells which file Airflow's loader is.
        fake.add_dag("other")
        fake.on_parse = made.parse
        client.connect_resource("cluster", "Airflow", fake.login)
        yield made

"""An Airflow with CeleryExecutor: PostgreSQL, Redis, and workers that share nothing with it or each other.

Each worker has its own folder for DAGs, logs, temporary files, environments, uv's cache and credentials. What
they have in common is what every worker must be given: the settings, the broker and the artifact store. Flows
reach all of them through the store: by a bundle on Airflow 3, by the loader in each DAG folder on 2.11.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aqueduct_provider import cli
from aqueduct_provider.demo.local_airflow import DATABASE_VARIABLE, Machine
from aqueduct_provider.demo.stack import CONNECTION, CONNECTION_VARIABLE, S3Place
from tests.data_servers.postgres import PostgresServer
from tests.data_servers.redis import RedisServer
from tests.integration.airflow_settings import database_settings
from tests.integration.client import AirflowClient
from tests.integration.native_draft import Draft
from tests.integration.stack import MAJOR, AirflowStack, Worker
from tests.integration.waiting import wait_for

# Tasks that one worker runs at once.
CONCURRENCY = 4
# Seconds without a sign of life after which Airflow gives a task up.
GIVEN_UP = 20
_SEEN_SECONDS = 60
_BUNDLE = "aqueduct"
# On Airflow 3 workers speak to the API server alone.
_NO_DATABASE = "postgresql+psycopg2://nobody@127.0.0.1:1/none"


@dataclass(frozen=True)
class Cluster:
    """A running Airflow with workers, and the store that all of them reach.

    :param s3: a boto3 client, for the tests.
    """

    airflow: AirflowStack
    store: S3Place
    s3: Any

    @property
    def machines(self) -> list[Machine]:
        """Those of the workers."""
        return [worker.machine for worker in self.airflow.workers]

    @property
    def client(self) -> AirflowClient:
        return self.airflow.client

    def draft(self, dag_id: str) -> Draft:
        """A native flow of this store."""
        return Draft(dag_id, {"type": "connection", "connection_id": CONNECTION})

    def deliver(self, draft: Draft, scratch: Path) -> None:
        """Put a flow into the store, as the SDK does, and wait until Airflow shows it.

        :param scratch: a folder that no machine of Airflow's knows.
        """
        prefix = f"{self.store.root_dir}/"
        spec = draft.publish(self.s3, self.store.bucket, scratch, prefix=prefix)
        key = f"{prefix}specs/{draft.dag_id}.json"
        self.s3.put_object(Bucket=self.store.bucket, Key=key, Body=spec.read_bytes())
        wait_for(
            lambda: self.client.shows(draft.dag_id, draft.version),
            what=f"DAG {draft.dag_id}",
            seconds=_SEEN_SECONDS,
        )

    def read(self, draft: Draft, run_id: str, name: str) -> bytes:
        """What a run left in the store, by its name below the run."""
        key = f"{self.store.root_dir}/flows/{draft.flow_id}/runs/{run_id}/{name}"
        content: bytes = self.s3.get_object(Bucket=self.store.bucket, Key=key)["Body"].read()
        return content


def tasks_on(machine: Machine, dag_id: str, run_id: str) -> set[str]:
    """The tasks of a run that a machine has started: each logs where it runs."""
    folder = machine.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
    return {log.parent.name.removeprefix("task_id=") for log in folder.glob("task_id=*/attempt=*.log")}


def rebuilt_on(machine: Machine, version: str) -> bool:
    """Whether a machine has the DAG files of a version of the bundle."""
    folder = machine.home / "bundles" / _BUNDLE / "versions" / version
    return any(folder.glob("*.py"))


def stack_of(
    folder: Path,
    names: tuple[str, ...],
    store: S3Place,
    broker: RedisServer,
    database: PostgresServer,
    settings: Mapping[str, str],
) -> AirflowStack:
    """An Airflow that is not started yet, and its workers.

    :param folder: in which each machine has its own. :param names: of the workers.
    """
    workers = [_worker(Machine(folder / name), store) for name in names]
    scheduler = Machine(folder / "scheduler")
    common = {**settings, **_settings(broker, database), **_surroundings(scheduler, store)}
    stack = AirflowStack(scheduler.home, common, workers)
    for machine in (scheduler, *(worker.machine for worker in workers)):
        machine.prepare()
        shutil.copy(store.credentials_path, _credentials(machine))
        if MAJOR == 2:
            # What an admin does once for each machine.
            assert cli.main(["init", str(machine.dags), "--connection", CONNECTION]) == 0
    return stack


def _settings(broker: RedisServer, database: PostgresServer) -> dict[str, str]:
    return {
        **database_settings(database),
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__PARALLELISM": "32",
        "AIRFLOW__CELERY__BROKER_URL": broker.url(0),
        # A database would have its tables made by both workers at once, at which one of them fails.
        "AIRFLOW__CELERY__RESULT_BACKEND": broker.url(1),
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(CONCURRENCY),
        **(_three() if MAJOR == 3 else _two()),
    }


def _three() -> dict[str, str]:
    bundle = {
        "name": _BUNDLE,
        "classpath": "aqueduct_provider.bundles.AqueductDagBundle",
        "kwargs": {"connection_id": CONNECTION, "refresh_interval": 2},
    }
    return {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(GIVEN_UP),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }


def _two() -> dict[str, str]:
    return {
        "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": str(GIVEN_UP),
        "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "10",
    }


def _surroundings(machine: Machine, store: S3Place) -> dict[str, str]:
    """What differs from machine to machine beyond its folder."""
    here = replace(store, credentials_path=_credentials(machine))
    return {
        CONNECTION_VARIABLE: here.connection(),
        "AIRFLOW__AQUEDUCT__CACHE_DIR": str(machine.home / "cache"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(machine.home / "bundles"),
        "UV_CACHE_DIR": str(machine.home / "uv"),
    }


def _credentials(machine: Machine) -> Path:
    return machine.home / "credentials"


def _worker(machine: Machine, store: S3Place) -> Worker:
    name = f"{machine.home.name}@localhost"
    database = {DATABASE_VARIABLE: _NO_DATABASE} if MAJOR == 3 else {}
    return Worker(
        machine,
        ("celery", "worker", "-H", name, "--skip-serve-logs", "--without-gossip", "--without-mingle"),
        {**_surroundings(machine, store), **database},
        ready=f"{name} ready",
    )

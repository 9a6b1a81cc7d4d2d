"""An Airflow whose artifact store lies behind a proxy that can fail, and how much of the campaign is run."""

from __future__ import annotations

import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider import cli
from tests.chaos.figures import REPORT, Figure, table, write
from tests.data_servers.postgres import PostgresServer
from tests.integration.airflow_settings import airflow_connection, database_settings
from tests.integration.flow_place import Place
from tests.integration.stack import AirflowStack
from tests.support.fault_proxy import FaultProxy
from tools.environments import index_settings

_FIGURES = pytest.StashKey[list[Figure]]()
# Seconds after which Airflow takes a task without a sign of life for lost; its default is 300.
_LOST = "15"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="the whole campaign, not the small part of CI")
    parser.addoption("--write", action="store_true", help=f"write the figures to {REPORT.name}")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = []


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    figures = config.stash[_FIGURES]
    if not figures:
        return
    terminalreporter.section("figures")
    terminalreporter.write_line(table(figures))
    if config.getoption("--write"):
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True
        ).stdout.strip()
        write(figures, version("apache-airflow"), commit)


@dataclass(frozen=True)
class Scale:
    """How much is run."""

    full: bool

    def of(self, small: int, full: int) -> int:
        """Return the number for CI, or that of the whole campaign."""
        return full if self.full else small


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> Scale:
    return Scale(bool(request.config.getoption("--full")))


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Record a figure, and fail where it is not whole."""

    def record(name: str, right: int, total: int, note: str = "") -> None:
        request.config.stash[_FIGURES].append(Figure(name, right, total, note))
        assert right == total, f"{name}: {right} of {total}; {note}"

    return record


@pytest.fixture(scope="session")
def proxy(s3_server: str) -> Iterator[FaultProxy]:
    """The way from tasks to their store, without faults unless a test asks for some."""
    with FaultProxy(s3_server, stall_seconds=60) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def airflow(
    s3_server: str, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AirflowStack]:
    """A running Airflow that finds out soon that a task was lost."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = {
        **database_settings(postgres),
        "AIRFLOW_CONN_WAREHOUSE": airflow_connection("postgres", postgres.config()),
        "AIRFLOW__CORE__PARALLELISM": "8",
        # What admins set; the flows of the campaign say nothing of retries.
        "AIRFLOW__CORE__DEFAULT_TASK_RETRIES": "6",
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "3",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": _LOST,
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
        # The same of Airflow 2.
        "AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "3",
        "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": _LOST,
        "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "3",
        **index_settings(),
    }
    with AirflowStack(tmp_path_factory.mktemp("airflow"), settings) as stack:
        assert cli.main(["init", str(stack.dags)]) == 0
        yield stack


@pytest.fixture(scope="session")
def place(airflow: AirflowStack, s3_client: Any, proxy: FaultProxy, credentials_file: Path) -> Place:
    """A bucket of its own, which tasks reach through the proxy and tests directly."""
    bucket = f"chaos-{uuid.uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=bucket)
    return Place(airflow, s3_client, proxy.url, bucket, credentials_file)

"""One real Airflow for the whole session, and what its DAG folder and its bucket are filled with."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.place import Place, install_loader
from tests.integration.stack import AirflowStack
from tests.oracle.harness import Oracle

_STACK = pytest.StashKey[AirflowStack]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Show what Airflow's components wrote last beside every failure."""
    report = yield
    stack = item.config.stash.get(_STACK, None)
    if report.failed and stack is not None:
        report.sections.append(("Airflow's components", stack.tail()))
    return report


@pytest.fixture(scope="session")
def airflow(
    s3_server: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[AirflowStack]:
    """A running Airflow with the loader of ``dags_example`` in its DAG folder."""
    # Ended politely, pytest still ends what was started here.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = {"AWS_ENDPOINT_URL_S3": s3_server, "AIRFLOW__AQUEDUCT__KILL_GRACE": "1"}
    stack = AirflowStack(tmp_path_factory.mktemp("airflow"), settings)
    request.config.stash[_STACK] = stack
    with stack:
        install_loader(stack.dags)
        yield stack


@pytest.fixture(scope="session")
def place(airflow: AirflowStack, s3_client: Any, s3_server: str, credentials_file: Path) -> Place:
    """A bucket of the session, and the DAG folder."""
    bucket = f"integration-{uuid.uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=bucket)
    return Place(airflow, s3_client, s3_server, bucket, credentials_file)


@pytest.fixture(scope="session")
def oracle(s3_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """The original, which packages functions and reads artifacts."""
    oracle = Oracle(s3_server, tmp_path_factory.mktemp("oracle"))
    yield oracle
    oracle.close()

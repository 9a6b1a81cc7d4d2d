"""One real Airflow for the whole session, and what its DAG folder and its bucket are filled with."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider import cli
from aqueduct_provider.demo.stack import CONNECTION, CONNECTION_VARIABLE, S3Place, demo_connection
from tests.data_servers.mariadb import MariaDbServer
from tests.data_servers.postgres import PostgresServer
from tests.integration.airflow_settings import (
    airflow_connection,
    bundle_settings,
    database_settings,
    notification_connections,
)
from tests.integration.flow_place import Place
from tests.integration.outage import Outage
from tests.integration.stack import MAJOR, AirflowStack
from tests.oracle.harness import Oracle
from tests.support.receivers import HttpReceiver, SmtpReceiver, http_receiver, smtp_receiver
from tools.environments import index_settings

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
def sdk_store(s3_client: Any, s3_server: str, credentials_file: Path) -> S3Place:
    """A folder in the session's bucket, for SDK clients and for Airflow's connection ``aqueduct_default``."""
    bucket = f"integration-{uuid.uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=bucket)
    return S3Place(s3_server, bucket, credentials_file, "research", root_dir="sdk")


@pytest.fixture(scope="session")
def outage(s3_server: str) -> Iterator[Outage]:
    """A way to the S3 server that can be closed."""
    with Outage(s3_server) as outage:
        yield outage


@pytest.fixture(scope="session")
def bundle_store(sdk_store: S3Place, outage: Outage) -> S3Place:
    """Another folder in that bucket, from which a DAG bundle takes specs."""
    return replace(sdk_store, endpoint=outage.url, root_dir="bundle")


@pytest.fixture(scope="session")
def alerts() -> Iterator[HttpReceiver]:
    """A server to whose webhook flows send notifications, by the connection ``alerts``."""
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def mails() -> Iterator[SmtpReceiver]:
    """A mail server, that of the connection ``smtp_default``."""
    with smtp_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def airflow(
    s3_server: str,
    sdk_store: S3Place,
    bundle_store: S3Place,
    postgres: PostgresServer,
    mariadb: MariaDbServer,
    alerts: HttpReceiver,
    mails: SmtpReceiver,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[AirflowStack]:
    """A running Airflow that shows the specs of its DAG folder and those that SDK clients deliver."""
    # Ended politely, pytest still ends what was started here.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = {
        **database_settings(postgres),
        "AWS_ENDPOINT_URL_S3": s3_server,
        "AIRFLOW__AQUEDUCT__KILL_GRACE": "1",
        CONNECTION_VARIABLE: sdk_store.connection(),
        "AIRFLOW_CONN_WAREHOUSE": airflow_connection("postgres", postgres.config()),
        "AIRFLOW_CONN_CRM": airflow_connection("mysql", mariadb.config("crm")),
        **notification_connections(alerts.url, mails.port),
        **demo_connection(tmp_path_factory.mktemp("demo")),
        **(bundle_settings(bundle_store) if MAJOR == 3 else {}),
        **index_settings(),
        # Beside the admin one who may only look; Airflow 3 makes the password.
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
    }
    stack = AirflowStack(tmp_path_factory.mktemp("airflow"), settings)
    request.config.stash[_STACK] = stack
    with stack:
        assert cli.main(["init", str(stack.dags), "--connection", CONNECTION]) == 0
        yield stack


@pytest.fixture(scope="session")
def place(
    airflow: AirflowStack, sdk_store: S3Place, s3_client: Any, s3_server: str, credentials_file: Path
) -> Place:
    """The bucket of the session, and the DAG folder."""
    return Place(airflow, s3_client, s3_server, sdk_store.bucket, credentials_file)


@pytest.fixture(scope="session")
def sdk_variables(
    airflow: AirflowStack, sdk_store: S3Place, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What the environment of a script must hold to publish to this Airflow."""
    return sdk_store.variables(airflow.login, tmp_path_factory.mktemp("client") / "config.toml")


@pytest.fixture
def client(sdk_variables: dict[str, str], airflow: AirflowStack, tmp_path: Path) -> Iterator[aq.Client]:
    """A client as a script has it, with this Airflow as its resource ``here``, in a folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        for name, value in {**sdk_variables, "AQUEDUCT_CONFIG": str(tmp_path / "config.toml")}.items():
            patch.setenv(name, value)
        client, login = aq.Client(), airflow.login
        access = {"host": login.url, "username": login.user, "password": login.password}
        client.connect_resource("here", "Airflow", access)
        yield client


@pytest.fixture(scope="session")
def oracle(s3_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """The original, which packages functions and reads artifacts."""
    oracle = Oracle(s3_server, tmp_path_factory.mktemp("oracle"))
    yield oracle
    oracle.close()

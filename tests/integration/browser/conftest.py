"""One browser and one run of one flow, for all tests of the pages in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

import pytest

import aqueduct_provider.sdk as aq
from tests.integration import shown_flow
from tests.integration.client import AirflowClient
from tests.integration.fab_server import FabServer, fab_server
from tests.integration.flow_place import SEEN_SECONDS
from tests.integration.stack import AirflowStack
from tests.support.browser import Browser, Tab, running_browser

WAIT = 180


@dataclass(frozen=True)
class Shown:
    """A run whose check warns, and the addresses of its pages.

    :param open_dag_id: the DAG of another flow, which never ran.
    """

    run: aq.Run
    open_dag_id: str

    @property
    def dag_id(self) -> str:
        """The flow's DAG."""
        return self.run.record.dag_id

    def pages(self) -> dict[str, str]:
        """Return the address of each kind of page."""
        run_id = self.run.run_id
        return {
            "flows": "/aqueduct/",
            "flow": shown_flow.flow_page(self.dag_id),
            "spec": f"{shown_flow.flow_page(self.dag_id)}/spec",
            "run": shown_flow.run_page(self.dag_id, run_id),
            "task": shown_flow.task_page(self.dag_id, run_id, "table"),
        }

    def body(self, name: str) -> str:
        """Return the address of an artifact's content."""
        (found,) = (one.id for one in self.run.spec.artifacts if one.name == name)
        return f"{shown_flow.run_page(self.dag_id, self.run.run_id)}/artifacts/{quote(str(found), safe='')}"


@pytest.fixture(scope="session")
def shown(
    airflow: AirflowStack, sdk_variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Shown:
    """The run that all tests look at: artifacts of many kinds, hostile names and values."""
    folder = tmp_path_factory.mktemp("shown")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**sdk_variables, "AQUEDUCT_CONFIG": str(folder / "config.toml")}.items():
            patch.setenv(name, value)
        client, login = aq.Client(), airflow.login
        client.connect_resource(
            "here", "Airflow", {"host": login.url, "username": login.user, "password": login.password}
        )
        run = client.trigger(shown_flow.publish(client, wait=SEEN_SECONDS).id())
        other = shown_flow.publish_open(client, wait=SEEN_SECONDS)
        assert run.wait(WAIT, progress=False) == aq.ExecutionStatus.SUCCEEDED
        return Shown(run, other.record.dag_id)


@pytest.fixture(scope="session")
def browser(airflow: AirflowStack) -> Iterator[Browser]:
    """A Chromium for the session."""
    with running_browser(airflow.login.url) as running:
        yield running


@pytest.fixture
def admin(browser: Browser, airflow: AirflowStack) -> Iterator[Tab]:
    """A tab in which the admin is logged in."""
    with browser.tab(airflow.client.cookies()) as tab:
        yield tab


@pytest.fixture(scope="session")
def fab(airflow: AirflowStack, shown: Shown) -> Iterator[FabServer]:
    """An API server with FAB's users and roles, below a prefix, which knows the DAGs of these flows."""
    with fab_server(airflow) as server:
        yield server


@pytest.fixture
def viewer(airflow: AirflowStack) -> Iterator[AirflowClient]:
    """A client of Airflow 3 with the role viewer."""
    passwords = json.loads((airflow.home / "passwords.json").read_text())
    client = AirflowClient(replace(airflow.login, user="viewer", password=passwords["viewer"]))
    yield client
    client.close()

"""A second API server of a running Airflow 3, with users and roles, below a prefix, behind a reverse proxy.

In: a running stack, whose database it shares. Out: its address behind the proxy, and a client of its admin.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from aqueduct_provider.demo.local_airflow import Login
from aqueduct_provider.demo.servers import free_port
from tests.integration.client import AirflowClient
from tests.integration.stack import FAB_AUTH_MANAGER, AirflowStack
from tests.integration.waiting import wait_for
from tests.support.fault_proxy import FaultProxy

PREFIX = "/some/prefix"
WAIT = 120


@dataclass(frozen=True)
class FabServer:
    """The server behind its proxy.

    :param client: of the admin.
    """

    login: Login
    client: AirflowClient
    proxy: FaultProxy

    @property
    def outside(self) -> list[str]:
        """The paths outside of the prefix that were asked for: another site's."""
        return [path for _, path in self.proxy.requests if not path.startswith(f"{PREFIX}/")]


@contextmanager
def fab_server(stack: AirflowStack) -> Iterator[FabServer]:
    """Start the server; it ends with the stack.

    Its roles can name the DAGs that are there when it starts.
    """
    port = free_port()
    # Without faults: a reverse proxy that keeps the prefix, as in Airflow's documentation.
    with FaultProxy(f"http://127.0.0.1:{port}") as proxy:
        login = Login(f"{proxy.url}{PREFIX}", "admin", secrets.token_hex(8))
        settings = {
            "AIRFLOW__CORE__AUTH_MANAGER": FAB_AUTH_MANAGER,
            "AIRFLOW__API__BASE_URL": login.url,
            # All users of the tests log in from one address.
            "AIRFLOW__FAB__AUTH_RATE_LIMITED": "False",
        }
        # Before the server, which would make the same roles at the same time.
        stack.run(("sync-perm", "--include-dags"), settings)
        name = ("--username", login.user, "--password", login.password, "--email", "admin@example.org")
        stack.run(
            ("users", "create", "--role", "Admin", "--firstname", "Ad", "--lastname", "Min", *name), settings
        )
        server = ("api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
        stack.start_component("fab-api-server", server, settings)
        health = f"{login.url}/api/v2/monitor/health"
        wait_for(lambda: _answers(health), what="the API server with FAB", seconds=WAIT)
        client = AirflowClient(login)
        try:
            yield FabServer(login, client, proxy)
        finally:
            client.close()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.HTTPError:
        return False

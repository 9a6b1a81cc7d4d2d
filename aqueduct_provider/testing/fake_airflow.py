"""A small Airflow over real HTTP: the REST API of either line, in memory, scripted by tests.

    with FakeAirflow(major=3) as airflow:
        airflow.add_dag("churn")
        airflow.add_run("churn", "r1", state="running")
        airflow.add_task("churn", "r1", "train", state="success", log="done")
        client.connect_resource("cluster", "Airflow", airflow.login)
        airflow.set_state("churn", "r1", "success")

Runs that are triggered are queued until a test moves them on, by ``set_state`` or in ``on_trigger``. Answers
have the fields, limits and errors of Airflow 3.3.2 and 2.11.2 (``fake_routes.py``).
"""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from aqueduct_provider.testing.fake_routes import FakeServer
from aqueduct_provider.testing.fake_state import FakeState

if TYPE_CHECKING:
    from aqueduct_provider.sdk.client import Client
    from aqueduct_provider.spec.models import WorkflowSpec


class FakeAirflow(FakeState):
    """A stand-in of Airflow's REST API; a context manager, which serves while its block runs.

    It listens on 127.0.0.1, on a port of its own, at ``url``; ``login`` is what a client connects with.

    :param major: 3 or 2.
    :param prefix: path in front of everything, such as ``/airflow``.
    :param certificate: PEM file with certificate and key; None: http.
    """

    def __init__(self, major: int = 3, *, prefix: str = "", certificate: Path | None = None) -> None:
        super().__init__(major, prefix=prefix)
        self._server = FakeServer(self)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"{scheme}://{self.host}{prefix}"

    def __enter__(self) -> FakeAirflow:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def login(self) -> dict[str, str]:
        """The configuration for ``client.connect_resource(name, "Airflow", login)``."""
        return {"host": self.url, "username": self.user, "password": self.password}

    def show(self, spec: WorkflowSpec) -> None:
        """Show the DAG of a spec, or another version of it, as Airflow does after parsing; its runs stay."""
        from aqueduct_provider.spec.version_label import version_label

        known = self.dags.get(spec.dag_id) or self.add_dag(spec.dag_id)
        known.spec = spec
        known.active, known.tags = True, ["aqueduct", *spec.flow.tags]
        label = version_label(str(spec.version.id), spec.version.number)
        known.description = " - ".join(filter(None, [spec.flow.description, label]))

    def load_flows_of(self, client: Client) -> None:
        """Show, from now on, the flows that this client's store holds, as the loader in a DAG folder does.

        The store is read before every answer: what has been published is there at once, and what was
        deleted is gone. DAGs of other origin stay as they are.
        """
        from aqueduct_provider.spec.loader import parse
        from aqueduct_provider.storage.layout import DELIVERED_PREFIX

        store, loaded = client._session.store, set[str]()

        def load() -> None:
            specs = [parse(store.get(key), key) for key in store.list(DELIVERED_PREFIX)]
            for spec in specs:
                self.show(spec)
            for dag_id in loaded - {spec.dag_id for spec in specs}:
                self.dags[dag_id].active = False
            loaded.update(spec.dag_id for spec in specs)

        self.before_answer = load

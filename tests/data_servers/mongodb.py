"""A MongoDB server of the tests' own: SecantusDB, for MongoDB's is in no package registry.

SecantusDB (on PyPI) speaks MongoDB's wire protocol on a socket, calls itself 8.2 and keeps its data in
WiredTiger, MongoDB's own storage engine; pymongo's are real requests and answers. What it does not do as
MongoDB does: a collection that is renamed loses its options, such as a validator, and its UUID.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqueduct_provider.demo.servers import free_port
from tests.data_servers.server import running

USER, PASSWORD = "aqueduct", "planted-mongodb-password-91d7"


@dataclass(frozen=True)
class MongoServer:
    """A running server.

    :param with_login: whether it wants user and password.
    """

    port: int
    with_login: bool = False

    @property
    def uri(self) -> str:
        """What the connector calls ``auth_uri``."""
        login = f"{USER}:{PASSWORD}@" if self.with_login else ""
        return f"mongodb://{login}127.0.0.1:{self.port}/?serverSelectionTimeoutMS=5000"

    def config(self, database: str = "test") -> dict[str, Any]:
        """The configuration of the connector (Aqueduct formats, section 6)."""
        return {"auth_uri": self.uri, "database": database}

    def new_database(self) -> dict[str, Any]:
        """The configuration of a new, empty database."""
        return self.config(f"test_{uuid.uuid4().hex[:12]}")

    @contextmanager
    def client(self) -> Iterator[Any]:
        """A client, for what tests put into the server and find in it."""
        import pymongo

        with pymongo.MongoClient(self.uri) as client:
            yield client


@contextmanager
def mongodb_server(folder: Path, *, with_login: bool = False) -> Iterator[MongoServer]:
    """Start a server; it ends with the context.

    :param folder: not there yet.
    :param with_login: whether it wants user and password; there is one user, who may do everything.
    """
    folder.mkdir(parents=True)
    if with_login:
        with _started(folder, MongoServer(free_port())) as open_server, open_server.client() as client:
            client.admin.command("createUser", USER, pwd=PASSWORD, roles=["root"])
    with _started(folder, MongoServer(free_port(), with_login), *["--auth"] * with_login) as server:
        yield server


@contextmanager
def _started(folder: Path, server: MongoServer, *options: str) -> Iterator[MongoServer]:
    command = [
        *(sys.executable, "-m", "secantus"),
        *("--host", "127.0.0.1", "--port", str(server.port), "--storage-path", str(folder / "data")),
        # Faults on demand, as MongoDB's own tests make them; and no replica set, so nothing to elect.
        *("--enable-test-commands", "--standalone", *options),
    ]
    log = folder.parent / f"{folder.name}.log"
    with running(command, None, log, lambda: _answers(server), "MongoDB"):
        yield server


def _answers(server: MongoServer) -> bool:
    import pymongo

    with server.client() as client:
        try:
            return bool(client.admin.command("ping"))
        except pymongo.errors.ConnectionFailure:
            return False

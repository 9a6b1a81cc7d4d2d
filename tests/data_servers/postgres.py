"""A PostgreSQL of the tests' own, from Debian's package ``postgresql``."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqueduct_provider.demo.servers import free_port
from tests.data_servers.server import own_folder, owner, program, run, running

USER, PASSWORD = "aqueduct", "planted-postgres-password-5c1e"


@dataclass(frozen=True)
class PostgresServer:
    """A running server; the user may do everything."""

    port: int

    def config(self, database: str = "postgres") -> dict[str, Any]:
        """The configuration of the connector (Aqueduct formats, section 6)."""
        place = {"host": "127.0.0.1", "port": str(self.port), "database": database}
        return {"username": USER, "password": PASSWORD, **place}

    def run(self, sql: str, values: Sequence[Any] = (), database: str = "postgres") -> list[Any]:
        """Run statements, with a driver that the connector does not use; the rows of the last one."""
        import psycopg2

        with closing(
            psycopg2.connect(host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database)
        ) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return cursor.fetchall() if cursor.description else []

    def new_database(self) -> dict[str, Any]:
        """The configuration of a new, empty database."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {name}")
        return self.config(name)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server; it ends, and its data go, with the context."""
    user = owner("postgres")
    with own_folder(user) as folder, _server(folder, user) as server:
        yield server


@contextmanager
def _server(folder: Path, user: str | None) -> Iterator[PostgresServer]:
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    port = free_port()
    data, secret = folder / "data", folder / "secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    run(
        [
            program("initdb", folders, "postgresql"),
            *("-D", data, "-U", USER, "--auth=scram-sha-256", f"--pwfile={secret}"),
            *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
        ],
        user,
    )
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""}
    options |= {"fsync": "off", "timezone": "America/New_York"}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    command = [program("postgres", folders, "postgresql"), "-D", data, *settings]
    server = PostgresServer(port)
    with running(command, user, folder / "log", lambda: _answers(server), "PostgreSQL"):
        yield server


def _answers(server: PostgresServer) -> bool:
    import psycopg2

    try:
        return bool(server.run("SELECT 1"))
    except psycopg2.OperationalError:
        return False

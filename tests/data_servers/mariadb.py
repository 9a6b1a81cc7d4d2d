"""A MariaDB of the tests' own, from Debian's package ``mariadb-server``."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqueduct_provider.demo.servers import free_port
from tests.data_servers.server import own_folder, owner, program, run, running

USER, PASSWORD = "aqueduct", "planted-mariadb-password-83d2"


@dataclass(frozen=True)
class MariaDbServer:
    """A running server; the user may do everything."""

    port: int

    def config(self, database: str = "test") -> dict[str, Any]:
        """The configuration of the connector (Aqueduct formats, section 6)."""
        place = {"host": "127.0.0.1", "port": str(self.port), "database": database}
        return {"username": USER, "password": PASSWORD, **place}

    def run(self, sql: str, values: Sequence[Any] = (), database: str | None = None) -> list[Any]:
        """Run one statement; its rows."""
        import pymysql

        with (
            closing(
                pymysql.connect(
                    host="127.0.0.1",
                    port=self.port,
                    user=USER,
                    password=PASSWORD,
                    database=database,
                    autocommit=True,
                )
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def new_database(self) -> dict[str, Any]:
        """The configuration of a new, empty database."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {name}")
        return self.config(name)


@contextmanager
def mariadb_server() -> Iterator[MariaDbServer]:
    """Start a server; it ends, and its data go, with the context."""
    user = owner("mysql")
    with own_folder(user) as folder, _server(folder, user) as server:
        yield server


@contextmanager
def _server(folder: Path, user: str | None) -> Iterator[MariaDbServer]:
    port = free_port()
    data, init = folder / "data", folder / "init.sql"
    init.write_text(
        f"CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';"
        f"\nGRANT ALL ON *.* TO '{USER}'@'127.0.0.1' WITH GRANT OPTION;\n"
    )
    sbin = [Path("/usr/sbin"), Path("/usr/bin")]
    common = ["--no-defaults", f"--datadir={data}", f"--tmpdir={folder}"]
    if user:
        common.append(f"--user={user}")
    install = program("mariadb-install-db", sbin, "mariadb-server")
    run([install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"], user)
    command = [
        program("mariadbd", sbin, "mariadb-server"),
        *common,
        "--bind-address=127.0.0.1",
        f"--port={port}",
        f"--socket={folder / 'socket'}",
        f"--pid-file={folder / 'pid'}",
        "--default-time-zone=-05:00",
        "--skip-name-resolve",
        "--innodb-flush-log-at-trx-commit=0",
        f"--init-file={init}",
    ]
    server = MariaDbServer(port)
    with running(command, user, folder / "log", lambda: _answers(server), "MariaDB"):
        yield server


def _answers(server: MariaDbServer) -> bool:
    import pymysql

    try:
        return bool(server.run("SELECT 1"))
    except pymysql.OperationalError:
        return False

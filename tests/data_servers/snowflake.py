"""What stands for Snowflake: fakesnow's server, which answers the real connector, with DuckDB behind it."""

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


@dataclass(frozen=True)
class SnowflakeServer:
    """A running server; it takes any user and password."""

    port: int

    def config(self, database: str = "sales", schema: str = "") -> dict[str, Any]:
        """The configuration of the connector (Aqueduct formats, section 6)."""
        options = {"host": "127.0.0.1", "port": str(self.port), "protocol": "http", "login_timeout": "5"}
        return {
            "username": "aqueduct",
            "password": "planted-snowflake-password-64fe",
            "account_identifier": "fakesnow",
            "database": database,
            "warehouse": "small",
            "schema": schema,
            "options": options,
        }

    def new_database(self) -> dict[str, Any]:
        """The configuration of a new, empty database."""
        return self.config(f"test_{uuid.uuid4().hex[:12]}")


@contextmanager
def snowflake_server(log: Path) -> Iterator[SnowflakeServer]:
    """Start a server; it ends with the context.

    :param log: the file for what it says.
    """
    import snowflake.connector

    server = SnowflakeServer(free_port())
    command = [sys.executable, "-m", "fakesnow", "-s", "-p", str(server.port)]
    options = server.config()["options"] | {"port": server.port}

    def answers() -> bool:
        try:
            snowflake.connector.connect(user="u", password="p", account="fakesnow", **options).close()
        except snowflake.connector.Error:
            return False
        return True

    with running(command, None, log, answers, "fakesnow"):
        yield server

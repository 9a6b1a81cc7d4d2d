"""A Redis of the tests' own, from Debian's package ``redis-server``: Celery's broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from aqueduct_provider.demo.servers import free_port
from tests.data_servers.server import own_folder, owner, program, running


@dataclass(frozen=True)
class RedisServer:
    """A running server; nothing of it is kept on disk."""

    port: int

    def url(self, number: int = 0) -> str:
        """One of its databases, as Celery names them."""
        return f"redis://127.0.0.1:{self.port}/{number}"


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Start a server; it ends, and its data go, with the context."""
    user = owner("redis")
    with own_folder(user) as folder:
        server = RedisServer(free_port())
        options = {"bind": "127.0.0.1", "port": server.port, "save": "", "appendonly": "no", "dir": folder}
        settings = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        command = [program("redis-server", [Path("/usr/bin")], "redis-server"), *settings]
        with running(command, user, folder / "log", lambda: _answers(server), "Redis"):
            yield server


def _answers(server: RedisServer) -> bool:
    with redis.Redis.from_url(server.url()) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False

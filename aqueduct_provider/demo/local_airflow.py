"""A real Airflow 3 in a folder of its own, next to ``sys.executable``.

Its components start one by one, instead of by ``airflow standalone``, whose log servers listen on all
interfaces: here everything listens on 127.0.0.1. Tasks run under LocalExecutor; the database is SQLite.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from aqueduct_provider.demo.servers import end_group, free_port, kill, processes_of, wait_until
from aqueduct_provider.errors import CommandNotStarted

_Self = TypeVar("_Self", bound="LocalAirflow")
DATABASE_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
# Variables of the caller that would change what Airflow or its tasks do.
_FOREIGN = ("AIRFLOW", "AWS_", "_AIRFLOW", "PYTHONDONTWRITEBYTECODE", "PYTEST_", "VIRTUAL_ENV")
_START_SECONDS = 120
# Airflow writes lines of a thousand characters.
_WIDTH = 300


@dataclass(frozen=True)
class Login:
    """Where Airflow is, and as whom to log in.

    :param major: Airflow's line, 2 or 3, which decides about paths and authentication.
    """

    url: str
    user: str
    password: str
    major: int = 3


@dataclass(frozen=True)
class Line:
    """The needs of one line of Airflow.

    :param prepare: commands that run before the components, one after the other.
    :param components: long-running commands, in the order in which they start; they stop in the reverse one.
    """

    settings: dict[str, str]
    prepare: tuple[tuple[str, ...], ...]
    components: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Machine:
    """A folder that represents a machine: whatever runs there keeps its DAGs, logs and temporary files in it.

    :param home: a new folder.
    """

    home: Path

    @property
    def dags(self) -> Path:
        """The DAG folder."""
        return self.home / "dags"

    @property
    def settings(self) -> dict[str, str]:
        """Variables that name these folders to Airflow's processes."""
        return {
            "AIRFLOW_HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
        }

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self.dags, self.home / "tmp", self.home / "components"):
            folder.mkdir(parents=True, exist_ok=True)


class LocalAirflow:
    """A running Airflow: a context manager.

    :param home: a new folder; holds the database, logs, DAGs and all temporary files.
    :param settings: further environment variables of Airflow.
    """

    major = 3
    _health_path = "/api/v2/monitor/health"
    _health_parts: tuple[str, ...] = ("metadatabase", "scheduler", "dag_processor")

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self.home = home
        self._machine = Machine(home)
        self.port = free_port()
        self.login = Login(f"http://127.0.0.1:{self.port}", "admin", secrets.token_hex(8), self.major)
        self._line = self.line()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)},
            **self._common(),
            **self._machine.settings,
            **self._line.settings,
            **(settings or {}),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def dags(self) -> Path:
        """The DAG folder."""
        return self._machine.dags

    def __enter__(self: _Self) -> _Self:
        self._machine.prepare()
        (self.home / "passwords.json").write_text(json.dumps({self.login.user: self.login.password}))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start all components and wait until they are healthy.

        :raises CommandNotStarted: a component ended.
        :raises WaitTimedOut: they are not healthy in time.
        """
        for command in self._line.prepare:
            self._run(command)
        self.start_components()
        wait_until(self.is_ready, label="Airflow", seconds=_START_SECONDS, detail=self.tail)

    def start_components(self) -> None:
        """Start the long-running commands."""
        for command in self._line.components:
            self.start_component(command[0], command)

    def stop(self) -> None:
        """End everything that was started here, the tasks of its runs included."""
        for process in reversed(self._running.values()):
            end_group(process)
        self._running.clear()
        kill(processes_of(str(self.home)))

    def tail(self, lines: int = 12) -> str:
        """Return the last lines that each component wrote, for error messages."""
        logs = sorted((self.home / "components").glob("*.log"))
        return "\n".join(f"--- {log.name}\n{_last(log, lines)}" for log in logs)

    def logs(self) -> dict[str, str]:
        """Return all that Airflow and its tasks logged: file -> text."""
        found = [*(self.home / "logs").rglob("*.log"), *(self.home / "components").glob("*.log")]
        return {str(path.relative_to(self.home)): path.read_text(errors="replace") for path in found}

    def is_ready(self) -> bool:
        """Check that Airflow answers and is healthy.

        :raises CommandNotStarted: a component ended.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                raise CommandNotStarted(
                    f"Airflow's {name} ended with exit code {process.returncode}; it wrote:\n{self.tail()}"
                )
        return self.is_healthy()

    def is_healthy(self) -> bool:
        """Ask Airflow whether its components are healthy."""
        import httpx

        try:
            parts = httpx.get(f"{self.login.url}{self._health_path}", timeout=5).raise_for_status().json()
        except httpx.HTTPError:
            return False
        return all(parts[name]["status"] == "healthy" for name in self._health_parts)

    def log_of(self, component: str) -> Path:
        """Return the file to which a component writes."""
        return self.home / "components" / f"{component}.log"

    def start_component(
        self, name: str, command: tuple[str, ...], settings: Mapping[str, str] | None = None
    ) -> None:
        """Start a long-running command of Airflow.

        :param name: the component's name, and that of its log.
        :param settings: further variables of this component alone.
        """
        with self.log_of(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                self._argv(command),
                env={**self.environment, **(settings or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _run(self, command: tuple[str, ...], settings: Mapping[str, str] | None = None) -> None:
        done = subprocess.run(
            self._argv(command),
            env={**self.environment, **(settings or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
        )
        if done.returncode:
            raise CommandNotStarted(f"airflow {' '.join(command[:2])} failed:\n{done.stdout}\n{done.stderr}")

    @staticmethod
    def _argv(command: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "airflow", *command]

    def _common(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_FETCH_INTERVAL": "0",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
            # SQLite lets one process write at a time: others may wait longer than its 5 seconds.
            DATABASE_VARIABLE: f"sqlite:///{self.home}/airflow.db?timeout=60",
            "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
            "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "2",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }

    def line(self) -> Line:
        """Return what this line of Airflow needs."""
        url, login = self.login.url, self.login
        settings = {
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{login.user}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            # The server's first answers to tasks take longer than 5 seconds on a busy machine.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "1",
            "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "2",
            "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "2",
        }
        server = ("api-server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1")
        components = (server, ("dag-processor",), ("scheduler", "--skip-serve-logs"))
        return Line(settings, (("db", "migrate"),), components)


def _last(path: Path, lines: int) -> str:
    found = path.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join(line[:_WIDTH] for line in found)

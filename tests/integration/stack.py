"""A real Airflow, of the line that is installed beside ``sys.executable``, in a folder of its own.

``AirflowStack`` starts the components one by one and not ``airflow standalone``, whose log servers listen on
all interfaces: here everything listens on 127.0.0.1. What differs between Airflow 3 and 2.11 stands in
``_three`` and ``_two``. Unless the settings say otherwise, tasks run under LocalExecutor and the database is
SQLite, which only Airflow 3 allows together; with another executor, workers can be given, each on a
:class:`Machine` of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

import psutil

from tests.integration.client import AirflowClient, Login, is_healthy
from tests.integration.waiting import wait_for

MAJOR = int(version("apache-airflow").partition(".")[0])
DATABASE_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
# Variables of the caller that would change what Airflow or its tasks do.
_FOREIGN = ("AIRFLOW", "AWS_", "_AIRFLOW", "PYTHONDONTWRITEBYTECODE", "PYTEST_", "VIRTUAL_ENV")
_START_SECONDS = 120
# LocalExecutor waits for running tasks when it is asked to stop.
_STOP_SECONDS = 8
# Airflow writes lines of a thousand characters.
_WIDTH = 300


@dataclass(frozen=True)
class Line:
    """What one line of Airflow needs.

    :param prepare: commands that run before the components, one after the other.
    :param components: long-running commands, in the order in which they start; they stop in the reverse one.
    """

    settings: dict[str, str]
    prepare: tuple[tuple[str, ...], ...]
    components: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Machine:
    """A folder that stands for a machine: whatever runs there keeps its DAGs, logs and temporary files in it.

    :param home: a new folder.
    """

    home: Path

    @property
    def dags(self) -> Path:
        return self.home / "dags"

    @property
    def settings(self) -> dict[str, str]:
        """What tells Airflow's processes where they are."""
        return {
            "AIRFLOW_HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
        }

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self.dags, self.home / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class Worker:
    """A component that runs tasks, on a machine of its own.

    :param command: of Airflow, long-running. :param settings: environment variables of this worker alone.
    :param ready: what it writes when it is ready.
    """

    machine: Machine
    command: tuple[str, ...]
    settings: Mapping[str, str]
    ready: str

    @property
    def name(self) -> str:
        """Also of its log."""
        return self.machine.home.name


class AirflowStack:
    """A running Airflow: a context manager.

    :param home: a new folder; holds the database, logs, DAGs and all temporary files.
    :param settings: further environment variables of Airflow.
    :param workers: what runs the tasks, for executors that do not do so themselves.
    """

    def __init__(
        self, home: Path, settings: Mapping[str, str] | None = None, workers: Sequence[Worker] = ()
    ) -> None:
        self.home = home
        self._machine = Machine(home)
        self.workers = workers
        self.port = free_port()
        self.login = Login(f"http://127.0.0.1:{self.port}", "admin", secrets.token_hex(8), MAJOR)
        self._line = (_three if MAJOR == 3 else _two)(self)
        self.environment = {
            **_clean_environment(),
            **_common(self),
            **self._machine.settings,
            **self._line.settings,
            **(settings or {}),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.client: AirflowClient

    @property
    def dags(self) -> Path:
        return self._machine.dags

    def __enter__(self) -> AirflowStack:
        for machine in (self._machine, *(worker.machine for worker in self.workers)):
            machine.prepare()
        (self.home / "components").mkdir(exist_ok=True)
        (self.home / "passwords.json").write_text(json.dumps({self.login.user: self.login.password}))
        try:
            if MAJOR == 3:
                # They need no database, and so need not wait for its migration.
                self._start_workers()
            for command in self._line.prepare:
                self._run(command)
            for command in self._line.components:
                self._start(command[0], command, {})
            if MAJOR == 2:
                # They look for the database's tables as they start.
                self._start_workers()
            wait_for(self._ready, what="a healthy Airflow", seconds=_START_SECONDS)
            self.client = AirflowClient(self.login)
        except BaseException as error:
            error.add_note(self.tail())
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self.stop()

    def stop(self) -> None:
        """End everything that this stack started, the tasks of its runs included."""
        for worker in self.workers:
            self.lose(worker)
        for process in reversed(self._running.values()):
            _end_group(process)
        self._running.clear()
        _kill(processes_of(str(self.home)))

    def lose(self, worker: Worker) -> None:
        """End, at once, all that runs on a worker's machine: as when its power fails."""
        process = self._running.pop(worker.name, None)
        if process is not None:
            # Celery's processes overwrite their environment with a title, by which they are not found.
            _kill([process.pid, *descendants_of(process.pid)])
            process.wait()
        _kill(processes_of(str(worker.machine.home)))

    def tail(self, lines: int = 12) -> str:
        """The last lines that each component wrote, for error messages."""
        logs = sorted((self.home / "components").glob("*.log"))
        return "\n".join(f"--- {log.name}\n{_last(log, lines)}" for log in logs)

    def logs(self) -> dict[str, str]:
        """All that Airflow and its tasks logged: file -> text."""
        found = [*(self.home / "logs").rglob("*.log"), *(self.home / "components").glob("*.log")]
        return {str(path.relative_to(self.home)): path.read_text(errors="replace") for path in found}

    def _ready(self) -> bool:
        for process in self._running.values():
            if process.poll() is not None:
                raise RuntimeError(f"{process.args!r} ended with exit code {process.returncode}")
        return is_healthy(self.login.url, MAJOR) and all(map(self._is_at_work, self.workers))

    def _is_at_work(self, worker: Worker) -> bool:
        return worker.ready in self._log(worker.name).read_text(errors="replace")

    def _log(self, component: str) -> Path:
        return self.home / "components" / f"{component}.log"

    def _run(self, command: tuple[str, ...]) -> None:
        done = subprocess.run(
            self._argv(command),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
        )
        if done.returncode:
            raise RuntimeError(f"airflow {' '.join(command[:2])} failed:\n{done.stdout}\n{done.stderr}")

    def _start_workers(self) -> None:
        for worker in self.workers:
            self._start(worker.name, worker.command, {**worker.machine.settings, **worker.settings})

    def _start(self, name: str, command: tuple[str, ...], settings: Mapping[str, str]) -> None:
        with self._log(name).open("wb") as log:
            process = subprocess.Popen(
                self._argv(command),
                env={**self.environment, **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[name] = process

    @staticmethod
    def _argv(command: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "airflow", *command]


def _common(stack: AirflowStack) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_FETCH_INTERVAL": "0",
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        # SQLite lets one process write at a time: on a busy machine others wait longer than its 5 seconds.
        DATABASE_VARIABLE: f"sqlite:///{stack.home}/airflow.db?timeout=60",
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "2",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _three(stack: AirflowStack) -> Line:
    url, login = stack.login.url, stack.login
    settings = {
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{login.user}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(stack.home / "passwords.json"),
        # The server's first answers to tasks take longer than 5 seconds on a busy machine.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "2",
        "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "2",
    }
    server = ("api-server", "--host", "127.0.0.1", "--port", str(stack.port), "--workers", "1")
    components = (server, ("dag-processor",), ("scheduler", "--skip-serve-logs"))
    return Line(settings, (("db", "migrate"),), components)


def _two(stack: AirflowStack) -> Line:
    login = stack.login
    backends = ("airflow.api.auth.backend.basic_auth", "airflow.api.auth.backend.session")
    settings = {
        "AIRFLOW__API__AUTH_BACKENDS": ",".join(backends),
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "AIRFLOW__WEBSERVER__BASE_URL": login.url,
        "AIRFLOW__WEBSERVER__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "1",
        "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "2",
        "AIRFLOW__SCHEDULER__STALE_DAG_THRESHOLD": "2",
    }
    name = ("--username", login.user, "--password", login.password, "--email", "admin@example.org")
    user = ("users", "create", "--role", "Admin", "--firstname", "Ad", "--lastname", "Min", *name)
    server = ("webserver", "--hostname", "127.0.0.1", "--port", str(stack.port), "--workers", "1")
    return Line(settings, (("db", "migrate"), user), (server, ("scheduler", "--skip-serve-logs")))


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def processes_of(mark: str) -> list[int]:
    """The processes whose environment or command names ``mark`` (Linux; elsewhere none)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            text = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
            if mark.encode() in text and folder.name != str(os.getpid()):
                found.append(int(folder.name))
    return found


def descendants_of(pid: int) -> list[int]:
    """The children of a process, their children, and so on."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for number, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def _last(path: Path, lines: int) -> str:
    found = path.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join(line[:_WIDTH] for line in found)

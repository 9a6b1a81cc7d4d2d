"""A real Airflow, of the line that is installed beside ``sys.executable``, in a folder of its own.

``AirflowStack`` is the one of the demo, with what the tests need besides: Airflow 2.11, a client of the REST
API, and, with another executor, workers, each on a :class:`Machine` of its own.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

import psutil
import pytest

from aqueduct_provider.demo.local_airflow import DATABASE_VARIABLE, Line, LocalAirflow, Machine
from aqueduct_provider.demo.servers import kill, processes_of
from tests.integration.client import AirflowClient

MAJOR = int(version("apache-airflow").partition(".")[0])
FAB_AUTH_MANAGER = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
# CI has 45 minutes: on Airflow 2.11 it leaves out what unit tests show there, and a browser on Airflow 3.
# Without CI=true, as .github/workflows/matrix.yml runs it, make test leaves out nothing.
SHOWN_ELSEWHERE = pytest.mark.skipif(
    MAJOR == 2 and os.environ.get("CI") == "true", reason="only without CI=true: Airflow 3 shows the same"
)


# With hundreds of DAGs and runs, an idle scheduler that looks ten times a second keeps half a core busy, its
# database included; up to three stacks share two cores with other suites.
_CALM = {
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "4",
}


@dataclass(frozen=True)
class Worker:
    """A component that runs tasks, on a machine of its own.

    :param command: of Airflow, long-running.
    :param settings: environment variables of this worker alone.
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


class AirflowStack(LocalAirflow):
    """A running Airflow with a client: a context manager.

    :param workers: what runs the tasks, for executors that do not do so themselves.
    """

    major = MAJOR
    if MAJOR == 2:
        _health_path = "/health"
        _health_parts = ("metadatabase", "scheduler")

    def __init__(
        self, home: Path, settings: Mapping[str, str] | None = None, workers: Sequence[Worker] = ()
    ) -> None:
        super().__init__(home, {**_CALM, **(settings or {})})
        self.workers = workers
        self.client: AirflowClient

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        super().__exit__(kind, error, trace)

    def start(self) -> None:
        """Start Airflow, the workers where there are any, and log in."""
        for worker in self.workers:
            worker.machine.prepare()
        try:
            if MAJOR == 3:
                # They need no database, and so need not wait for its migration.
                self._start_workers()
            super().start()
            self.client = AirflowClient(self.login)
        except BaseException as error:
            error.add_note(self.tail())
            raise

    def start_components(self) -> None:
        """Start Airflow's own components; then workers of 2.11, which look for the database's tables."""
        if MAJOR == 2:
            _check_passwords_quickly(self)
        super().start_components()
        if MAJOR == 2:
            self._start_workers()

    def stop(self) -> None:
        """End everything that this stack started, the tasks of its runs included."""
        for worker in self.workers:
            self.lose(worker)
        super().stop()

    def run(self, command: tuple[str, ...], settings: Mapping[str, str]) -> None:
        """Run a command of Airflow to its end.

        :param settings: further environment variables.
        """
        self._run(command, settings)

    def lose(self, worker: Worker) -> None:
        """End, at once, all that runs on a worker's machine: as when its power fails."""
        process = self._running.pop(worker.name, None)
        if process is not None:
            # Celery's processes overwrite their environment with a title, by which they are not found.
            kill([process.pid, *descendants_of(process.pid)])
            process.wait()
        kill(processes_of(str(worker.machine.home)))

    def is_ready(self) -> bool:
        """Check Airflow and the workers."""
        return super().is_ready() and all(map(self._is_at_work, self.workers))

    def line(self) -> Line:
        """Return what the installed line of Airflow needs."""
        return super().line() if MAJOR == 3 else _two(self)

    def _is_at_work(self, worker: Worker) -> bool:
        return worker.ready in self.log_of(worker.name).read_text(errors="replace")

    def _start_workers(self) -> None:
        for worker in self.workers:
            self.start_component(worker.name, worker.command, {**worker.machine.settings, **worker.settings})


def _two(stack: AirflowStack) -> Line:
    login = stack.login
    backends = ("airflow.api.auth.backend.basic_auth", "airflow.api.auth.backend.session")
    settings = {
        "AIRFLOW__API__AUTH_BACKENDS": ",".join(backends),
        "AIRFLOW__CORE__AUTH_MANAGER": FAB_AUTH_MANAGER,
        "AIRFLOW__WEBSERVER__BASE_URL": login.url,
        "AIRFLOW__WEBSERVER__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "1",
        "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "4",
        "AIRFLOW__SCHEDULER__STALE_DAG_THRESHOLD": "2",
    }
    name = ("--username", login.user, "--password", login.password, "--email", "admin@example.org")
    user = ("users", "create", "--role", "Admin", "--firstname", "Ad", "--lastname", "Min", *name)
    server = ("webserver", "--hostname", "127.0.0.1", "--port", str(stack.port), "--workers", "1")
    return Line(settings, (("db", "migrate"), user), (server, ("scheduler", "--skip-serve-logs")))


def _check_passwords_quickly(stack: AirflowStack) -> None:
    """Hash the admin's password once: as FAB does, each request with basic auth costs 0.1 s of computing."""
    from sqlalchemy import create_engine, text
    from werkzeug.security import generate_password_hash

    known = generate_password_hash(stack.login.password, method="pbkdf2:sha256:1")
    engine = create_engine(stack.environment[DATABASE_VARIABLE])
    with engine.begin() as connection:
        change = text("UPDATE ab_user SET password = :known WHERE username = :user")
        connection.execute(change, {"known": known, "user": stack.login.user})
    engine.dispose()


def descendants_of(pid: int) -> list[int]:
    """The children of a process, their children, and so on."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []

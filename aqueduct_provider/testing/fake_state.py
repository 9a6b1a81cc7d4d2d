"""The state of :class:`FakeAirflow`: DAGs, runs and tasks, logins, and the faults that tests ask for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aqueduct_provider.spec.models import WorkflowSpec

Json = dict[str, Any]
VERSIONS = {3: "3.3.2", 2: "2.11.2"}


@dataclass(frozen=True)
class Asked:
    """A request that arrived.

    :param body: parsed, when it is JSON.
    """

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: Any = None


@dataclass
class FakeDag:
    """A DAG. Tests may change all fields while the server runs.

    :param active: whether its file is there.
    :param refuses: the message with which a trigger is refused (400); empty: it is taken.
    :param busy: whether deleting it is refused (409).
    :param file: its file, of which the token is made; empty: one of its own.
    :param bundle: of Airflow 3.
    :param docs: as it was serialized; None: they name what the description and the tags do.
    :param spec: of the flow that it is; None: it is not one.
    """

    dag_id: str
    tags: list[str]
    paused: bool
    active: bool = True
    refuses: str = ""
    busy: bool = False
    parsed_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    runs: dict[str, FakeRun] = field(default_factory=dict)
    display_name: str = ""
    file: str = ""
    bundle: str = "dags-folder"
    docs: str | None = None
    description: str = ""
    import_errors: bool = False
    spec: WorkflowSpec | None = None

    @property
    def file_token(self) -> str:
        return f"token-of-{self.file or self.dag_id}"


@dataclass
class FakeTask:
    """A task of a run.

    :param logs: by try number; a text, or on Airflow 3 a list of events.
    :param xcoms: by key.
    """

    task_id: str
    state: str | None
    try_number: int
    started: datetime | None = None
    ended: datetime | None = None
    logs: dict[int, Any] = field(default_factory=dict)
    xcoms: Json = field(default_factory=dict)


@dataclass
class FakeRun:
    """A run of a DAG."""

    run_id: str
    state: str
    run_type: str
    conf: Json
    queued: datetime | None
    started: datetime | None
    ended: datetime | None
    logical_date: datetime | None
    tasks: dict[str, FakeTask] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """A status and what goes with it."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """What happens to the next requests instead of an answer.

    :param times: how many requests it still hits.
    :param path: a part of the paths that it hits; empty: all.
    :param answer: what is answered; None: the connection is dropped.
    :param seconds: how long the server waits before.
    :param obeyed: whether the server does what was asked before.
    """

    times: int
    path: str = ""
    method: str = ""
    answer: Answer | None = None
    seconds: float = 0.0
    obeyed: bool = False


class FakeState:
    """The objects of a stand-in of Airflow, who may log in, and what goes wrong.

    :param major: 3 or 2.
    :param prefix: path in front of everything, such as ``/airflow``.
    """

    def __init__(self, major: int = 3, *, prefix: str = "") -> None:
        self.major, self.prefix = major, prefix
        self.version = VERSIONS[major]
        self.user, self.password = "ann", "secret-of-ann"
        self.users = {self.user: self.password}
        # Bearer tokens that are accepted on both lines, beside those of /auth/token.
        self.tokens: set[str] = set()
        self.token_seconds = 3600.0
        self.all_admins = False
        self.most_per_page = 100
        # Whether the provider is installed there, and Airflow serves its pages.
        self.has_pages = True
        self.dags: dict[str, FakeDag] = {}
        # Stack traces by the names of files.
        self.import_errors: dict[str, str] = {}
        self.asked: list[Asked] = []
        self.parsed: list[str] = []
        self.forbidden: list[tuple[str, str]] = []
        self.on_trigger: Callable[[FakeRun], None] = lambda run: None
        # Called before each answer of the API.
        self.before_answer: Callable[[], None] = lambda: None
        # Which tasks come after tasks of a DAG.
        self.downstream: Callable[[str, Sequence[str]], Sequence[str]] = lambda dag_id, task_ids: ()
        self.on_parse: Callable[[str], None] = lambda file_token: None
        self.lock = threading.RLock()
        self._faults: list[Fault] = []
        self._logins = 0

    # --- what is there

    def add_dag(
        self,
        dag_id: str,
        *,
        tags: Sequence[str] = ("aqueduct",),
        paused: bool = False,
        active: bool = True,
        refuses: str = "",
    ) -> FakeDag:
        """Add or replace a DAG; its runs stay."""
        runs = self.dags[dag_id].runs if dag_id in self.dags else {}
        self.dags[dag_id] = FakeDag(dag_id, list(tags), paused, active, refuses, runs=runs)
        return self.dags[dag_id]

    def add_run(
        self,
        dag_id: str,
        run_id: str,
        *,
        state: str = "success",
        run_type: str = "manual",
        conf: Mapping[str, Any] | None = None,
        queued: datetime | None = None,
        started: datetime | None = None,
        ended: datetime | None = None,
        logical_date: datetime | None = None,
    ) -> FakeRun:
        """Add a run, newer than those that are there; adds the DAG too. Moments not given are now."""
        now = datetime.now(timezone.utc)
        started = started or (None if state == "queued" else now)
        ended = ended or (now if state in ("success", "failed") else None)
        if self.major == 2:
            logical_date = logical_date or queued or started or now
        run = FakeRun(
            run_id, state, run_type, dict(conf or {}), queued or started or now, started, ended, logical_date
        )
        with self.lock:
            dag = self.dags.get(dag_id) or self.add_dag(dag_id)
            dag.runs[run_id] = run
        return run

    def add_task(
        self,
        dag_id: str,
        run_id: str,
        task_id: str,
        *,
        state: str | None = "success",
        try_number: int = 1,
        started: datetime | None = None,
        ended: datetime | None = None,
        log: Any = None,
    ) -> FakeTask:
        """Add a task to a run, or replace it; logs of other tries stay, and XComs.

        :param log: of this try: a text, or on Airflow 3 a list of events.
        """
        tasks = self.dags[dag_id].runs[run_id].tasks
        logs = dict(tasks[task_id].logs) if task_id in tasks else {}
        xcoms = tasks[task_id].xcoms if task_id in tasks else {}
        if log is not None:
            logs[try_number] = log
        tasks[task_id] = FakeTask(task_id, state, try_number, started, ended, logs, xcoms)
        return tasks[task_id]

    def set_state(self, dag_id: str, run_id: str, state: str, task_id: str | None = None) -> None:
        """Move a run, or one of its tasks, to another state, and set what it started and ended at."""
        run = self.dags[dag_id].runs[run_id]
        target = run if task_id is None else run.tasks[task_id]
        now = datetime.now(timezone.utc)
        target.state = state
        if state in ("running", "success", "failed"):
            target.started = target.started or now
        target.ended = now if state not in ("queued", "running", "scheduled") else None

    # --- what is refused, and what goes wrong

    def forbid(self, method: str, path: str = "") -> None:
        """Answer 403 to requests with this method and this part of the path: the permission is missing."""
        self.forbidden.append((method, path))

    def expire_tokens(self) -> None:
        """Let no token of ``/auth/token`` be valid any longer."""
        with self.lock:
            self._logins += 1

    def drop(self, times: int = 1, *, path: str = "", method: str = "") -> None:
        """Close the connection of the next requests without an answer."""
        self._faults.append(Fault(times, path, method))

    def lose(self, status: int | None = None, *, path: str = "", method: str = "") -> None:
        """Do what the next request asks, and answer with a status, or close the connection instead."""
        answer = None if status is None else Answer(status)
        self._faults.append(Fault(1, path, method, answer, obeyed=True))

    def fail(self, status: int, times: int = 1, *, path: str = "", method: str = "", **answer: Any) -> None:
        """Answer the next requests with a status.

        :param answer: ``body`` (bytes), ``kind`` (content type), ``headers``.
        """
        self._faults.append(Fault(times, path, method, Answer(status, **answer)))

    def html(self, times: int = 1, *, status: int = 200, path: str = "") -> None:
        """Answer the next requests with a page for people."""
        self.fail(status, times, path=path, body=b"<html>Hello</html>", kind="text/html; charset=utf-8")

    def redirect(self, location: str, times: int = 1, *, status: int = 302, path: str = "") -> None:
        """Answer the next requests with a redirect."""
        self.fail(status, times, path=path, headers={"Location": location})

    def slow(self, seconds: float, times: int = 1, *, path: str = "") -> None:
        """Drop the connection of the next requests after a while."""
        self._faults.append(Fault(times, path, seconds=seconds))

    def recover(self) -> None:
        """Let nothing go wrong any more."""
        with self.lock:
            self._faults.clear()

    def next_fault(self, method: str, path: str) -> Fault | None:
        """The fault that hits a request."""
        with self.lock:
            for fault in self._faults:
                if fault.times > 0 and fault.path in path and fault.method in ("", method):
                    fault.times -= 1
                    return fault
        return None

    # --- what was asked

    @property
    def generation(self) -> int:
        """Rises whenever the tokens expire."""
        return self._logins

    def calls(self, method: str = "", path: str = "") -> list[Asked]:
        """The requests that arrived, with this method and this part of the path."""
        return [one for one in list(self.asked) if one.method.startswith(method) and path in one.path]

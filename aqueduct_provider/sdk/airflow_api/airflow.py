"""Airflow's REST API as the SDK needs it: ``/api/v2`` of Airflow 3 and ``/api/v1`` of 2.11, by one class.

In: ids of DAGs, runs and tasks. Out: the values of ``api_models.py``; lists are read page by page. Logins are
in ``api_session.py``, connections in ``http_client.py``, error messages in ``http_errors.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from aqueduct_provider.errors import (
    AirflowError,
    AirflowRefused,
    AirflowUnreachable,
    NotFound,
)
from aqueduct_provider.sdk.airflow_api.api_models import (
    ACTIVE_STATES,
    DagInfo,
    ImportErrorInfo,
    RunInfo,
    TaskInfo,
    dag_of,
    import_error_of,
    plain_conf,
    run_of,
    task_of,
    xcom_of,
)
from aqueduct_provider.sdk.airflow_api.api_session import AirflowSession
from aqueduct_provider.sdk.airflow_api.http_errors import not_airflow
from aqueduct_provider.sdk.airflow_api.log import text_of, without_sources
from aqueduct_provider.sdk.airflow_api.login import AirflowLogin

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

__all__ = ["Airflow", "AirflowLogin", "DagInfo", "RunInfo", "TaskInfo"]

Value = TypeVar("Value")
Query = Sequence[tuple[str, str]]

# [api] maximum_page_limit of both lines.
PAGE = 100
# Airflow 2 sorts no tasks, and so may lose some between two pages; but this many it gives in one answer.
_TASKS_AT_ONCE = 10_000
# Earlier releases of Airflow 3 refuse the field that says by which version a cleared run goes.
_CLEARS_BY_VERSION = (3, 1)
# A task that is still running has no end of log: what it writes meanwhile must not keep us here.
_MOST_LOG_PAGES = 500
# Numbers of runs rise with their creation; dates are missing in queued runs or moved in backfills.
_NEWEST_FIRST = ("order_by", "-id")


def ui_path(major: int, dag_id: str, run_id: str = "") -> str:
    """Return the path of a DAG's page in Airflow's UI, or of a run's, without a leading slash.

    :param major: of Airflow: 2 or 3.
    """
    page = f"dags/{quote(dag_id, safe='')}"
    if major >= 3:
        return f"{page}/runs/{quote(run_id, safe='')}" if run_id else page
    return f"{page}/grid?dag_run_id={quote(run_id, safe='')}" if run_id else f"{page}/grid"


class Airflow:
    """One Airflow, asked as one user. A context manager; threads may share it.

    Nothing is sent before the first question.

    :param sleep: waits between two tries, in seconds.
    """

    def __init__(self, login: AirflowLogin, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.login = login
        self._session = AirflowSession(login, sleep=sleep)
        self._ask = self._session.ask
        self.page: Callable[[str, Query], httpx.Response] = self._session.page

    def __repr__(self) -> str:
        user = f", user {self.login.username!r}" if self.login.username else ""
        return f"Airflow({self._session.base!r}{user})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        self._session.close()

    # --- Airflow

    @property
    def major(self) -> int:
        """2 or 3."""
        return self._session.line().major

    def version(self) -> str:
        """Return Airflow's version, such as ``3.3.2``."""
        return self._session.line().version

    def check(self) -> str:
        """Check whether Airflow can be reached and lets the user in; return a sentence that says so.

        :raises AirflowError: it cannot, or does not.
        """
        version = self.version()
        self._ask("GET", "/dags", query=[("limit", "1")])
        return f"Airflow {version} at {self._session.base} accepts {self.login.who}."

    def url(self, dag_id: str, run_id: str = "") -> str:
        """Return the page of a DAG, or of a run, in Airflow's UI."""
        return f"{self._session.base}/{ui_path(self.major, dag_id, run_id)}"

    # --- DAGs

    def dag(self, dag_id: str, *, gone: bool = False) -> DagInfo | None:
        """Return a DAG; None when Airflow does not know it, or when its file is gone.

        :param gone: one whose file is gone will do.
        """
        try:
            found = self._read(_dag(dag_id), dag_of)
        except NotFound:
            return None
        return found if gone or not found.is_gone else None

    def dags(self, tag: str, *, gone: bool = False, limit: int | None = None) -> list[DagInfo]:
        """Return the DAGs with this tag, sorted by their ids, with one request for every 100.

        :param gone: those whose file is gone, too.
        :param limit: how many at most; None: all.
        """
        query = [("tags", tag), ("order_by", "dag_id")]
        if gone:
            query.append(("exclude_stale", "false") if self.major >= 3 else ("only_active", "false"))
        # One that came between two pages moves the others by one place.
        found = {dag.dag_id: dag for dag in self._pages("/dags", "dags", dag_of, query, limit)}
        return list(found.values())

    def docs(self, dag_id: str) -> str:
        """Return the docs of a DAG as Airflow has serialized it: its next run is made of that form.

        Tags may be newer: by the default of ``[core] min_serialized_dag_update_interval`` a DAG is serialized
        once in 30 seconds.
        """
        try:
            return self._read(f"{_dag(dag_id)}/details", lambda data: str(data.get("doc_md") or ""))
        except NotFound:
            return ""

    def import_errors(self) -> list[ImportErrorInfo]:
        """Return the files that Airflow cannot load, as far as this user may see them."""
        return list(self._pages("/importErrors", "import_errors", import_error_of, ()))

    def unpause(self, dag_id: str) -> None:
        """Let the runs of a DAG start."""
        self._ask("PATCH", _dag(dag_id), query=[("update_mask", "is_paused")], body={"is_paused": False})

    def parse_now(self, file_token: str) -> None:
        """Ask Airflow to parse a DAG file soon; it answers before it has done so.

        A token that Airflow no longer knows and a request that is already waiting are not errors.

        :param file_token: of :class:`DagInfo`; any DAG of the file will do.
        """
        path = f"/parseDagFile/{_part(file_token)}"
        try:
            self._ask("PUT", path)
        except NotFound:
            return
        except AirflowRefused as error:
            if error.status != 409:
                raise

    def delete_dag(self, dag_id: str) -> None:
        """Delete a DAG with its runs from Airflow; it comes back when its file is still there.

        :raises AirflowRefused: tasks of it are running.
        """
        try:
            self._ask("DELETE", _dag(dag_id))
        except NotFound:
            return

    # --- runs

    def trigger(self, dag_id: str, conf: Mapping[str, Any], run_id: str | None = None) -> RunInfo:
        """Start a run.

        The request is sent once. Where its answer is lost, the run is looked up by its name.

        :param conf: JSON; the parameters' values.
        :param run_id: the run's name; None: one of this moment, as Airflow makes them.
        :raises AirflowRefused: a value does not fit its parameter (400), or a run has that name (409).
        :raises AirflowUnreachable: Airflow does not answer, and the run does not exist.
        :raises NotFound: Airflow does not know the DAG.
        """
        name = run_id or f"manual__{datetime.now(timezone.utc).isoformat()}"
        body: dict[str, Any] = {"conf": plain_conf(conf), "dag_run_id": name}
        if self.major >= 3:
            body["logical_date"] = None
        try:
            answer = self._ask("POST", f"{_dag(dag_id)}/dagRuns", body=body)
        except AirflowRefused as error:
            if error.status != 409:
                raise
            message = f"DAG {dag_id!r} has a run {name!r} already. Choose another run id, or none."
            raise AirflowRefused(message, 409) from error
        except AirflowUnreachable as error:
            if run_id is None and (started := self._run_if_any(dag_id, name)):
                return started
            raise AirflowUnreachable(
                f"{error} Should Airflow have taken the request, its run is {name!r}: look for it before "
                "you trigger another."
            ) from error
        return self._parsed(answer, run_of)

    def runs(self, dag_id: str, limit: int) -> list[RunInfo]:
        """Return the runs that were created last, newest first; empty for a DAG that Airflow does not know.

        :param limit: how many at most.
        """
        return self._runs(dag_id, limit, [_NEWEST_FIRST])

    def active_runs(self, dag_id: str) -> list[RunInfo]:
        """Return all runs that are queued or running, the newest first."""
        return self._runs(dag_id, None, [_NEWEST_FIRST, *(("state", state) for state in ACTIVE_STATES)])

    def run(self, dag_id: str, run_id: str) -> RunInfo:
        """Return one run.

        :raises NotFound: Airflow does not know the run.
        """
        return self._read(_run(dag_id, run_id), run_of)

    def _run_if_any(self, dag_id: str, run_id: str) -> RunInfo | None:
        try:
            return self.run(dag_id, run_id)
        except (AirflowError, NotFound):
            return None

    def end_run(self, dag_id: str, run_id: str) -> None:
        """Mark a run failed, as the button in the UI does: Airflow ends its running tasks.

        :raises NotFound: Airflow does not know the run.
        """
        self._ask("PATCH", _run(dag_id, run_id), body={"state": "failed"})

    def clear(self, dag_id: str, run_id: str, task_ids: Sequence[str] = (), *, latest: bool) -> None:
        """Let tasks of a run that is over run again, and with them all that come after them.

        :param task_ids: empty: all tasks.
        :param latest: whether the run takes the newest version of a versioned bundle; else it keeps its own.
        :raises NotFound: Airflow does not know the run.
        :raises AirflowError: this release cannot give the run the newest version.
        """
        body: dict[str, Any] = {"dag_run_id": run_id, "dry_run": False, "only_failed": False}
        body["reset_dag_runs"] = True
        if task_ids:
            body |= {"task_ids": list(task_ids), "include_downstream": True}
        if self._session.line().release >= _CLEARS_BY_VERSION:
            body["run_on_latest_version"] = latest
        elif latest and self._read(_run(dag_id, run_id), lambda data: data.get("bundle_version")):
            raise AirflowError(
                f"Run {run_id} keeps its bundle version on Airflow {self.version()}: trigger a new one."
            )
        self._ask("POST", f"{_dag(dag_id)}/clearTaskInstances", body=body)

    def _runs(self, dag_id: str, limit: int | None, query: Query) -> list[RunInfo]:
        pages = self._pages(f"{_dag(dag_id)}/dagRuns", "dag_runs", run_of, query, limit)
        try:
            # A run that began between two pages moves the others by one place.
            return list({run.run_id: run for run in pages}.values())
        except NotFound:
            return []

    # --- tasks

    def tasks(self, dag_id: str, run_id: str) -> list[TaskInfo]:
        """Return all tasks of a run, sorted by their ids.

        :raises NotFound: Airflow does not know the run.
        """
        found = self._tasks_three(dag_id, run_id) if self.major >= 3 else self._tasks_two(dag_id, run_id)
        if not found:
            self.run(dag_id, run_id)
        return sorted({task.task_id: task for task in found}.values(), key=lambda task: task.task_id)

    def _tasks_three(self, dag_id: str, run_id: str) -> list[TaskInfo]:
        path = f"{_run(dag_id, run_id)}/taskInstances"
        return list(self._pages(path, "task_instances", task_of, [("order_by", "id")]))

    def _tasks_two(self, dag_id: str, run_id: str) -> list[TaskInfo]:
        found: list[TaskInfo] = []
        while True:
            body = {"dag_ids": [dag_id], "dag_run_ids": [run_id], "page_limit": _TASKS_AT_ONCE}
            body["page_offset"] = len(found)
            answer = self._ask("POST", "/dags/~/dagRuns/~/taskInstances/list", body=body, reads=True)
            page, total = self._parsed(answer, lambda data: _page_of(data, "task_instances", task_of))
            found += page
            if not page or len(found) >= total:
                return found

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """Return an XCom value of a task; None where there is none, or no such task or run.

        Lists of XComs have no values, so each costs a request.
        """
        path = f"{_run(dag_id, run_id)}/taskInstances/{_part(task_id)}/xcomEntries/{_part(key)}"
        try:
            # As it is in the database: neither line makes objects of classes of it.
            return self._read(path, xcom_of, [("deserialize", "false"), ("stringify", "false")])
        except NotFound:
            return None

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> str:
        """Return what one try of a task logged; empty as long as it has logged nothing.

        :param try_number: from 1.
        """
        path = f"{_run(dag_id, run_id)}/taskInstances/{_part(task_id)}/logs/{try_number:d}"
        try:
            if self.major >= 3:
                return text_of(self._log_events(path))
            answer = self._ask("GET", path, query=[("full_content", "true")], accept="text/plain")
        except NotFound:
            return ""
        return "\n".join(without_sources(answer.text.splitlines())).strip("\n")

    def _log_events(self, path: str) -> Iterator[Any]:
        token = ""
        for _ in range(_MOST_LOG_PAGES):
            query = [("full_content", "true"), *([("token", token)] if token else [])]
            content, token = self._read(
                path, lambda data: (list(data["content"]), data.get("continuation_token") or ""), query
            )
            yield from content
            if not (content and token):
                return

    # --- asking

    def _pages(
        self,
        path: str,
        name: str,
        parse: Callable[[Mapping[str, Any]], Value],
        query: Query,
        limit: int | None = None,
    ) -> Iterator[Value]:
        """Return the items of all pages, up to ``limit``. A page may hold fewer items than requested."""
        seen = 0
        while limit is None or seen < limit:
            size = PAGE if limit is None else min(PAGE, limit - seen)
            here = [*query, ("limit", str(size)), ("offset", str(seen))]
            items, total = self._read(path, lambda data: _page_of(data, name, parse), here)
            yield from items
            seen += len(items)
            if not items or seen >= total:
                return

    def _read(self, path: str, parse: Callable[[Mapping[str, Any]], Value], query: Query = ()) -> Value:
        return self._parsed(self._ask("GET", path, query=query), parse)

    def _parsed(self, answer: httpx.Response, parse: Callable[[Mapping[str, Any]], Value]) -> Value:
        try:
            return parse(answer.json())
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise not_airflow(answer, self._session.base) from error


def _page_of(
    data: Mapping[str, Any], name: str, parse: Callable[[Mapping[str, Any]], Value]
) -> tuple[list[Value], int]:
    return [parse(item) for item in data[name]], data["total_entries"]


def _dag(dag_id: str) -> str:
    return f"/dags/{_part(dag_id)}"


def _run(dag_id: str, run_id: str) -> str:
    return f"{_dag(dag_id)}/dagRuns/{_part(run_id)}"


def _part(name: str) -> str:
    """Return a name as one part of a path."""
    if name in ("", ".", ".."):
        raise NotFound(f"Airflow has nothing of the name {name!r}.")
    return quote(name, safe="")

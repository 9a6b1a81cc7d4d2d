"""A client of Airflow's REST API that speaks to both lines: ``/api/v2`` of Airflow 3, ``/api/v1`` of 2.11."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from aqueduct_provider.demo.local_airflow import Login
from aqueduct_provider.sdk.airflow_api.api_models import dag_of
from aqueduct_provider.sdk.publishing.deployment import shows
from tests.integration.waiting import wait_for

FINISHED = ("success", "failed")


class ApiError(Exception):
    """Airflow refused a request.

    :param status: the HTTP status.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status


class AirflowClient:
    """What the tests and the demo ask of a running Airflow."""

    def __init__(self, login: Login) -> None:
        self.major = login.major
        self._url = login.url
        self._http = httpx.Client(base_url=login.url, timeout=60)
        (_log_in_to_three if login.major == 3 else _log_in_to_two)(self._http, login)
        self._http.base_url = f"{login.url}/api/{'v2' if login.major == 3 else 'v1'}"
        # Of FAB, the auth manager of 2.11, which on 3 has an API of its own.
        self._fab = f"{login.url}/auth/fab/v1" if login.major == 3 else ""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def dags(self, *, tag: str | None = None) -> dict[str, dict[str, Any]]:
        """The DAGs that Airflow shows, by id; those whose file is gone are not among them."""
        query: dict[str, Any] = {"limit": 100, **({"tags": tag} if tag else {})}
        found = self._get("/dags", **query)["dags"]
        return {dag["dag_id"]: dag for dag in found if dag.get("is_active", True)}

    def shows(self, dag_id: str, version: str) -> bool:
        """Whether Airflow shows this version of a flow."""
        found = self._get("/dags", limit=100, tags="aqueduct", dag_id_pattern=dag_id)["dags"]
        known = {dag["dag_id"]: dag for dag in found if dag.get("is_active", True)}
        return dag_id in known and shows(dag_of(known[dag_id]), version)

    def details(self, dag_id: str) -> dict[str, Any]:
        """A DAG with its docs, params and tags."""
        return self._get(f"/dags/{dag_id}/details")

    def import_errors(self) -> dict[str, str]:
        """Airflow's import errors: file -> stack trace."""
        return {
            error["filename"]: error["stack_trace"] for error in self._get("/importErrors")["import_errors"]
        }

    def versions(self, dag_id: str) -> int:
        """How many versions of a DAG Airflow 3 has seen."""
        total: int = self._get(f"/dags/{dag_id}/dagVersions")["total_entries"]
        return total

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run and return its id; raises :class:`ApiError` with status 400 for a wrong ``conf``."""
        body: dict[str, Any] = {"conf": conf or {}}
        if self.major == 3:
            body["logical_date"] = None
        run_id: str = self._ask("POST", f"/dags/{dag_id}/dagRuns", json=body).json()["dag_run_id"]
        return run_id

    def runs(self, dag_id: str) -> dict[str, dict[str, Any]]:
        """The runs of a DAG, by id."""
        return {run["dag_run_id"]: run for run in self._get(f"/dags/{dag_id}/dagRuns")["dag_runs"]}

    def wait(self, dag_id: str, run_id: str, *, seconds: float = 90) -> str:
        """The state in which the run ends, ``success`` or ``failed``."""

        def ended() -> str | None:
            state: str = self._get(_run(dag_id, run_id))["state"]
            return state if state in FINISHED else None

        return wait_for(ended, what=f"end of {dag_id} {run_id}", seconds=seconds)

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """The task instances of a run, by task id, with ``state``, ``try_number``, ``rendered_fields``."""
        found = self._get(f"{_run(dag_id, run_id)}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in found}

    def states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """The state of each task of a run."""
        return {task_id: task["state"] for task_id, task in self.tasks(dag_id, run_id).items()}

    def log(self, dag_id: str, run_id: str, task_id: str, *, attempt: int = 1) -> str:
        """A task's log as people read it."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{task_id}/logs/{attempt}"
        if self.major == 3:
            return "\n".join(_log_line(event) for event in self._get(path)["content"])
        options = {"params": {"full_content": True}, "headers": {"Accept": "text/plain"}}
        return self._ask("GET", path, **options).text

    def asset_events(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The events of assets (datasets on 2.11) that a run has made."""
        kind = "asset" if self.major == 3 else "dataset"
        found = self._get(f"/{kind}s/events", source_dag_id=dag_id, source_run_id=run_id)
        events: list[dict[str, Any]] = found[f"{kind}_events"]
        return events

    def links(self, dag_id: str, run_id: str, task_id: str) -> dict[str, str]:
        """The extra links of a task, by name."""
        found = self._get(f"{_run(dag_id, run_id)}/taskInstances/{task_id}/links")
        links: dict[str, str] = found.get("extra_links", found)
        return links

    def xcoms(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        """What a task left in XCom, by key."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{task_id}/xcomEntries"
        keys = [entry["key"] for entry in self._get(path)["xcom_entries"]]
        return {key: _decoded(self._get(f"{path}/{quote(key)}", stringify=False)["value"]) for key in keys}

    def mark_failed(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Mark a task failed, as the button in the UI does: Airflow ends it when it runs."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{task_id}"
        body = {"new_state": "failed", **({} if self.major == 3 else {"dry_run": False})}
        self._ask("PATCH", path, json=body)

    def clear_run(self, dag_id: str, run_id: str) -> None:
        """Run all tasks of a run again."""
        body = {"dry_run": False, **({"only_failed": False} if self.major == 3 else {})}
        self._ask("POST", f"{_run(dag_id, run_id)}/clear", json=body)

    def clear_task(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Run one task of a run again."""
        body = {"dag_run_id": run_id, "task_ids": [task_id], "dry_run": False, "only_failed": False}
        self._ask("POST", f"/dags/{dag_id}/clearTaskInstances", json={**body, "reset_dag_runs": True})

    def create_connection(self, connection_id: str, conn_type: str, extra: dict[str, Any]) -> None:
        """Store a connection."""
        body = {"connection_id": connection_id, "conn_type": conn_type, "extra": json.dumps(extra)}
        self._ask("POST", "/connections", json=body)

    def test_connection(self, conn_type: str, extra: dict[str, Any]) -> tuple[bool, str]:
        """What the "Test" button of the connection form says: works or not, and the message."""
        body = {"connection_id": "tested", "conn_type": conn_type, "extra": json.dumps(extra)}
        answer = self._ask("POST", "/connections/test", json=body).json()
        return answer["status"], answer["message"]

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """A run as the REST API has it."""
        return self._get(_run(dag_id, run_id))

    def page(self, address: str) -> str:
        """What a browser gets at an address of the UI."""
        answer = self._http.get(self._url + address, follow_redirects=True)
        if answer.is_error:
            raise ApiError(answer.status_code, f"{address}: {answer.text[:500]}")
        return answer.text

    def cookies(self) -> dict[str, str]:
        """What a browser holds that is logged in as this client."""
        token = self._http.headers.get("Authorization", "").removeprefix("Bearer ")
        return {"_token": token} if self.major == 3 else dict(self._http.cookies)

    def delete_variable(self, name: str) -> None:
        """Delete a Variable of Airflow."""
        self._ask("DELETE", f"/variables/{name}")

    def variables(self) -> set[str]:
        """The names of Airflow's Variables."""
        return {one["key"] for one in self._get("/variables")["variables"]}

    def plugins(self) -> list[dict[str, Any]]:
        """The plugins of Airflow 3, with their tabs."""
        found: list[dict[str, Any]] = self._get("/plugins")["plugins"]
        return found

    def status(self, address: str) -> int:
        """The HTTP status of an address of the UI, as a browser gets it that follows no redirects."""
        return self._http.get(self._url + address).status_code

    def user_who_may_read(self, dag_id: str) -> AirflowClient:
        """A client of a new user of FAB who may read this DAG, its runs, their values and logs alone."""
        read = ["Website", f"DAG:{dag_id}", "DAG Runs", "XComs", "DAG Code", "Task Instances"]
        logs = ["Task Logs"] if self.major == 3 else []
        return self.user_with_roles(self.new_role({"can_read": [*read, *logs], "menu_access": ["DAGs"]}))

    def new_role(self, permissions: Mapping[str, Sequence[str]]) -> str:
        """The name of a new role of FAB.

        :param permissions: action -> resources.
        """
        actions = [
            {"action": {"name": action}, "resource": {"name": resource}}
            for action, resources in permissions.items()
            for resource in resources
        ]
        name = f"readers-{uuid.uuid4().hex[:8]}"
        self._ask("POST", f"{self._fab}/roles", json={"name": name, "actions": actions})
        return name

    def user_with_roles(self, *roles: str) -> AirflowClient:
        """A client of a new user of FAB with these roles."""
        name = f"user-{uuid.uuid4().hex[:8]}"
        user = {
            **{"username": name, "password": name, "email": f"{name}@example.com"},
            **{"first_name": "A", "last_name": "Reader", "roles": [{"name": role} for role in roles]},
        }
        self._ask("POST", f"{self._fab}/users", json=user)
        return AirflowClient(Login(self._url, name, name, self.major))

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._ask("GET", path, params=query).json()
        return answer

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self._http.request(method, path, **options)
        if answer.is_error:
            raise ApiError(answer.status_code, answer.text)
        return answer


def _log_in_to_three(http: httpx.Client, login: Login) -> None:
    body = {"username": login.user, "password": login.password}
    token = http.post("/auth/token", json=body).raise_for_status().json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"


def _log_in_to_two(http: httpx.Client, login: Login) -> None:
    """By the form of the UI: with basic authentication each request costs 0.3 s of hashing."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', http.get("/login/").raise_for_status().text)
    assert found, "Airflow's login form has no CSRF token"
    form = {"username": login.user, "password": login.password, "csrf_token": found.group(1)}
    http.post("/login/", data=form)


def _run(dag_id: str, run_id: str) -> str:
    return f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"


def _log_line(event: dict[str, Any]) -> str:
    """A structured event of Airflow 3 as text; a traceback is in its ``error_detail``."""
    return " ".join([event["event"], *(str(event[key]) for key in ("error_detail",) if event.get(key))])


def _decoded(value: Any) -> Any:
    """A value that Airflow 2.11 gives as the text of its JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value

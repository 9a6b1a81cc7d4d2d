"""The answers of ``FakeAirflow``: routes, logins, paging and errors as Airflow 3.3.2 and 2.11.2 have them."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from aqueduct_provider.testing.fake_bodies import (
    Refused,
    dag_json,
    dag_of,
    json_answer,
    page_of,
    refuse,
    refuse_doubled,
    run_json,
    run_of,
    task_json,
)
from aqueduct_provider.testing.fake_pages import RUNS_PATH, runs_page
from aqueduct_provider.testing.fake_state import Answer, Asked, FakeState

PAGE_404 = b"<!DOCTYPE html><html><title>Airflow 404</title></html>"
SOURCES_TWO = "worker-1\n INFO - ::group::Log message source details\n*** Found it\n INFO - ::endgroup::\n"
UI = b"<!doctype html><html><title>Airflow</title></html>"


class FakeServer(ThreadingHTTPServer):
    """One port, one fake."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, fake: FakeState) -> None:
        self.fake = fake
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: clients go away, and some trust no certificate on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body go out apart; with Nagle's algorithm the second waits 40 ms for the first.
    disable_nagle_algorithm = True
    server: FakeServer

    def _serve(self) -> None:
        url = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        body = json.loads(data) if data[:1] in (b"{", b"[") else data or None
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, unquote(url.path), parse_qs(url.query), headers, body)
        self.server.fake.asked.append(asked)
        answer = self._faulty(asked, url.path) or answer_to(self.server.fake, asked, url.path)
        if answer.status:
            self._send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _faulty(self, asked: Asked, raw_path: str) -> Answer | None:
        fault = self.server.fake.next_fault(asked.method, asked.path)
        if fault is None:
            return None
        time.sleep(fault.seconds)
        if fault.obeyed:
            answer_to(self.server.fake, asked, raw_path)
        if fault.answer is None:
            self.close_connection = True
            return Answer(0)
        return fault.answer

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.kind, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def answer_to(fake: FakeState, asked: Asked, raw_path: str) -> Answer:
    """What Airflow answers.

    :param raw_path: as it was sent: quoted slashes separate nothing.
    """
    api = "/api/v2" if fake.major == 3 else "/api/v1"
    path = raw_path.removeprefix(fake.prefix)
    if not raw_path.startswith(fake.prefix):
        return Answer(404, b"<html>no such place</html>", "text/html")
    try:
        with fake.lock:
            if path == "/auth/token" and fake.major == 3:
                return _token(fake, asked)
            if fake.has_pages and (page := RUNS_PATH.fullmatch(path)):
                _let_in(fake, asked)
                fake.before_answer()
                return runs_page(fake, asked, unquote(page[1]))
            if not path.startswith(f"{api}/"):
                return _elsewhere(fake, path)
            if path == f"{api}/version":
                return json_answer({"version": fake.version, "git_version": ""})
            _let_in(fake, asked)
            fake.before_answer()
            return _route(fake, asked, path.removeprefix(api))
    except Refused as refused:
        return refused.answer
    except Exception as error:
        # Of a test's ``on_trigger``, or of a store that cannot be read: what Airflow answers when it breaks.
        return json_answer({"detail": f"{type(error).__name__}: {error}"}, 500)


def _elsewhere(fake: FakeState, path: str) -> Answer:
    if fake.major == 2:
        return Answer(404, PAGE_404, "text/html; charset=utf-8")
    if path.startswith("/api/"):
        return json_answer({"error": "API route not found"}, 404)
    return Answer(200, UI, "text/html; charset=utf-8")


# --- logins


def jwt_of(fake: FakeState) -> str:
    """A token as Airflow 3 gives it; its "signature" is the generation."""
    now = time.time()
    claims = {"sub": fake.user, "iat": now, "exp": now + fake.token_seconds}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{payload}.{fake.generation}"


def _token(fake: FakeState, asked: Asked) -> Answer:
    if asked.method == "GET" and not fake.all_admins:
        return json_answer({"detail": "This method is only allowed if all are admins"}, 403)
    if asked.method == "POST" and fake.users.get(asked.body["username"]) != asked.body["password"]:
        return json_answer({"detail": "Invalid credentials"}, 401)
    return json_answer({"access_token": jwt_of(fake)}, 201)


def _let_in(fake: FakeState, asked: Asked) -> None:
    kind, _, secret = asked.headers.get("authorization", "").partition(" ")
    if kind == "Bearer" and secret in fake.tokens:
        pass
    elif fake.major == 3:
        _let_in_three(fake, kind, secret)
    elif not _is_basic(fake, kind, secret):
        refuse(fake, 403, "Forbidden")
    if any(asked.method == method and path in asked.path for method, path in fake.forbidden):
        refuse(fake, 403, "Forbidden")


def _let_in_three(fake: FakeState, kind: str, secret: str) -> None:
    if kind != "Bearer":
        refuse(fake, 401, "Not authenticated")
    try:
        _, payload, generation = secret.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    except ValueError:
        refuse(fake, 403, "Invalid JWT token")
    if int(generation) != fake.generation or claims["exp"] < time.time():
        refuse(fake, 401, "Token Expired")


def _is_basic(fake: FakeState, kind: str, secret: str) -> bool:
    if kind != "Basic":
        return False
    user, _, password = base64.b64decode(secret).decode().partition(":")
    return fake.users.get(user) == password


# --- routes


def _route(fake: FakeState, asked: Asked, path: str) -> Answer:
    fitting = (
        (re.fullmatch(pattern, path), handle) for method, pattern, handle in _ROUTES if method == asked.method
    )
    found, handle = next((pair for pair in fitting if pair[0]), (None, None))
    if found is None or handle is None:
        refuse(fake, 404, "API route not found", "Not Found")
    return handle(fake, asked, *map(unquote, found.groups()))


def _get_dags(fake: FakeState, asked: Asked) -> Answer:
    tags = asked.query.get("tags")
    only_here = asked.query.get("exclude_stale" if fake.major == 3 else "only_active") != ["false"]
    dags = sorted(fake.dags.values(), key=lambda dag: dag.dag_id)
    found = [dag for dag in dags if dag.active or not only_here]
    found = [dag for dag in found if not tags or set(tags) & set(dag.tags)]
    return page_of(fake, asked, "dags", [dag_json(fake, dag) for dag in found])


def _get_import_errors(fake: FakeState, asked: Asked) -> Answer:
    errors = [
        {"import_error_id": number, "filename": name, "stack_trace": trace}
        for number, (name, trace) in enumerate(fake.import_errors.items())
    ]
    return page_of(fake, asked, "import_errors", errors)


def _get_dag(fake: FakeState, asked: Asked, dag_id: str) -> Answer:
    return json_answer(dag_json(fake, dag_of(fake, dag_id)))


def _get_details(fake: FakeState, asked: Asked, dag_id: str) -> Answer:
    dag = dag_of(fake, dag_id)
    docs = " ".join([dag.description, *dag.tags]) if dag.docs is None else dag.docs
    return json_answer({**dag_json(fake, dag), "doc_md": docs})


def _patch_dag(fake: FakeState, asked: Asked, dag_id: str) -> Answer:
    dag = dag_of(fake, dag_id)
    dag.paused = asked.body["is_paused"]
    return json_answer(dag_json(fake, dag))


def _delete_dag(fake: FakeState, asked: Asked, dag_id: str) -> Answer:
    if dag_of(fake, dag_id).busy:
        refuse(fake, 409, f"Task instances of dag with id: '{dag_id}' are still running", "Conflict")
    del fake.dags[dag_id]
    return Answer(204)


def _parse(fake: FakeState, asked: Asked, file_token: str) -> Answer:
    if file_token not in [dag.file_token for dag in fake.dags.values()]:
        refuse(fake, 404, "File not found", "File not found")
    if file_token in fake.parsed and fake.major == 3:
        refuse_doubled(fake)
    fake.parsed.append(file_token)
    fake.on_parse(file_token)
    return json_answer(None, 201) if fake.major == 3 else Answer(201, b"", "text/html; charset=utf-8")


def _trigger(fake: FakeState, asked: Asked, dag_id: str) -> Answer:
    dag, body = dag_of(fake, dag_id), asked.body
    if not dag.active:
        refuse(fake, 404, f"Dag with dag_id: '{dag_id}' not found", "DAG not found")
    if fake.major == 3 and "logical_date" not in body:
        missing = {"type": "missing", "loc": ["body", "logical_date"], "msg": "Field required", "input": body}
        return json_answer({"detail": [missing]}, 422)
    if fake.major == 2 and body.get("logical_date", 1) is None:
        refuse(fake, 400, "None is not of type 'string' - 'logical_date'", "Bad Request")
    if dag.refuses:
        refuse(fake, 400, dag.refuses, "Bad Request")
    now = datetime.now(timezone.utc)
    run_id = body.get("dag_run_id") or f"manual__{now.isoformat()}"
    if run_id in dag.runs:
        refuse_doubled(fake)
    run = fake.add_run(dag_id, run_id, state="queued", conf=body.get("conf"), queued=now)
    answer = json_answer(run_json(fake, dag, run))
    fake.on_trigger(run)
    return answer


def _get_runs(fake: FakeState, asked: Asked, dag_id: str) -> Answer:
    dag = fake.dags.get(dag_id) if fake.major == 2 else dag_of(fake, dag_id)
    states = asked.query.get("state")
    runs = list(dag.runs.values()) if dag else []
    if asked.query.get("order_by") == ["-id"]:
        runs.reverse()
    found = [run_json(fake, dag, run) for run in runs if dag and (not states or run.state in states)]
    return page_of(fake, asked, "dag_runs", found)


def _get_run(fake: FakeState, asked: Asked, dag_id: str, run_id: str) -> Answer:
    dag = dag_of(fake, dag_id)
    return json_answer(run_json(fake, dag, run_of(fake, dag, run_id)))


def _patch_run(fake: FakeState, asked: Asked, dag_id: str, run_id: str) -> Answer:
    dag = dag_of(fake, dag_id)
    run = run_of(fake, dag, run_id)
    fake.set_state(dag_id, run_id, asked.body["state"])
    return json_answer(run_json(fake, dag, run))


def _get_tasks(fake: FakeState, asked: Asked, dag_id: str, run_id: str) -> Answer:
    run = run_of(fake, dag_of(fake, dag_id), run_id)
    return page_of(fake, asked, "task_instances", [task_json(task) for task in run.tasks.values()])


def _list_tasks(fake: FakeState, asked: Asked) -> Answer:
    """Airflow 2's query by POST, with pages as long as is asked for; it leaves out what is missing."""
    form = asked.body
    runs = [fake.dags[dag_id].runs for dag_id in form["dag_ids"] if dag_id in fake.dags]
    found = [runs_of[run_id] for runs_of in runs for run_id in form["dag_run_ids"] if run_id in runs_of]
    tasks = [task_json(task) for run in found for task in run.tasks.values()]
    start, size = form.get("page_offset", 0), form.get("page_limit", 100)
    return json_answer({"task_instances": tasks[start : start + size], "total_entries": len(tasks)})


def _get_log(fake: FakeState, asked: Asked, dag_id: str, run_id: str, task_id: str, number: str) -> Answer:
    task = run_of(fake, dag_of(fake, dag_id), run_id).tasks.get(task_id)
    if task is None or int(number) not in task.logs:
        refuse(fake, 404, "TaskInstance not found", "TaskInstance not found")
    log = task.logs[int(number)]
    if fake.major == 2:
        return Answer(200, f"{SOURCES_TWO}{log}\n".encode(), "text/plain")
    events = [{"event": line} for line in log.splitlines()] if isinstance(log, str) else log
    start = int(asked.query.get("token", ["0"])[0])
    page = events[start : start + fake.most_per_page]
    token = str(start + len(page)) if start + len(page) < len(events) or task.state == "running" else None
    sources = ["::group::Log message source details", "/logs/attempt.log", "::endgroup::"]
    head3 = [] if start else [{"event": text} for text in sources]
    return json_answer({"content": head3 + page, "continuation_token": token})


def _get_xcom(fake: FakeState, asked: Asked, dag_id: str, run_id: str, task_id: str, key: str) -> Answer:
    run = fake.dags[dag_id].runs.get(run_id) if dag_id in fake.dags else None
    task = run.tasks.get(task_id) if run else None
    if task is None or key not in task.xcoms:
        refuse(fake, 404, f"XCom entry with key: `{key}` not found", "XCom entry not found")
    value = task.xcoms[key]
    # By default, 2.11 writes what is in the database as Python does.
    is_text = asked.query.get("stringify", ["true" if fake.major == 2 else "false"]) != ["false"]
    entry = {"key": key, "task_id": task_id, "dag_id": dag_id, "run_id": run_id, "map_index": -1}
    return json_answer({**entry, "value": str(value) if is_text else value})


def _clear(fake: FakeState, asked: Asked, dag_id: str) -> Answer:
    dag, form = dag_of(fake, dag_id), asked.body
    run = run_of(fake, dag, form["dag_run_id"])
    if fake.major == 2 and "run_on_latest_version" in form:
        refuse(fake, 400, "{'run_on_latest_version': ['Unknown field.']}", "Bad Request")
    ids = form.get("task_ids") or list(run.tasks)
    if form.get("include_downstream"):
        ids = [*ids, *fake.downstream(dag_id, ids)]
    cleared = [task for task in run.tasks.values() if task.task_id in ids]
    if form.get("only_failed", True):
        cleared = [task for task in cleared if task.state in ("failed", "upstream_failed")]
    if not form.get("dry_run", True):
        for task in cleared:
            # XComs stay until the task begins.
            task.state = task.started = task.ended = None
        if form.get("reset_dag_runs", fake.major == 3):
            run.state, run.queued, run.started, run.ended = "queued", datetime.now(timezone.utc), None, None
    return json_answer(
        {"task_instances": [task_json(task) for task in cleared], "total_entries": len(cleared)}
    )


_DAG, _RUN = r"/dags/([^/]+)", r"/dags/([^/]+)/dagRuns/([^/]+)"
_ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", "/dags", _get_dags),
    ("GET", "/importErrors", _get_import_errors),
    ("GET", _DAG, _get_dag),
    ("GET", f"{_DAG}/details", _get_details),
    ("PATCH", _DAG, _patch_dag),
    ("DELETE", _DAG, _delete_dag),
    ("PUT", "/parseDagFile/([^/]+)", _parse),
    ("POST", "/dags/~/dagRuns/~/taskInstances/list", _list_tasks),
    ("POST", f"{_DAG}/dagRuns", _trigger),
    ("POST", f"{_DAG}/clearTaskInstances", _clear),
    ("GET", f"{_DAG}/dagRuns", _get_runs),
    ("GET", _RUN, _get_run),
    ("PATCH", _RUN, _patch_run),
    ("GET", f"{_RUN}/taskInstances", _get_tasks),
    ("GET", f"{_RUN}/taskInstances/([^/]+)/logs/([0-9]+)", _get_log),
    ("GET", f"{_RUN}/taskInstances/([^/]+)/xcomEntries/([^/]+)", _get_xcom),
]

"""What stands for BigQuery: the part of its REST interface that Google's client uses here, over real HTTP.

Tables are those that load jobs write, with BigQuery's write dispositions; ``SELECT * FROM dataset.table``
reads them, and every other query has the answer that a test has put into :attr:`BigQueryServer.answers`.
"""

from __future__ import annotations

import io
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.data_servers.bigquery_values import encoded

PROJECT, TOKEN = "planted-project", "planted-bigquery-token-19ac"
_PAGE = 3000

Answer = tuple[int, Any]


@dataclass
class Table:
    """A table. :param fields: of BigQuery's schema. :param rows: by name."""

    fields: list[dict[str, Any]]
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class BigQueryServer:
    """What the server holds and has been asked.

    :param answers: rows of a query, by its text. :param jobs: resources, by id.
    :param fault: may answer a request, given its method and path, in the server's stead.
    """

    port: int = 0
    tables: dict[str, Table] = field(default_factory=dict)
    answers: dict[str, Table] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    fault: Callable[[str, str], Answer | None] = lambda method, path: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def config(self) -> dict[str, Any]:
        """The configuration of the connector (Aqueduct formats, section 6)."""
        account = {
            "type": "service_account",
            "client_email": "planted@example.iam.gserviceaccount.com",
            "private_key": private_key(),
            "token_uri": f"http://127.0.0.1:{self.port}/token",
        }
        options = {"api_endpoint": f"http://127.0.0.1:{self.port}"}
        return {
            "project_id": PROJECT,
            "service_account_credentials": json.dumps(account),
            "options": options,
        }

    def answer(self, method: str, url: str, headers: Any, body: bytes) -> tuple[int, Any, dict[str, str]]:
        """Status, content and headers for a request."""
        parts, query = (
            urlsplit(url),
            {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()},
        )
        self.requests.append((method, parts.path))
        if broken := self.fault(method, parts.path):
            return (*broken, {})
        if parts.path == "/token":
            return 200, {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}, {}
        if headers["Authorization"] != f"Bearer {TOKEN}":
            return (*refusal(401, "authError", "Invalid Credentials"), {})
        if parts.path.startswith(("/upload/", "/resumable/")):
            return self._upload(method, url, query, headers, body)
        path = parts.path.removeprefix(f"/bigquery/v2/projects/{PROJECT}")
        return (*self._resource(method, path, query, body), {})

    def _resource(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        for pattern, handle in (
            (r"/datasets", self._datasets),
            (r"/datasets/(\w+)", self._dataset),
            (r"/datasets/(\w+)/tables", self._tables),
            (r"/datasets/(\w+)/tables/(\w+)", self._table),
            (r"/queries/(\S+)", lambda job: self._rows(job, query)),
            (r"/jobs/(\S+)", self._job),
            (r"/jobs", lambda: self._query(json.loads(body))),
        ):
            if found := re.fullmatch(pattern, path):
                return handle(*found.groups())
        return refusal(404, "notFound", f"no such path: {method} {path}")

    # --- datasets and tables

    def _names(self) -> set[str]:
        return {"sales"} | {name.partition(".")[0] for name in self.tables}

    def _datasets(self) -> Answer:
        return 200, {"datasets": [{"datasetReference": _dataset(name)} for name in sorted(self._names())]}

    def _dataset(self, name: str) -> Answer:
        if name not in self._names():
            return refusal(404, "notFound", f"Not found: Dataset {PROJECT}:{name}")
        return 200, {"datasetReference": _dataset(name), "location": "EU"}

    def _tables(self, dataset: str) -> Answer:
        names = [name.partition(".")[2] for name in self.tables if name.startswith(f"{dataset}.")]
        return 200, {"tables": [{"tableReference": _dataset(dataset) | {"tableId": n}} for n in names]}

    def _table(self, dataset: str, name: str) -> Answer:
        if f"{dataset}.{name}" not in self.tables:
            return refusal(404, "notFound", f"Not found: Table {PROJECT}:{dataset}.{name}")
        return 200, {"tableReference": _dataset(dataset) | {"tableId": name}}

    # --- queries

    def _query(self, job: dict[str, Any]) -> Answer:
        sql = job["configuration"]["query"]["query"]
        found = re.fullmatch(r"SELECT \* FROM `?(\w+\.\w+)`?", sql)
        table = self.tables.get(found[1]) if found else self.answers.get(sql)
        if table is None:
            return refusal(400, "invalidQuery", f"Unrecognized name in: {sql}")
        job["answer"] = table
        return 200, self._done(job)

    def _rows(self, job_id: str, query: dict[str, str]) -> Answer:
        job = self.jobs[job_id]
        table: Table = job["answer"]
        start = int(query.get("pageToken", query.get("startIndex", "0")))
        end = start + min(_PAGE, int(query.get("maxResults", _PAGE)))
        answer = {
            "jobReference": job["jobReference"],
            "jobComplete": True,
            "schema": {"fields": table.fields},
            "totalRows": str(len(table.rows)),
            "rows": [encoded(table.fields, row) for row in table.rows[start:end]],
        }
        return 200, answer | ({"pageToken": str(end)} if end < len(table.rows) else {})

    # --- jobs

    def _done(self, job: dict[str, Any], error: dict[str, Any] | None = None) -> dict[str, Any]:
        job.setdefault("jobReference", {"projectId": PROJECT, "jobId": uuid.uuid4().hex})
        job["status"] = {"state": "DONE"} | ({"errorResult": error, "errors": [error]} if error else {})
        self.jobs[job["jobReference"]["jobId"]] = job
        return _shown(job)

    def _job(self, job_id: str) -> Answer:
        if job_id not in self.jobs:
            return refusal(404, "notFound", f"Not found: Job {job_id}")
        job = self.jobs[job_id]
        if job.get("polls"):
            job["polls"] -= 1
            return 200, _shown(job) | {"status": {"state": "RUNNING"}}
        return 200, _shown(job)

    def _upload(
        self, method: str, url: str, query: dict[str, str], headers: Any, body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        if query["uploadType"] == "multipart":
            text = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body
            resource, content = BytesParser().parsebytes(text).get_payload()
            return (*self._load(json.loads(resource.get_payload()), content.get_payload(decode=True)), {})
        if method == "POST":
            job = json.loads(body)
            key = uuid.uuid4().hex
            self.uploads[key] = {"job": job, "content": b""}
            return 200, {}, {"Location": f"http://127.0.0.1:{self.port}{url}&upload_id={key}"}
        upload = self.uploads[query["upload_id"]]
        upload["content"] += body
        total = headers["Content-Range"].rpartition("/")[2]
        if total == "*" or len(upload["content"]) < int(total):
            return 308, {}, {"Range": f"bytes=0-{len(upload['content']) - 1}"}
        return (*self._load(upload["job"], upload["content"]), {})

    def _load(self, job: dict[str, Any], content: bytes) -> Answer:
        with self.lock:
            if job["jobReference"]["jobId"] in self.jobs:
                return refusal(409, "duplicate", "Already Exists: Job")
            return 200, self._loaded(job, content)

    def _loaded(self, job: dict[str, Any], content: bytes) -> dict[str, Any]:
        import pyarrow.parquet as pq

        options = job["configuration"]["load"]
        name = "{datasetId}.{tableId}".format(**options["destinationTable"])
        new = Table(options["schema"]["fields"], pq.read_table(io.BytesIO(content)).to_pylist())
        old = self.tables.get(name)
        match options["writeDisposition"]:
            case "WRITE_EMPTY" if old and old.rows:
                return self._done(job, problem("duplicate", f"Already Exists: Table {PROJECT}:{name}"))
            case "WRITE_APPEND" if old:
                names = {column["name"] for column in old.fields}
                strange = [column["name"] for column in new.fields if column["name"] not in names]
                if strange:
                    text = f"Provided Schema does not match Table. Cannot add fields (field: {strange[0]})"
                    return self._done(job, problem("invalid", text))
                old.rows += new.rows
            case _:
                self.tables[name] = new
        job["statistics"] = {"load": {"outputRows": str(len(new.rows))}}
        return self._done(job)


def problem(reason: str, message: str) -> dict[str, Any]:
    """An error as jobs and answers hold it."""
    return {"reason": reason, "message": message}


def refusal(status: int, reason: str, message: str) -> Answer:
    """An answer with an error status."""
    return status, {"error": {"code": status, "message": message, "errors": [problem(reason, message)]}}


def _dataset(name: str) -> dict[str, str]:
    return {"projectId": PROJECT, "datasetId": name}


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in job.items() if name not in ("answer", "polls")}


@lru_cache
def private_key() -> str:
    """A new key of a service account."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@contextmanager
def bigquery_server() -> Iterator[BigQueryServer]:
    """A server for as long as the context is open."""
    state = BigQueryServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content, headers = state.answer(self.command, self.path, self.headers, body)
            data = json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = _answer

        def log_message(self, *args: Any) -> None:
            """Nothing: the requests are kept."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join()

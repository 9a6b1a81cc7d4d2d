"""A small HTTP server that answers as the test says: for faults that moto cannot be asked for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.storage.gcs import GcsSettings
from aqueduct_provider.storage.s3 import S3Settings
from tests.data_servers.gcs import GcsServer, gcs_server

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Request:
    """What a client sent; bodies above 1 MB are read and dropped."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def access_key(self) -> str:
        """The access key id that the request was signed with."""
        return self.headers["authorization"].partition("Credential=")[2].partition("/")[0]

    @property
    def region(self) -> str:
        """The region that the request was signed for."""
        return self.headers["authorization"].partition("Credential=")[2].split("/")[2]


@dataclass
class Scripted:
    """A server that gives ``answers`` one after the other, then the last one again and again."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)

    def settings(self, **changes: Any) -> S3Settings:
        """Settings for this server that do not wait for long."""
        usual = {
            "bucket": "bucket",
            "region": "eu-west-1",
            "max_attempts": 2,
            "access_keys": ("id", "secret"),
        }
        return S3Settings(**{**usual, "endpoint_url": self.url, "read_timeout": 5.0, **changes})


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    """A complete answer, without a body where S3 sends none; underscores in headers stand for hyphens."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        sent = b"" if status == 200 and handler.command == "PUT" else body
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(sent)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(sent)

    return send


def refusal(status: int, code: str, more: str = "", **headers: str) -> Answer:
    """An error as S3 words it."""
    xml = f"<Error><Code>{code}</Code><Message>no, because {code}</Message>{more}</Error>"
    return answer(status, xml.encode(), **headers)


def cut(sent: bytes, promised: int, status: int = 200, **headers: str) -> Answer:
    """An answer whose connection ends before all that was promised is sent."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(promised))
        handler.end_headers()
        handler.wfile.write(sent)
        handler.close_connection = True

    return send


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A server on 127.0.0.1 to which the test gives the answers."""
    state = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            left, body = int(self.headers.get("Content-Length", 0)), b""
            while left:
                block = self.rfile.read(min(left, 1 << 20))
                body, left = (body + block)[: 1 << 20], left - len(block)
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.requests.append(Request(self.command, self.path, headers, body))
            state.connections.add(self.client_address)
            (state.answers.pop(0) if len(state.answers) > 1 else state.answers[0])(self)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def no_aws_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine whose environment and home say nothing of AWS."""
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def moto_settings(s3_server: str, bucket: str, credentials_file: Path) -> S3Settings:
    """Settings for the moto server and a new bucket in it."""
    return S3Settings(
        bucket=bucket,
        region="us-east-1",
        endpoint_url=s3_server,
        credentials_path=str(credentials_file),
        max_attempts=2,
    )


@pytest.fixture(scope="session")
def gcs_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GcsServer]:
    """A server that speaks GCS' JSON API."""
    with gcs_server(tmp_path_factory.mktemp("gcs") / "server") as server:
        yield server


@pytest.fixture
def gcs_settings(gcs_emulator: GcsServer) -> GcsSettings:
    """Settings for the emulator and a new bucket in it."""
    return GcsSettings(gcs_emulator.new_bucket(), endpoint=gcs_emulator.endpoint, retry_seconds=2.0)

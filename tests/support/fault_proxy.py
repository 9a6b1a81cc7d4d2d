"""An HTTP proxy in front of an S3 server that injects the faults of networks and of S3, by rate or by rule.

Faults by rate come from a seed, one draw for each request in the order in which they arrive. The faults of
a body become, for answers without one, what would happen instead: nothing, or the reset of the connection.
"""

from __future__ import annotations

import http.client
import os
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

Fault = Literal[
    "500",  # InternalError, the request has no effect
    "503",  # SlowDown, the request has no effect
    "reset_before",  # the connection is reset, the request has no effect
    "reset_after",  # the request has its effect, its answer is lost
    "cut",  # the connection ends in the middle of the body
    "short",  # the body is shorter than the object, and so is its Content-Length
    "flip",  # one bit of the body is another; S3 refuses uploads whose checksum is wrong
    "stall",  # half of the body arrives, then nothing more
    "trickle",  # one byte of the body every tenth of a second
    "outage",  # all connections are reset for some seconds
]
FAULTS: tuple[Fault, ...] = get_args(Fault)

_DROPPED_HEADERS = {"transfer-encoding", "connection", "content-length"}


@dataclass
class Rule:
    """Requests that get a fault whatever the rates say.

    :param path: a part of the path with its query; empty: any.
    :param times: how many requests, before the rule ends.
    """

    fault: Fault
    method: str = ""
    path: str = ""
    times: int = 1

    def fits(self, method: str, path: str) -> bool:
        """Check whether a request gets the fault."""
        return self.times > 0 and self.method in ("", method) and self.path in path


@dataclass
class FaultProxy:
    """A running proxy.

    :param upstream: URL of the S3 server.
    :param rates: the share of requests that get each fault.
    :param outage_seconds: how long an outage that comes by rate or by rule lasts.
    :param stall_seconds: how long a stalled body is held.
    """

    upstream: str
    rates: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 0
    outage_seconds: float = 5.0
    stall_seconds: float = 300.0
    rules: list[Rule] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self._away_until = 0.0
        self._ended = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """The endpoint for clients."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> FaultProxy:
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._close()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections while the block runs, and reset those that are open."""
        self._close()
        try:
            yield
        finally:
            self._listen()

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Draw the fault of the next request."""
        with self._lock:
            self.requests.append((method, path))
            fault = self._drawn()
            rule = next((rule for rule in self.rules if rule.fits(method, path)), None)
            if rule is not None:
                rule.times -= 1
                fault = rule.fault
            if time.monotonic() < self._away_until:
                return "reset_before"
            if fault is not None:
                self.counts[fault] += 1
            if fault == "outage":
                self._away_until = time.monotonic() + self.outage_seconds
                return "reset_before"
            return fault

    def hold(self, seconds: float) -> bool:
        """Wait; whether the proxy goes on after it."""
        return not self._ended.wait(seconds)

    def _drawn(self) -> Fault | None:
        number = self._random.random()
        for fault, rate in self.rates.items():
            number -= rate
            if number < 0:
                return fault
        return None

    def _listen(self) -> None:
        proxy = self

        class Handler(_Handler):
            faults = proxy

        server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler, bind_and_activate=False)
        server.allow_reuse_address = server.daemon_threads = True
        server.request_queue_size = 128
        server.server_bind()
        server.server_activate()
        server.open_sockets = set()  # type: ignore[attr-defined]
        self._port = server.server_port
        self._server = server
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def _close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.socket.close()
            for one in list(self._server.open_sockets):  # type: ignore[attr-defined]
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._server = None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: FaultProxy

    def setup(self) -> None:
        self.server.open_sockets.add(self.request)  # type: ignore[attr-defined]
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def finish(self) -> None:
        self.server.open_sockets.discard(self.request)  # type: ignore[attr-defined]
        # A fault may have reset it.
        with suppress(OSError):
            super().finish()

    def handle_any(self) -> None:
        try:
            self._handle()
        except (OSError, ValueError):
            # The client has gone, or an outage began.
            self.close_connection = True

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def _handle(self) -> None:
        body = self._body()
        fault = self.faults.fault_for(self.command, self.path)
        if fault == "reset_before":
            self._reset()
        elif fault == "500":
            self._refuse(500, "InternalError")
        elif fault == "503":
            self._refuse(503, "SlowDown")
        elif fault == "flip" and body:
            self._refuse(400, "BadDigest")
        else:
            self._pass_on(body, fault)

    def _pass_on(self, body: bytes, fault: Fault | None) -> None:
        status, headers, data = self._forward(body)
        if fault == "reset_after" or (fault == "cut" and not data):
            self._reset()
        elif fault == "stall" and not data:
            self._hold()
        else:
            self._answer(status, headers, _damaged(data, fault) if fault else data, fault if data else None)

    def _answer(
        self, status: int, headers: Sequence[tuple[str, str]], data: bytes, fault: Fault | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _DROPPED_HEADERS:
                self.send_header(name, value)
        length = next((value for name, value in headers if name.lower() == "content-length"), "0")
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(data)))
        self.end_headers()
        if fault == "trickle":
            self._trickle(data)
            return
        self.wfile.write(data[: len(data) // 2] if fault in ("cut", "stall") else data)
        if fault == "cut":
            self._reset()
        elif fault == "stall":
            self._hold()

    def _trickle(self, data: bytes) -> None:
        for index in range(len(data)):
            self.wfile.write(data[index : index + 1])
            if not self.faults.hold(0.1):
                return

    def _hold(self) -> None:
        self.faults.hold(self.faults.stall_seconds)
        self._reset()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        where = urlsplit(self.faults.upstream)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {*_DROPPED_HEADERS, "expect"}:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _refuse(self, status: int, code: str) -> None:
        text = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
        data = b"" if self.command == "HEAD" else text
        self._answer(status, [("Content-Type", "application/xml")], data)

    def _reset(self) -> None:
        """End the connection with RST, as a crashed server or a firewall does."""
        self.close_connection = True
        with suppress(OSError):
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # A mere close() would wait for the files that were made of the socket.
            os.close(self.request.detach())


def _damaged(data: bytes, fault: Fault) -> bytes:
    half = len(data) // 2
    if fault == "short":
        return data[:half]
    if fault == "flip" and data:
        return data[:half] + bytes([data[half] ^ 1]) + data[half + 1 :]
    return data

"""An HTTP proxy that counts and delays: ``python -m benchmarks.proxy UPSTREAM_PORT DELAY_MS LOG``.

Prints its own port. Appends one line to LOG for each request. Stands between a client and a server on this
machine, keeps connections to both open, and waits before it passes on each request, as if it were far away.
"""

from __future__ import annotations

import sys
import time
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# Headers of one hop, which a proxy makes itself.
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "expect"})


class Handler(BaseHTTPRequestHandler):
    """One connection of a client; it has one of its own to the server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream_port: int
    delay: float
    log: Path

    def setup(self) -> None:
        super().setup()
        self.upstream = HTTPConnection("127.0.0.1", self.upstream_port)

    def finish(self) -> None:
        self.upstream.close()
        super().finish()

    def pass_on(self) -> None:
        """Read the request whole, wait, pass it on, and the answer back."""
        body = self._body()
        with self.log.open("a") as log:
            log.write(f"{self.command} {self.path}\n")
        time.sleep(self.delay)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        if body or self.command in ("PUT", "POST"):
            headers["Content-Length"] = str(len(body))
        self.upstream.request(self.command, self.path, body or None, headers)
        answer = self.upstream.getresponse()
        content = answer.read()
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self._answer(answer, content, length or "0")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

    def _answer(self, answer: HTTPResponse, content: bytes, length: str) -> None:
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in answer.getheaders() if name.lower() not in _HOP]
        head = "\r\n".join([*lines, f"Content-Length: {length}", "", ""])
        self.wfile.write(head.encode("latin-1") + content)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def log_message(self, *_: object) -> None:
        """Nothing: the log file says it."""


class Server(ThreadingHTTPServer):
    """A thread for each connection; many may come at once."""

    daemon_threads = True
    request_queue_size = 128


def main(arguments: list[str]) -> None:
    Handler.upstream_port, Handler.delay = int(arguments[0]), float(arguments[1]) / 1000
    Handler.log = Path(arguments[2])
    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])

"""An S3 server that answers at once: ``python -m benchmarks.lean_s3 LOG FOLDER PREFIX``.

Holds the files of FOLDER as objects below PREFIX, in one bucket of any name, in memory; signatures are not
checked. Prints its port. Appends method and path of each request to LOG. Lists are made once for each state,
so that what a client waits for is its own work. It knows what the bundle asks for: ListObjectsV2, and GET,
HEAD, PUT and DELETE of objects.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000


@dataclass(frozen=True)
class Object:
    """One object, and how lists show it."""

    data: bytes
    etag: str

    @classmethod
    def of(cls, data: bytes) -> Object:
        return cls(data, f'"{hashlib.md5(data).hexdigest()}"')


@dataclass
class Bucket:
    """The objects by key, and the lists that were asked for since the last change."""

    objects: dict[str, Object]
    pages: dict[tuple[str, str], bytes] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, key: str, data: bytes, *, new: bool) -> Object | None:
        """Store an object; None: there is one already, and ``new`` forbids to replace it."""
        with self.lock:
            if new and key in self.objects:
                return None
            self.objects[key] = made = Object.of(data)
            self.pages.clear()
            return made

    def delete(self, key: str) -> None:
        with self.lock:
            self.objects.pop(key, None)
            self.pages.clear()

    def page(self, prefix: str, after: str) -> bytes:
        """One page of a list.

        :param after: the last key of the page before.
        """
        with self.lock:
            if (prefix, after) not in self.pages:
                self.pages[prefix, after] = self._page(prefix, after)
            return self.pages[prefix, after]

    def _page(self, prefix: str, after: str) -> bytes:
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        shown = keys[:PAGE]
        more = len(keys) > len(shown)
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(self.objects[key].etag)}</ETag><Size>{len(self.objects[key].data)}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key in shown
        )
        token = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if more else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>bucket</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(shown)}</KeyCount>"
            f"<MaxKeys>{PAGE}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}"
            "</ListBucketResult>"
        ).encode()


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    bucket: Bucket
    log: Path

    def answer(self) -> None:
        """Read the request whole, write it down, and answer it."""
        body = self._body()
        with self.log.open("a") as log:
            log.write(f"{self.command} {self.path}\n")
        parts = urlsplit(self.path)
        _, _, key = unquote(parts.path).lstrip("/").partition("/")
        match self.command:
            case "PUT":
                self._put(key, body)
            case "DELETE":
                self.bucket.delete(key)
                self._send(204)
            case _ if not key:
                self._list(parse_qs(parts.query))
            case _:
                self._get(key)

    do_GET = do_HEAD = do_PUT = do_DELETE = answer

    def _put(self, key: str, body: bytes) -> None:
        made = self.bucket.put(key, body, new=self.headers.get("If-None-Match") == "*")
        if made is None:
            self._send(412, _error("PreconditionFailed"))
        else:
            self._send(200, b"", {"ETag": made.etag})

    def _list(self, query: Mapping[str, list[str]]) -> None:
        after = query.get("continuation-token", query.get("start-after", [""]))[0]
        self._send(200, self.bucket.page(query.get("prefix", [""])[0], after))

    def _get(self, key: str) -> None:
        found = self.bucket.objects.get(key)
        if found is None:
            self._send(404, _error("NoSuchKey"))
        else:
            self._send(200, found.data, {"ETag": found.etag})

    def _send(self, status: int, content: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} {'OK' if status < 300 else 'Refused'}"]
        if status != 204:
            lines.append(f"Content-Length: {len(content)}")
        lines += [f"Last-Modified: {formatdate(usegmt=True)}", "Content-Type: application/xml"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + content)

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return _unchunked(body) if "aws-chunked" in self.headers.get("Content-Encoding", "") else body

    def log_message(self, *_: object) -> None:
        """Nothing: the log file says it."""


def _unchunked(body: bytes) -> bytes:
    pieces = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if not length:
            break
        pieces.append(body[:length])
        body = body[length + 2 :]
    return b"".join(pieces)


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


class Server(ThreadingHTTPServer):
    """A thread for each connection; many may come at once."""

    daemon_threads = True
    request_queue_size = 128


def main(arguments: list[str]) -> None:
    log, folder, prefix = arguments
    Handler.log = Path(log)
    files = sorted(Path(folder).iterdir())
    Handler.bucket = Bucket({prefix + path.name: Object.of(path.read_bytes()) for path in files})
    with Server(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])

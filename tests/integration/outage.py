"""A TCP way to a server that can be closed and opened: while it is closed, connections end at once."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from urllib.parse import urlsplit


class Outage:
    """A context manager that listens on a port of its own and passes everything on.

    :param url: of the server, ``http://127.0.0.1:port``.
    """

    def __init__(self, url: str) -> None:
        self._port = urlsplit(url).port or 80
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = threading.Event()
        self._open.set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Outage:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """The server cannot be reached inside the block."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        """Pass bytes on until one side ends, or the way is closed: connections are kept open otherwise."""
        with contextlib.suppress(OSError):
            while (data := source.recv(1 << 16)) and self._open.is_set():
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

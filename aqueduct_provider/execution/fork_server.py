"""Stage 6, children that are forked from a running Python: a start costs milliseconds, not an interpreter.

In: the command of a runner and its job. Out: a child that ``process.Child`` treats as one of its own: leader
of its session, with pipes to it. Each Python and set of variables has its own server (``runner/server.py``),
which has loaded the runner and nothing of a user; where none can be had, the child is spawned instead.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from typing import IO

from aqueduct_provider.errors import OperatorKilled
from aqueduct_provider.process import Command, Running, spawn

log = logging.getLogger(__name__)

# Seconds that a server may take to start and fork: a cold environment on a slow disk has this long.
_PATIENCE = 60.0
_POLL = 0.1
# Seconds in which a server must end once nobody needs it.
_REAP = 2.0

# The command without the job's folder, and the variables.
_Key = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


class ForkServers:
    """Starts children from servers, each of which is started when it is first needed. Ends them when closed.

    :param cancelled: asked ten times a second while a server starts; true ends the waiting.
    """

    def __init__(self, cancelled: Callable[[], bool] = lambda: False) -> None:
        self._cancelled = cancelled
        self._servers: dict[_Key, _Server] = {}
        self._without: set[_Key] = set()

    def __enter__(self) -> ForkServers:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def start(self, command: Command) -> Running:
        """A child that runs the command, whose last argument is the job's folder.

        :raises OperatorKilled: it was cancelled.
        :raises CommandNotStarted: see :func:`spawn`.
        """
        key = (tuple(command.argv[:-1]), tuple(sorted(command.env.items())))
        if key in self._without:
            return spawn(command)
        try:
            return self._server(key, command).fork(str(command.argv[-1]), self._cancelled)
        except OSError as error:
            log.info("Operators get processes of their own, for none can be forked: %s", error)
            self._without.add(key)
            return spawn(command)

    def _server(self, key: _Key, command: Command) -> _Server:
        server = self._servers.get(key)
        if server is None or not server.is_free:
            if server is not None:
                server.close()
            server = self._servers[key] = _Server(command)
        return server


class _Server:
    """One server; it has at most one child at a time."""

    def __init__(self, command: Command) -> None:
        self._socket, theirs = socket.socketpair()
        self._child: _ForkedChild | None = None
        try:
            self._process = subprocess.Popen(
                [*command.argv[:-1], "--serve", str(theirs.fileno())],
                cwd="/",
                env=command.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
            )
        except BaseException:
            self._socket.close()
            raise
        finally:
            theirs.close()

    @property
    def is_free(self) -> bool:
        """Whether it lives, and its last child has been seen to end."""
        return self._process.poll() is None and (self._child is None or self._child.returncode is not None)

    def fork(self, folder: str, cancelled: Callable[[], bool]) -> _ForkedChild:
        """A child for the job in the folder. Raises ``OSError`` where that cannot be."""
        child = self._child = _ForkedChild(self._socket, self._end)
        try:
            child.send(folder)
            self._await_start(child, cancelled)
        except BaseException:
            child.close()
            self.close()
            raise
        return child

    def close(self) -> None:
        """End it. A child of it that still runs is not touched."""
        self._socket.close()
        try:
            self._process.wait(0 if self._child and self._child.returncode is None else _REAP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_REAP)

    def _await_start(self, child: _ForkedChild, cancelled: Callable[[], bool]) -> None:
        until = time.monotonic() + _PATIENCE
        while not child.pid and child.returncode is None:
            if cancelled():
                raise OperatorKilled("Airflow ended the task before the operator's process had started.")
            if time.monotonic() > until:
                raise TimeoutError(f"its server said nothing for {_PATIENCE:g} s")
            child.listen(_POLL)
        if not child.pid:
            raise ChildProcessError("its server has ended")

    def _end(self) -> int:
        """How the server ended, once its socket says that it has."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(_REAP) or -signal.SIGKILL
        return -signal.SIGKILL


class _ForkedChild:
    """A child of a server, with the attributes and methods of ``subprocess.Popen`` that ``Child`` uses."""

    def __init__(self, server: socket.socket, end_of_server: Callable[[], int]) -> None:
        self._server = server
        self._end_of_server = end_of_server
        self._heard = b""
        self.pid = 0
        self.returncode: int | None = None
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe()
        self._theirs = [theirs_in, theirs_out, theirs_err]
        self.stdin: IO[bytes] | None = os.fdopen(ours_in, "wb", buffering=0)
        self.stdout: IO[bytes] | None = os.fdopen(ours_out, "rb", buffering=0)
        self.stderr: IO[bytes] | None = os.fdopen(ours_err, "rb", buffering=0)

    def send(self, folder: str) -> None:
        """Ask the server for this child."""
        self._server.settimeout(_PATIENCE)
        try:
            socket.send_fds(self._server, [json.dumps({"folder": folder}).encode() + b"\n"], self._theirs)
        finally:
            for descriptor in self._theirs:
                os.close(descriptor)

    def close(self) -> None:
        """Close the pipes: a child that has started takes that for the end of the worker."""
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()

    def poll(self) -> int | None:
        """See ``Running``."""
        if self.returncode is None:
            self.listen(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """See ``Running``."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            left = None if until is None else max(0.0, until - time.monotonic())
            self.listen(left)
            if self.returncode is None and left == 0:
                raise subprocess.TimeoutExpired("a forked child", timeout or 0)
        return self.returncode

    def listen(self, seconds: float | None) -> None:
        """Take in what the server says; wait for it at most this long."""
        self._server.settimeout(seconds)
        try:
            data = self._server.recv(4096)
        except (BlockingIOError, TimeoutError):
            return
        except ConnectionError:
            data = b""
        if not data:
            self.returncode = self._end_of_server()
            return
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            self.pid = message.get("pid", self.pid)
            self.returncode = message.get("returncode", self.returncode)

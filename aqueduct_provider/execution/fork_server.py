"""Fork children from a running Python: a start costs milliseconds, not an interpreter.

In: the command of a runner and its job. Out: a child that ``process.Child`` treats as one of its own: leader
of its session, with pipes to it. Each Python and set of variables has its own server (``runner/server.py``),
which has loaded the runner and no user code; where none is available, the child is spawned instead.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from aqueduct_provider.errors import OperatorKilled
from aqueduct_provider.execution.sandbox import Box
from aqueduct_provider.process import ChildCommand, Running, spawn
from aqueduct_provider.runner.supervisor import children_of
from aqueduct_provider.storage.held_folder import HeldFolder

log = logging.getLogger(__name__)

# Seconds that a server may take to start and fork: a cold environment on a slow disk has this long.
_PATIENCE = 60.0
_POLL = 0.1
# Seconds in which a server must end once it is no longer needed.
_REAP = 2.0

_LAST_WORDS = 2000
# Of what a server says at once; its own messages are far shorter.
_LONGEST_MESSAGE = 10_000
# struct ucred of unix(7): process, user, group
_CREDENTIALS = struct.Struct("3i")

# The command without the job's folder, and the variables.
_Key = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


class ForkServers:
    """Starts children from servers, each of which is started when it is first needed. Ends them when closed.

    :param cancelled: asked ten times a second while a server starts; true ends the waiting.
    :param box: the sandbox that servers, and so their children, are in; where it cannot be made, none starts.
    :param single: only one child is to be started.
    """

    def __init__(
        self, cancelled: Callable[[], bool] = lambda: False, box: Box | None = None, *, single: bool = False
    ) -> None:
        self._cancelled = cancelled
        self._single = single
        self._box = box
        self._servers: dict[_Key, _Server] = {}
        self._without: set[_Key] = set()

    def __enter__(self) -> ForkServers:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def start(self, command: ChildCommand) -> Running:
        """Start a child that runs the command, whose last argument is the job's folder.

        :raises OperatorKilled: it was cancelled.
        :raises CommandNotStarted: see :func:`spawn`.
        :raises ConfigError: there is to be a sandbox, and it cannot be made.
        """
        key = (tuple(command.argv[:-1]), tuple(sorted(command.env.items())))
        if key in self._without:
            return spawn(command)
        try:
            return self._server(key, command).fork(str(command.argv[-1]), self._cancelled)
        except OSError as error:
            if self._box is not None:
                raise self._box.error(error) from error
            log.info("Operators get processes of their own, for none can be forked: %s", error)
            self._without.add(key)
            return spawn(command)

    def _server(self, key: _Key, command: ChildCommand) -> _Server:
        server = self._servers.get(key)
        if server is None or not server.is_free:
            if server is not None:
                server.close()
            server = self._servers[key] = _Server(command, self._box, self._single)
        return server


class _Server:
    """One server; it has at most one child at a time."""

    def __init__(self, command: ChildCommand, box: Box | None, single: bool) -> None:
        self._socket, theirs = socket.socketpair()
        self._child: _ForkedChild | None = None
        self._printed: IO[bytes] | None = None
        self._private: HeldFolder | None = None
        self._box = box
        argv = [*command.argv[:-1], "--serve-one" if single else "--serve", str(theirs.fileno())]
        try:
            if box is not None:
                self._private = HeldFolder("box")
                argv = box.command(argv, command.env, self._private.path)
                self._printed = tempfile.TemporaryFile()  # noqa: SIM115
                # Processes have other numbers in there; the kernel knows those here.
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._process = subprocess.Popen(
                argv,
                cwd="/",
                env=command.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL if self._printed is None else self._printed,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
                umask=-1 if box is None else box.umask,
            )
        except BaseException:
            self._socket.close()
            if self._printed is not None:
                self._printed.close()
            self._remove_private()
            raise
        finally:
            theirs.close()

    @property
    def is_free(self) -> bool:
        """Return whether it lives and its last child is known to have ended."""
        return self._process.poll() is None and (self._child is None or self._child.returncode is not None)

    def fork(self, folder: str, cancelled: Callable[[], bool]) -> _ForkedChild:
        """Fork a child for the job in the folder. Raises ``OSError`` if that is not possible."""
        child = self._child = _ForkedChild(self._socket, self._end)
        try:
            if self._box is not None:
                self._box.hand_over(Path(folder), child.theirs)
            try:
                child.send(folder)
            except ConnectionError as error:
                # It has ended before it was asked.
                raise self._ended() from error
            self._await_start(child, cancelled)
        except BaseException:
            child.close()
            self.close()
            raise
        return child

    def close(self) -> None:
        """End it. A child of it that still runs is not touched, unless it is in a sandbox."""
        self._socket.close()
        if self._printed is not None:
            self._printed.close()
            self._end_box()
        try:
            self._process.wait(0 if self._child and self._child.returncode is None else _REAP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_REAP)
        self._remove_private()

    def _remove_private(self) -> None:
        if self._private is not None:
            self._private.close()
            self._private = None

    def _end_box(self) -> None:
        """Kill all that is in the sandbox, and wait until it is gone: its files are read next."""
        if self._process.poll() is not None:
            return
        # bwrap outside waits for the first process inside, and that one's end waits for all others.
        for first in children_of(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(first, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP)
        self._process.kill()

    def _await_start(self, child: _ForkedChild, cancelled: Callable[[], bool]) -> None:
        until = time.monotonic() + _PATIENCE
        while not child.pid and child.returncode is None:
            if cancelled():
                raise OperatorKilled("The task was ended before the operator's process had started.")
            if time.monotonic() > until:
                raise TimeoutError(f"its server said nothing for {_PATIENCE:g} s")
            child.listen(_POLL)
        if not child.pid:
            raise self._ended()

    def _ended(self) -> ChildProcessError:
        printed = ""
        if self._printed is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_REAP)
            self._printed.seek(0)
            printed = self._printed.read(_LAST_WORDS).decode(errors="replace").strip()
        return ChildProcessError(printed or "its server has ended")

    def _end(self) -> int:
        """Return the server's exit code, after its socket was closed."""
        try:
            code = self._process.wait(_REAP) or -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        # As a shell does, bwrap ends with 128 and the number of the signal.
        return 128 - code if self._printed is not None and code > 128 else code


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
        self.theirs = [theirs_in, theirs_out, theirs_err]
        self.stdin: IO[bytes] | None = os.fdopen(ours_in, "wb", buffering=0)
        self.stdout: IO[bytes] | None = os.fdopen(ours_out, "rb", buffering=0)
        self.stderr: IO[bytes] | None = os.fdopen(ours_err, "rb", buffering=0)

    def send(self, folder: str) -> None:
        """Ask the server for this child."""
        self._server.settimeout(_PATIENCE)
        try:
            socket.send_fds(self._server, [json.dumps({"folder": folder}).encode() + b"\n"], self.theirs)
        finally:
            for descriptor in self.theirs:
                os.close(descriptor)

    def close(self) -> None:
        """Close the pipes: a child that has started takes that for the end of the worker."""
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()

    def poll(self) -> int | None:
        if self.returncode is None:
            self.listen(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
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
            data, sender = self._receive()
        except (BlockingIOError, TimeoutError):
            return
        except ConnectionError:
            data, sender = b"", 0
        if not data:
            self.returncode = self._end_of_server()
            return
        *lines, self._heard = (self._heard + data).split(b"\n")
        try:
            for line in lines:
                self._note(json.loads(line), sender)
            if len(self._heard) > _LONGEST_MESSAGE:
                raise ValueError("a message is too long")
        except (ValueError, RecursionError):
            # Code of a user can get at the socket where it may trace the server. Without it all of it ends.
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self.returncode = self._end_of_server()

    def _note(self, message: object, sender: int) -> None:
        """Take in a message. Raises ``ValueError`` for what no server says."""
        if not isinstance(message, dict) or not all(type(value) is int for value in message.values()):
            raise ValueError("no server says this")
        if "pid" in message:
            self.pid = sender or message["pid"]
        self.returncode = message.get("returncode", self.returncode)

    def _receive(self) -> tuple[bytes, int]:
        """Return the next message and the process that sent it; 0: unknown."""
        data, ancillary, _, _ = self._server.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                return data, _CREDENTIALS.unpack(content)[0]
        return data, 0

"""Run one child process: stream its lines, time it out, end its whole group. Used for uv and jobs.

In: a command, its folder and its complete environment. Out: a :class:`Finished`, and each line as it comes.
How the child comes into being is an argument: :func:`spawn`, or what forks it from a server. Imports nothing
of this package but the errors and ``process_output``. POSIX only.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

from aqueduct_provider.errors import CommandNotStarted
from aqueduct_provider.process_output import AsIs, Cleaner, Output
from aqueduct_provider.process_output import OnLine as OnLine
from aqueduct_provider.process_output import Stream as Stream

CAPTURE_LIMIT = 1 << 20

# The variable whose value marks all processes of a job.
MARK = "AQUEDUCT_JOB"

_POLL = 0.1
# Seconds in which the kernel must have ended a killed process (it may hang in a dead network file system).
_REAP = 1.5


@dataclass(frozen=True)
class Finished:
    """The end of a child.

    :param returncode: its exit code; negative: the number of the signal that ended it.
    :param stdout: what it wrote; head and tail, with a note between, when longer than the capture limit.
    :param stderr: as ``stdout``.
    :param wall_time: seconds from start to end.
    :param timed_out: it ran longer than its timeout and was ended.
    :param killed: its end was asked for; with ``wall_time`` 0 it was not even started.
    """

    returncode: int
    stdout: str
    stderr: str
    wall_time: float
    timed_out: bool
    killed: bool


@dataclass(frozen=True)
class ChildCommand:
    """The command of a child.

    :param argv: the command; nothing is added and no shell is involved.
    :param cwd: the folder it runs in.
    :param env: its whole environment.
    :param keep_open: file descriptors that the child, and what it starts, keeps open.
    """

    argv: Sequence[str]
    cwd: str | Path
    env: Mapping[str, str]
    keep_open: Sequence[int] = ()


def end_marked(mark: str) -> None:
    """Kill all processes that were started with this value of :data:`MARK`, where there is a /proc.

    Only for what supervision cannot have ended: the supervisor itself was killed.
    """
    wanted = f"{MARK}={mark}".encode()
    until = time.monotonic() + _REAP
    while (found := list(_with_variable(wanted))) and time.monotonic() < until:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL / 10)


def _with_variable(wanted: bytes) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # another user's, or it ended meanwhile
            pid = int(path.parent.name)
            if pid != os.getpid() and wanted in path.read_bytes().split(b"\0"):
                yield pid


class Running(Protocol):
    """A child that was started, as the leader of its own session; ``subprocess.Popen`` is one."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None
    returncode: int | Any

    def poll(self) -> int | None:
        """Its exit code, negative for a signal, or None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises ``subprocess.TimeoutExpired`` after so many seconds."""
        ...


Start = Callable[[ChildCommand], Running]


def spawn(command: ChildCommand) -> Running:
    """Start a process of its own.

    :raises CommandNotStarted: the program or folder does not exist or may not be used.
    """
    try:
        return subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=command.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            pass_fds=command.keep_open,
        )
    except OSError as exc:
        message = f"Cannot start {command.argv[0]} in {command.cwd}: {exc.strerror} ({exc.filename})"
        raise CommandNotStarted(message) from exc


# No repr: what it is given may hold secrets.
@dataclass(eq=False, repr=False)
class Child:
    """A command that runs once, as the leader of its own session.

    Its stdin is a pipe that stays open, with nothing more in it than ``stdin``, for as long as this process
    lives: a child that reads end-of-file from it knows that its parent is gone. When the child ends, for
    whatever reason, what is left of its process group is ended too; and after a signal ended it, every
    process that inherited its :data:`MARK`.

    :param argv: the command; nothing is added and no shell is involved.
    :param cwd: the folder it runs in.
    :param env: its whole environment.
    :param on_line: called with each line, without its end, in the thread that runs :meth:`run`. What it
        raises ends the child and leaves :meth:`run`.
    :param timeout: seconds; None: no limit.
    :param capture_limit: characters of each stream that are kept.
    :param grace: seconds between SIGTERM and SIGKILL.
    :param cancelled: asked ten times a second; true has the effect of :meth:`kill`.
    :param keep_open: file descriptors that the child, and what it starts, keeps open.
    :param stdin: what the child reads first from its stdin, such as a secret.
    :param start: how the child comes into being.
    :param supervised: the child ends whatever it has started when its stdin ends; it is then killed last.
    :param clean: masks secrets in a line of its output, whoever gets it.
    """

    argv: Sequence[str]
    _: KW_ONLY
    cwd: str | Path
    env: Mapping[str, str]
    on_line: OnLine
    timeout: float | None = None
    capture_limit: int = CAPTURE_LIMIT
    grace: float = 2.0
    cancelled: Callable[[], bool] = lambda: False
    keep_open: Sequence[int] = ()
    stdin: bytes = b""
    start: Start = spawn
    supervised: bool = False
    clean: Cleaner = field(default_factory=AsIs)
    _killed: bool = field(default=False, init=False)

    def kill(self) -> None:
        """Ask for the end of the child: SIGTERM to its group, after ``grace`` seconds SIGKILL.

        Returns at once; :meth:`run` does the work and then returns. Safe in a signal handler and from any
        thread; before, during and after the run. Before the run it means that nothing is started.
        """
        # Only a flag: whatever a signal handler interrupts, it can set one.
        self._killed = True

    def run(self) -> Finished:
        """Run the command to its end.

        :raises CommandNotStarted: the program or folder does not exist or may not be used.
        """
        if self._must_end():
            return Finished(-signal.SIGTERM, "", "", 0.0, timed_out=False, killed=True)
        started = time.monotonic()
        deadline = math.inf if self.timeout is None else started + self.timeout
        process = self.start(ChildCommand(self.argv, self.cwd, self.env, self.keep_open))
        try:
            self._feed(process)
            assert process.stdout is not None
            assert process.stderr is not None
            output = Output(process.stdout, process.stderr, self.on_line, self.capture_limit, self.clean)
            timed_out = self._watch(process, output, deadline)
            self._end_group(process, output.pump)
            output.finish()
        except BaseException:
            self._clean_up(process)
            raise
        finally:
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        if process.returncode is None or process.returncode < 0:
            # Perhaps its supervisor was killed.
            self._end_marked()
        returncode = -signal.SIGKILL if process.returncode is None else process.returncode
        wall_time = time.monotonic() - started
        return Finished(returncode, *output.captured(), wall_time, timed_out, self._must_end())

    def _must_end(self) -> bool:
        self._killed = self._killed or self.cancelled()
        return self._killed

    def _feed(self, process: Running) -> None:
        """Write stdin in a thread: what a pipe cannot hold is taken when the child reads it, if it does."""
        if self.stdin and process.stdin is not None:
            # A copy, so that closing the pipe here cannot meet a write there.
            copy = os.dup(process.stdin.fileno())
            threading.Thread(target=_write_all, args=(copy, self.stdin), daemon=True).start()

    def _watch(self, process: Running, output: Output, deadline: float) -> bool:
        """Deliver output until the child ended or must end; true when its time is over."""
        while process.poll() is None and not self._must_end():
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            if output.is_open:
                output.pump(min(_POLL, left))
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(min(_POLL, left))
        return False

    def _end_group(self, process: Running, meanwhile: Callable[[float], None]) -> None:
        steps: list[tuple[Callable[[], object], float]] = [
            (partial(_signal_group, process, signal.SIGTERM), self.grace),
            (partial(_signal_group, process, signal.SIGKILL), _REAP),
        ]
        if self.supervised and process.stdin is not None:
            # Killed with the rest, the supervisor could end nothing that has left its group.
            steps.insert(1, (process.stdin.close, _REAP))
        for act, seconds in steps:
            if not _is_alive(process):
                return
            act()
            until = time.monotonic() + seconds
            while _is_alive(process) and time.monotonic() < until:
                meanwhile(_POLL / 5)

    def _clean_up(self, process: Running) -> None:
        try:
            self._end_group(process, time.sleep)
        finally:
            # A second exception, raised by a second signal, must not leave the group behind.
            _signal_group(process, signal.SIGKILL)
            self._end_marked()

    def _end_marked(self) -> None:
        if mark := self.env.get(MARK):
            end_marked(mark)


def _write_all(pipe: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(pipe, data) :]
    except OSError:
        pass  # The child has ended, and says why itself.
    finally:
        os.close(pipe)


def _signal_group(process: Running, signum: int) -> bool:
    """Return whether there was a process to receive the signal."""
    try:
        os.killpg(process.pid, signum)
    except ProcessLookupError:
        return False
    except PermissionError:  # members of another user (sudo); macOS also says so of zombies
        return process.poll() is None
    return True


def _is_alive(process: Running) -> bool:
    """Return whether any process of the child's group is alive."""
    # The order counts: a leader that ended is a member of the group until poll() reaps it.
    return process.poll() is None or (_signal_group(process, 0) and _has_living_members(process.pid))


def _has_living_members(group: int) -> bool:
    """False when all are zombies; in a container whose first process does not reap, they stay for ever."""
    if sys.platform != "linux":
        return True
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                return True
    return False

"""One child process: stream its lines, time it out, end its whole group. Used for uv and for the job.

In: a command, its folder and its complete environment. Out: a :class:`Finished`, and each line as it comes.
Imports nothing of this package but the errors. POSIX only.
"""

from __future__ import annotations

import codecs
import contextlib
import math
import os
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aqueduct_provider.errors import CommandNotStarted

Stream = Literal["stdout", "stderr"]
OnLine = Callable[[Stream, str], None]

CAPTURE_LIMIT = 1 << 20
# Longest piece, in characters, that is delivered as one line.
LINE_LIMIT = 1 << 16
# Progress bars end their updates with "\r"; this many seconds apart, one of them is delivered.
PROGRESS_SECONDS = 5.0

_POLL = 0.1
_READ = 1 << 16
# Seconds in which the kernel must have ended a killed process (it may hang in a dead network file system).
_REAP = 1.5
# More than a pipe can hold: what is read at most of a pipe that a daemon of the child keeps open.
_LEFTOVER = 1 << 21
_BREAK = re.compile("(\r\n|\n|\r)")


@dataclass(frozen=True)
class Finished:
    """How a child ended.

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


class Child:
    """A command that runs once, as the leader of its own session.

    Its stdin is a pipe that stays open, with nothing more in it than ``stdin``, for as long as this process
    lives: a child that reads end-of-file from it knows that its parent is gone. When the child ends, for
    whatever reason, what is left of its process group is ended too.

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
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: str | Path,
        env: Mapping[str, str],
        on_line: OnLine,
        timeout: float | None = None,
        capture_limit: int = CAPTURE_LIMIT,
        grace: float = 2.0,
        cancelled: Callable[[], bool] = lambda: False,
        keep_open: Sequence[int] = (),
        stdin: bytes = b"",
    ) -> None:
        self._argv = list(argv)
        self._cwd = cwd
        self._env = dict(env)
        self._on_line = on_line
        self._timeout = math.inf if timeout is None else timeout
        self._capture_limit = capture_limit
        self._grace = grace
        self._cancelled = cancelled
        self._keep_open = keep_open
        self._stdin = stdin
        self._killed = False

    def kill(self) -> None:
        """Ask for the end of the child: SIGTERM to its group, after ``grace`` seconds SIGKILL.

        Returns at once; :meth:`run` does the work and then returns. Safe in a signal handler and from any
        thread; before, during and after the run. Before the run it means that nothing is started.
        """
        # Only a flag: whatever a signal handler interrupts, it can set one.
        self._killed = True

    def run(self) -> Finished:
        """Run the command to its end.

        :raises CommandNotStarted: there is no such program or folder, or it may not be executed.
        """
        if self._must_end():
            return Finished(-signal.SIGTERM, "", "", 0.0, timed_out=False, killed=True)
        started = time.monotonic()
        process = self._start()
        try:
            self._feed(process)
            output = _Output(process, self._on_line, self._capture_limit)
            timed_out = self._watch(process, output, started + self._timeout)
            self._end_group(process, output.pump)
            output.finish()
        except BaseException:
            self._clean_up(process)
            raise
        finally:
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        returncode = -signal.SIGKILL if process.returncode is None else process.returncode
        wall_time = time.monotonic() - started
        return Finished(returncode, *output.captured(), wall_time, timed_out, self._must_end())

    def _must_end(self) -> bool:
        self._killed = self._killed or self._cancelled()
        return self._killed

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self._argv,
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
                pass_fds=self._keep_open,
            )
        except OSError as exc:
            message = f"Cannot start {self._argv[0]} in {self._cwd}: {exc.strerror} ({exc.filename})"
            raise CommandNotStarted(message) from exc

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """Write stdin in a thread: what a pipe cannot hold is taken when the child reads it, if it does."""
        if self._stdin and process.stdin is not None:
            # A copy, so that closing the pipe here cannot meet a write there.
            copy = os.dup(process.stdin.fileno())
            threading.Thread(target=_write_all, args=(copy, self._stdin), daemon=True).start()

    def _watch(self, process: subprocess.Popen[bytes], output: _Output, deadline: float) -> bool:
        """Deliver output until the child ended or must end; true when its time is over."""
        while process.poll() is None and not self._must_end():
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            if output.is_open:
                output.pump(min(_POLL, left))
            else:
                _wait(process, min(_POLL, left))
        return False

    def _end_group(self, process: subprocess.Popen[bytes], meanwhile: Callable[[float], None]) -> None:
        for signum, seconds in ((signal.SIGTERM, self._grace), (signal.SIGKILL, _REAP)):
            if not _is_alive(process):
                return
            _signal_group(process, signum)
            until = time.monotonic() + seconds
            while _is_alive(process) and time.monotonic() < until:
                meanwhile(_POLL / 5)

    def _clean_up(self, process: subprocess.Popen[bytes]) -> None:
        try:
            self._end_group(process, time.sleep)
        finally:
            # A second exception, raised by a second signal, must not leave the group behind.
            _signal_group(process, signal.SIGKILL)


def _write_all(pipe: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(pipe, data) :]
    except OSError:
        pass  # The child has ended, and says why itself.
    finally:
        os.close(pipe)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _signal_group(process: subprocess.Popen[bytes], signum: int) -> bool:
    """Whether there was a process to take the signal."""
    try:
        os.killpg(process.pid, signum)
    except ProcessLookupError:
        return False
    except PermissionError:  # members of another user (sudo); macOS also says so of zombies
        return process.poll() is None
    return True


def _is_alive(process: subprocess.Popen[bytes]) -> bool:
    """Whether the child or some other process of its group lives."""
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


class _Output:
    """Both output pipes of a child."""

    def __init__(self, process: subprocess.Popen[bytes], on_line: OnLine, capture_limit: int) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdout = _StreamReader("stdout", on_line, capture_limit)
        self._stderr = _StreamReader("stderr", on_line, capture_limit)
        self._selector = selectors.DefaultSelector()
        for pipe, reader in ((process.stdout, self._stdout), (process.stderr, self._stderr)):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, reader)

    @property
    def is_open(self) -> bool:
        """Whether some process can still write."""
        return bool(self._selector.get_map())

    def pump(self, seconds: float) -> None:
        """Deliver what comes; wait for it at most this long."""
        for key, _ in self._selector.select(seconds):
            self._read(key)

    def finish(self) -> None:
        """Deliver what is in the pipes, and what has no line end yet."""
        for key in list(self._selector.get_map().values()):
            for _ in range(_LEFTOVER // _READ):
                if not self._read(key):
                    break
        self._selector.close()
        for reader in (self._stdout, self._stderr):
            reader.close()

    def captured(self) -> tuple[str, str]:
        return self._stdout.capture.text(), self._stderr.capture.text()

    def _read(self, key: selectors.SelectorKey) -> bool:
        try:
            data = os.read(key.fd, _READ)
        except BlockingIOError:
            return False
        if data:
            key.data.feed(data)
        else:
            self._selector.unregister(key.fileobj)
        return bool(data)


class _StreamReader:
    """Bytes to lines. A line that ends in a lone carriage return is one that the next line overwrites."""

    def __init__(self, stream: Stream, on_line: OnLine, capture_limit: int) -> None:
        self.capture = _Capture(capture_limit)
        self._stream = stream
        self._on_line = on_line
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""
        self._overwritten = ""
        self._progress_at = time.monotonic()

    def feed(self, data: bytes) -> None:
        self._add(self._decoder.decode(data))

    def close(self) -> None:
        self._add(self._decoder.decode(b"", final=True))
        last = self._rest.removesuffix("\r") or self._overwritten
        if last:
            self._on_line(self._stream, last)

    def _add(self, text: str) -> None:
        self.capture.add(text)
        text = self._rest + text
        # A carriage return at the very end may be half of a line end.
        held = "\r" if text.endswith("\r") else ""
        *parts, rest = _BREAK.split(text.removesuffix(held))
        for line, end in zip(parts[::2], parts[1::2], strict=True):
            if end == "\r":
                self._progress(line)
            else:
                self._on_line(self._stream, self._spill(line) or self._overwritten)
                self._overwritten = ""
        self._rest = self._spill(rest) + held

    def _spill(self, line: str) -> str:
        """Deliver all of a long line but its last piece, which is the result."""
        while len(line) > LINE_LIMIT:
            self._on_line(self._stream, line[:LINE_LIMIT])
            line = line[LINE_LIMIT:]
        return line

    def _progress(self, line: str) -> None:
        self._overwritten = line or self._overwritten
        now = time.monotonic()
        if now - self._progress_at >= PROGRESS_SECONDS:
            self._progress_at = now
            self._on_line(self._stream, self._overwritten)
            self._overwritten = ""


class _Capture:
    """Text up to a limit: of a longer one its head and its tail."""

    def __init__(self, limit: int) -> None:
        self._room = limit // 2
        self._tail_limit = limit - limit // 2
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._dropped = 0

    def add(self, text: str) -> None:
        head, tail = text[: self._room], text[self._room :]
        self._room -= len(head)
        self._head.append(head)
        self._tail.append(tail)
        self._tail_size += len(tail)
        while self._tail_size - len(self._tail[0]) > self._tail_limit:
            dropped = len(self._tail.popleft())
            self._tail_size -= dropped
            self._dropped += dropped

    def text(self) -> str:
        tail = "".join(self._tail)
        excess = max(0, len(tail) - self._tail_limit)
        dropped = self._dropped + excess
        note = f"\n[... {dropped} characters dropped ...]\n" if dropped else ""
        return "".join(self._head) + note + tail[excess:]

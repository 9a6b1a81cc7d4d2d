"""Supervise the process of a job: whatever it starts ends with it, daemons included.

The supervisor is the parent of the job's process and runs nothing of a user. On Linux it is a child subreaper
(``prctl(2)``): a process whose parent ends becomes its child, whatever session it is in. Therefore the
supervisor knows that nothing is left when it has no more children. It ends what is left after the job, and
everything at once when a lifeline closes, which means that the worker is gone or has lost patience. Elsewhere
it can only end the process group of the job. Standard library only.

``python -I -S supervisor.py GRACE COMMAND...`` supervises any other command. Files that it inherits, such as
locks, stay open in the supervisor alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Iterator, List, NoReturn, Optional, Sequence, Set

if TYPE_CHECKING:
    import select

# What this module loads when it is first needed: a user's module may have one of these names.
LOADED_LATE = ("ctypes", "_ctypes", "struct", "_struct", "select")

_SIGNALS = (signal.SIGCHLD, signal.SIGTERM)
# prctl(2), from linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
# Seconds between two looks for children that were not there before: nothing reports them.
_POLL = 0.01
# Seconds in which the kernel must have ended what was killed.
_REAP = 1.0


class Supervisor:
    """Supervises one job.

    :param grace: seconds between SIGTERM and SIGKILL for what is left when the job has ended.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._job = 0
        self._code: Optional[int] = None
        self._asked: Set[int] = set()

    def fork(self) -> int:
        """Start the job's process, which leads its own session; return 0 in it.

        There, :attr:`bond` is the descriptor for ``lifeline.hold_bond``.
        """
        self.bond, ready = os.pipe()
        self._woken, wake = os.pipe()
        for end in (self._woken, wake):
            os.set_blocking(end, False)
        # Neither process may take a signal for one of the other's.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        before = [signal.signal(number, _note) for number in _SIGNALS]
        wakeup = signal.set_wakeup_fd(wake)
        self._job = os.fork()
        if not self._job:
            signal.set_wakeup_fd(wakeup)
            for number, handler in zip(_SIGNALS, before):
                signal.signal(number, handler)
            os.setsid()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            for end in (ready, self._woken, wake):
                os.close(end)
            return 0
        self._undo = before, wakeup, (ready, self.bond, self._woken, wake)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        _become_subreaper()
        with contextlib.suppress(OSError):  # It has ended already.
            os.write(ready, b".")
        return self._job

    def wait(self, lifelines: Sequence[int]) -> int:
        """Wait for the end of the job and of all that it started; return the job's exit code.

        :param lifelines: pipes or sockets; the end of any of them is the end of the job.
        :return: negative for a signal.
        """
        import select

        poller = select.poll()
        poller.register(self._woken, select.POLLIN)
        for lifeline in lifelines:
            # Not to be read: only its end is reported.
            poller.register(lifeline, 0)
        try:
            self._await_end(poller)
        finally:
            self._kill()
            before, wakeup, descriptors = self._undo
            signal.set_wakeup_fd(wakeup)
            for number, handler in zip(_SIGNALS, before):
                signal.signal(number, handler)
            for descriptor in descriptors:
                os.close(descriptor)
        return -signal.SIGKILL if self._code is None else self._code

    def _await_end(self, poller: select.poll) -> None:
        """Return when nothing is left, or when everything must end at once."""
        until: Optional[float] = None
        while self._is_anything_left():
            pause: Optional[float] = None
            if self._code is not None:
                self._terminate()
                if until is None:
                    until = time.monotonic() + self._grace
                if time.monotonic() > until:
                    return
                pause = _POLL * 1000
            for descriptor, _ in poller.poll(pause):
                if descriptor != self._woken:
                    return
                if signal.SIGTERM in os.read(self._woken, 4096):
                    self._asked.clear()
                    self._terminate()

    def _is_anything_left(self) -> bool:
        """Reap what has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return not _is_subreaper and _signal_group(self._job, 0)
            if not pid:
                return True
            self._asked.discard(pid)
            if pid == self._job:
                self._code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)

    def _terminate(self) -> None:
        """Ask each process to end, once."""
        if self._job not in self._asked:
            self._asked.add(self._job)
            _signal_group(self._job, signal.SIGTERM)
        for pid in self._children():
            if pid not in self._asked:
                self._asked.add(pid)
                _signal(pid, signal.SIGTERM)

    def _kill(self) -> None:
        """End what is left; the children of what ends become ours, and are next."""
        until = time.monotonic() + _REAP
        while self._is_anything_left() and time.monotonic() < until:
            _signal_group(self._job, signal.SIGKILL)
            for pid in self._children():
                _signal(pid, signal.SIGKILL)
            time.sleep(_POLL / 10)

    def _children(self) -> List[int]:
        known = [] if self._code is not None else [self._job]
        return (
            known
            if not _is_subreaper
            else [*known, *(pid for pid in children_of(os.getpid()) if pid not in known)]
        )


def end_as(code: int) -> NoReturn:
    """End this process as another one has ended.

    :param code: its exit code, negative for a signal.
    """
    if code < 0:
        with contextlib.suppress(ImportError, OSError, ValueError):
            import resource

            # The other process has left its own core dump, if any.
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError, ValueError):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


def supervise(grace: float, command: Sequence[str]) -> NoReturn:
    """Run a command, end what it leaves running, and end as it has ended.

    :param grace: seconds between SIGTERM and SIGKILL for what is left.
    :param command: a program and its arguments. It reads nothing; standard input is the lifeline.
    """
    supervisor = Supervisor(grace)
    if supervisor.fork():
        end_as(supervisor.wait([0]))
    os.read(supervisor.bond, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):  # the descriptor of the listing
            os.set_inheritable(int(name), int(name) <= 2)
    try:
        os.execvp(command[0], list(command))
    except OSError as error:
        sys.stderr.write(f"error: {command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(127)


_is_subreaper = False


def _become_subreaper() -> None:
    global _is_subreaper
    if _is_subreaper or sys.platform != "linux":
        return
    # Some builds of Python have no ctypes, some systems do not allow the call.
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        prctl = ctypes.CDLL(None, use_errno=True).prctl
        arguments = [ctypes.c_ulong(value) for value in (1, 0, 0, 0)]
        _is_subreaper = prctl(_PR_SET_CHILD_SUBREAPER, *arguments) == 0


def children_of(parent: int) -> Iterator[int]:
    """Find the children of a process: in a list where the kernel keeps one, else among all processes."""
    try:
        with open(f"/proc/{parent}/task/{parent}/children") as listed:
            yield from map(int, listed.read().split())
    except FileNotFoundError:
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                pid = int(name)
                with open(f"/proc/{pid}/stat", errors="replace") as stat:
                    if int(stat.read().rpartition(")")[2].split()[1]) == parent:
                        yield pid


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; return whether there was one to take it."""
    try:
        os.killpg(group, number)
    except OSError as error:
        return error.errno == errno.EPERM
    return True


def _note(*_: object) -> None:
    """Do nothing: that the signal came is read from the wake-up descriptor."""


if __name__ == "__main__":
    supervise(float(sys.argv[1]), sys.argv[2:])

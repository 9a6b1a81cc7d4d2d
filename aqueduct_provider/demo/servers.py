"""Start and stop processes that serve, and wait for them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from aqueduct_provider.errors import WaitTimedOut

# LocalExecutor waits for running tasks when it is asked to stop.
_STOP_SECONDS = 8


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(
    ready: Callable[[], bool], *, label: str, seconds: float, detail: Callable[[], str] = str
) -> None:
    """Ask again and again until the answer is yes.

    :param label: what is waited for, for the error message.
    :param detail: gives what else the error message shows.
    :raises WaitTimedOut: the answer is still no after this time.
    """
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise WaitTimedOut(f"{label} did not start within {seconds:g} s\n{detail()}".rstrip())
        time.sleep(0.2)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all others of its group: politely, and then by force."""
    for number, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


def processes_of(mark: str) -> list[int]:
    """Find the processes whose environment or command contains ``mark`` (on Linux; elsewhere none)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # The process may have ended meanwhile, or belong to another user.
        with contextlib.suppress(OSError):
            text = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
            if mark.encode() in text and folder.name != str(os.getpid()):
                found.append(int(folder.name))
    return found


def kill(pids: Iterable[int]) -> None:
    """Kill processes; those that have ended meanwhile do not matter."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

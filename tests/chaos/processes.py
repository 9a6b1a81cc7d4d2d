"""Which processes of a running Airflow do what, found from outside: to kill one of them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import psutil

from aqueduct_provider.demo.servers import processes_of
from tests.integration.stack import AirflowStack

# The one that user code or a connector runs in; Airflow's process of the task; the one that watches it.
Role = Literal["child", "task", "supervisor"]
ROLES: tuple[Role, ...] = get_args(Role)

_OURS = ("aqueduct_provider.connectors", "/runner/", "/runner-")


def kill(stack: AirflowStack, role: Role) -> bool:
    """End a process with SIGKILL; whether there was one."""
    for child in _children(stack):
        victim = _in_role(child, role)
        if victim is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.send_signal(signal.SIGKILL)
                return True
    return False


def left_behind(stack: AirflowStack) -> tuple[list[str], list[str]]:
    """Return the folders and the processes of jobs that are still there."""
    folders = [str(path) for path in (stack.home / "tmp").glob("aqueduct*") if path.is_dir()]
    processes = [" ".join(one.cmdline()) for one in _processes(stack) if _is_ours(one)]
    return folders, processes


def _in_role(child: psutil.Process, role: Role) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        if role == "child":
            return child
        above: psutil.Process | None = child
        while above is not None and _is_ours(above):
            above = above.parent()
        return above if role == "task" or above is None else above.parent()
    return None


def _children(stack: AirflowStack) -> Iterator[psutil.Process]:
    """The processes in which jobs run, the innermost first."""
    found = [one for one in _processes(stack) if _is_ours(one)]
    return iter(sorted(found, key=lambda one: -one.pid))


def _processes(stack: AirflowStack) -> Iterator[psutil.Process]:
    for pid in processes_of(str(stack.home)):
        with contextlib.suppress(psutil.NoSuchProcess):
            yield psutil.Process(pid)


def _is_ours(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
    return any(mark in command for mark in _OURS)


def daemons(mark: str) -> list[int]:
    """The processes with a mark in their environment or command, other than this one."""
    return [pid for pid in processes_of(mark) if Path(f"/proc/{pid}").exists() and pid != os.getpid()]

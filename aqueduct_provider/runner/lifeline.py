"""End a process together with the one that holds the other end of a pipe. Standard library only."""

from __future__ import annotations

import os
import signal
import stat
import threading


def hold_lifeline() -> None:
    """Watch standard input when it is a pipe, whose other end is the worker's; leave an empty one.

    When the worker ends, this process does, with its process group.
    """
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        # The copy is not inherited by the processes that are started.
        _end_with(os.dup(0))
    empty_stdin()


def hold_bond(bond: int) -> None:
    """Wait until the supervisor is ready, and from then on end with it, and the process group too.

    :param bond: the descriptor that ``Supervisor.fork`` left.
    """
    if not os.read(bond, 1):
        _end()
    _end_with(bond)


def empty_stdin() -> None:
    """Give the user's code nothing to read."""
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)


def _end_with(pipe: int) -> None:
    threading.Thread(target=_watch, args=(pipe,), daemon=True).start()


def _watch(pipe: int) -> None:
    while os.read(pipe, 1024):
        pass
    _end()


def _end() -> None:
    # Never the group of whoever started this process without giving it one of its own.
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)

"""Stage 7, standard input as a lifeline: the worker holds the other end of the pipe and writes nothing more.

When the worker dies, the pipe closes, and the child ends with its whole process group. Standard library only.
"""

from __future__ import annotations

import os
import signal
import stat
import threading


def hold_lifeline() -> None:
    """Watch standard input when it is a pipe, and give the user's code an empty one either way."""
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        # The copy is not inherited by the processes that the user's code starts.
        lifeline = os.dup(0)
        threading.Thread(target=_die_with_worker, args=(lifeline,), daemon=True).start()
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)


def _die_with_worker(lifeline: int) -> None:
    while os.read(lifeline, 1024):
        pass
    # Never the group of whoever started this process without giving it one of its own.
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)

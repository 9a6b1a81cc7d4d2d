"""Stage 7, the child process: ``python -I -u runner JOB_FOLDER``.

In: ``request.json`` in the folder. Out: ``outcome.json``, written last; exit code 0 says that it is there.
Standard input, when it is a pipe, is a lifeline: the worker holds its other end and writes nothing; when
the worker dies, the pipe closes and this process ends its whole process group.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
from typing import List

from .contract import OUTCOME_FILE, REQUEST_FILE, JobOutcome, request_from_json, to_json
from .invoke import run_job


def main(arguments: List[str]) -> int:
    """Run the job in the one folder that the arguments name; the exit code."""
    folder = os.path.abspath(arguments[0])
    _hold_lifeline()
    with open(os.path.join(folder, REQUEST_FILE), encoding="utf-8") as file:
        request = request_from_json(file.read())
    process = os.getpid()
    outcome = run_job(request, folder)
    _flush_output()
    if os.getpid() != process:
        # A child that the user's code forked and left; the outcome is its parent's.
        os._exit(1)
    _write_outcome(outcome, folder)
    return 0


def _hold_lifeline() -> None:
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


def _flush_output() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()  # type: ignore[union-attr]
        except Exception:
            # The user's code may have closed or replaced it.
            continue


def _write_outcome(outcome: JobOutcome, folder: str) -> None:
    path = os.path.join(folder, OUTCOME_FILE)
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        file.write(to_json(outcome))
    os.replace(f"{path}.part", path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

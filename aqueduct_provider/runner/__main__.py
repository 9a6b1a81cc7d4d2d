"""Stage 7, the child process: ``python -I -u runner JOB_FOLDER``; with ``--serve SOCKET`` one for each job.

In: ``request.json`` in the folder. Out: ``outcome.json``, written last; exit code 0 says that it is there.
"""

from __future__ import annotations

import os
import sys
from typing import Callable, List

from .contract import REQUEST_FILE, request_from_json, write_outcome
from .invoke import run_job
from .lifeline import hold_lifeline


def main(arguments: List[str]) -> int:
    """Run the job in the one folder that the arguments name, or serve; the exit code."""
    if arguments[0] != "--serve":
        return _run(os.path.abspath(arguments[0]), lambda _: None)
    from . import server

    folder = server.serve(int(arguments[1]))
    if folder is None:
        return 0
    # A child of the server; from here on it goes through what a process of its own does.
    return server.leave(_run(folder, server.forget_shadowed))


def _run(folder: str, before_call: Callable[[str], None]) -> int:
    hold_lifeline()
    with open(os.path.join(folder, REQUEST_FILE), encoding="utf-8") as file:
        request = request_from_json(file.read())
    if request.call is not None:
        before_call(os.path.join(folder, request.call.code_dir))
    process = os.getpid()
    outcome = run_job(request, folder)
    _flush_output()
    if os.getpid() != process:
        # A child that the user's code forked and left; the outcome is its parent's.
        os._exit(1)
    write_outcome(outcome, folder)
    return 0


def _flush_output() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()  # type: ignore[union-attr]
        except Exception:
            # The user's code may have closed or replaced it.
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Run a job in a child process: ``python -I -u runner [--grace SECONDS] JOB_FOLDER``.

In: ``request.json`` in the folder. Out: ``outcome.json``, written last; exit code 0 says that it is there.
This process supervises the one that runs the job. With ``--serve SOCKET`` in place of the folder it does so
for one job after the other.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import Callable, List, NoReturn

from .supervisor import Supervisor, end_as

_GRACE = 2.0


def main(arguments: List[str]) -> int:
    """Run one job, or serve; return the exit code.

    :param arguments: ``--grace`` and the seconds between SIGTERM and SIGKILL for what the job leaves running;
        then the job's folder, or ``--serve`` and a descriptor; ``--serve-one`` loads nothing early.
    """
    grace = _GRACE
    if arguments[0] == "--grace":
        grace, arguments = float(arguments[1]), arguments[2:]
    if arguments[0] not in ("--serve", "--serve-one"):
        # Nothing more is loaded before the fork: what is loaded later costs the supervisor no memory.
        return _supervised(os.path.abspath(arguments[0]), grace)
    # What each child needs, it has from the server.

    from . import server

    job = server.serve(int(arguments[1]), grace, early=arguments[0] == "--serve")
    return 0 if job is None else _run(*job, server.forget_shadowed)


def _supervised(folder: str, grace: float) -> int:
    supervisor = Supervisor(grace)
    if supervisor.fork():
        lifelines = [0] if stat.S_ISFIFO(os.fstat(0).st_mode) else []
        end_as(supervisor.wait(lifelines))
    sys.argv[1:] = [folder]
    return _run(folder, supervisor.bond, lambda _: None)


def _run(folder: str, bond: int, before_call: Callable[[str], None]) -> NoReturn:
    from .contract import REQUEST_FILE, request_from_json, write_outcome
    from .invoke import run_job
    from .lifeline import empty_stdin, hold_bond
    from .temporary_folder import use_own_temporary_folder

    empty_stdin()
    use_own_temporary_folder(folder)
    with open(os.path.join(folder, REQUEST_FILE), encoding="utf-8") as file:
        request = request_from_json(file.read())
    if request.call is not None:
        before_call(os.path.join(folder, request.call.code_dir))
    hold_bond(bond)
    process = os.getpid()
    outcome = run_job(request, folder)
    _flush_output()
    if os.getpid() != process:
        # A child that the user's code forked and left; the outcome is its parent's.
        os._exit(1)
    write_outcome(outcome, folder)
    _leave()


def _leave() -> NoReturn:
    """End as the interpreter would, but without taking itself apart.

    That writes to all memory that is shared with the supervisor, which costs more than a small job. Threads
    are waited for and exit handlers run.
    """
    import atexit
    import threading
    import traceback

    wait_for_threads = getattr(threading, "_shutdown", None)
    for act in (wait_for_threads, getattr(atexit, "_run_exitfuncs", None)):
        try:
            if act is not None:
                act()
        except BaseException:
            # The interpreter, too, prints it and goes on; the job's outcome is written.
            traceback.print_exc()
    _flush_output()
    os._exit(0)


def _flush_output() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        try:
            stream.flush()  # type: ignore[union-attr]
        except Exception:
            # The user's code may have closed or replaced it.
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

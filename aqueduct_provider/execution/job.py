"""Start one job and read how it went: a request and a Python become a child process.

The job folder holds ``request.json``, the inputs and the code; the child adds the outputs and, as its last
act, ``outcome.json``. The child sees a short list of environment variables: what a program needs to find
its tools and the network, and nothing that the worker was entrusted with.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from aqueduct_provider.errors import OperatorCrashed, OperatorKilled, OperatorTimedOut
from aqueduct_provider.execution import outcome
from aqueduct_provider.process import Finished
from aqueduct_provider.runner.contract import OUTCOME_FILE, JobOutcome
from aqueduct_provider.storage.disk_errors import TEMPORARY_REMEDY, disk_error

# An allow-list, so that a variable with an unexpected secret stays out.
PASSED_VARIABLES = frozenset(
    "HOME USER LOGNAME PATH LANG LANGUAGE TZ TMPDIR LD_LIBRARY_PATH "
    "SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE "
    "HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy "
    "OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS CUDA_VISIBLE_DEVICES CUDA_HOME "
    "NVIDIA_VISIBLE_DEVICES JAVA_HOME".split()
)


# The last line of a traceback: what the child could not write is its outcome.
_FULL = re.compile(rf"^OSError: \[Errno (?:{errno.ENOSPC}|{errno.EDQUOT})\].*\s*\Z", re.MULTILINE)


def job_command(python: Path, runner: Path, folder: Path, grace: float) -> list[str]:
    """Return how the child is started: isolated from the worker's Python variables, unbuffered for live logs.

    :param grace: seconds that what the job leaves running has between SIGTERM and SIGKILL.
    """
    return [str(python), "-I", "-u", str(runner), "--grace", f"{grace:g}", str(folder)]


def connector_command(folder: Path) -> list[str]:
    """Return the command for the child of an extract or load: this package, in the worker's Python."""
    return [sys.executable, "-u", "-m", "aqueduct_provider.connectors", str(folder)]


def job_variables(worker: Mapping[str, str], also: frozenset[str], python: Path) -> dict[str, str]:
    """Return the child's environment variables.

    :param worker: those of the worker.
    :param also: further names that the configuration allows.
    :param python: the child's interpreter; its folder comes first on the path.
    """
    passed = PASSED_VARIABLES | also
    env = {name: value for name, value in worker.items() if name in passed or name.startswith("LC_")}
    env["PATH"] = os.pathsep.join([str(python.parent), env.get("PATH", os.defpath)])
    return env


def read_outcome(folder: Path, finished: Finished, *, by_user: bool = True) -> JobOutcome:
    """Return the outcome that the child left.

    :param by_user: whether code of the user ran in it.
    :raises OperatorFailed: that code left something else.
    :raises OperatorKilled: Airflow asked for the end.
    :raises OperatorTimedOut: the child ran too long.
    :raises DiskFull: it could not write the outcome.
    :raises OperatorCrashed: it ended without an outcome.
    """
    if finished.killed:
        raise OperatorKilled("The task was ended; its child process and all that it had started are gone.")
    if finished.timed_out:
        raise OperatorTimedOut(
            f"The operator ran longer than its timeout and was ended after {finished.wall_time:.1f} s. "
            "Raise its timeout, or make it faster."
        )
    try:
        found = outcome.read(folder)
    except ValueError as error:
        raise outcome.untrue(f"{OUTCOME_FILE} {error}", by_user=by_user) from error
    if found is None:
        if _FULL.search(finished.stderr[-1000:]):
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise disk_error(full, folder, TEMPORARY_REMEDY) or full
        raise OperatorCrashed(_crash(finished.returncode), context=finished.stderr[-4000:])
    return found


def _crash(code: int) -> str:
    if code >= 0:
        return (
            f"The child process ended itself with exit code {code} before it could report: the operator's "
            "code may call os._exit, or its Python could not start."
        )
    hints: dict[int, str] = {
        signal.SIGKILL: " Often this is the kernel's out-of-memory killer: give the worker more memory.",
        signal.SIGSEGV: " A compiled library that the operator uses crashed.",
    }
    name = next((f" ({known.name})" for known in signal.Signals if known == -code), "")
    return f"The child process was killed by signal {-code}{name}.{hints.get(-code, '')}"

"""Decide whether a job failed because a cache of this worker is damaged, and repair that.

Damaged is a kept environment that has lost or changed files, and byte code that was cut short, as a full
disk leaves it. User code can print and report what it likes: it decides only whether to look for damage.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from aqueduct_provider.environment.cache import PythonEnvironment
from aqueduct_provider.environment.damage import discard_if_damaged
from aqueduct_provider.errors import OperatorCrashed
from aqueduct_provider.execution.runner_package import forget_compiled
from aqueduct_provider.runner.contract import JobOutcome

log = logging.getLogger(__name__)

# The function of Python's importlib that reads byte code, in tracebacks.
_READS_BYTECODE = ", in _compile_bytecode"
# Run by the Python whose byte code it is: no other can read it.
_DROP_UNREADABLE = """
import marshal, os, sys
ending = f".{sys.implementation.cache_tag}.pyc"
dropped = 0
for top in sys.argv[1:]:
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(ending) and not os.path.islink(path):
                try:
                    with open(path, "rb") as file:
                        marshal.loads(file.read()[16:])
                except (EOFError, ValueError, TypeError):
                    os.unlink(path)
                    dropped += 1
print(dropped)
"""


def repair(
    result: JobOutcome | OperatorCrashed, environment: PythonEnvironment, runner: Path, *, may_repeat: bool
) -> str:
    """Repair what made a job fail, and log a warning.

    :param environment: the leased one; if it is damaged, the next lease builds it again.
    :param runner: the folder of the runner.
    :param may_repeat: whether the job may run again.
    :return: what was damaged and what follows, in sentences; empty: nothing was.
    """
    if isinstance(result, OperatorCrashed):
        context, module = result.context, ""
    elif result.failure is not None:
        context, module = result.failure.context, result.failure.failed_import
    else:
        return ""
    damage = ""
    if _READS_BYTECODE in context:
        folders = [folder for folder in (runner, environment.folder) if folder is not None]
        if _drop_unreadable_bytecode(environment.executable, folders):
            forget_compiled(runner)
            damage = "byte code that cannot be read"
    elif module:
        damage = discard_if_damaged(environment, module)
    if not damage:
        return ""
    then = (
        "The operator runs again."
        if may_repeat
        else "The operator does not run again: its function had begun, and it has no retries."
    )
    place = environment.folder or environment.executable
    message = f"The environment {place} is damaged ({damage}) and is repaired. {then}"
    log.warning("%s", message)
    return message


def blame(result: JobOutcome | OperatorCrashed, damage: str) -> JobOutcome | OperatorCrashed:
    """Return the result of a job that does not run again, with the damage as its reason.

    :param damage: as :func:`repair` gives it.
    """
    advice = f"{damage} Clear its task to run it again. It had failed with:"
    if isinstance(result, OperatorCrashed):
        return OperatorCrashed(f"{advice} {result}", context=result.context)
    if result.failure is None:
        return result
    # What failed for the damage may succeed the next time.
    failure = replace(result.failure, tip=f"{advice} {result.failure.tip}", deterministic=False)
    return replace(result, failure=failure)


def _drop_unreadable_bytecode(python: Path, folders: Iterable[Path]) -> bool:
    """Remove compiled modules that cannot be read, which Python makes again; return whether any were."""
    # Without the packages of its environment, which may run code when they are found.
    command = [str(python), "-I", "-S", "-c", _DROP_UNREADABLE, *map(str, folders)]
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return finished.returncode == 0 and finished.stdout.strip() != b"0"

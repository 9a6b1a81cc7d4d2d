"""Decide whether a job failed because a cache of this worker is damaged, and repair that.

Damaged is a kept environment that has lost or changed files, and byte code that was cut short, as a full
disk leaves it.
"""

from __future__ import annotations

import logging
from pathlib import Path

from aqueduct_provider.environment.cache import PythonEnvironment
from aqueduct_provider.environment.damage import discard_if_damaged
from aqueduct_provider.errors import OperatorCrashed
from aqueduct_provider.execution.runner_package import drop_bytecode
from aqueduct_provider.runner.contract import JobOutcome

log = logging.getLogger(__name__)

# The function of Python's importlib that reads byte code, in tracebacks.
_READS_BYTECODE = ", in _compile_bytecode"


def repair(
    result: JobOutcome | OperatorCrashed, environment: PythonEnvironment, runner: Path, *, once: bool
) -> bool:
    """Repair what made a job fail, and log a warning.

    :param environment: the leased one; if it is damaged, the next lease builds it again.
    :param once: the function must not be called twice, whatever happens.
    :return: whether to run the job again.
    """
    if isinstance(result, OperatorCrashed):
        context, module, has_begun = result.context, "", False
    elif result.failure is not None:
        context, module, has_begun = (
            result.failure.context,
            result.failure.failed_import,
            result.wall_time > 0,
        )
    else:
        return False
    damage = ""
    if _READS_BYTECODE in context:
        damage = "byte code that cannot be read"
        for folder in (runner, environment.folder):
            if folder is not None:
                drop_bytecode(folder)
    elif module:
        damage = discard_if_damaged(environment, module)
    if not damage:
        return False
    again = not (once and has_begun)
    log.warning(
        "The environment %s is damaged (%s) and is repaired. %s",
        environment.folder or environment.executable,
        damage,
        "The operator runs again."
        if again
        else "The operator does not run again: its function had begun, and it has no retries.",
    )
    return again

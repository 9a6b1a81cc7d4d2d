"""Run an extract or a load in a child process: ``python -m aqueduct_provider.connectors JOB_FOLDER``.

In: one line of stdin, the order; it holds credentials, which so are in no file, argument or variable. Out:
``outcome.json`` in the folder, written last. Then stdin is the lifeline of ``runner/lifeline.py``: when the
worker dies this process does, the data system sees its connection end, and undoes what was not finished.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from aqueduct_provider.connectors import run
from aqueduct_provider.connectors.requests import ExtractOrder, Order, from_json
from aqueduct_provider.errors import AqueductError
from aqueduct_provider.runner.contract import Failure, JobOutcome, write_outcome
from aqueduct_provider.runner.disk import full_disk
from aqueduct_provider.runner.invoke import peak_memory
from aqueduct_provider.runner.lifeline import hold_lifeline
from aqueduct_provider.runner.temporary_folder import use_own_temporary_folder
from aqueduct_provider.storage.disk_errors import TEMPORARY_REMEDY, disk_error


def main(arguments: Sequence[str]) -> int:
    """Do the order in the folder that the arguments name; the exit code."""
    order = from_json(_first_line())
    hold_lifeline()
    use_own_temporary_folder(str(Path(arguments[0]).absolute()))
    started, processor = time.perf_counter(), time.process_time()
    outcome = _outcome(order, Path(arguments[0]))
    outcome = replace(
        outcome,
        wall_time=time.perf_counter() - started,
        cpu_time=time.process_time() - processor,
        max_memory_mb=peak_memory() / 1_000_000,
    )
    write_outcome(outcome, arguments[0])
    return 0


def _outcome(order: Order, folder: Path) -> JobOutcome:
    try:
        if isinstance(order, ExtractOrder):
            return JobOutcome(outputs=[run.extract(order, folder)])
        rows = run.load(order, folder)
        done = "An earlier try has written the rows already." if rows is None else f"Wrote {rows} rows."
        print(f"{order.system.connector}, {order.target}: {done}", flush=True)
        return JobOutcome()
    except AqueductError as error:
        if failure := _full_disk(error, order, folder):
            return JobOutcome(failure=failure)
        tip = _without_secrets(str(error), order)
        return JobOutcome(failure=Failure(error.fault, tip, deterministic=not error.retryable))
    except Exception as error:
        if failure := _full_disk(error, order, folder):
            return JobOutcome(failure=failure)
        tip = f"The connector {order.system.connector} failed: {type(error).__name__}: {error}"
        context = traceback.format_exc()
        return JobOutcome(
            failure=Failure("system", _without_secrets(tip, order), _without_secrets(context, order))
        )


def _full_disk(error: BaseException, order: Order, folder: Path) -> Failure | None:
    """Blame a full disk, where there is one behind the error, and not the data system."""
    found = full_disk(error)
    translated = disk_error(found, folder, TEMPORARY_REMEDY) if found else None
    if translated is None:
        return None
    if isinstance(order, ExtractOrder):
        # Half an artifact is of no use, and the outcome needs some space.
        (folder / order.path).unlink(missing_ok=True)
    return Failure(translated.fault, str(translated))


def _without_secrets(text: str, order: Order) -> str:
    """Return the text with everything removed that drivers may have put into their messages."""
    from aqueduct_provider.spec.compiled_facts import secret_texts
    from aqueduct_provider.spec.redactor import Redactor

    return Redactor(secret_texts(order.system.config))(text)


def _first_line() -> str:
    return b"".join(_bytes()).decode("utf-8")


def _bytes() -> Iterator[bytes]:
    """Up to the end of the line: what comes after it belongs to the lifeline."""
    while piece := os.read(0, 65_536):
        line, end, _ = piece.partition(b"\n")
        yield line
        if end:
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""One operator here and now: a recorded call and its stored inputs -> its stored outputs.

The rules are those of Airflow (``runner/results.py``, ``runner/codecs.py``): inputs are decoded for this call
alone, outputs are typed and encoded, and the working directory holds what the archive holds. What the user's
code raises becomes an ``OperatorFailed`` that has the user's error as its cause. The function runs in this
process.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from aqueduct_provider.errors import OperatorFailed
from aqueduct_provider.runner.codecs import CodecError, Encoded, decode, decode_file, describe, encode
from aqueduct_provider.runner.figures import drawn
from aqueduct_provider.runner.packages import input_name, missing_for_input
from aqueduct_provider.runner.results import (
    ResultError,
    check_result,
    metric_type,
    one_line,
    output_name,
    plain_number,
    split_results,
    typed_output,
)
from aqueduct_provider.runner.tracebacks import user_traceback
from aqueduct_provider.sdk.authoring.kept_tables import kept_table
from aqueduct_provider.sdk.authoring.nodes import OperatorNode
from aqueduct_provider.sdk.authoring.undeclared_files import undeclared_file
from aqueduct_provider.sdk.authoring.worker_imports import UndeclaredModule
from aqueduct_provider.sdk.authoring.working_folder import WorkingFolder, working_folder
from aqueduct_provider.sdk.settings import inside_operator

# Tables as native flows store them.
TABLES = "parquet"


@dataclass(frozen=True)
class Results:
    """The results of an operator.

    :param outputs: one per output, encoded.
    :param runtime: wall seconds of the call.
    :param max_memory: the most memory that this process ever had resident until then, in MB (10**6 bytes); on
        Airflow it is that of the operator's own process.
    :param passed: for checks: what the check said.
    """

    outputs: tuple[Encoded, ...]
    runtime: float = 0.0
    max_memory: float = 0.0
    passed: bool | None = None


def run_operator(operator: OperatorNode, inputs: Sequence[Encoded]) -> Results:
    """Call the function of an operator of kind function, metric or check.

    :raises OperatorFailed: when the function raises, or returns what the operator must not return.
    """
    if operator.function is None:
        raise ValueError(f"the {operator.kind} {operator.name!r} has no function")
    snapshot = operator.function.snapshot
    watched = snapshot.run() if snapshot else nullcontext()
    with watched, working_folder(operator.function, operator.name) as folder:
        return run_in_folder(operator, inputs, folder)


def run_in_folder(operator: OperatorNode, inputs: Sequence[Encoded], folder: WorkingFolder) -> Results:
    """Do as :func:`run_operator` in a folder that is laid out and entered already."""
    from aqueduct_provider.runner.invoke import peak_memory

    with inside_operator():
        # As on a worker: values are decoded, and encoded, where the function's own modules are.
        given = operator.function.views if operator.function else ()
        views = itertools.chain(given, itertools.repeat(""))
        values = [_input(operator, number, item, next(views)) for number, item in enumerate(inputs, 1)]
        started = time.perf_counter()
        returned = _guarded(operator, folder, values)
        runtime = time.perf_counter() - started
        outputs, passed = _kept(operator, returned)
    return Results(outputs, runtime, peak_memory() / 1_000_000, passed)


def _kept(operator: OperatorNode, returned: Any) -> tuple[tuple[Encoded, ...], bool | None]:
    """Return what is kept of what the function returned; and of a check, what it said."""
    try:
        typed = _typed(operator, returned)
    except ResultError as exc:
        raise _failed(operator.name, str(exc), deterministic=True) from exc
    return _encoded(operator, typed), bool(typed[0][0]) if operator.kind == "check" else None


def run_extract(operator: OperatorNode, inputs: Sequence[Encoded]) -> Results:
    """Read what an extract reads.

    :raises OperatorFailed: an input is not text, or a file is not what it should be.
    :raises DataSystemError: the data system does not do what is asked.
    """
    if operator.system is None:
        raise ValueError(f"the {operator.kind} {operator.name!r} has no data system")
    for number, item in enumerate(inputs, 1):
        if item.serialization_type != "string":
            tip = f"Parameter {number} must be a string, not {item.artifact_type}."
            raise _failed(operator.name, tip, deterministic=True)
    return Results((operator.system.read(operator.place, [item.data.decode() for item in inputs]),))


def decoded(encoded: Encoded, view: str = "") -> Any:
    """Return a new copy of a kept value. Raises ``CodecError`` or ``ImportError``.

    :param view: as which library's frame a table is given.
    """
    kinds = encoded.serialization_type, encoded.artifact_type, view
    return decode(encoded.data, *kinds) if encoded.path is None else decode_file(encoded.path, *kinds)


def _input(operator: OperatorNode, number: int, item: Encoded, view: str) -> Any:
    artifact = operator.inputs[number - 1]
    label = input_name(number, artifact.name, artifact.producer.name)
    try:
        return decoded(item, view)
    except (CodecError, ImportError) as exc:
        missing = missing_for_input(label, exc) if isinstance(exc, ImportError) else None
        raise _failed(operator.name, missing or f"{label} {_reason(exc)}", deterministic=True) from exc


def _typed(operator: OperatorNode, returned: Any) -> list[tuple[Any, str]]:
    """Return the values to keep with their artifact types."""
    if operator.kind == "metric":
        kind = metric_type(returned)
        return [(plain_number(returned), kind)]
    if operator.kind == "check":
        return [(check_result(returned), "boolean")]
    values = [drawn(value) for value in split_results(returned, len(operator.outputs))]
    return [
        (value, typed_output(value, slot.type, output_name(slot.name, number)))
        for number, (slot, value) in enumerate(zip(operator.outputs, values, strict=True), 1)
    ]


def _encoded(operator: OperatorNode, typed: list[tuple[Any, str]]) -> tuple[Encoded, ...]:
    found = []
    for number, (slot, (value, kind)) in enumerate(zip(operator.outputs, typed, strict=True), 1):
        try:
            found.append(kept_table(value, TABLES) if kind == "table" else encode(value, kind, TABLES))
        except (CodecError, ImportError) as exc:
            tip = f"{output_name(slot.name, number)} {_reason(exc)}"
            raise _failed(operator.name, tip, deterministic=True) from exc
    return tuple(found)


def _reason(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"needs a package that is not installed here: {describe(error)}"
    return str(error)


def _guarded(operator: OperatorNode, folder: WorkingFolder, values: list[Any]) -> Any:
    """Call the user's code under guard; only an interrupt at the keyboard passes."""
    name, function = operator.name, operator.function
    if function is None:
        raise ValueError(f"the {operator.kind} {name!r} has no function")
    try:
        return function.call(*values)
    except SystemExit as exc:
        tip = f"The operator's code ended the process itself ({describe(exc)}); return a value instead."
        raise _failed(name, tip, exc) from exc
    except UndeclaredModule as exc:
        raise _failed(name, f"{exc}.", exc, deterministic=True) from exc
    except ModuleNotFoundError as exc:
        tip = f"The module {exc.name!r} is missing here: install its package, and add it to the requirements."
        raise _failed(name, tip, exc, deterministic=True) from exc
    except Exception as exc:
        hint = undeclared_file(exc, function.folder, folder)
        tip = f"{one_line(exc)}. {hint}" if hint else one_line(exc)
        raise _failed(name, tip, exc, deterministic=bool(hint)) from exc


def _failed(
    name: str, tip: str, cause: BaseException | None = None, *, deterministic: bool = False
) -> OperatorFailed:
    context = ""
    if cause is not None:
        # The first frame is this package's.
        own = cause.__traceback__
        context = user_traceback(cause.with_traceback(own and own.tb_next))
    return OperatorFailed(f"Error in {name!r}: {tip}", context=context, deterministic=deterministic)

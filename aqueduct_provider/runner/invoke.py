"""Run one job: a :class:`JobRequest` and its folder become a :class:`JobOutcome`.

Loads and calls the user's function, or converts between files and artifacts, and writes the outputs into
the job folder. Outcomes are data: whatever the user's code does becomes a ``Failure`` of kind ``user``,
whatever goes wrong around it one of kind ``system``; nothing is raised. What the code prints leaves by the
child's own pipes. Standard library only at module level.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from dataclasses import replace
from typing import Any, Callable, Dict, List, NoReturn, Optional

from .codecs import NATIVE, CodecError, decode_file, describe, encode
from .contract import (
    REQUEST_FILE,
    Failure,
    FunctionCall,
    InputFile,
    JobOutcome,
    JobRequest,
    OutputInfo,
    OutputSlot,
)
from .describe_output import describe_output
from .disk import free_space, full_disk
from .failed_import import failed_import
from .figures import drawn
from .packages import input_name, missing_for_input, package_of
from .pickles import data_only
from .results import (
    ResultError,
    check_result,
    metric_type,
    one_line,
    output_name,
    plain_number,
    split_results,
    typed_output,
)
from .tracebacks import full_traceback, user_traceback


class _UserFailure(Exception):
    """The job fails, and its user must act.

    :param cause: what the user's code raised, when it did.
    """

    def __init__(
        self, tip: str, cause: Optional[BaseException] = None, *, deterministic: bool = True
    ) -> None:
        super().__init__(tip)
        context = user_traceback(cause) if cause else ""
        self.failure = Failure("user", tip, context, deterministic, failed_import(cause))


class _Meter:
    """Wall and CPU time of the user's call."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self._start = time.perf_counter(), _cpu_seconds()

    def __exit__(self, *_: Any) -> None:
        wall, cpu = self._start
        self.wall, self.cpu = time.perf_counter() - wall, _cpu_seconds() - cpu


def run_job(request: JobRequest, folder: str) -> JobOutcome:
    """Do what the request asks for.

    :param folder: absolute path of the job folder.
    """
    meter = _Meter()
    try:
        outcome = _OPERATIONS[request.operation](request, folder, meter)
    except _UserFailure as exc:
        outcome = JobOutcome(failure=_full_disk(request, folder, exc, exc.failure.context) or exc.failure)
    except ResultError as exc:
        outcome = JobOutcome(failure=Failure("user", str(exc), deterministic=True))
    except BaseException as exc:
        tip = f"The runner failed: {one_line(exc)}"
        failure = Failure("system", tip, full_traceback(exc), failed_import=failed_import(exc))
        failure = _full_disk(request, folder, exc, failure.context) or failure
        outcome = JobOutcome(failure=failure)
    return replace(outcome, wall_time=meter.wall, cpu_time=meter.cpu, max_memory_mb=peak_memory() / 1_000_000)


def _full_disk(request: JobRequest, folder: str, error: BaseException, context: str) -> Optional[Failure]:
    """Blame a full disk, where there is one behind the error, and not the code that met it."""
    found = full_disk(error)
    if found is None:
        return None
    # Writing to an open file gives no name.
    path = found.filename if isinstance(found.filename, str) else folder
    free = free_space(path)
    # Half an output is of no use, and the outcome needs some space.
    for slot in request.outputs:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, slot.path))
    remedy = "Free some space, or set the environment variable TMPDIR to another folder."
    return Failure("system", f"{path}: {found.strerror} ({free}). {remedy}", context)


def _run_function(request: JobRequest, folder: str, meter: _Meter) -> JobOutcome:
    values = split_results(_call_user(request, folder, meter), len(request.outputs))
    if request.table_serialization == NATIVE:
        values = [drawn(value) for value in values]
    infos = []
    for number, (slot, value) in enumerate(zip(request.outputs, values), 1):
        kind = typed_output(value, slot.expected_type, output_name(slot.name, number))
        infos.append(_write(request, folder, slot, value, kind, number))
    return JobOutcome(infos)


def _run_metric(request: JobRequest, folder: str, meter: _Meter) -> JobOutcome:
    value = _call_user(request, folder, meter)
    kind = metric_type(value)
    if request.table_serialization == NATIVE:
        value = plain_number(value)
    return JobOutcome([_write(request, folder, request.outputs[0], value, kind)])


def _run_check(request: JobRequest, folder: str, meter: _Meter) -> JobOutcome:
    passed = check_result(_call_user(request, folder, meter))
    return JobOutcome([_write(request, folder, request.outputs[0], passed, "boolean")], check_passed=passed)


def _run_param(request: JobRequest, folder: str, _: _Meter) -> JobOutcome:
    value = _read_inputs(request, folder, "The parameter's value")[0]
    expected = request.outputs[0].expected_type
    # Values given at trigger time are JSON, which has neither tuples nor JSON strings.
    if request.inputs[0].serialization_type == "json":
        if expected == "tuple" and isinstance(value, list):
            value = tuple(value)
        elif expected == "json" and not isinstance(value, str):
            value = json.dumps(value)
    kind = typed_output(value, expected, "The parameter's value")
    return JobOutcome([_write(request, folder, request.outputs[0], value, kind)])


def _run_extract(request: JobRequest, folder: str, _: _Meter) -> JobOutcome:
    from .file_formats import merge_tables, read_file

    try:
        values = [
            read_file(_read_bytes(folder, file.path), file.key, file.artifact_type, file.format)
            for file in request.files
        ]
        if not request.as_list:
            value, kind = values[0], request.files[0].artifact_type
        elif request.merge:
            value, kind = merge_tables(values), "table"
        else:
            value, kind = tuple(values), "tuple"
    except (CodecError, ImportError) as exc:
        _fail_codec("", exc)
    return JobOutcome([_write(request, folder, request.outputs[0], value, kind)])


def _run_load(request: JobRequest, folder: str, _: _Meter) -> JobOutcome:
    from .file_formats import write_file

    # Earlier inputs are parameters that the worker has put into the path already.
    request = replace(request, inputs=[replace(request.inputs[-1], view="pandas")])
    value = _read_inputs(request, folder, "The artifact to save")[0]
    try:
        kind = request.inputs[0].artifact_type
        data = write_file(value, kind, request.load_format, request.load_suffix)
    except (CodecError, ImportError) as exc:
        _fail_codec("The artifact to save", exc)
    _write_bytes(folder, request.load_path, data)
    return JobOutcome()


_OPERATIONS: Dict[str, Callable[[JobRequest, str, _Meter], JobOutcome]] = {
    "function": _run_function,
    "metric": _run_metric,
    "check": _run_check,
    "param": _run_param,
    "extract": _run_extract,
    "load": _run_load,
}


def _call_user(request: JobRequest, folder: str, meter: _Meter) -> Any:
    """Call the user's function with the inputs."""
    call = request.call
    if call is None:
        raise ValueError(f"a {request.operation} job needs a call")
    code_dir = os.path.join(folder, call.code_dir)
    os.chdir(code_dir)
    sys.path.insert(len(sys.path) if call.searched_last else 0, code_dir)
    # A function may unpickle classes of its own modules: the code folder must be importable by now.
    inputs = _read_inputs(request, folder)
    function = _guarded("loading the function", load_function, call)
    # From here on the worker must not run the job again by itself; see the contract.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, REQUEST_FILE))
    with meter:
        return _guarded("the function", function, *inputs)


def load_function(call: FunctionCall) -> Callable[..., Any]:
    name = os.path.splitext(call.entry_file)[0].replace("/", ".")
    module = importlib.import_module(name)
    owner: Any = module
    if call.entry_class:
        owner = _attribute(module, call.entry_class, call.entry_file)()
        if call.custom_args:
            owner.set_args(json.loads(call.custom_args))
    function: Callable[..., Any] = _attribute(owner, call.entry_method, call.entry_class or call.entry_file)
    return function


def _attribute(owner: Any, name: str, owner_name: str) -> Any:
    if not hasattr(owner, name):
        raise _UserFailure(f"{owner_name} has no {name!r}, which the operator's entry point names.")
    return getattr(owner, name)


def _guarded(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Run the user's code and turn whatever it raises into the user's failure."""
    try:
        return function(*arguments)
    except _UserFailure:
        raise
    except (SystemExit, KeyboardInterrupt) as exc:
        tip = f"The operator's code ended the process itself ({describe(exc)}); return a value instead."
        raise _UserFailure(tip, exc, deterministic=False) from exc
    except ImportError as exc:
        raise _UserFailure(_import_tip(exc), exc) from exc
    except SyntaxError as exc:
        tip = f"The operator's code is not valid in Python {_python()}: {one_line(exc)}"
        raise _UserFailure(tip, exc) from exc
    except BaseException as exc:
        tip = f"Error in {what}: {one_line(exc)}"
        raise _UserFailure(tip, exc, deterministic=False) from exc


def _import_tip(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = package_of(error.name)
        return f"The module {error.name!r} is not installed: add {package} to the requirements."
    return f"An import failed: {one_line(error)}. Check the versions in the requirements."


def _read_inputs(request: JobRequest, folder: str, what: str = "") -> List[Any]:
    values = []
    for number, item in enumerate(request.inputs, 1):
        label = what or input_name(number, item.name, item.maker)
        try:
            values.append(_read_input(folder, item))
        except ImportError as exc:
            raise _UserFailure(missing_for_input(label, exc) or _import_tip(exc), exc) from exc
        except CodecError as exc:
            _fail_codec(label, exc)
    return values


def _read_input(folder: str, item: InputFile) -> Any:
    path = os.path.join(folder, item.path)
    with data_only() if item.data_only else contextlib.nullcontext():
        return decode_file(path, item.serialization_type, item.artifact_type, item.view)


def _fail_codec(what: str, error: Exception) -> NoReturn:
    if isinstance(error, ImportError):
        raise _UserFailure(_import_tip(error), error) from error
    raise _UserFailure(f"{what} {error}".strip(), error.__cause__) from error


def _write(
    request: JobRequest, folder: str, slot: OutputSlot, value: Any, kind: str, number: int = 1
) -> OutputInfo:
    from_mongodb = any(item.serialization_type == "bson_table" for item in request.inputs)
    path = os.path.join(folder, slot.path)
    try:
        encoded = encode(value, kind, request.table_serialization, from_mongodb=from_mongodb, path=path)
    except (CodecError, ImportError) as exc:
        _fail_codec(output_name(slot.name, number), exc)
    previews = request.table_serialization == NATIVE
    glance, preview = describe_output(value, encoded.artifact_type, path, previews=previews)
    return OutputInfo(
        slot.path,
        encoded.artifact_type,
        encoded.serialization_type,
        encoded.python_type,
        encoded.encoding,
        encoded.schema,
        glance,
        preview,
    )


def _read_bytes(folder: str, path: str) -> bytes:
    with open(os.path.join(folder, path), "rb") as file:
        return file.read()


def _write_bytes(folder: str, path: str, data: bytes) -> None:
    with open(os.path.join(folder, path), "wb") as file:
        file.write(data)


def _python() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def peak_memory() -> int:
    """Return the peak resident memory of this process in bytes."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

"""Stage 6, one function per operator type: what it needs in its job folder, and the request for the child.

In: a task, its worker and an empty job folder. Out: a :class:`Job`; the inputs then lie in the folder,
verified. Only system metrics need no child: they read one JSON document.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aqueduct_provider.artifacts.transfer import fetch_content, fetch_metadata, mismatch
from aqueduct_provider.environment.fingerprint import EnvironmentSpec
from aqueduct_provider.errors import ObjectNotFound, OperatorFailed
from aqueduct_provider.execution.code import CodeFolder, fetch_code
from aqueduct_provider.execution.requirements import environment_of, serialization_of
from aqueduct_provider.execution.task import Task, Worker
from aqueduct_provider.runner.contract import (
    ExternalFile,
    FunctionCall,
    InputFile,
    JobOutcome,
    JobRequest,
    OutputInfo,
    OutputSlot,
)
from aqueduct_provider.spec.graph import consumers
from aqueduct_provider.spec.models import (
    CallOperator,
    Code,
    ExtractOperator,
    InlineDefault,
    LoadOperator,
    Operator,
    ParamOperator,
    SystemMetricOperator,
)
from aqueduct_provider.spec.values import VALUES_KEY, StoredValue
from aqueduct_provider.storage.base import ObjectStore
from aqueduct_provider.storage.layout import FlowLayout
from aqueduct_provider.storage.parallel import together

log = logging.getLogger(__name__)

Fetched = TypeVar("Fetched")

LOADED_FILE = "loaded"
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# Serialization types that only decode where the value's own packages are.
PICKLES = frozenset({"pickle", "tensorflow-keras-model"})


@dataclass(frozen=True)
class Job:
    """What the child is asked, and the environment it is asked in.

    :param upload: for loads, where the file that the child writes goes.
    """

    request: JobRequest
    environment: EnvironmentSpec
    upload: tuple[ObjectStore, str] | None = None


@dataclass(frozen=True)
class Bench:
    """One task at work: what is run, with what, and the job folder it is laid out in."""

    task: Task
    worker: Worker
    folder: Path

    def fetch_inputs(self, artifact_ids: Iterable[str], *also: Callable[[], Any]) -> list[InputFile]:
        """Fetch artifacts into the folder, all at once, together with whatever else can be fetched."""
        refs = [self.task.inputs[artifact_id] for artifact_id in artifact_ids]
        files = [
            InputFile(f"inputs/{index}", ref.artifact_type, ref.serialization_type)
            for index, ref in enumerate(refs)
        ]
        (self.folder / "inputs").mkdir(exist_ok=True)
        fetches: list[Callable[[], Any]] = [
            partial(fetch_content, self.worker.store, ref, self.folder / file.path)
            for ref, file in zip(refs, files, strict=True)
        ]
        together([*also, *fetches], self.worker.requests)
        return files

    def fetch_code(self, code: Code) -> CodeFolder:
        """Fetch a function archive into the folder."""
        worker = self.worker
        return fetch_code(
            worker.store,
            code,
            self.folder / "code",
            cache=worker.cache_dir / "code",
            limits=worker.archive_limits,
        )

    def output_slots(self) -> list[OutputSlot]:
        """One slot for each of the operator's outputs."""
        (self.folder / "outputs").mkdir(exist_ok=True)
        artifacts = [self.task.workflow.artifact(output) for output in self.task.operator.outputs]
        return [
            OutputSlot(f"outputs/{index}", artifact.type.value, artifact.name)
            for index, artifact in enumerate(artifacts)
        ]

    def environment(self, code: CodeFolder | None, serializations: Iterable[str]) -> EnvironmentSpec:
        """The environment of some code, or of none, that reads these and writes the operator's outputs."""
        tables = self.task.table_serialization
        types = [self.task.workflow.artifact(output).type for output in self.task.operator.outputs]
        wanted = [*serializations, *(serialization_of(artifact_type, tables) for artifact_type in types)]
        if code is None:
            return environment_of((), None, wanted, tables)
        return environment_of(code.requirements, code.python_version, ["pickle", *wanted], tables)

    def environment_beside(
        self, neighbours: Iterable[Operator], *, reads: str, writes: str = ""
    ) -> EnvironmentSpec:
        """The environment of an operator without code of its own.

        Pickles need the packages of those who made or will read them, so they are read in the environment
        of the first neighbour that has code.

        :param reads: serialization type of what it reads.
        :param writes: serialization type of what it writes beside its outputs.
        """
        code = next((near.code for near in neighbours if isinstance(near, CallOperator)), None)
        folder = self.fetch_code(code) if code is not None and reads in PICKLES else None
        return self.environment(folder, [reads, writes])


def prepare(task: Task, worker: Worker, folder: Path) -> Job | JobOutcome:
    """Lay out the job folder for a task; operators that need no child are done here and give their outcome.

    :param folder: an empty folder.
    """
    bench = Bench(task, worker, folder)
    operator = task.operator
    if isinstance(operator, ParamOperator):
        return _param(bench, operator)
    if isinstance(operator, SystemMetricOperator):
        return _system_metric(bench, operator)
    if isinstance(operator, ExtractOperator):
        return _extract(bench, operator)
    if isinstance(operator, LoadOperator):
        return _load(bench, operator)
    return _call(bench, operator)


def _call(bench: Bench, operator: CallOperator) -> Job:
    fetched: list[CodeFolder] = []
    inputs = bench.fetch_inputs(operator.inputs, lambda: fetched.append(bench.fetch_code(operator.code)))
    code = fetched[0]
    slots = bench.output_slots()
    request = JobRequest(
        operation=operator.type,
        inputs=inputs,
        outputs=slots,
        call=FunctionCall(
            code_dir=str(code.path.relative_to(bench.folder)),
            entry_file=operator.code.entry_file,
            entry_class=operator.code.entry_class,
            entry_method=operator.code.entry_method,
            custom_args=operator.code.custom_args,
        ),
        table_serialization=bench.task.table_serialization,
    )
    return Job(request, bench.environment(code, [file.serialization_type for file in inputs]))


def _param(bench: Bench, operator: ParamOperator) -> Job:
    (output,) = operator.outputs
    value = _fetch_value(bench, operator, output)
    request = JobRequest(
        operation="param",
        inputs=[value],
        outputs=bench.output_slots(),
        table_serialization=bench.task.table_serialization,
    )
    readers = consumers(bench.task.workflow, output)
    return Job(request, bench.environment_beside(readers, reads=value.serialization_type))


def _fetch_value(bench: Bench, operator: ParamOperator, output: str) -> InputFile:
    """Put this run's value into the folder.

    A value that the run's conf names by its digest comes first, then what ``_write_param`` finds.
    """
    task, name = bench.task, operator.parameter
    _check_given(task)
    path = bench.folder / "inputs" / "0"
    path.parent.mkdir(exist_ok=True)
    if given := task.given.get(name):
        _fetch_given(bench, given, path)
        return InputFile("inputs/0", given.artifact_type, given.serialization_type)
    serialization = _write_param(bench, operator, output, path)
    return InputFile("inputs/0", task.workflow.parameter(name).type.value, serialization)


def _check_given(task: Task) -> None:
    if task.given and task.workflow.compiled is not None:
        raise OperatorFailed(
            f"The run's conf has {VALUES_KEY!r}, which compiled flows do not know. Give them values that are "
            "JSON, under the parameter's own name, or publish the flow with aqueduct_provider.sdk.",
            deterministic=True,
        )
    unknown = task.given.keys() - {parameter.name for parameter in task.workflow.parameters}
    if unknown:
        names = ", ".join(map(repr, sorted(unknown)))
        log.warning("%r in the run's conf names no parameter of this flow: %s. Ignored.", VALUES_KEY, names)


def _fetch_given(bench: Bench, given: StoredValue, path: Path) -> None:
    store = bench.worker.store
    key = FlowLayout(str(bench.task.workflow.flow.id)).value(given.sha256)
    found = _user_keys(lambda: store.get_file(key, path)).sha256
    if found != given.sha256:
        raise mismatch(store.url(key), wanted=given.sha256, found=found)


def _write_param(bench: Bench, operator: ParamOperator, output: str, path: Path) -> str:
    """Write this run's value and give its serialization type.

    The value given at trigger time comes first; then, in the compiled dialect, an object that lies at the
    run's own key; then the published default (Aqueduct formats, section 2, "Run-scoped keys").
    """
    task, store = bench.task, bench.worker.store
    default = task.workflow.parameter(operator.parameter).default
    given = task.params.get(operator.parameter)
    if given is None and isinstance(default, InlineDefault):
        given = default.value
    if given is not None or isinstance(default, InlineDefault):
        return _write_json(given, path)
    if task.workflow.compiled is not None:
        with contextlib.suppress(ObjectNotFound):
            store.get_file(task.layout.content(output), path)
            return default.serialization_type
    found = store.get_file(default.key, path).sha256
    if default.sha256 and found != default.sha256:
        raise mismatch(store.url(default.key), wanted=default.sha256, found=found)
    return default.serialization_type


def _write_json(value: Any, path: Path) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    path.write_text(text, encoding="utf-8")
    return "string" if isinstance(value, str) else "json"


def _system_metric(bench: Bench, operator: SystemMetricOperator) -> JobOutcome:
    (source,) = operator.inputs
    data = fetch_metadata(bench.worker.store, bench.task.inputs[source])
    measured = json.loads(data)["system_metadata"].get(operator.metric)
    if measured is None:
        name = bench.task.workflow.artifact(source).name
        raise OperatorFailed(
            f"There is no {operator.metric} of {name!r}: only functions, metrics and checks are measured.",
            deterministic=True,
        )
    (slot,) = bench.output_slots()
    (bench.folder / slot.path).write_text(json.dumps(float(measured)), encoding="utf-8")
    return JobOutcome(outputs=[OutputInfo(slot.path, "numeric", "json", "float", "json/v1")])


def _extract(bench: Bench, operator: ExtractOperator) -> Job:
    source = operator.source
    store = bench.worker.connect(operator)
    keys = _keys(store, source.filepath)
    files = [
        ExternalFile(f"files/{index}", store.url(key), source.artifact_type.value, source.format or "")
        for index, key in enumerate(keys)
    ]
    (bench.folder / "files").mkdir()
    fetches = [
        partial(store.get_file, key, bench.folder / file.path) for key, file in zip(keys, files, strict=True)
    ]
    _user_keys(lambda: together(fetches, bench.worker.requests))
    single = isinstance(source.filepath, str) and not source.filepath.endswith("/")
    request = JobRequest(
        operation="extract",
        files=files,
        outputs=bench.output_slots(),
        merge=source.merge,
        as_list=not single,
        table_serialization=bench.task.table_serialization,
    )
    reads = "parquet" if source.format == "Parquet" else serialization_of(source.artifact_type, "table")
    readers = consumers(bench.task.workflow, operator.outputs[0])
    return Job(request, bench.environment_beside(readers, reads=reads))


def _keys(store: ObjectStore, filepath: str | tuple[str, ...]) -> list[str]:
    if not isinstance(filepath, str):
        return list(filepath)
    if not filepath.endswith("/"):
        return [filepath]
    keys = [key for key in store.list(filepath) if not key.endswith("/")]
    if not keys:
        raise OperatorFailed(f"There are no files below {store.url(filepath)}.", deterministic=True)
    return keys


def _load(bench: Bench, operator: LoadOperator) -> Job:
    *params, saved = operator.inputs
    inputs = bench.fetch_inputs(operator.inputs)
    values = [_text(bench, param, file) for param, file in zip(params, inputs, strict=False)]
    key = _fill(operator.target.filepath, values)
    request = JobRequest(
        operation="load",
        inputs=inputs[-1:],
        load_path=LOADED_FILE,
        load_format=operator.target.format or "",
        table_serialization=bench.task.table_serialization,
    )
    environment = bench.environment_beside(
        [bench.task.workflow.producer(saved)],
        reads=inputs[-1].serialization_type,
        writes="parquet" if operator.target.format == "Parquet" else "pickle",
    )
    return Job(request, environment, upload=(bench.worker.connect(operator), key))


def _text(bench: Bench, artifact_id: str, file: InputFile) -> str:
    if file.serialization_type != "string":
        name = bench.task.workflow.artifact(artifact_id).name
        raise OperatorFailed(
            f"{name!r} fills a placeholder of the file path and must be a string, not {file.artifact_type}.",
            deterministic=True,
        )
    return (bench.folder / file.path).read_text(encoding="utf-8")


def _fill(filepath: str, values: list[str]) -> str:
    """The file path with its ``{name}`` placeholders filled by the values, in the order of first appearance.

    As in the original, a name that stands twice gets one value, and without values braces are plain text.
    """
    if not values:
        return filepath
    names = list(dict.fromkeys(PLACEHOLDER.findall(filepath)))
    if len(names) != len(values):
        raise OperatorFailed(
            f"The file path {filepath!r} has {len(names)} placeholders, but {len(values)} string inputs.",
            deterministic=True,
        )
    filled = dict(zip(names, values, strict=True))
    return PLACEHOLDER.sub(lambda found: filled[found[0]], filepath)


def _user_keys(fetch: Callable[[], Fetched]) -> Fetched:
    """A file that the flow or its run names and that is not there is their mistake, not the system's."""
    try:
        return fetch()
    except ObjectNotFound as error:
        raise OperatorFailed(str(error), deterministic=True) from error

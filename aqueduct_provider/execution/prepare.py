"""Prepare a job: lay out its folder and make its request, with one function per operator type.

In: a task, its worker and an empty job folder. Out: a :class:`Job` or a :class:`TableJob`; the inputs then
lie in the folder, verified. Only system metrics need no child: they read one JSON document.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from aqueduct_provider.artifacts.transfer import fetch_file, fetch_metadata
from aqueduct_provider.errors import ObjectNotFound, OperatorFailed
from aqueduct_provider.execution.file_jobs import extract_files, load_file
from aqueduct_provider.execution.function_archive import CodeFolder
from aqueduct_provider.execution.table_jobs import extract_table, load_table
from aqueduct_provider.execution.task import OperatorTask, Worker
from aqueduct_provider.execution.workspace import Bench, Job, TableJob, user_keys
from aqueduct_provider.runner.contract import FunctionCall, InputFile, JobOutcome, JobRequest, OutputInfo
from aqueduct_provider.runner.serializations import RUNS_CODE
from aqueduct_provider.spec.graph import consumers
from aqueduct_provider.spec.models import (
    ArtifactType,
    CallOperator,
    ExtractOperator,
    InlineDefault,
    LoadOperator,
    ParamOperator,
    SystemMetricOperator,
)
from aqueduct_provider.spec.run_values import StoredValue, given_problem, value_digest
from aqueduct_provider.spec.system_operators import FilesExtract, FilesLoad
from aqueduct_provider.storage.layout import FlowLayout


def prepare(task: OperatorTask, worker: Worker, folder: Path) -> Job | TableJob | JobOutcome:
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


def _extract(bench: Bench, operator: ExtractOperator) -> Job | TableJob:
    if isinstance(operator.source, FilesExtract):
        return extract_files(bench, operator, operator.source)
    return extract_table(bench, operator, operator.source)


def _load(bench: Bench, operator: LoadOperator) -> Job | TableJob:
    if isinstance(operator.target, FilesLoad):
        return load_file(bench, operator, operator.target)
    return load_table(bench, operator, operator.target)


def _call(bench: Bench, operator: CallOperator) -> Job:
    fetched: list[CodeFolder] = []
    inputs = bench.fetch_inputs(operator.inputs, lambda: fetched.append(bench.fetch_code(operator.code)))
    code = fetched[0]
    slots = bench.output_slots()
    views = itertools.chain(operator.code.views, itertools.repeat(""))
    request = JobRequest(
        operation=operator.type,
        inputs=[replace(file, view=view) for file, view in zip(inputs, views, strict=False)],
        outputs=slots,
        call=FunctionCall(
            code_dir=str(code.path.relative_to(bench.folder)),
            entry_file=operator.code.entry_file,
            entry_class=operator.code.entry_class,
            entry_method=operator.code.entry_method,
            custom_args=operator.code.custom_args,
            searched_last=bench.task.workflow.compiled is not None,
        ),
        table_serialization=bench.task.table_serialization,
    )
    return Job(request, bench.environment(code, [file.serialization_type for file in inputs], inputs))


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
    path = bench.folder / "inputs" / "0"
    path.parent.mkdir(exist_ok=True)
    if given := task.given.get(name):
        _fetch_given(bench, given, path, task.workflow.parameter(name).type)
        # A table may hold pickles of its own, which are not read.
        is_data = given.serialization_type not in RUNS_CODE
        return InputFile("inputs/0", given.artifact_type, given.serialization_type, data_only=is_data)
    serialization = _write_param(bench, operator, output, path)
    return InputFile("inputs/0", task.workflow.parameter(name).type.value, serialization)


def _fetch_given(bench: Bench, given: StoredValue, path: Path, wanted: ArtifactType) -> None:
    if problem := given_problem(wanted, given):
        raise OperatorFailed(f"The parameter's value {problem}.", deterministic=True)
    store = bench.worker.store
    key = FlowLayout(str(bench.task.workflow.flow.id)).value(given.sha256)
    digest = partial(value_digest, serialization_type=given.serialization_type)
    user_keys(lambda: fetch_file(store, key, path, given.sha256, digest))


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
    if default.sha256:
        fetch_file(store, default.key, path, default.sha256)
    else:
        store.get_file(default.key, path)
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
            f"{name!r} has no {operator.metric}: only functions, metrics and checks are measured.",
            deterministic=True,
        )
    (slot,) = bench.output_slots()
    value = float(measured)
    (bench.folder / slot.path).write_text(json.dumps(value), encoding="utf-8")
    info = OutputInfo(slot.path, "numeric", "json", "float", "json/v1", glance={"value": value})
    return JobOutcome(outputs=[info])

"""Prepare extracts and loads of files in a bucket of S3 or Google Cloud Storage.

In: a bench and the operator. Out: a :class:`Job`; the worker moves the files, the child makes values of them.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath

from aqueduct_provider.errors import OperatorFailed
from aqueduct_provider.execution.operator_environment import serialization_of
from aqueduct_provider.execution.workspace import Bench, Job, user_keys
from aqueduct_provider.protected_keys import protected_prefix
from aqueduct_provider.runner.contract import ExternalFile, JobRequest
from aqueduct_provider.spec.graph import consumers
from aqueduct_provider.spec.models import ExtractOperator, LoadOperator
from aqueduct_provider.spec.system_operators import FilesExtract, FilesLoad
from aqueduct_provider.storage.object_store import ObjectStore, file_keys
from aqueduct_provider.storage.parallel import together

LOADED_FILE = "loaded"
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_FILLS = "fills a placeholder of the file path"


def extract_files(bench: Bench, operator: ExtractOperator, source: FilesExtract) -> Job:
    """Return the job that reads files of a bucket, and download them now."""
    store = bench.worker.connect(operator)
    keys = file_keys(store, source.filepath)
    if not keys:
        raise OperatorFailed(f"No files found below {store.url(str(source.filepath))}.", deterministic=True)
    files = [
        ExternalFile(f"files/{index}", store.url(key), source.artifact_type.value, source.format or "")
        for index, key in enumerate(keys)
    ]
    (bench.folder / "files").mkdir()
    fetches = [
        partial(store.get_file, key, bench.folder / file.path) for key, file in zip(keys, files, strict=True)
    ]
    user_keys(lambda: together(fetches, bench.worker.requests))
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


def load_file(bench: Bench, operator: LoadOperator, target: FilesLoad) -> Job:
    """Return the job that writes a file, which is uploaded afterwards."""
    *params, saved = operator.inputs
    inputs = bench.fetch_inputs(operator.inputs)
    values = [bench.text(param, file, _FILLS) for param, file in zip(params, inputs, strict=False)]
    key = _fill(target.filepath, values)
    place = bench.worker.connect(operator)
    _check_place(bench.worker.store, place, key)
    request = JobRequest(
        operation="load",
        inputs=inputs[-1:],
        load_path=LOADED_FILE,
        load_format=target.format or "",
        load_suffix="" if bench.task.workflow.compiled else PurePosixPath(key).suffix or ".png",
        table_serialization=bench.task.table_serialization,
    )
    environment = bench.environment_beside(
        [bench.task.workflow.producer(saved)],
        reads=inputs[-1].serialization_type,
        writes="parquet" if target.format == "Parquet" else "pickle",
    )
    return Job(request, environment, upload=(place, key))


def _check_place(store: ObjectStore, place: ObjectStore, key: str) -> None:
    """Refuse to write what Airflow and its workers run.

    :param store: the artifact store of the run.
    :param place: where the load writes.
    """
    if prefix := protected_prefix(store.url(""), place.url(key)):
        raise OperatorFailed(
            f"{place.url(key)} is below {prefix} of the artifact store {store.url('')}, from which Airflow "
            "and its workers read what they run: loads do not write there. Choose another file path.",
            deterministic=True,
        )


def _fill(filepath: str, values: list[str]) -> str:
    """Return the path with its ``{name}`` placeholders filled, in the order of first appearance.

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

"""Check what the compiled dialect can get wrong between its tasks, before a model is built (pure).

In: a document of the right shape. Out: problems at its JSON paths. What both dialects share is checked
in ``graph.py`` and ``semantic_checks.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from aqueduct_provider.errors import Problem
from aqueduct_provider.spec.compiled_models import AnyTask, Document, FunctionTask, storage_of
from aqueduct_provider.spec.compiled_names import lost_operators, lost_saves
from aqueduct_provider.spec.document import json_path

# Airflow's limits on the ids of DAGs and tasks.
_MAX_ID = 250
_DAG_ID = re.compile(rf"[A-Za-z0-9_.-]{{1,{_MAX_ID}}}")


def check(document: Document, storage: Any) -> Iterator[Problem]:
    """Find everything that is wrong between the tasks.

    :param storage: the flow's ``storage_config`` as in the document.
    """
    yield from _id_problems(document)
    yield from _edge_problems(document)
    yield from _storage_problems(document)
    yield from _storage_differences(document, storage)
    produced = {content: (metadata, key) for key, content, metadata in _outputs(document)}
    for key, task in document.task_specs.items():
        yield from _list_problems(key, task)
        yield from _input_problems(key, task, produced)
    yield from lost_operators(document)
    yield from _clashes(document)


def notices(document: Document) -> Iterator[Problem]:
    """Find what users should know though the flow can run."""
    yield from lost_saves(document)
    for key, task in document.task_specs.items():
        if isinstance(task, FunctionTask) and task.image is not None:
            message = f"the image of task '{key}' is not used; it runs in an environment of its requirements"
            yield Problem(json_path(("task_specs", key, "image")), message)


def _outputs(document: Document) -> Iterator[tuple[str, str, str]]:
    """Return key of the task, content path and metadata path of each artifact."""
    for key, task in document.task_specs.items():
        for content, metadata in task.outputs:
            yield key, content, metadata


def _id_problems(document: Document) -> Iterator[Problem]:
    if not _DAG_ID.fullmatch(document.dag_id):
        message = f"must be 1 to {_MAX_ID} of A-Z a-z 0-9 _ - . for Airflow; rename the flow"
        yield Problem("$.dag_id", message)
    for key in document.task_specs:
        if len(key) > _MAX_ID:
            message = f"longer than the {_MAX_ID} characters of an Airflow task id; rename it"
            yield Problem(json_path(("task_specs", key)), message)


def _edge_problems(document: Document) -> Iterator[Problem]:
    message = "$.task_specs has no such task; remove the edge or add the task"
    for before, others in document.task_edges.items():
        if before not in document.task_specs:
            yield Problem(json_path(("task_edges", before)), message)
        for place, key in enumerate(others):
            if key not in document.task_specs:
                yield Problem(json_path(("task_edges", before, place)), message)


def _storage_problems(document: Document) -> Iterator[Problem]:
    config = document.storage_config
    if config.type != "s3":
        message = "with Airflow only storage of type 's3' is legal; move Aqueduct's storage to S3"
        yield Problem("$.storage_config.type", message)
    elif config.s3_config is None:
        message = "missing; add region, bucket, credentials_path and credentials_profile"
        yield Problem("$.storage_config.s3_config", message)
    elif bool(config.s3_config.aws_access_key_id) != bool(config.s3_config.aws_secret_access_key):
        message = "one half of the access keys is missing; give both or none"
        yield Problem("$.storage_config.s3_config", message)


def _storage_differences(document: Document, storage: Any) -> Iterator[Problem]:
    first = next(iter(document.task_specs))
    known: list[Any] = [storage] if document.tasks_storage == document.storage_config else []
    for key, task in document.task_specs.items():
        # Most are spelled alike, and thousands of them are read.
        if task.storage_config in known:
            continue
        config = storage_of(task)
        message = ""
        if config is None or config.place != document.storage_config.place:
            message = "differs from $.storage_config; all tasks share the storage of their flow"
        elif config != document.tasks_storage:
            message = f"differs in its credentials from that of task '{first}'; all tasks share them"
        if message:
            yield Problem(json_path(("task_specs", key, "storage_config")), message)
        else:
            known.append(task.storage_config)


def _list_problems(key: str, task: AnyTask) -> Iterator[Problem]:
    for field, other in task.uneven():
        message = f"must have as many entries as {other}; add or remove some"
        yield Problem(json_path(("task_specs", key, field)), message)


def _input_problems(key: str, task: AnyTask, produced: dict[str, tuple[str, str]]) -> Iterator[Problem]:
    for place, (content, metadata) in enumerate(task.inputs):
        wanted, producer = produced.get(content, (metadata, ""))
        if wanted != metadata:
            there = json_path(("task_specs", producer))
            message = f"not the metadata path that {there} gives this artifact; make them equal"
            yield Problem(json_path(("task_specs", key, "input_metadata_paths", place)), message)


def _clashes(document: Document) -> Iterator[Problem]:
    """Find objects of different kinds under one key: they would overwrite each other.

    Two exec states, or two contents, are two equal ids: those are found in the graph.
    """
    taken = {task.metadata_path: ("exec state", key) for key, task in document.task_specs.items()}
    for key, content, metadata in _outputs(document):
        for kind, path in (("content", content), ("metadata", metadata)):
            other, holder = taken.setdefault(path, (kind, key))
            if (other, holder) != (kind, key) and not kind == other == "content":
                there = json_path(("task_specs", holder))
                message = f"its {kind} would overwrite the {other} of {there}; give each its own path"
                yield Problem(json_path(("task_specs", key)), message)

"""Find tasks of a compiled spec whose names collided (pure).

The original makes task ids of names, with ``_`` for each byte outside ``[A-Za-z0-9]``. Of two operators with
one task id it kept one, so that the other's artifact has no producer; of two saves to one resource, both
``save_to_<resource>``, it kept one, so that an edge carries no artifact (Aqueduct formats, section 2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from aqueduct_provider.errors import Problem
from aqueduct_provider.spec.compiled_models import AnyTask, Document, LoadTask, Reading, SystemMetricTask
from aqueduct_provider.spec.document import json_path


def lost_operators(document: Document) -> Iterator[Problem]:
    """Find every input that no task writes, with the task id that its producer probably lost."""
    written = {path for task in document.task_specs.values() for pair in task.outputs for path in pair}
    for key, task in document.task_specs.items():
        for field, path, place in _read_paths(task):
            if path not in written:
                message = (
                    f"no task writes the artifact '{path}' that task '{key}' reads. "
                    f"{_reason(document, key)} Publish the flow again with other names"
                )
                yield Problem(json_path(("task_specs", key, field, place)), message)


def lost_saves(document: Document) -> Iterator[Problem]:
    """Find every edge to a save that carries no artifact: the save at its other end was lost.

    Such a flow runs as it did in the original.
    """
    tasks = document.task_specs
    saved = {key: set(task.input_content_paths) for key, task in tasks.items() if isinstance(task, LoadTask)}
    for before, others in document.task_edges.items():
        if before not in tasks or saved.keys().isdisjoint(others):
            continue
        made = {content for content, _ in tasks[before].outputs}
        for place, key in enumerate(others):
            if key in saved and made.isdisjoint(saved[key]):
                message = (
                    f"the result of task '{before}' is not saved: two saves of the flow became '{key}', and "
                    "the original kept only one of them. To save both, publish the flow again with "
                    "aqueduct_provider.sdk"
                )
                yield Problem(json_path(("task_edges", before, place)), message)


def _read_paths(task: AnyTask) -> Iterator[tuple[str, str, int]]:
    """Return field, path and place of each artifact that a task reads."""
    if isinstance(task, Reading):
        field, paths = "input_content_paths", task.input_content_paths
    elif isinstance(task, SystemMetricTask):
        field, paths = "input_metadata_paths", task.input_metadata_paths
    else:
        return
    for place, path in enumerate(paths):
        yield field, path, place


def _reason(document: Document, key: str) -> str:
    suspects = _suspects(document, key)
    if not suspects:
        return "Its producer may have had a name that became the id of another task, which the original kept."
    ids = " or ".join(f"'{suspect}'" for suspect in suspects)
    return f"Two operators had names that became the task id {ids}, and the original kept only one of them."


def _suspects(document: Document, key: str) -> list[str]:
    """Return the tasks with more edges to ``key`` than it reads artifacts of them."""
    tasks = document.task_specs
    read = Counter(content for content, _ in tasks[key].inputs)
    found = []
    for before, others in document.task_edges.items():
        if key not in others:
            continue
        carried = sum(read[content] for content, _ in tasks[before].outputs) if before in tasks else 0
        if before in tasks and others.count(key) > carried:
            found.append(before)
    return found

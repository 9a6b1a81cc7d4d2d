"""Convert the ``<flow>_airflow.py`` that the original wrote for Airflow into a compiled spec (pure).

In: the bytes of the Python file. Out: the JSON of a spec that loads, and what its user should know. Problems
that the loader finds are moved from that JSON, which its user does not have, to lines and tasks of the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from aqueduct_provider.errors import Problem, SpecError
from aqueduct_provider.spec import airflow_syntax, compiled, loader
from aqueduct_provider.spec.airflow_syntax import AirflowDag
from aqueduct_provider.spec.compiled_facts import secret_fields
from aqueduct_provider.spec.document import json_path
from aqueduct_provider.spec.models import WorkflowSpec

# Far more than a thousand tasks. Python needs some 400 bytes for each byte of a list of numbers.
MAX_BYTES = 4 * 1024 * 1024
# Tasks that a message names.
_NAMED = 3
# In the file, it is in every task.
_SHARED = "$.storage_config"
_JSON_PATH = re.compile(r'\$(?:\.[A-Za-z_]\w*|\[(?:\d+|"(?:[^"\\]|\\.)*")\])+', re.ASCII)


@dataclass(frozen=True)
class Imported:
    """A spec that was made of a Python file.

    :param data: the spec as JSON; the same for the same file.
    :param has_secrets: whether it holds credentials.
    :param warnings: what its user should know though it can run.
    """

    data: bytes = field(repr=False)
    spec: WorkflowSpec
    has_secrets: bool
    warnings: tuple[Problem, ...]


def convert(data: bytes, source: str) -> Imported:
    """Make a spec of the Python file.

    :param source: the name that error messages give it.
    :raises SpecError: it is not a file of this shape, or its flow cannot run; with lines and task ids.
    """
    if len(data) > MAX_BYTES:
        message = f"larger than {MAX_BYTES >> 20} MiB; the original writes no such file"
        raise SpecError(source, [Problem("line 1", message)])
    dag = airflow_syntax.read(data, source)
    moved = _Places(dag).moved
    made = (json.dumps(_document(dag), indent=2) + "\n").encode()
    try:
        spec = loader.parse(made, source)
    except SpecError as error:
        raise SpecError(source, list(dict.fromkeys(map(moved, error.problems)))) from None
    notices = spec.compiled.notices if spec.compiled else ()
    secrets = _secrets(spec)
    warnings = (*_ignored(dag), *map(moved, notices), *secrets)
    return Imported(made, spec, bool(secrets), warnings)


def _document(dag: AirflowDag) -> dict[str, Any]:
    """Make the spec. What the file lacks is never read: it gets ids that the version decides."""

    def machine_name(kind: str) -> str:
        return f"compile-airflow-{kind}-{uuid5(NAMESPACE_URL, f'aqueduct:{dag.version_id}:{kind}')}"

    tasks = {task.task_id: task.spec for task in dag.tasks.values()}
    edges: dict[str, list[str]] = {}
    for edge in dag.edges:
        edges.setdefault(edge.before, []).append(edge.after)
    first = next(iter(tasks.values()))
    storage = {"storage_config": first["storage_config"]} if "storage_config" in first else {}
    return {
        "name": machine_name("operator"),
        "type": compiled.TYPE,
        **storage,
        "metadata_path": machine_name("metadata"),
        "workflow_dag_id": dag.version_id,
        "output_content_path": machine_name("output"),
        "dag_id": dag.dag_id,
        "cron_schedule": dag.schedule,
        "task_specs": tasks,
        "task_edges": edges,
    }


class _Places:
    """Where in the Python file is what the loader names by its JSON path."""

    def __init__(self, dag: AirflowDag) -> None:
        line, first = f"line {dag.line}", next(iter(dag.tasks.values()))
        self._shared = f"the storage_config of task '{first.task_id}'"
        self._places = {
            "$": line,
            "$.dag_id": f"{line}, dag_id",
            "$.cron_schedule": f"{line}, schedule_interval",
            "$.workflow_dag_id": f"{line}, tags",
            _SHARED: f"line {first.line}, task '{first.task_id}', storage_config",
        }
        self._tasks: dict[str, str] = {}
        for task in dag.tasks.values():
            path = json_path(("task_specs", task.task_id))
            self._places[path] = f"line {task.line}, task '{task.task_id}'"
            self._tasks[path] = f"task '{task.task_id}'"
        counts: dict[str, int] = {}
        for edge in dag.edges:
            place = counts[edge.before] = counts.get(edge.before, -1) + 1
            self._places[json_path(("task_edges", edge.before, place))] = f"line {edge.line}"

    def moved(self, problem: Problem) -> Problem:
        """Return the problem at its line, and without JSON paths in its message."""
        known, rest = _split(problem.path, self._places)
        if rest and known != _SHARED:
            rest = f", {rest.removeprefix('.')}"
        return Problem(
            self._places[known] + rest, _JSON_PATH.sub(lambda path: self._words(path[0]), problem.message)
        )

    def _words(self, path: str) -> str:
        if path == _SHARED:
            return self._shared
        known, rest = _split(path, {"": "", **self._tasks})
        return self._tasks[known] + rest.replace(".", ", ", 1) if known else path


def _split(path: str, known: Any) -> tuple[str, str]:
    """Return the longest beginning of a JSON path that is known, and the rest."""
    ends = [len(path), *(place for place in range(len(path) - 1, 0, -1) if path[place] in ".["), 0]
    end = next(end for end in ends if path[:end] in known)
    return path[:end], path[end:]


def _ignored(dag: AirflowDag) -> Iterator[Problem]:
    for name, lines in dag.ignored.items():
        times = f" ({len(lines)} times)" if len(lines) > 1 else ""
        message = (
            f"{name}{times}: not as the original wrote it, and not taken over: its specs have no place "
            "for this; to set it, publish the flow again with aqueduct_provider.sdk"
        )
        yield Problem(f"line {lines[0]}", message)


def _secrets(spec: WorkflowSpec) -> Sequence[Problem]:
    """Find which fields hold credentials, with the tasks that they are in; never their values."""
    facts = spec.compiled
    assert facts is not None
    found: dict[str, list[str]] = {}
    if facts.access_keys:
        keys = "storage_config: aws_access_key_id, aws_secret_access_key"
        found[keys] = [operator.task_id for operator in spec.operators]
    for operator in spec.operators:
        fields = secret_fields(facts.connectors.get(operator.id, {}))
        if fields:
            found.setdefault(f"connector_config: {', '.join(fields)}", []).append(operator.task_id)
    return [
        Problem("$", f"credentials in {fields} ({_listed(tasks)}): the spec shows them as they are")
        for fields, tasks in found.items()
    ]


def _listed(tasks: Sequence[str]) -> str:
    """Return ``task 'a'``, or ``tasks 'a', 'b', 'c' and 9 more``."""
    named = ", ".join(f"'{task}'" for task in tasks[:_NAMED])
    more = f" and {len(tasks) - _NAMED} more" if len(tasks) > _NAMED else ""
    return f"task{'s' if len(tasks) > 1 else ''} {named}{more}"

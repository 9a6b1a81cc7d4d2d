"""The flows of the benchmarks ``scale`` and ``bundle``: chains of ten small tasks, each reading what the one
before it wrote; as specs of both dialects, and as YAML for ``dag-factory``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks import flows
from tests.oracle.harness import Store, TaskSpecs

TASKS = 10
PLAIN_OPERATOR = "benchmarks.building.PlainOperator"
_ENDPOINT = "http://127.0.0.1:1"

# What makes a spec of its number.
Chain = Callable[[int], dict[str, Any]]


def dag_id(number: int) -> str:
    return f"flow_{number:05}"


def native(number: int) -> dict[str, Any]:
    """A native spec."""
    document = flows.native(_ENDPOINT, _store(), b"", "code.zip", 0, 1).document
    (first,) = document["operators"]
    outs = flows.names("out", TASKS)
    document["artifacts"] = [{"id": out, "name": out, "type": "numeric"} for out in outs]
    document["operators"] = [
        {
            **first,
            "id": f"id{n}",
            "task_id": f"task{n}",
            "name": f"task {n}",
            "inputs": outs[:n][-1:],
            "outputs": [out],
        }
        for n, out in enumerate(outs)
    ]
    return {**document, "dag_id": dag_id(number)}


def described(number: int) -> dict[str, Any]:
    """A native spec that says all that Airflow stores of a task: texts, retries, limits."""
    document = native(number)
    extras = {
        "description": "What it does.",
        "retries": 2,
        "retry_delay": 60,
        "timeout": 600,
        "pool": "small",
    }
    document["operators"] = [{**operator, **extras} for operator in document["operators"]]
    return document


def compiled(number: int) -> dict[str, Any]:
    """A spec of the compiled dialect."""
    store = _store()
    document = flows.compiled(store, "code.zip", 0, 1).document
    specs, outs = TaskSpecs(store, Path("/tmp")), flows.names("out", TASKS)
    document["task_specs"] = {
        f"task{n}": specs.function(
            "code.zip", inputs=outs[:n][-1:], outputs=[out], metadata_path=f"state{n}", name=f"task {n}"
        )
        for n, out in enumerate(outs)
    }
    document["task_edges"] = {f"task{n}": [f"task{n + 1}"] for n in range(TASKS - 1)}
    return {**document, "dag_id": dag_id(number)}


def plain(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The same flow as ``dag-factory`` reads it: the same tasks, texts and edges, of a plain operator."""
    tasks = [
        {
            "task_id": operator["task_id"],
            "operator": PLAIN_OPERATOR,
            "task_display_name": operator["name"],
            "retries": 0,
            "code": operator["code"]["key"],
            "sha256": operator["code"]["sha256"],
            "inputs": operator["inputs"],
            "outputs": operator["outputs"],
            "doc_md": _doc(operator),
            "dependencies": [before["task_id"]] if before else [],
        }
        for before, operator in zip([None, *spec["operators"]], spec["operators"], strict=False)
    ]
    version = f"ersion {spec['version']['id'][:8]}"
    page = f"[Runs, metrics and artifacts](/aqueduct/dags/{spec['dag_id']})"
    dag = {
        "dag_display_name": spec["flow"]["name"],
        "description": f"v{version}",
        "schedule": None,
        "start_date": "2022-01-01",
        "catchup": False,
        "is_paused_upon_creation": False,
        "tags": ["aqueduct"],
        "doc_md": f"V{version}, from `{spec['dag_id']}.json`.\n\n{page}\n",
        "tasks": tasks,
    }
    return {spec["dag_id"]: dag}


def _doc(operator: Mapping[str, Any]) -> str:
    reads = [f"- Reads `{one}`.\n" for one in operator["inputs"]]
    return "".join([*reads, *(f"- Writes `{one}` (numeric).\n" for one in operator["outputs"])])


def write(parent: Path, chain: Chain, count: int, name: str = "{}.json") -> Path:
    """A new folder of specs.

    :param name: of the files, with ``{}`` for the DAG id.
    """
    folder = _new(parent, "specs")
    for number in range(count):
        (folder / name.format(dag_id(number))).write_text(json.dumps(chain(number)))
    return folder


def write_yaml(parent: Path, specs: Path, *, one_file: bool) -> Path:
    """A new folder with the native specs of another as YAML: a file for each, or one for all."""
    folder = _new(parent, "yaml")
    dags = {path.stem: plain(json.loads(path.read_text())) for path in sorted(specs.iterdir())}
    if one_file:
        dags = {"all": {name: dag for part in dags.values() for name, dag in part.items()}}
    for name, content in dags.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def _new(parent: Path, kind: str) -> Path:
    folder = parent / f"{kind}-{uuid.uuid4().hex}"
    folder.mkdir()
    return folder


def _store() -> Store:
    return Store(None, "bucket", Path("/tmp/credentials"))

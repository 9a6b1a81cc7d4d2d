"""A folder of specs, and DAGs as Airflow stores them, on both of its lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LOADER = Path(__file__).parents[3] / "dags_example" / "aqueduct_dags.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of specs with its loader."""
    path = tmp_path / "dags"
    path.mkdir()
    (path / LOADER.name).write_text(LOADER.read_text())
    return path


@pytest.fixture
def write(folder: Path) -> Callable[[str, Any], Path]:
    """Write a document, or a text, to a file of the folder."""

    def write_file(name: str, content: Any) -> Path:
        path = folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write_file


@pytest.fixture
def serialized() -> Callable[[Any], dict[str, Any]]:
    """A DAG as Airflow's database holds it."""
    from airflow.serialization import serialized_objects

    serializer = getattr(serialized_objects, "DagSerialization", serialized_objects.SerializedDAG)
    return lambda dag: serializer.to_dict(dag)  # type: ignore[no-any-return]


@pytest.fixture
def stored(serialized: Callable[[Any], dict[str, Any]]) -> Callable[[Any], Any]:
    """A DAG as the scheduler reads it from the database."""
    from airflow.serialization import serialized_objects

    serializer = getattr(serialized_objects, "DagSerialization", serialized_objects.SerializedDAG)
    return lambda dag: serializer.from_dict(json.loads(json.dumps(serialized(dag))))


@pytest.fixture
def task_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Parse as Airflow does in the process of a task of this DAG."""
    return lambda dag_id: monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)

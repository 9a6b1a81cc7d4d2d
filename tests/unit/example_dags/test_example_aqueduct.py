"""The examples of the package, as Airflow parses them and on the database that they are for."""

from __future__ import annotations

import json
import runpy
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider
from aqueduct_provider.compat import DAG
from aqueduct_provider.sdk.resources.demo import DEMO_CONNECTION, make_demo

EXAMPLES = Path(aqueduct_provider.__file__).parent / "example_dags"
TASKS = {
    "example_aqueduct_query": ["customers", "size"],
    "example_aqueduct_summary": ["averages", "save"],
}


def dags() -> dict[str, Any]:
    names = runpy.run_path(str(EXAMPLES / "example_aqueduct.py"))
    return {name: value for name, value in names.items() if isinstance(value, DAG)}


def test_every_spec_is_a_dag_without_an_error() -> None:
    assert {name: sorted(dag.task_ids) for name, dag in dags().items()} == TASKS
    assert {path.stem for path in EXAMPLES.glob("*.json")} == TASKS.keys()


def test_airflow_finds_the_file() -> None:
    # It opens only files that contain both words.
    text = (EXAMPLES / "example_aqueduct.py").read_text("utf-8").lower()
    assert "airflow" in text
    assert "dag" in text


@pytest.mark.parametrize("name", TASKS)
def test_their_queries_fit_the_demo_database(name: str, tmp_path: Path) -> None:
    document = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    (source,) = (one["source"] for one in document["operators"] if one["type"] == "extract")
    assert source["connection_id"] == DEMO_CONNECTION
    path = tmp_path / "demo.sqlite"
    make_demo(path)
    first, *others = source["queries"]
    query = first
    for other in others:
        query = other.replace("$", f"({query})")
    with closing(sqlite3.connect(path)) as database:
        assert database.execute(query.replace("$1", "'100'")).fetchall()

"""The tasks of a spec as the original writes them out into its Python file for Airflow can be imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.spec.airflow_file import convert
from tests.oracle.harness import Oracle
from tests.support.airflow_files import airflow_file, written_out
from tests.support.example_specs import compiled_document, extract_task, function_task, load_task, param_task
from tests.unit.spec.test_compiled_connectors import CONFIGS, FILES, FIND, QUERY

pytestmark = pytest.mark.oracle

GENUINE = Path(__file__).parents[1] / "genuine"

WRITE_OUT = """
import json
from aqueduct_executor.operators.airflow.spec import parse_spec

tasks = parse_spec(text).task_specs
result = {key: json.loads(task.json()) for key, task in tasks.items()}
"""


def written_by_the_original(oracle: Oracle, document: Any) -> Any:
    return oracle.evaluate(WRITE_OUT, text=json.dumps(document))


@pytest.mark.parametrize("name", ["multi_output", "odd_names", "params", "sql"])
def test_genuine_specs(oracle: Oracle, name: str) -> None:
    document = json.loads((GENUINE / f"{name}.json").read_text())
    tasks = written_by_the_original(oracle, document)
    assert tasks == {key: written_out(task) for key, task in document["task_specs"].items()}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_data_system(oracle: Oracle, name: str) -> None:
    config = {"connector_name": name, "connector_config": {"conf": CONFIGS[name]}}
    tasks = {"read": extract_task("read", **config, parameters=_extract_parameters(name))}
    if name != "Athena":
        target = (
            {"filepath": "a", "format": "CSV"} if name in FILES else {"table": "t", "update_mode": "append"}
        )
        tasks["save"] = load_task("save", inputs=["read"], **config, parameters=target)
    document = compiled_document(task_specs=tasks, task_edges={})
    original = written_by_the_original(oracle, document)
    if name != "MongoDB":
        assert original == {key: written_out(task) for key, task in tasks.items()}
    made = convert(airflow_file({**document, "task_specs": original}).encode(), "x_airflow.py")
    assert [operator.name for operator in made.spec.operators] == list(tasks)
    assert made.spec.compiled is not None
    expected = {key: value for key, value in CONFIGS[name].items() if key != "root_dir"}
    for read in made.spec.compiled.connectors.values():
        assert {key: value for key, value in read.items() if value} == {
            key: value for key, value in expected.items() if value
        }


def _extract_parameters(name: str) -> Any:
    if name in FILES:
        return {"filepath": '"a"', "artifact_type": "json", "format": None, "merge": None}
    return (
        {**FIND, "query": None} if name == "MongoDB" else {**QUERY, "queries": None, "github_metadata": None}
    )


def test_functions_and_parameters(oracle: Oracle) -> None:
    tasks = {
        "value": param_task("value"),
        "f": function_task("f", inputs=["value"], resources={"num_cpus": 2, "memory_mb": 100}),
        "c": function_task("c", inputs=["f"], operator="check", severity="warning", type_="boolean"),
    }
    document = compiled_document(task_specs=tasks, task_edges={"value": ["f"], "f": ["c"]})
    original = written_by_the_original(oracle, document)
    assert original == {key: written_out(task) for key, task in tasks.items()}
    assert convert(airflow_file(document).encode(), "x_airflow.py").warnings == ()

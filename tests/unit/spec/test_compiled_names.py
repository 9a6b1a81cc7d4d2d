"""Tasks of compiled specs whose names collided in the original."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.spec.loader import load, parse
from tests.support.example_specs import compiled_document, function_task, load_task, system_metric_task

GENUINE = Path(__file__).parents[2] / "genuine"


def problems_of(document: Any) -> dict[str, str]:
    with pytest.raises(SpecError) as caught:
        parse(json.dumps(document).encode(), "x.json")
    return {problem.path: problem.message for problem in caught.value.problems}


def test_operators_with_names_alike_are_refused_in_a_genuine_spec() -> None:
    with pytest.raises(SpecError) as caught:
        load(GENUINE / "alike_side.json")
    (problem,) = caught.value.problems
    assert problem.path == "$.task_specs.add.input_content_paths[0]"
    assert "Two operators had names that became the task id 'Load_data_'" in problem.message
    assert "with other names" in problem.message


@pytest.mark.parametrize("name", ["multi_output", "odd_names", "params"])
def test_repeated_edges_and_odd_names_are_no_collision(name: str) -> None:
    compiled = load(GENUINE / f"{name}.json").compiled
    assert compiled is not None
    assert not compiled.notices


def test_a_lost_producer_that_left_no_edge_is_told_of_without_a_suspect() -> None:
    document = compiled_document()
    document["task_specs"]["train"]["input_content_paths"] = ["lost"]
    document["task_specs"]["train"]["input_metadata_paths"] = ["lost-metadata"]
    document["task_edges"]["features"] = ["no_drift"]
    (message,) = problems_of(document).values()
    assert "may have had a name that became the id of another task" in message


def test_a_system_metric_of_a_lost_task() -> None:
    document = compiled_document()
    document["task_specs"]["measured"] = system_metric_task("measured", input_="lost")
    document["task_edges"]["train"].append("measured")
    problems = problems_of(document)
    assert list(problems) == ["$.task_specs.measured.input_metadata_paths[0]"]
    assert "'train'" in problems["$.task_specs.measured.input_metadata_paths[0]"]


def test_two_saves_to_one_resource_of_a_genuine_spec() -> None:
    compiled = load(GENUINE / "sql.json").compiled
    assert compiled is not None
    (notice,) = compiled.notices
    assert notice.path == "$.task_edges.summary[0]"
    assert "the result of task 'summary' is not saved" in notice.message


def test_a_save_with_its_own_edges_is_no_collision() -> None:
    document = compiled_document()
    document["task_specs"]["save"] = load_task("save", inputs=["features"])
    document["task_specs"]["more"] = function_task("more", inputs=["features"])
    document["task_edges"]["features"] += ["save", "more"]
    spec = parse(json.dumps(document).encode(), "x.json")
    assert spec.compiled is not None
    assert not spec.compiled.notices

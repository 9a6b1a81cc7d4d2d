"""From the Python file that the original wrote for Airflow to a spec that loads."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.spec.airflow_file import MAX_BYTES, Imported, convert
from aqueduct_provider.spec.loader import load
from tests.support.airflow_files import airflow_file, written_out
from tests.support.example_specs import (
    POSTGRES_EXTRACT,
    compiled_document,
    extract_task,
    function_task,
    load_task,
    param_task,
)

GENUINE = Path(__file__).parents[2] / "genuine"
LOADED = ["multi_output", "odd_names", "params", "sql"]


def imported(document: Any) -> Imported:
    return convert(airflow_file(document).encode(), "x_airflow.py")


def problems_of(document: Any) -> dict[str, str]:
    with pytest.raises(SpecError) as caught:
        imported(document)
    assert caught.value.source == "x_airflow.py"
    return {problem.path: problem.message for problem in caught.value.problems}


def genuine(name: str) -> Any:
    return json.loads((GENUINE / f"{name}.json").read_text())


def line_of(document: Any, task_id: str) -> int:
    lines = airflow_file(document).splitlines()
    return next(number for number, line in enumerate(lines) if f"task_id={task_id!r}" in line)


@pytest.mark.parametrize("name", LOADED)
def test_a_genuine_spec_comes_back(name: str) -> None:
    document = genuine(name)
    made = imported(document)
    copied = json.loads(made.data)
    assert copied["task_specs"] == {key: written_out(task) for key, task in document["task_specs"].items()}
    assert list(copied["task_specs"]) == list(document["task_specs"])
    for field in ("type", "dag_id", "workflow_dag_id", "cron_schedule", "task_edges"):
        assert copied[field] == document[field]
    assert copied.keys() == document.keys()
    original = load(GENUINE / f"{name}.json")
    assert made.spec.operators == original.operators
    assert made.spec.artifacts == original.artifacts
    assert made.spec.parameters == original.parameters
    assert made.spec.artifact_store == original.artifact_store


def test_what_is_lacking_follows_from_the_version() -> None:
    first, again = imported(compiled_document()), imported(compiled_document())
    assert first.data == again.data
    document = json.loads(first.data)
    assert document["storage_config"] == document["task_specs"]["train"]["storage_config"]
    for field, kind in (
        ("name", "operator"),
        ("metadata_path", "metadata"),
        ("output_content_path", "output"),
    ):
        assert document[field].startswith(f"compile-airflow-{kind}-")
    other = json.loads(
        imported(compiled_document(workflow_dag_id="0" * 8 + "-0000-0000-0000-" + "0" * 12)).data
    )
    assert other["name"] != document["name"]


def test_operators_with_names_alike_are_refused_with_the_line() -> None:
    document = genuine("alike_side")
    (problem,) = problems_of(document).items()
    assert problem[0] == f"line {line_of(document, 'add')}, task 'add', input_content_paths[0]"
    assert "Two operators had names that became the task id 'Load_data_'" in problem[1]


def test_a_lost_save_is_a_warning_with_the_line_of_its_edge() -> None:
    document = genuine("sql")
    (warning,) = imported(document).warnings
    number = int(warning.path.removeprefix("line "))
    tasks = list(document["task_specs"])
    edge = f"t{tasks.index('summary')}.set_downstream(t{tasks.index('save_to_lite')})"
    assert airflow_file(document).splitlines()[number - 1].strip() == edge
    assert "the result of task 'summary' is not saved" in warning.message


def test_tasks_that_differ_in_their_storage() -> None:
    document = compiled_document()
    document["task_specs"]["train"]["storage_config"]["s3_config"]["bucket"] = "other"
    assert problems_of(document) == {
        f"line {line_of(document, 'train')}, task 'train', storage_config": (
            "differs from the storage_config of task 'threshold'; all tasks share the storage of their flow"
        )
    }


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda document: document.update(dag_id="a/../b"), "line {dag}, dag_id"),
        (lambda document: document.update(cron_schedule="every day"), "line {dag}, schedule_interval"),
        (lambda document: document.update(workflow_dag_id="v1"), "line {dag}, tags"),
        (lambda document: document["task_specs"]["train"].pop("metadata_path"), "{train}, metadata_path"),
        (lambda document: document["task_specs"]["train"].update(x=1), "{train}, x"),
        (
            lambda document: document["task_specs"]["train"].update(function_path="\ud800"),
            "{train}, function_path",
        ),
        (lambda document: document["task_edges"].update(train=["features"]), "{features}"),
    ],
)
def test_problems_of_the_loader_are_at_lines_of_the_file(change: Any, place: str) -> None:
    document = compiled_document()
    change(document)
    lines = airflow_file(document).splitlines()
    tasks = {key: f"line {line_of(document, key)}, task '{key}'" for key in document["task_specs"]}
    expected = place.format(dag=lines.index("with DAG(") + 1, **tasks)
    problems = problems_of(document)
    assert list(problems) == [expected]
    assert "$" not in problems[expected]


def test_a_storage_that_is_missing_or_not_legal_is_a_problem_of_the_tasks() -> None:
    document = compiled_document()
    for task in document["task_specs"].values():
        task["storage_config"] = {"type": "file"}
    (place,) = problems_of(document)
    assert place == f"line {line_of(document, 'threshold')}, task 'threshold', storage_config.type"
    del document["task_specs"]["threshold"]["storage_config"]
    assert f"line {line_of(document, 'threshold')}, task 'threshold', storage_config" in problems_of(document)


def test_messages_name_tasks_not_json_paths() -> None:
    document = compiled_document()
    document["task_specs"]["train"]["output_content_paths"] = ["features-content"]
    document["task_specs"]["a b"] = param_task("threshold")
    messages = " ".join(problems_of(document).values())
    assert "task 'features'" in messages
    assert "task 'threshold'" in messages
    assert "$." not in messages


def test_credentials_are_named_by_field_and_task() -> None:
    document = compiled_document()
    document["task_specs"]["read"] = extract_task("read")
    document["task_specs"]["orders"] = extract_task("orders", **copy.deepcopy(POSTGRES_EXTRACT))
    document["task_specs"]["save"] = load_task("save", inputs=["read"])
    document["task_specs"]["orders"]["parameters"] = {"query": "SELECT 1"}
    made = imported(document)
    assert made.has_secrets
    messages = [warning.message for warning in made.warnings]
    end = ": the spec shows them as they are"
    assert messages == [
        f"credentials in connector_config: access_key_id, secret_access_key (tasks 'read', 'save'){end}",
        f"credentials in connector_config: password (task 'orders'){end}",
    ]
    assert "planted" not in str(made.warnings)


def test_access_keys_of_the_storage_are_credentials() -> None:
    document = compiled_document()
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "planted"}
    for task in document["task_specs"].values():
        task["storage_config"]["s3_config"].update(keys)
    made = imported(document)
    assert made.has_secrets
    (warning,) = made.warnings
    fields = "storage_config: aws_access_key_id, aws_secret_access_key"
    tasks = "tasks 'threshold', 'features', 'train' and 4 more"
    assert warning.message.startswith(f"credentials in {fields} ({tasks}):")
    assert "planted" not in repr(made)


def test_a_flow_without_credentials_has_no_warnings() -> None:
    made = imported(compiled_document())
    assert not made.has_secrets
    assert made.warnings == ()


def test_what_has_no_place_in_a_spec_is_a_warning() -> None:
    text = airflow_file(compiled_document())
    made = convert(text.replace("python_callable=execute", "retries=3").encode(), "x.py")
    (warning,) = made.warnings
    assert warning.path == f"line {line_of(compiled_document(), 'threshold') + 3}"
    assert warning.message.startswith("retries (7 times): not as the original wrote it, and not taken over:")


def test_what_is_set_is_kept_and_an_image_is_a_warning() -> None:
    document = compiled_document()
    train = document["task_specs"]["train"]
    train |= {"image": {"registry_id": "r", "service": "s", "url": "u"}, "resources": {"num_cpus": 2}}
    made = imported(document)
    assert json.loads(made.data)["task_specs"]["train"] == written_out(train)
    (warning,) = made.warnings
    assert warning.path == f"line {line_of(document, 'train')}, task 'train', image"


def test_a_file_that_is_too_large() -> None:
    with pytest.raises(SpecError) as caught:
        convert(b"#" * (MAX_BYTES + 1), "x.py")
    assert str(caught.value) == (
        "x.py has 1 problem: line 1: larger than 4 MiB; the original writes no such file"
    )


def test_a_flow_of_a_thousand_tasks() -> None:
    tasks = {f"t{number}": function_task(f"t{number}", inputs=[]) for number in range(1000)}
    made = imported(compiled_document(task_specs=tasks, task_edges={}))
    assert len(made.spec.operators) == 1000

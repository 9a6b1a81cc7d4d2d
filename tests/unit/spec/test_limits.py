"""What a spec can hold at most: each limit that keeps one spec from taking the time of all others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.spec.document import MAX_VALUES
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.types import MAX_ENTRIES, MAX_NAME, MAX_OPERATORS, MAX_TEXT
from tests.support.example_specs import (
    call_operator,
    compiled_document,
    extract_task,
    native_document,
    operator,
)
from tests.support.mutated_specs import campaign

Place = tuple[str | int, ...]


def put(document: Any, place: Place, value: Any) -> Any:
    holder = document
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = value
    return document


def problems_of(document: Any) -> dict[str, str]:
    try:
        parse(json.dumps(document).encode(), "churn.json")
    except SpecError as error:
        return {problem.path: problem.message for problem in error.problems}
    return {}


CODE = ("operators", 1, "code")
MARKER = "os_name == 'posix'"


@pytest.mark.parametrize(
    ("place", "fits", "too_much", "message"),
    [
        (("flow", "name"), "x" * MAX_NAME, "x" * (MAX_NAME + 1), "at most 4000 characters"),
        (("flow", "description"), "x" * MAX_TEXT, "x" * (MAX_TEXT + 1), "at most 1000000 characters"),
        ((*CODE, "entry_file"), "x" * MAX_NAME, "x" * (MAX_NAME + 1), "at most 4000 characters"),
        ((*CODE, "custom_args"), "{}", "{}" + " " * MAX_TEXT, "at most 1000000 characters"),
        (("flow", "tags"), ["x"] * 1000, ["x"] * 1001, "at most 1000 entries"),
        (("schedule", "cron"), "0,1 6 * * *", "0" + ",1" * 250 + " 6 * * *", "not a cron expression"),
        (("schedule", "timezone"), "UTC", "UTC/" + "../UTC/" * 300, "no such time zone"),
        ((*CODE, "requirements"), ["a"] * 1000, ["a"] * 1001, "at most 1000 entries"),
        (
            (*CODE, "requirements"),
            ["a" * 1999],
            ["a" * 2001],
            "has more than 2000 characters",
        ),
        (
            (*CODE, "requirements"),
            ["a; " + "(" * 50 + MARKER + ")" * 50],
            ["a; " + "(" * 51 + MARKER + ")" * 51],
            "has more than 50 parentheses",
        ),
        (
            (*CODE, "requirements"),
            [f"a{number} @ https://{'x' * 1900}" for number in range(150)],
            [f"a{number} @ https://{'x' * 1900}" for number in range(160)],
            "requirements have more than 300,000 characters",
        ),
    ],
)
def test_texts_and_lists_of_native_specs(place: Place, fits: Any, too_much: Any, message: str) -> None:
    assert problems_of(put(native_document(), place, fits)) == {}
    (found,) = problems_of(put(native_document(), place, too_much)).values()
    assert message in found


def test_a_requirement_that_is_too_long_is_not_repeated() -> None:
    document = put(native_document(), (*CODE, "requirements"), ["a @ https://user:secret@host/" + "x" * 2000])
    assert "secret" not in str(problems_of(document))


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"auth_uri": "mongodb://h", "database": "d"}, "auth_uri"),
        ({"auth_uri": "x", "database": "d"}, "database"),
    ],
)
def test_texts_of_connectors(config: dict[str, str], field: str) -> None:
    document = compiled_document()
    config = {**config, field: "x" * 100_001}
    parameters = {"collection": "c", "query_serialized": "{}"}
    document["task_specs"]["read"] = extract_task(
        "read", connector_name="MongoDB", connector_config=config, parameters=parameters
    )
    problems = problems_of(document)
    assert list(problems) == [f"$.task_specs.read.connector_config.{field}"]
    assert "characters" in next(iter(problems.values()))


@pytest.mark.parametrize("paths", [["x" * (MAX_NAME + 1)], ["x"] * (MAX_ENTRIES + 1), "x" * (MAX_NAME + 1)])
def test_paths_inside_a_text(paths: Any) -> None:
    document = compiled_document()
    document["task_specs"]["read"] = extract_task("read", filepath=json.dumps(paths))
    assert list(problems_of(document)) == ["$.task_specs.read.parameters.filepath"]


def test_a_query_inside_a_text_that_is_nested_too_deeply() -> None:
    document = compiled_document()
    query = '{"args": [' + '{"a":' * 300 + "1" + "}" * 300 + "]}"
    document["task_specs"]["read"] = extract_task(
        "read",
        connector_name="MongoDB",
        connector_config={"auth_uri": "mongodb://h", "database": "d"},
        parameters={"collection": "c", "query_serialized": query},
    )
    assert list(problems_of(document)) == ["$.task_specs.read.parameters.query_serialized"]


def test_secrets_inside_a_text_that_is_nested_too_deeply() -> None:
    document = compiled_document()
    document["task_specs"]["read"] = extract_task(
        "read",
        connector_name="GCS",
        connector_config={"bucket": "b", "service_account_credentials": "[" * 5000},
    )
    spec = parse(json.dumps(document).encode(), "churn.json")
    assert spec.secrets == ("[" * 5000,)


def tasks(count: int, after: int = 0) -> Any:
    operators = [
        {
            **call_operator(f"t{index}", inputs=[]),
            "after": [f"t{place}" for place in range(min(after, index))],
        }
        for index in range(count)
    ]
    artifacts = [{"id": f"t{index}-value", "name": f"t{index}"} for index in range(count)]
    return native_document(operators=operators, artifacts=artifacts, parameters=[])


def test_the_number_of_operators() -> None:
    assert problems_of(tasks(MAX_OPERATORS)) == {}
    assert problems_of(tasks(MAX_OPERATORS + 1)) == {"$.operators": "must have at most 5000 entries"}


def test_the_number_of_edges() -> None:
    assert problems_of(tasks(200, after=100)) == {}
    (message,) = problems_of(tasks(300, after=100)).values()
    assert "inputs and tasks to wait for; give them at most 20000" in message


def test_the_number_of_values() -> None:
    def holding(values: Any) -> dict[str, str]:
        default = {"name": "many", "type": "list", "default": {"value": values}}
        makes = operator("many", "param", parameter="many")
        document = native_document()
        document["parameters"].append(default)
        document["operators"].append(makes)
        document["artifacts"].append({"id": "many-value", "name": "many", "type": "list"})
        return problems_of(document)

    assert holding([1] * (MAX_VALUES - 1000)) == {}
    # Commas in texts, and what looks like the end of a text, are no values.
    assert holding([',"[{\\' * MAX_VALUES]) == {}
    for values in ([1] * MAX_VALUES, [[]] * MAX_VALUES, [{}] * MAX_VALUES):
        assert "holds more than 300,000 values" in holding(values)["$"]


def test_problems_that_a_quadratic_look_would_find() -> None:
    """Every task reads what no task writes: each of these problems looks through all edges."""
    document = compiled_document()
    first = document["task_specs"].pop("train")
    document["task_specs"] |= {f"t{index}": {**first, "metadata_path": f"m{index}"} for index in range(1000)}
    assert len(problems_of(document)) <= 201


def test_no_mutation_breaks_it() -> None:
    result = campaign(1500, seed=7)
    assert result.foreign == {}
    # Neither all of them nor none: the edits are neither too strong nor too weak.
    assert 50 < result.valid < 750

"""JSON against the models: paths without pydantic's tags, plain words, cures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.errors import Problem
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.spec.validation import MAX_PROBLEMS, suggestion, validated
from tests.support.example_specs import native_document, operator


def problems_of(document: Any) -> list[Problem]:
    return validated(WorkflowSpec, json.dumps(document).encode(), document)[1]


def put(path: str, value: Any) -> Any:
    """The native example with ``value`` at a dotted path."""
    document: Any = native_document()
    document["operators"].append(
        operator("read", "extract", source={"connector": "S3", "filepath": "a", "artifact_type": "bytes"})
    )
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    node = document
    for part in parents:
        node = node[part]
    node[last] = value
    return document


@pytest.mark.parametrize(
    ("place", "value", "path", "message"),
    [
        ("operators.0.retrys", 1, "$.operators[0].retrys", "unknown field, did you mean 'retries'?"),
        ("operators.4.severty", 1, "$.operators[4].severty", "unknown field, did you mean 'severity'?"),
        ("schedule.timzone", 1, "$.schedule.timzone", "unknown field, did you mean 'timezone'?"),
        (
            "retention.zzz",
            1,
            "$.retention.zzz",
            "unknown field, remove it; known here: k_latest_runs",
        ),
        (
            "parameters.0.default.valeu",
            1,
            "$.parameters[0].default.valeu",
            "unknown field, did you mean 'value'?",
        ),
        ("$shema", "x", '$["$shema"]', "unknown field, did you mean '$schema'?"),
        ("schema_url", "x", "$.schema_url", "unknown field, did you mean '$schema'?"),
        ("$schema", 5, '$["$schema"]', "must be text, in quotes"),
        # A field that is called like the tag of its union.
        ("operators.1.function", 1, "$.operators[1].function", "unknown field, "),
        ("artifacts.0.numeric", 1, "$.artifacts[0].numeric", "unknown field, remove it"),
        ("flow.name", 5, "$.flow.name", "must be text, in quotes"),
        ("flow.name", "", "$.flow.name", "must not be empty"),
        ("flow.tags", "ml", "$.flow.tags", "must be a list, in [ ]"),
        ("flow.tags", ["x" * 101], "$.flow.tags[0]", "must have at most 100 characters"),
        ("flow", [], "$.flow", "must be an object, in { }"),
        ("flow.id", "churn", "$.flow.id", "must be a UUID"),
        ("flow.id", 7, "$.flow.id", "must be a UUID"),
        ("version.created_at", "yesterday", "$.version.created_at", "must be a time with its offset"),
        (
            "version.created_at",
            "2026-01-31T12:00:00",
            "$.version.created_at",
            "must be a time with its offset",
        ),
        ("version.created_at", {}, "$.version.created_at", "must be a time with its offset"),
        ("operators.1.retries", 1.5, "$.operators[1].retries", "must be an integer"),
        ("operators.1.retries", "1", "$.operators[1].retries", "must be an integer"),
        ("operators.1.retries", True, "$.operators[1].retries", "must be an integer"),
        ("operators.1.retries", -1, "$.operators[1].retries", "must be at least 0"),
        ("operators.1.retries", 101, "$.operators[1].retries", "must be at most 100"),
        ("operators.1.timeout", 0, "$.operators[1].timeout", "must be greater than 0"),
        ("operators.1.timeout", 1e300, "$.operators[1].timeout", "must be at most 31536000"),
        ("operators.1.timeout", "1h", "$.operators[1].timeout", "must be a number"),
        ("operators.1.code.sha256", "ABC", "$.operators[1].code.sha256", "must be a sha256"),
        ("operators.1.code.python_version", "3", "$.operators[1].code.python_version", "such as 3.11"),
        ("operators.1.code.python_version", "3.\u0661", "$.operators[1].code.python_version", "such as 3.11"),
        ("operators.1.id", "..", "$.operators[1].id", "not begin with a dot"),
        ("operators.1.id", "a/b", "$.operators[1].id", "must be made of letters"),
        ("operators.1.id", "", "$.operators[1].id", "must be made of letters"),
        ("operators.1.type", "functon", "$.operators[1].type", "did you mean 'function'?"),
        ("operators.1.type", None, "$.operators[1].type", "must be 'function', 'metric', 'check'"),
        ("operators.1", {}, "$.operators[1].type", "missing; add one of 'function'"),
        ("operators.1", 5, "$.operators[1]", "must be an object"),
        ("operators.4.severity", "warn", "$.operators[4].severity", "must be 'error' or 'warning'"),
        ("artifacts.0.type", "nummeric", "$.artifacts[0].type", "did you mean 'numeric'?"),
        ("artifacts.0.keep_snapshot", 1, "$.artifacts[0].keep_snapshot", "must be true or false"),
        ("parameters.0.default", {}, "$.parameters[0].default.value", "missing; add it: The value, as JSON."),
        (
            "parameters.0.default",
            {"key": "a"},
            "$.parameters[0].default.serialization_type",
            "missing; add it",
        ),
        ("parameters.0.default", 5, "$.parameters[0].default", "must be an object"),
        (
            "operators.7.source.filepath",
            5,
            "$.operators[7].source.filepath",
            "must be a non-empty string, or",
        ),
        ("operators.7.source.filepath", ["a", 5], "$.operators[7].source.filepath", "or a list"),
        ("operators.7.source.filepath", [], "$.operators[7].source.filepath", "at least one"),
        ("operators.7.source.connector", "Postgress", "$.operators[7].source.connector", "mean 'Postgres'?"),
        (
            "operators.7.source.connector",
            5,
            "$.operators[7].source.connector",
            "must be 'S3', 'GCS', 'Athena'",
        ),
        ("operators.7.source", {}, "$.operators[7].source.connector", "missing; add one of 'S3', 'GCS'"),
        ("operators.7.source.fromat", "CSV", "$.operators[7].source.fromat", "did you mean 'format'?"),
        (
            "operators.7.source",
            {"connector": "Athena", "connection_id": "lake", "queries": []},
            "$.operators[7].source.queries",
            "must have at least 1 entry",
        ),
        (
            "operators.7.source",
            {"connector": "Redshift", "connection_id": "lake"},
            "$.operators[7].source.queries",
            "missing; add it: A query, or a chain",
        ),
        (
            "operators.7.source",
            {"connector": "MongoDB", "connection_id": "m", "collection": "c", "query": {"args": {}}},
            "$.operators[7].source.query.args",
            "must be a list",
        ),
        ("operators", [], "$.operators", "must have at least 1 entry"),
        ("spec_version", 2, "$.spec_version", "must be '1'"),
    ],
)
def test_one_fault_is_one_problem(place: str, value: Any, path: str, message: str) -> None:
    problems = {problem.path: problem.message for problem in problems_of(put(place, value))}
    assert message in problems[path]
    others = set(problems) - {path}
    # A stored default lacks two fields at once, an unknown value leaves the known one missing.
    assert all(other.startswith("$.parameters[0].default") for other in others)


def test_values_are_never_repeated() -> None:
    for place in (
        "flow.id",
        "flow.tags",
        "operators.1.retries",
        "operators.1.type",
        "operators.1.code.sha256",
    ):
        (problem,) = problems_of(put(place, "hunter2-secret"))
        assert "hunter2" not in str(problem)


def test_unknown_fields_leave_a_spec_for_further_checks() -> None:
    document = put("operators.1.inptus", ["threshold-value"])
    del document["operators"][1]["inputs"]
    spec, problems = validated(WorkflowSpec, json.dumps(document).encode(), document)
    assert [problem.path for problem in problems] == ["$.operators[1].inptus"]
    assert spec is not None
    assert spec.operators[1].inputs == ("threshold-value",)


def test_faults_that_stand_aside_leave_a_spec_for_further_checks() -> None:
    document = put("operators.1.resources", {"num_cpus": "two"})
    document["flow"]["tags"] = [1]
    spec, problems = validated(WorkflowSpec, json.dumps(document).encode(), document)
    assert [problem.path for problem in problems] == ["$.flow.tags[0]", "$.operators[1].resources.num_cpus"]
    assert spec is not None
    assert spec.operators[1].resources is None


def test_faults_of_names_and_edges_leave_none() -> None:
    document = put("operators.1.inputs", "threshold-value")
    assert validated(WorkflowSpec, json.dumps(document).encode(), document)[0] is None


def test_the_number_of_problems_is_bounded() -> None:
    document = native_document(**{f"field{number}": 1 for number in range(3 * MAX_PROBLEMS)})
    assert len(problems_of(document)) == MAX_PROBLEMS


def test_a_list_is_not_called_short_because_its_entries_are_wrong() -> None:
    document = put("operators.1.inputs", "threshold-value")
    document["operators"] = document["operators"][1:2]
    assert [problem.path for problem in problems_of(document)] == ["$.operators[0].inputs"]


def test_suggestions_are_given_only_where_they_are_cheap() -> None:
    assert suggestion("retrys", ["retries", "pool"]) == "retries"
    assert suggestion("zzz", ["retries", "pool"]) == ""
    assert suggestion("retrys" * 30, ["retries" * 30]) == ""
    assert suggestion("retrys", [*(str(number) for number in range(1000)), "retries"]) == ""

"""What extracts and loads must fulfil beyond the types of their fields, in the words of their document."""

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.spec.loader import native_path
from aqueduct_provider.spec.models import ExtractOperator, LoadOperator
from aqueduct_provider.spec.system_operator_checks import data_system_problems
from aqueduct_provider.spec.types import ArtifactType

SQL = {"connector": "Postgres", "connection_id": "c"}
MONGO = {"connector": "MongoDB", "connection_id": "c"}
FILE = {"connector": "S3", "filepath": "a"}
TYPES = {kind.value: kind for kind in ArtifactType}


def problems(operator: ExtractOperator | LoadOperator) -> dict[str, str]:
    found = data_system_problems(operator, 3, TYPES, native_path)
    return {problem.path: problem.message for problem in found}


def extract(source: dict[str, Any], *inputs: str, output: str = "table") -> dict[str, str]:
    fields = {
        "id": "e",
        "name": "e",
        "task_id": "e",
        "type": "extract",
        "inputs": inputs,
        "outputs": (output,),
    }
    return problems(ExtractOperator.model_validate({**fields, "source": source}, strict=False))


def load(target: dict[str, Any], *inputs: str) -> dict[str, str]:
    fields = {"id": "l", "name": "l", "task_id": "l", "type": "load", "inputs": inputs}
    return problems(LoadOperator.model_validate({**fields, "target": target}, strict=False))


QUERY = {**SQL, "queries": ["SELECT 1"]}
FIND = {**MONGO, "collection": "c"}


@pytest.mark.parametrize("source", [QUERY, FIND, {**FILE, "artifact_type": "string"}])
@pytest.mark.parametrize("text", ["string", "json", "untyped", "not-known"])
def test_texts_are_parameters(source: dict[str, Any], text: str) -> None:
    assert extract(source, text, text) == {}


@pytest.mark.parametrize("other", ["numeric", "boolean", "table", "picklable", "list"])
def test_what_is_no_text_is_none(other: str) -> None:
    expected = f"must be text to be a parameter here, and is of type {other}; give text"
    assert extract(QUERY, "string", other) == {"$.operators[3].inputs[1]": expected}
    assert load({**SQL, "table": "t"}, other, "table") == {"$.operators[3].inputs[0]": expected}
    assert load({**FILE, "format": "CSV"}, other, "table") == {"$.operators[3].inputs[0]": expected}


@pytest.mark.parametrize("source", [QUERY, FIND])
def test_queries_give_tables(source: dict[str, Any]) -> None:
    assert extract(source, output="untyped") == {}
    assert extract(source, output="not-known") == {}
    (path, message), *rest = extract(source, output="json").items()
    assert (path, rest) == ("$.operators[3].outputs[0]", [])
    assert message.startswith(f"{source['connector']} gives a table")


def test_tables_in_files_need_a_format() -> None:
    message = "tables need a format; give 'CSV', 'JSON' or 'Parquet'"
    assert extract({**FILE, "artifact_type": "table"}) == {"$.operators[3].source.format": message}
    assert extract({**FILE, "artifact_type": "table", "format": "CSV"}) == {}
    assert extract({**FILE, "artifact_type": "json"}, output="json") == {}
    assert load(FILE, "table") == {"$.operators[3].target.format": message}
    assert load({**FILE, "format": "CSV"}, "table") == {}
    assert load(FILE, "json") == load(FILE, "untyped") == load(FILE, "not-known") == {}


@pytest.mark.parametrize(
    ("target", "field"), [({**SQL, "table": ""}, "table"), ({**MONGO, "collection": ""}, "collection")]
)
def test_a_target_has_its_name_in_the_spec_or_in_an_input(target: dict[str, Any], field: str) -> None:
    assert load(target, "string", "table") == {}
    assert load({**target, field: "t"}, "table") == {}
    (path, message), *rest = load(target, "table").items()
    assert (path, rest) == (f"$.operators[3].target.{field}", [])
    assert "give the name or the input" in message


@pytest.mark.parametrize("target", [{**SQL, "table": "t"}, {**MONGO, "collection": "c"}])
@pytest.mark.parametrize("saved", ["numeric", "json", "bytes"])
def test_only_tables_are_saved_to_databases(target: dict[str, Any], saved: str) -> None:
    message = f"only tables can be saved to {target['connector']}; make a table of it first"
    assert load(target, "string", saved) == {"$.operators[3].inputs[1]": message}
    assert load(target, "untyped") == load(target, "table") == load(target, "not-known") == {}


def test_a_load_without_inputs_is_told_by_the_graph_and_not_here() -> None:
    assert load({**SQL, "table": "t"}) == {}


@pytest.mark.parametrize(
    "name", ["aqueduct_loads", "Aqueduct_Loads", "sales.AQUEDUCT_LOADS", "aqüeduct_loads"]
)
@pytest.mark.parametrize(("target", "field"), [(SQL, "table"), (MONGO, "collection")])
def test_the_ledger_is_no_target(target: dict[str, Any], field: str, name: str) -> None:
    message = "aqueduct_loads is the table in which Aqueduct records its loads; choose another name"
    assert load({**target, field: name}, "table") == {f"$.operators[3].target.{field}": message}
    assert load({**target, field: f"{name}_2"}, "table") == {}

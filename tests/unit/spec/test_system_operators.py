"""Sources and targets of native specs: which model a connector has, and what stands in it when unset."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from aqueduct_provider.connectors.registry import built_in
from aqueduct_provider.spec.system_operators import (
    GcsExtract,
    GcsLoad,
    MongoExtract,
    MongoLoad,
    S3Extract,
    S3Load,
    Source,
    SqlExtract,
    SqlLoad,
    SqlTarget,
    Target,
)

SQL = get_args(SqlTarget)


def source(**fields: Any) -> Any:
    return TypeAdapter(Source).validate_json(json.dumps(fields))


def target(**fields: Any) -> Any:
    return TypeAdapter(Target).validate_json(json.dumps(fields))


@pytest.mark.parametrize("connector", [*SQL, "Athena"])
def test_every_sql_system_reads_queries(connector: str) -> None:
    found = source(connector=connector, connection_id="c", queries=["SELECT 1", "SELECT * FROM $"])
    assert isinstance(found, SqlExtract)
    assert found.queries == ("SELECT 1", "SELECT * FROM $")


@pytest.mark.parametrize("connector", SQL)
def test_every_sql_system_but_athena_writes_tables(connector: str) -> None:
    found = target(connector=connector, connection_id="c", table="s.t")
    assert isinstance(found, SqlLoad)
    assert (found.table, found.update_mode) == ("s.t", "replace")


def test_files() -> None:
    found = source(connector="S3", filepath=["a", "b"], artifact_type="table", format="CSV", merge=True)
    assert isinstance(found, S3Extract)
    assert (found.filepath, found.connection_id, found.merge) == (("a", "b"), None, True)
    assert isinstance(
        source(connector="GCS", connection_id="g", filepath="a/", artifact_type="json"), GcsExtract
    )
    assert isinstance(target(connector="S3", filepath="a"), S3Load)
    assert isinstance(target(connector="GCS", connection_id="g", filepath="a", format="JSON"), GcsLoad)


def test_documents() -> None:
    found = source(connector="MongoDB", connection_id="m", collection="c")
    assert isinstance(found, MongoExtract)
    assert found.query.model_dump(mode="json") == {"args": [], "kwargs": {}}
    query = {"args": [{"_id": {"$oid": "5f"}}, None], "kwargs": {"sort": [["a", -1]]}}
    found = source(connector="MongoDB", connection_id="m", collection="c", query=query)
    assert found.query.model_dump(mode="json") == query
    assert isinstance(target(connector="MongoDB", connection_id="m", collection=""), MongoLoad)


def test_the_connectors_are_those_of_the_catalog() -> None:
    sources = {name for model in built_in_models(Source) for name in names_of(model)}
    targets = {name for model in built_in_models(Target) for name in names_of(model)}
    assert sources == set(built_in())
    assert targets == sources - {"Athena"}


def built_in_models(union: Any) -> Any:
    return get_args(get_args(get_args(get_args(union)[0])[0])[0])


def names_of(model: Any) -> list[str]:
    schema = model.model_json_schema()["properties"]["connector"]
    parts = schema.get("anyOf", [schema])
    return [name for part in parts for name in part.get("enum", [part.get("const")])]


@pytest.mark.parametrize(
    "fields",
    [
        {"connector": "Oracle", "connection_id": "c", "queries": ["SELECT 1"]},
        {"connector": "Postgres", "queries": ["SELECT 1"]},
        {"connector": "Postgres", "connection_id": "", "queries": ["SELECT 1"]},
        {"connector": "Postgres", "connection_id": "c", "queries": []},
        {"connector": "Postgres", "connection_id": "c", "queries": [""]},
        {"connector": "Postgres", "connection_id": "c", "queries": ["SELECT 1"], "password": "hunter2"},
        {"connector": "GCS", "filepath": "a", "artifact_type": "json"},
        {"connector": "S3", "filepath": [], "artifact_type": "json"},
        {"connector": "S3", "filepath": "a"},
        {"connector": "MongoDB", "connection_id": "m", "collection": ""},
        {"connector": "MongoDB", "connection_id": "m", "collection": "c", "query": {"filter": {}}},
    ],
)
def test_what_is_no_source(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"connector": "Athena", "connection_id": "c", "table": "t"},
        {"connector": "Postgres", "connection_id": "c"},
        {"connector": "Postgres", "connection_id": "c", "table": "t", "update_mode": "upsert"},
        {"connector": "GCS", "filepath": "a"},
        {"connector": "S3", "filepath": ""},
    ],
)
def test_what_is_no_target(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        target(**fields)

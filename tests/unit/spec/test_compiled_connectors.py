"""Every connector of the compiled dialect: its configuration, its parameters, and what is wrong with them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from aqueduct_provider.connectors.registry import built_in
from aqueduct_provider.spec.compiled_connectors import ConnectorReader, decoded_filepath
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import ExtractOperator, LoadOperator
from aqueduct_provider.spec.system_operators import (
    GcsExtract,
    GcsLoad,
    MongoExtract,
    MongoLoad,
    S3Extract,
    S3Load,
    SqlExtract,
    SqlLoad,
)
from aqueduct_provider.spec.types import ArtifactType
from tests.support.example_specs import (
    POSTGRES_EXTRACT,
    POSTGRES_LOAD,
    S3_CONNECTOR,
    compiled_document,
    extract_task,
    load_task,
    param_task,
)

SERVER = {"username": "u", "password": "planted", "database": "d", "host": "h", "port": "1"}
CONFIGS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("Postgres", "Redshift", "MySQL", "MariaDB", "SQL Server", "AzureSQL"), SERVER),
    "Snowflake": {
        "username": "u",
        "password": "planted",
        "account_identifier": "a",
        "database": "d",
        "warehouse": "w",
        "schema": "s",
        "role": None,
    },
    "BigQuery": {"project_id": "p", "service_account_credentials": "planted"},
    "SQLite": {"database": "/data/a.db"},
    "MongoDB": {"auth_uri": "mongodb://u:planted@h", "database": "d"},
    "S3": {**S3_CONNECTOR, "secret_access_key": "planted", "use_as_storage": "false"},
    "Athena": {
        "type": "config_file_content",
        "config_file_content": "planted",
        "database": "d",
        "output_location": "s3://b/out",
        "region": "us-east-2",
    },
    "GCS": {"bucket": "b", "service_account_credentials": "planted"},
}
FILES = ("S3", "GCS")
QUERY = {"query": "SELECT 1"}
FIND = {"collection": "c", "query_serialized": "{}"}


def reader(name: str, parameters: Any, config: Any = None) -> ConnectorReader:
    given = CONFIGS.get(name, SERVER) if config is None else config
    return ConnectorReader(name, copy.deepcopy(given), parameters, ("task_specs", "t"))


def problems(read: ConnectorReader) -> dict[str, str]:
    found = {problem.path: problem.message for problem in read.problems}
    assert "planted" not in str(found)
    return {path.removeprefix("$.task_specs.t."): message for path, message in found.items()}


def parameters_of(name: str) -> dict[str, Any]:
    if name in FILES:
        return {"filepath": '"a"', "artifact_type": "json", "format": None, "merge": None}
    return FIND if name == "MongoDB" else QUERY


def test_all_connectors_are_here() -> None:
    assert set(CONFIGS) == set(built_in())


@pytest.mark.parametrize("wrap", [lambda config: config, lambda config: {"conf": config}])
@pytest.mark.parametrize("name", CONFIGS)
def test_every_connector_is_read(name: str, wrap: Any) -> None:
    config = {**CONFIGS[name], "exec_state": {"status": "succeeded"}}
    read = reader(name, parameters_of(name), wrap(config))
    reached = read.source()
    assert problems(read) == {}
    assert reached is not None
    assert reached[0].connector == name
    assert reached[1] == CONFIGS[name]
    kinds = {"S3": S3Extract, "GCS": GcsExtract, "MongoDB": MongoExtract}
    assert isinstance(reached[0], kinds.get(name, SqlExtract))


@pytest.mark.parametrize("name", [name for name in CONFIGS if name != "Athena"])
def test_every_connector_but_athena_is_written(name: str) -> None:
    given = {"filepath": "a", "format": "CSV"} if name in FILES else {"table": "t", "update_mode": "append"}
    read = reader(name, given)
    reached = read.target()
    assert problems(read) == {}
    assert reached is not None
    assert (reached[0].connector, reached[1]) == (name, CONFIGS[name])
    kinds = {"S3": S3Load, "GCS": GcsLoad, "MongoDB": MongoLoad}
    assert isinstance(reached[0], kinds.get(name, SqlLoad))


def test_a_sqlite_configuration_that_the_original_took_for_one_of_athena() -> None:
    empty = {"type": "access_key", "region": "", "access_key_id": "", "config_file_content": ""}
    read = reader("SQLite", QUERY, {**CONFIGS["SQLite"], **empty, "output_location": ""})
    reached = read.source()
    assert problems(read) == {}
    assert reached is not None
    assert reached[1] == CONFIGS["SQLite"]
    read = reader("SQLite", QUERY, {**CONFIGS["SQLite"], **empty, "output_location": "s3://b/out"})
    read.source()
    assert list(problems(read)) == ["connector_config.output_location"]


def test_the_other_name_of_snowflakes_schema() -> None:
    config = {"db_schema": "s", **CONFIGS["Snowflake"]}
    both = reader("Snowflake", QUERY, config)
    both.source()
    assert list(problems(both)) == ["connector_config.db_schema"]
    del config["schema"]
    read = reader("Snowflake", QUERY, {"conf": config})
    reached = read.source()
    assert problems(read) == {}
    assert reached is not None
    assert reached[1] == CONFIGS["Snowflake"]


def test_athena_is_read_only() -> None:
    read = reader("Athena", {"table": "t"})
    assert read.target() is None
    assert problems(read) == {"connector_name": "Athena is read only; save to another data system"}


@pytest.mark.parametrize("name", ["postgres", "Oracle", ""])
def test_unknown_connectors(name: str) -> None:
    for read in (reader(name, QUERY), reader(name, {"table": "t"})):
        assert (read.source() if read.parameters is QUERY else read.target()) is None
        (message,) = problems(read).values()
        assert message.startswith(f"unknown connector '{name}'; use one of: Athena, AzureSQL, BigQuery, GCS,")


# --- configurations


@pytest.mark.parametrize(
    ("name", "change", "place", "message"),
    [
        ("Postgres", {"host": ""}, "host", "must not be empty"),
        ("Postgres", {"password": 5}, "password", "must be text"),
        ("Postgres", {"pasword": "planted"}, "pasword", "did you mean 'password'?"),
        ("Postgres", {"port": None}, "port", "must be text or an integer"),
        ("MySQL", {"database": None}, "database", "must be text"),
        ("Snowflake", {"warehouse": ""}, "warehouse", "must not be empty"),
        ("Snowflake", {"schema": 1}, "schema", "must be text"),
        (
            "BigQuery",
            {"service_account_credentials": {"key": "planted"}},
            "service_account_credentials",
            "must be text",
        ),
        ("SQLite", {"database": ""}, "database", "must not be empty"),
        ("MongoDB", {"auth_uri": None}, "auth_uri", "must be text"),
        ("S3", {"type": "planted-type"}, "type", "must be 'access_key'"),
        ("S3", {"bucket": ""}, "bucket", "must not be empty"),
        ("Athena", {"output_location": ""}, "output_location", "must not be empty"),
        ("GCS", {"bucket": ""}, "bucket", "must not be empty"),
    ],
)
@pytest.mark.parametrize("inside", ["", "conf."])
def test_what_is_wrong_in_a_configuration(
    name: str, change: dict[str, Any], place: str, message: str, inside: str
) -> None:
    config = {**CONFIGS[name], **change}
    read = reader(name, parameters_of(name), {"conf": config} if inside else config)
    read.source()
    found = problems(read)
    assert list(found) == [f"connector_config.{inside}{place}"]
    assert message in next(iter(found.values()))


@pytest.mark.parametrize("name", CONFIGS)
def test_missing_fields_are_named(name: str) -> None:
    read = reader(name, parameters_of(name), {})
    read.source()
    found = problems(read)
    assert found
    assert all(message.startswith("missing; add it") for message in found.values())
    assert {path.removeprefix("connector_config.") for path in found} <= set(CONFIGS[name])


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("Postgres", ["port"]),
        ("Snowflake", ["schema", "role"]),
        ("S3", ["type", "region", "access_key_id", "secret_access_key", "use_as_storage"]),
        ("Athena", ["type", "config_file_content", "region"]),
    ],
)
def test_what_may_be_missing(name: str, left_out: list[str]) -> None:
    config = {field: value for field, value in CONFIGS[name].items() if field not in left_out}
    read = reader(name, parameters_of(name), config)
    assert read.source() is not None
    assert problems(read) == {}


def test_a_port_may_be_a_number() -> None:
    reached = reader("Postgres", QUERY, {**SERVER, "port": 5432}).source()
    assert reached is not None
    assert reached[1]["port"] == 5432


# --- parameters


@pytest.mark.parametrize(
    ("given", "queries"),
    [
        ({"query": "SELECT 1"}, ("SELECT 1",)),
        ({"query": "SELECT 1", "queries": None}, ("SELECT 1",)),
        ({"query": "SELECT 1", "queries": []}, ("SELECT 1",)),
        ({"query": "", "queries": ["a", "b"]}, ("a", "b")),
        ({"query": "q", "query_is_usable": False, "github_metadata": {"a": 1}}, ("q",)),
    ],
)
def test_a_query_or_a_chain(given: dict[str, Any], queries: tuple[str, ...]) -> None:
    read = reader("MySQL", given)
    reached = read.source()
    assert reached is not None
    assert isinstance(reached[0], SqlExtract)
    assert reached[0].queries == queries
    assert problems(read) == {}


@pytest.mark.parametrize("given", [{}, {"query": ""}, {"queries": []}, {"query": "a", "queries": ["b"]}])
def test_neither_or_both(given: dict[str, Any]) -> None:
    read = reader("Postgres", given)
    assert read.source() is None
    assert problems(read) == {"parameters": "give query or queries, and not both"}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"query": 5}, "query"),
        ({"queries": ["a", ""]}, "queries[1]"),
        ({"queries": "a"}, "queries"),
        ({"query": "a", "querys": "b"}, "querys"),
    ],
)
def test_queries_that_are_none(given: dict[str, Any], place: str) -> None:
    read = reader("Postgres", given)
    assert read.source() is None
    assert list(problems(read)) == [f"parameters.{place}"]


@pytest.mark.parametrize(
    ("text", "args", "kwargs"),
    [
        ("{}", (), {}),
        ('{"args": null, "kwargs": null}', (), {}),
        ('{"args": [{"a": {"$gt": "$1"}}, {"_id": 0}]}', ({"a": {"$gt": "$1"}}, {"_id": 0}), {}),
        (
            '{"kwargs": {"filter": {"_id": {"$oid": "5f"}}, "limit": 3}}',
            (),
            {"filter": {"_id": {"$oid": "5f"}}, "limit": 3},
        ),
    ],
)
def test_a_query_of_documents(text: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    read = reader("MongoDB", {"collection": "c", "query_serialized": text, "query": None})
    reached = read.source()
    assert problems(read) == {}
    assert reached is not None
    assert isinstance(reached[0], MongoExtract)
    assert (reached[0].collection, reached[0].query.args, reached[0].query.kwargs) == (
        "c",
        args,
        kwargs,
    )


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "5", '"text"', '{"filter": {}}', '{"args": {"a": 1}}', '{"kwargs": [1]}', "[" * 100_000],
)
def test_a_query_of_documents_that_is_none(text: str) -> None:
    read = reader("MongoDB", {"collection": "c", "query_serialized": text})
    assert read.source() is None
    assert list(problems(read)) == ["parameters.query_serialized"]


@pytest.mark.parametrize("name", ["Postgres", "MongoDB"])
@pytest.mark.parametrize(
    ("given", "mode"), [("", "replace"), ("append", "append"), ("replace", "replace"), ("fail", "fail")]
)
def test_update_modes(name: str, given: str, mode: str) -> None:
    reached = reader(name, {"table": "", "update_mode": given}).target()
    assert reached is not None
    assert isinstance(reached[0], SqlLoad | MongoLoad)
    assert reached[0].update_mode == mode
    read = reader(name, {"table": "t", "update_mode": "upsert"})
    assert read.target() is None
    assert list(problems(read)) == ["parameters.update_mode"]


@pytest.mark.parametrize("name", FILES)
def test_files(name: str) -> None:
    given = {"filepath": '["a", "b"]', "artifact_type": "table", "format": "CSV", "merge": True}
    reached = reader(name, given).source()
    assert reached is not None
    assert isinstance(reached[0], S3Extract | GcsExtract)
    assert (reached[0].filepath, reached[0].format, reached[0].merge) == (("a", "b"), "CSV", True)
    assert reached[0].artifact_type is ArtifactType.TABLE
    read = reader(name, {**given, "filepath": "a.csv"})
    read.source()
    assert list(problems(read)) == ["parameters.filepath"]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('"a"', "a"),
        ('"a/"', "a/"),
        ('["a", "b"]', ("a", "b")),
        *((text, None) for text in ("a", "5", "[]", '""', '["a", 5]', '[""]', "null", "{}", "[" * 100_000)),
    ],
)
def test_paths_inside_of_a_text(text: str, paths: Any) -> None:
    assert decoded_filepath(text) == paths


# --- in a whole document


def spec_of(document: Any) -> Any:
    return parse(json.dumps(document).encode(), "x.json")


@pytest.mark.parametrize("wrap", [lambda config: config, lambda config: {"conf": config}])
def test_extract_and_load_of_a_database(wrap: Any) -> None:
    document: Any = compiled_document()
    config = POSTGRES_EXTRACT["connector_config"]
    document["task_specs"] |= {
        "id": param_task("id", "string", "string"),
        "read": extract_task("read", **{**POSTGRES_EXTRACT, "connector_config": wrap(config)}),
        "save": load_task(
            "save", inputs=["id", "read"], **{**POSTGRES_LOAD, "connector_config": wrap(config)}
        ),
    }
    document["task_specs"]["read"] |= {
        "input_content_paths": ["id-content"],
        "input_metadata_paths": ["id-metadata"],
    }
    spec = spec_of(document)
    read, save = spec.operators[-2:]
    assert isinstance(read, ExtractOperator)
    assert isinstance(save, LoadOperator)
    assert isinstance(read.source, SqlExtract)
    assert isinstance(save.target, SqlLoad)
    assert (read.inputs, read.outputs) == (("id-content",), ("read-content",))
    assert read.source.queries == ("SELECT * FROM orders WHERE id = $1",)
    assert (save.target.table, save.target.update_mode) == ("daily", "append")
    assert spec.artifact("read-content").type is ArtifactType.TABLE
    assert spec.compiled is not None
    assert spec.compiled.connectors == {"read-state": config, "save-state": config}
    assert set(spec.secrets) == {"planted-database-password"}
    assert "planted-database" not in repr(spec) + spec.model_dump_json()

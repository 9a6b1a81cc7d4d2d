"""URIs of Airflow's assets: what a flow may wait for, and what it updates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.spec import semantic_checks
from aqueduct_provider.spec.assets import MAX_LENGTH, flow_asset, saved_asset, uri_problem
from aqueduct_provider.spec.loader import native_path, parse
from aqueduct_provider.spec.models import LoadOperator, WorkflowSpec
from aqueduct_provider.storage.layout import bucket_and_prefix
from tests.support.example_specs import compiled_document, load_task, native_document, operator

S3_STORE = {"type": "s3", "bucket": "lake", "root_dir": "aqueduct"}
# A database's configuration in compiled specs.
SERVER = {"username": "ada", "password": "s3cret", "database": "shop", "host": "db.internal", "port": "5433"}


def load(**target: Any) -> dict[str, Any]:
    return operator("save", "load", inputs=["features"], target=target, outputs=[])


def native(load: dict[str, Any], **overrides: Any) -> WorkflowSpec:
    document = native_document(**overrides)
    document["operators"].append(load)
    return WorkflowSpec.model_validate_json(json.dumps(document))


def compiled(system: str, config: dict[str, Any], parameters: dict[str, Any]) -> WorkflowSpec:
    document = compiled_document()
    connector = {"connector_name": system, "connector_config": {"conf": config}, "parameters": parameters}
    document["task_specs"]["save"] = load_task("save", inputs=["features"], **connector)
    document["task_edges"]["features"].append("save")
    return parse(json.dumps(document).encode(), "churn.json")


def saved(spec: WorkflowSpec) -> str | None:
    (found,) = (one for one in spec.operators if isinstance(one, LoadOperator))
    return saved_asset(spec, found)


# --- what a flow may wait for


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/sales.parquet",
        "postgres://db:5432/shop/public/orders",
        "aqueduct://churn%20model",
        "aqueduct-data://wh/public.orders",
        "file:///data/a.csv",
        "x-ours://anything?b=1&a=2",
        "s3://bucket/user@home.csv",
        "sales of the day",
        "s" * MAX_LENGTH,
    ],
)
def test_assets_that_airflow_can_wait_for(uri: str) -> None:
    assert uri_problem(uri) == ""


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        (" ", "is empty; give a URI such as"),
        ("s3://bucket/key ", "ends with spaces"),
        ("s3://bucket/ü", "beyond ASCII, or invisible ones; percent-encode them"),
        ("s3://bucket/a\tb", "invisible ones"),
        ("s" * (MAX_LENGTH + 1), "has more than 1500 characters"),
        ("self", "Airflow keeps for itself"),
        ("AIRFLOW://x", "keeps the scheme airflow:// for itself"),
        ("http://[::1", "its host cannot be read"),
        ("postgres://ada:s3cret@db/shop", "holds a user or a password"),
        ("s3://", "names nothing after ://"),
        ("s3:///key", "names nothing after ://"),
    ],
)
def test_assets_that_it_cannot(uri: str, problem: str) -> None:
    message = uri_problem(uri)
    assert problem in message
    assert "s3cret" not in message


def problems_of(*assets: str) -> dict[str, str]:
    schedule = {"type": "assets", "assets": list(assets)}
    spec = native(load(connector="S3", filepath="out.csv", format="CSV"), schedule=schedule)
    return {problem.path: problem.message for problem in semantic_checks.check(spec, native_path)}


def test_problems_have_the_path_of_the_asset() -> None:
    assert problems_of("s3://bucket/a", "s3://bucket/a", "s3://bucket/b/") == {}
    assert problems_of("s3://bucket/a", "airflow://b").keys() == {"$.schedule.assets[1]"}


@pytest.mark.parametrize("own", ["aqueduct://churn", "AQUEDUCT://churn/", "s3://aqueduct-test/out.csv"])
def test_a_flow_cannot_wait_for_what_it_updates(own: str) -> None:
    (message,) = problems_of("s3://bucket/a", own).values()
    assert message.startswith("this flow updates it, and would start itself again and again")


# --- what a flow updates


@pytest.mark.parametrize(
    ("target", "store", "uri"),
    [
        ({"connector": "S3", "filepath": "a/b.csv"}, S3_STORE, "s3://lake/aqueduct/a/b.csv"),
        ({"connector": "S3", "filepath": "ü ?#.csv"}, S3_STORE, "s3://lake/aqueduct/%C3%BC%20%3F%23.csv"),
        ({"connector": "S3", "filepath": "{day}=1.csv"}, S3_STORE, "s3://lake/aqueduct/%7Bday%7D=1.csv"),
        (
            {"connector": "S3", "filepath": "a.csv"},
            {"type": "connection"},
            "aqueduct-data://aqueduct_default/a.csv",
        ),
        (
            {"connector": "S3", "filepath": "a.csv", "connection_id": "lake"},
            S3_STORE,
            "aqueduct-data://lake/a.csv",
        ),
        (
            {"connector": "GCS", "filepath": "a/b.csv", "connection_id": "g/c"},
            S3_STORE,
            "aqueduct-data://g%2Fc/a/b.csv",
        ),
        (
            {"connector": "Postgres", "connection_id": "wh", "table": "shop.orders"},
            S3_STORE,
            "aqueduct-data://wh/shop.orders",
        ),
        (
            {"connector": "MongoDB", "connection_id": "m", "collection": "a/b"},
            S3_STORE,
            "aqueduct-data://m/a%2Fb",
        ),
        ({"connector": "Postgres", "connection_id": "wh", "table": ""}, S3_STORE, None),
        ({"connector": "S3", "filepath": "a" * MAX_LENGTH}, S3_STORE, None),
        ({"connector": "S3", "filepath": "a"}, {"type": "s3", "bucket": "no bucket"}, None),
    ],
)
def test_assets_of_native_loads(target: dict[str, Any], store: dict[str, Any], uri: str | None) -> None:
    assert saved(native(load(**target), artifact_store=store)) == uri
    assert uri is None or uri_problem(uri) == ""


def test_a_path_that_inputs_fill_has_no_asset() -> None:
    inputs = ["threshold-value", "features-value"]
    filled = load(connector="S3", filepath="{threshold}.csv") | {"inputs": inputs}
    assert saved(native(filled)) is None


@pytest.mark.parametrize("bucket", ["lake", "s3://lake", "s3://lake/", "s3://lake/in/ner/"])
@pytest.mark.parametrize("root_dir", ["", "/root/", "a//b"])
def test_keys_are_those_of_the_store(bucket: str, root_dir: str) -> None:
    name, prefix = bucket_and_prefix(bucket, root_dir)
    store = {"type": "s3", "bucket": bucket, "root_dir": root_dir}
    spec = native(load(connector="S3", filepath="/key.csv"), artifact_store=store)
    assert saved(spec) == f"s3://{name}/{prefix}/key.csv"


FILE = {"filepath": "out/a.csv", "format": "CSV"}
S3_CONFIG = {"type": "access_key", "access_key_id": "AKIA", "secret_access_key": "s3cret", "bucket": "lake"}
SNOWFLAKE = {**SERVER, "account_identifier": "org-acc", "warehouse": "w", "schema": "sales"}
del SNOWFLAKE["host"], SNOWFLAKE["port"]
BIGQUERY = {"project_id": "proj", "service_account_credentials": "{}"}
MONGO = {"auth_uri": "mongodb://ada:s3cret@db/", "database": "shop"}


def table(name: str) -> dict[str, Any]:
    return {"table": name, "update_mode": "append"}


@pytest.mark.parametrize(
    ("system", "config", "parameters", "uri"),
    [
        ("S3", {**S3_CONFIG, "root_dir": "root"}, FILE, "s3://lake/out/a.csv"),
        ("GCS", {"bucket": "lake", "service_account_credentials": "{}"}, FILE, "gs://lake/out/a.csv"),
        ("Postgres", SERVER, table("orders"), "postgres://db.internal:5433/shop/public/orders"),
        (
            "Postgres",
            {**SERVER, "port": ""},
            table("eu.orders"),
            "postgres://db.internal:5432/shop/eu/orders",
        ),
        ("Redshift", SERVER, table("orders"), "redshift://db.internal:5433/shop/public/orders"),
        ("MySQL", {**SERVER, "port": 3307}, table("orders"), "mysql://db.internal:3307/shop/orders"),
        ("MariaDB", SERVER, table("other.orders"), "mysql://db.internal:5433/other/orders"),
        ("SQL Server", SERVER, table("o r"), "mssql://db.internal:5433/shop/dbo/o%20r"),
        ("Snowflake", SNOWFLAKE, table("orders"), "snowflake://org-acc/shop/sales/orders"),
        ("Snowflake", SNOWFLAKE, table("eu.orders"), "snowflake://org-acc/shop/eu/orders"),
        ("BigQuery", BIGQUERY, table("sales.orders"), "bigquery://proj/sales/orders"),
        ("BigQuery", BIGQUERY, table("orders"), None),
        ("SQLite", {"database": "/data/shop.db"}, table("orders"), None),
        ("MongoDB", MONGO, table("orders"), None),
        ("Postgres", SERVER, table("a.b.c"), None),
        ("Postgres", SERVER, table("public."), None),
        ("Postgres", {**SERVER, "port": "x"}, table("orders"), None),
        ("Postgres", {**SERVER, "host": "ada:pw@db"}, table("orders"), None),
        # Nothing tells that this is the password, too.
        ("Postgres", SERVER, table("s3cret"), None),
    ],
)
def test_assets_of_compiled_loads(
    system: str, config: dict[str, Any], parameters: dict[str, Any], uri: str | None
) -> None:
    assert saved(compiled(system, config, parameters)) == uri
    assert uri is None or uri_problem(uri) == ""


def test_no_data_has_the_asset_of_a_flow() -> None:
    store = {"type": "connection", "connection_id": "a"}
    assert saved(native(load(connector="S3", filepath="a"), artifact_store=store)) == "aqueduct-data://a/a"
    assert flow_asset("a/a") == "aqueduct://a%2Fa"

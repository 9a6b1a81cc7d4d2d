"""Airflow connections of every connector's type -> the configuration that it takes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from aqueduct_provider.compat import BaseHook
from aqueduct_provider.connectors.registry import built_in
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.hooks import connections
from aqueduct_provider.hooks.connections import connection_config, missing_connection, system_for
from aqueduct_provider.spec.compiled_facts import Compiled
from aqueduct_provider.spec.models import (
    ConnectionStore,
    ExtractOperator,
    FlowIdentity,
    FlowVersion,
    LoadOperator,
    WorkflowSpec,
)
from aqueduct_provider.spec.system_operators import SqlExtract, SqlLoad

LOGIN = {"login": "ada", "password": "hun/ter:2@é", "host": "db.example.org"}
SERVERS = {
    "Postgres": "postgres",
    "Redshift": "redshift",
    "MySQL": "mysql",
    "MariaDB": "mysql",
    "SQL Server": "mssql",
    "AzureSQL": "mssql",
}
KEY = {"type": "service_account", "private_key": "planted-key"}


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The configuration of a connector from a connection with these fields."""

    def make(connector: str, conn_type: str, **fields: Any) -> dict[str, Any]:
        monkeypatch.setenv("AIRFLOW_CONN_IT", json.dumps({"conn_type": conn_type, **fields}))
        return connection_config(connector, "it")

    return make


@pytest.mark.parametrize(("connector", "conn_type"), [*SERVERS.items(), ("Redshift", "postgres")])
def test_servers(config: Any, connector: str, conn_type: str) -> None:
    assert config(connector, conn_type, **LOGIN, schema="shop", port=5433) == {
        "username": "ada",
        "password": "hun/ter:2@é",
        "host": "db.example.org",
        "database": "shop",
        "port": "5433",
        "options": {},
    }


def test_a_port_may_be_left_out_and_options_are_texts(config: Any) -> None:
    extra = {"sslmode": "require", "connect_timeout": 5, "flag": True, "left": "", "out": None}
    found = config("Postgres", "postgres", **LOGIN, schema="shop", extra=extra)
    assert "port" not in found
    assert found["options"] == {"sslmode": "require", "connect_timeout": "5", "flag": "true"}


def test_the_database_may_stand_in_the_extra(config: Any) -> None:
    found = config("Redshift", "redshift", **LOGIN, extra={"database": "dev", "iam": False})
    assert (found["database"], found["options"]) == ("dev", {"iam": "false"})


@pytest.mark.parametrize("place", ["host", "schema"])
def test_sqlite(config: Any, place: str) -> None:
    assert config("SQLite", "sqlite", **{place: "/data/a.db"}) == {"database": "/data/a.db"}


def test_sqlite_as_a_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_IT", "sqlite:////data/a.db")
    assert connection_config("SQLite", "it")["database"].endswith("data/a.db")


@pytest.mark.parametrize("prefix", ["", "extra__snowflake__"])
def test_snowflake(config: Any, prefix: str) -> None:
    extra = {"account": "acc-1", "database": "d", "warehouse": "w", "role": "r", "region": "eu"}
    found = config(
        "Snowflake",
        "snowflake",
        login="ada",
        password="hunter2",
        schema="s",
        extra={f"{prefix}{name}": value for name, value in extra.items()},
    )
    assert found == {
        "username": "ada",
        "password": "hunter2",
        "account_identifier": "acc-1",
        "schema": "s",
        "database": "d",
        "warehouse": "w",
        "role": "r",
        "options": {"region": "eu"},
    }


def test_snowflakes_account_may_be_the_host(config: Any) -> None:
    found = config("Snowflake", "snowflake", **LOGIN, extra={"database": "d", "warehouse": "w"})
    assert (found["account_identifier"], found["schema"]) == ("db.example.org", "public")
    assert "options" not in found


def test_beside_an_account_snowflakes_host_is_an_address(config: Any) -> None:
    extra = {"account": "a", "database": "d", "warehouse": "w", "authenticator": "oauth", "token": "t"}
    extra |= {"session_parameters": {"QUERY_TAG": "x"}}
    found = config("Snowflake", "snowflake", **LOGIN, port=444, extra=extra)
    assert found["account_identifier"] == "a"
    assert found["options"] == {
        **{"host": "db.example.org", "port": "444", "authenticator": "oauth", "token": "t"},
        "session_parameters": '{"QUERY_TAG": "x"}',
    }


@pytest.mark.parametrize("conn_type", ["google_cloud_platform", "gcpbigquery"])
@pytest.mark.parametrize("keys", [KEY, json.dumps(KEY)])
@pytest.mark.parametrize("prefix", ["", "extra__google_cloud_platform__"])
def test_bigquery(config: Any, conn_type: str, keys: Any, prefix: str) -> None:
    found = config("BigQuery", conn_type, extra={f"{prefix}project": "p", f"{prefix}keyfile_dict": keys})
    assert found["project_id"] == "p"
    assert json.loads(found["service_account_credentials"]) == KEY


def test_googles_key_may_be_a_file_of_the_worker(config: Any, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(KEY))
    found = config("GCS", "google_cloud_platform", extra={"bucket": "b", "key_path": str(path)})
    assert json.loads(found["service_account_credentials"]) == KEY
    with pytest.raises(ConfigError, match=r"names a key file that this worker cannot read: .*nowhere"):
        config("GCS", "google_cloud_platform", extra={"bucket": "b", "key_path": "/nowhere"})


def test_gcs_without_a_key_has_the_workers_own(config: Any) -> None:
    found = config("GCS", "google_cloud_platform", extra={"bucket": "gs://b/in"})
    assert (found["bucket"], found["service_account_credentials"]) == ("gs://b/in", "")


def test_athena(config: Any) -> None:
    extra = {"region_name": "us-east-2", "database": "d", "output_location": "s3://b/out", "work_group": "g"}
    expected = {
        "type": "access_key",
        "access_key_id": "id",
        "secret_access_key": "secret",
        "region": "us-east-2",
        "database": "d",
        "output_location": "s3://b/out",
        "options": {"work_group": "g"},
    }
    assert config("Athena", "aws", login="id", password="secret", extra=extra) == expected
    keys = {"aws_access_key_id": "id", "aws_secret_access_key": "secret"}
    assert config("Athena", "athena", extra={**extra, **keys}) == expected


def test_athena_with_other_credentials_and_names(config: Any) -> None:
    extra = {
        "profile_name": "p",
        "s3_staging_dir": "s3://b/out",
        "region_name": "r",
        "endpoint_url": "http://x",
    }
    found = config("Athena", "aws", schema="d", extra=extra)
    assert found["config_file_profile"] == "p"
    assert (found["database"], found["output_location"]) == ("d", "s3://b/out")
    assert found["endpoint_url"] == "http://x"
    extra = {"database": "d", "output_location": "s3://b", "aws_session_token": "t"}
    assert config("Athena", "aws", login="id", password="s", extra=extra)["session_token"] == "t"
    with pytest.raises(ConfigError, match="has keys and a profile_name, of which only one"):
        config("Athena", "aws", login="id", password="s", extra={**extra, "profile_name": "p"})


def test_what_athena_would_ignore_is_refused(config: Any) -> None:
    extra = {"database": "d", "output_location": "s3://b", "role_arn": "planted"}
    with pytest.raises(ConfigError, match=r"cannot use: role_arn .* name that in profile_name") as caught:
        config("Athena", "aws", extra=extra)
    assert "planted" not in str(caught.value)


def test_what_mongodbs_form_saves(config: Any) -> None:
    extra = {"srv": False, "ssl": True, "allow_insecure": False}
    assert (
        config("MongoDB", "mongo", host="h", schema="d", extra=extra)["auth_uri"] == "mongodb://h/?tls=true"
    )
    extra = {"ssl": "true", "allow_insecure": True, "authMechanismProperties": {"A": "b", "C": "d"}}
    found = config("MongoDB", "mongo", host="h", schema="d", extra=extra)
    assert found["auth_uri"].endswith(
        "/?tls=true&tlsAllowInvalidCertificates=true&authMechanismProperties=A%3Ab%2CC%3Ad"
    )


def test_mongodb(config: Any) -> None:
    found = config(
        "MongoDB", "mongo", **LOGIN, port=27018, schema="d", extra={"authSource": "a b", "tls": True}
    )
    assert found == {
        "auth_uri": "mongodb://ada:hun%2Fter%3A2%40%C3%A9@db.example.org:27018/?authSource=a%20b&tls=true",
        "database": "d",
    }
    assert config("MongoDB", "mongo", host="h", schema="d")["auth_uri"] == "mongodb://h/"
    found = config("MongoDB", "mongo", **LOGIN, schema="d", extra={"srv": True})
    assert found["auth_uri"].startswith("mongodb+srv://ada:")


@pytest.mark.parametrize("connector", [name for name in built_in() if name != "S3"])
def test_what_is_missing_is_named_in_the_words_of_the_form(config: Any, connector: str) -> None:
    with pytest.raises(ConfigError, match=f"'it' lacks what {connector} needs: ") as caught:
        config(connector, built_in()[connector].connection_types[0])
    words = {
        "Snowflake": "login, account in extra, schema (the database), warehouse.",
        "BigQuery": "project_id.",
        "SQLite": "schema (the database).",
        "GCS": "bucket.",
        "Athena": "schema (the database), output_location.",
        "MongoDB": "auth_uri, schema (the database).",
    }
    assert str(caught.value).endswith(words.get(connector, "host, schema (the database)."))


@pytest.mark.parametrize("connector", [name for name in built_in() if name != "S3"])
def test_connections_of_other_types_are_refused(config: Any, connector: str) -> None:
    wanted = " or ".join(built_in()[connector].connection_types)
    with pytest.raises(ConfigError) as caught:
        config(connector, "http", **LOGIN)
    assert str(caught.value) == (
        f"The Airflow connection 'it' is of type 'http'; for {connector} it must be of type {wanted}."
    )


def test_a_type_that_airflow_did_not_know_is_explained(config: Any) -> None:
    with pytest.raises(ConfigError, match=r"of type 'generic'; .* give it with --conn-json instead\.$"):
        config("SQLite", "generic", **LOGIN)


def test_a_connection_that_is_not_there() -> None:
    with pytest.raises(
        ConfigError,
        match=r"Airflow has no connection 'gone', .* for Redshift\. Add one of type redshift or postgres",
    ):
        connection_config("Redshift", "gone")


@pytest.mark.parametrize(("types", "wanted"), [((), "any type"), (("a", "b"), "type a or b")])
def test_the_types_that_a_connection_may_be_of(
    types: tuple[str, ...], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"Add one of {wanted}, under" in str(missing_connection("gone", types))
    monkeypatch.setenv("AIRFLOW_CONN_GONE", "{")
    assert f"with a conn_type, of {wanted}. Correct it." in str(missing_connection("gone", types))


def test_a_variable_that_airflow_cannot_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_GONE", '{"conn_type": "postgres", "password": "hunter2"')
    with pytest.raises(
        ConfigError, match=r"^Airflow cannot read .* in the variable AIRFLOW_CONN_GONE"
    ) as caught:
        connection_config("Postgres", "gone")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("extra", ["[1]", '"text"', "{no json", "[" * 100_000])
def test_an_extra_that_is_no_object(monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    """Airflow refuses to make one; a metadata database written by other means may hold it."""
    stored = SimpleNamespace(conn_type="postgres", extra=extra, password="hunter2")
    monkeypatch.setattr(BaseHook, "get_connection", lambda name: stored)
    with pytest.raises(
        ConfigError, match="The extra of the Airflow connection 'it' is not a JSON object"
    ) as caught:
        connection_config("Postgres", "it")
    assert "hunter2" not in str(caught.value)


# --- of an operator

ID = UUID("00000000-0000-0000-0000-000000000001")
EXTRACT = ExtractOperator(
    id="read",
    name="read",
    task_id="read",
    type="extract",
    source=SqlExtract(connector="Postgres", connection_id="it", queries=("SELECT 1",)),
)
LOAD = LoadOperator(
    id="save",
    name="save",
    task_id="save",
    type="load",
    target=SqlLoad(connector="Snowflake", connection_id="other", table="t"),
)


def workflow(compiled: Compiled | None = None) -> WorkflowSpec:
    spec = WorkflowSpec(
        spec_version=1,
        flow=FlowIdentity(id=ID, name="flow"),
        version=FlowVersion(id=ID),
        dag_id="flow",
        artifact_store=ConnectionStore(type="connection"),
        operators=(EXTRACT, LOAD),
    )
    spec._compiled = compiled
    return spec


@pytest.fixture
def masked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was given to Airflow's masker."""
    seen: list[str] = []
    monkeypatch.setattr(connections, "mask_secret", seen.append)
    return seen


def test_the_system_of_an_operator_and_its_secrets(
    monkeypatch: pytest.MonkeyPatch, masked: list[str]
) -> None:
    fields = {"conn_type": "postgres", **LOGIN, "schema": "shop", "extra": {"sslpassword": "in-extra"}}
    monkeypatch.setenv("AIRFLOW_CONN_IT", json.dumps(fields))
    order = system_for(workflow(), EXTRACT)
    assert (order.connector, order.config["database"]) == ("Postgres", "shop")
    assert set(masked) == {LOGIN["password"], "in-extra"}
    extra = {"account": "a", "database": "d", "warehouse": "w"}
    fields = {"conn_type": "snowflake", "login": "ada", "password": "snow", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps(fields))
    assert system_for(workflow(), LOAD).connector == "Snowflake"
    assert masked[-1] == "snow"


def test_a_compiled_spec_brings_its_own(masked: list[str]) -> None:
    config = {"username": "u", "password": "inline", "host": "h", "database": "d"}
    order = system_for(workflow(Compiled({}, None, {"read": config})), EXTRACT)
    assert (order.connector, order.config) == ("Postgres", config)
    assert masked == ["inline"]
    with pytest.raises(ConfigError, match="Airflow has no connection 'other'"):
        system_for(workflow(Compiled({}, None, {"read": config})), LOAD)

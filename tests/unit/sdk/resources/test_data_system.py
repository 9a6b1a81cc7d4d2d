from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError, ConfigError
from aqueduct_provider.sdk.enums import LoadUpdateMode
from aqueduct_provider.sdk.resources.data_system import ConnectedSystem, mode_of
from aqueduct_provider.sdk.resources.services import SERVICES

LOGIN = {"host": "db", "database": "shop", "username": "me", "password": "s3cret"}
KEYS = {"access_key_id": "key", "secret_access_key": "s3cret"}


class Kind(Enum):
    ACCESS_KEY = "access_key"


def system(service: str, **config: Any) -> ConnectedSystem:
    return ConnectedSystem(SERVICES[service], "warehouse", config)


# --- configuration


def test_the_fields_of_the_original_and_the_order_for_the_connector() -> None:
    known = system("Postgres", **LOGIN, port=5433, connection_id="wh", options={"sslmode": "require"})
    assert known.fields == {**LOGIN, "port": "5433", "options": "sslmode=require", "connection_id": "wh"}
    assert known.connection_id == "wh"
    order = known.system
    assert order.connector == "Postgres"
    assert order.config == {**LOGIN, "port": "5433", "options": {"sslmode": "require"}}


def test_a_url_in_place_of_the_fields() -> None:
    known = system("Postgres", url="postgresql://me:s3cret@db/shop", connection_id="wh")
    assert known.fields == {**LOGIN, "connection_id": "wh"}
    assert system("Postgres", url="postgresql://me:other@db/shop", password="s3cret").fields == LOGIN


def test_the_file_of_a_service_account(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text('{"private_key": "s3cret"}')
    known = system("BigQuery", project_id="p", service_account_credentials_path=str(file))
    assert known.system.config == {"project_id": "p", "service_account_credentials": file.read_text()}
    with pytest.raises(ConfigError, match=r"service_account_credentials_path: /none cannot be read"):
        system("BigQuery", project_id="p", service_account_credentials_path="/none")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (KEYS, "access_key"),
        ({"config_file_path": "/c"}, "config_file_path"),
        ({"config_file_content": "[default]"}, "config_file_content"),
        ({**KEYS, "type": Kind.ACCESS_KEY}, "access_key"),
        ({"config_file_path": "/c", "type": "access_key"}, "access_key"),
    ],
)
def test_how_aws_credentials_are_given(given: dict[str, Any], kind: str) -> None:
    assert system("S3", bucket="b", **given).system.config["type"] == kind


def test_an_sqlite_file_below_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    known = system("SQLite", database="~/shop.db")
    assert known.fields == {"database": "~/shop.db"}
    assert known.system.config == {"database": "/home/ann/shop.db"}


@pytest.mark.parametrize(
    ("service", "config", "problem"),
    [
        ("Postgres", {"hots": "x"}, "hots: unknown. Did you mean 'host'?"),
        ("S3", {**KEYS, "config_file_profile": "p"}, "config_file_profile: is not used together with keys."),
        ("Postgres", {**LOGIN, "database": ["d"]}, "database: must be text."),
        ("Postgres", {**LOGIN, "port": "s3cret"}, "port: must be a number."),
        ("Postgres", {**LOGIN, "host": "me:s3cret@db"}, "host: must not hold a user or a password."),
        ("Postgres", {**LOGIN, "username": ""}, "username: is missing."),
        ("Postgres", {"url": "mysql://me:s3cret@db/shop"}, "url: one of Postgres begins with postgresql://"),
        ("SQLite", {"database": "shop.db"}, "database: must be the path of a file that begins with / or ~."),
        ("SQLite", {"url": "sqlite:///shop.db"}, "database: must be the path of a file"),
        ("MongoDB", {"auth_uri": "mongodb://me:s3cret@db"}, "database: is missing."),
    ],
)
def test_a_problem_is_named_without_secrets(service: str, config: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        system(service, **config)
    assert str(raised.value).startswith(f"The {service} resource 'warehouse': {problem}")
    assert "s3cret" not in str(raised.value)


def test_all_problems_come_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        system("Snowflake", username="me")
    first, *problems = str(raised.value).splitlines()
    assert first == "The Snowflake resource 'warehouse' has 3 problems:"
    assert [line.split(":")[0].strip() for line in problems] == [
        "account_identifier",
        "database",
        "warehouse",
    ]


# --- for people


def test_description(capsys: pytest.CaptureFixture[str]) -> None:
    system("Postgres", **LOGIN, connection_id="wh").describe()
    assert capsys.readouterr().out.splitlines() == [
        "Resource 'warehouse'",
        "  service:  Postgres",
        "  host:     db",
        "  database: shop",
        "  username: me",
        "  in runs:  Airflow connection 'wh'",
    ]
    system("SQLite", database="/d").describe()
    assert "in runs:  none: give a connection_id to publish flows with it" in capsys.readouterr().out


def test_no_secret_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for known in (
        system("Postgres", **LOGIN),
        system("S3", bucket="b", **KEYS, config_file_content="s3cret"),
        system("MongoDB", auth_uri="mongodb://me:s3cret@db", database="shop"),
        system("GCS", bucket="b", service_account_credentials="s3cret"),
    ):
        known.describe()
        assert "s3cret" not in f"{known} {known!r} {known.system!r} {known.place}{capsys.readouterr().out}"


def test_where_it_is() -> None:
    assert system("Postgres", **LOGIN, port=5433).place == "db:5433/shop"
    assert system("SQLite", database="/d").place == "/d"


def test_update_modes() -> None:
    assert [mode_of(mode) for mode in ("append", LoadUpdateMode.FAIL)] == ["append", "fail"]
    for wrong in ("appnd", "", None, 3):
        with pytest.raises(
            AuthoringError, match="update_mode must be one of 'append', 'replace', 'fail', but"
        ):
            mode_of(wrong)


# --- options


def test_options_keep_their_values_and_secrets_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    options = {
        "session_parameters": {"QUERY_TAG": "x"},
        "private_key_content": "planted-31",
        "client_session_keep_alive": True,
        "authenticator": "oauth",
    }
    login = {"account_identifier": "a", "database": "d", "warehouse": "w", "username": "u"}
    known = system("Snowflake", **login, options=options)
    assert known.system.config["options"] == {
        "session_parameters": '{"QUERY_TAG": "x"}',
        "private_key_content": "planted-31",
        "client_session_keep_alive": "true",
        "authenticator": "oauth",
    }
    known.describe()
    shown = capsys.readouterr().out
    assert "planted-31" not in shown
    assert "authenticator=oauth" in shown
    assert "private_key_content=***" in shown


def test_options_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(ConfigError, match="options: cursor cannot be used: remove it") as caught:
        system("Postgres", **LOGIN, options={"cursor": "planted-31"})
    assert "planted-31" not in str(caught.value)


def test_bigquery_without_a_key_uses_the_machines_credentials() -> None:
    assert system("BigQuery", project_id="p").system.config == {"project_id": "p"}


def test_gcs_has_the_options_of_google() -> None:
    known = system("GCS", bucket="b", project_id="p", options="impersonation_chain=a@x")
    assert known.system.config["options"] == {"impersonation_chain": "a@x"}

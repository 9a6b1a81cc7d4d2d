"""One declaration of options: Airflow's connections, the SDK's resources and the connectors go by it.

The extras are those that Airflow's official hooks of each connection type know; they are written down here
because their providers need not be installed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.connectors.registry import built_in
from aqueduct_provider.connectors.system_options import (
    driver_options,
    option_problems,
    options_of,
    used_options,
)
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.hooks.connections import connection_config
from aqueduct_provider.sdk.resources.data_system import ConnectedSystem
from aqueduct_provider.sdk.resources.services import SERVICES

_GOOGLE = (
    "client_id client_secret credential_config_file idp_extra_parameters idp_issuer_url impersonation_chain "
    "is_anonymous key_path key_secret_name key_secret_project_id keyfile_dict num_retries project "
    "quota_project_id scope"
)
# What Airflow's hooks read from the extra of each type.
AIRFLOW_EXTRAS = {
    "Postgres": "sslmode sslcert sslkey sslrootcert connect_timeout keepalives options iam aws_conn_id "
    "redshift redshift-serverless cluster-identifier workgroup-name azure_conn_id cursor database",
    "Redshift": "iam cluster_identifier region db_user is_serverless serverless_work_group timeout ssl "
    "sslmode serverless_token_duration_seconds database profile",
    "MySQL": "charset cursor ssl ssl_mode unix_socket iam aws_conn_id client ssl_ca ssl_cert ssl_key",
    "SQL Server": "sqlalchemy_scheme encryption tds_version timeout login_timeout charset",
    "SQLite": "mode cache",
    "Snowflake": "account warehouse database region role private_key_file private_key_content authenticator "
    "session_parameters insecure_mode proxy_host proxy_port proxy_user proxy_password ocsp_fail_open "
    "json_result_force_utf8_decoding client_request_mfa_token client_store_temporary_credential host port "
    "workload_identity_provider token token_file_path refresh_token grant_type token_endpoint scope "
    "oauth_username oauth_password azure_conn_id",
    "BigQuery": f"{_GOOGLE} location labels priority use_legacy_sql api_resource_configs",
    "GCS": _GOOGLE,
    "Athena": "aws_access_key_id aws_secret_access_key aws_session_token region_name profile_name role_arn "
    "external_id assume_role_method assume_role_kwargs endpoint_url verify config_kwargs service_config "
    "session_kwargs s3_config_file s3_config_format profile work_group s3_staging_dir aws_domain driver "
    "schema_name catalog_name",
    "MongoDB": "srv ssl allow_insecure authSource tls replicaSet",
}
AIRFLOW_EXTRAS |= {"MariaDB": AIRFLOW_EXTRAS["MySQL"], "AzureSQL": AIRFLOW_EXTRAS["SQL Server"]}
BASE: dict[str, dict[str, Any]] = {
    **{
        system: {"host": "h", "schema": "d"}
        for system in "Postgres,Redshift,MySQL,MariaDB,SQL Server,AzureSQL,MongoDB".split(",")
    },
    "SQLite": {"host": "/data/a.db"},
    "Snowflake": {"login": "u", "extra": {"account": "a", "database": "d", "warehouse": "w"}},
    "BigQuery": {"extra": {"project": "p"}},
    "GCS": {"extra": {"bucket": "b"}},
    "Athena": {"extra": {"database": "d", "output_location": "s3://b/"}},
}
EVERY = [(system, extra) for system, extras in AIRFLOW_EXTRAS.items() for extra in extras.split()]


def config_of(monkeypatch: pytest.MonkeyPatch, system: str, extra: dict[str, Any]) -> dict[str, Any]:
    base = BASE[system]
    fields = {**base, "conn_type": built_in()[system].connection_types[0]}
    fields["extra"] = {**base.get("extra", {}), **extra}
    monkeypatch.setenv("AIRFLOW_CONN_IT", json.dumps(fields))
    return connection_config(system, "it")


def test_every_system_is_tested() -> None:
    assert set(AIRFLOW_EXTRAS) == set(built_in()) - {"S3"}


@pytest.mark.parametrize(("system", "extra"), EVERY)
def test_an_extra_arrives_or_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, system: str, extra: str
) -> None:
    """Never dropped: the value is in what the connector is given, or the error names the extra."""
    key = tmp_path / "key.json"
    key.write_text('{"type": "planted-value-31"}')
    value = str(key) if extra == "key_path" else "planted-value-31"
    if extra == "srv":
        assert config_of(monkeypatch, system, {extra: True})["auth_uri"].startswith("mongodb+srv:")
        return
    if extra == "allow_insecure":
        assert "tlsAllowInvalidCertificates=true" in config_of(monkeypatch, system, {extra: True})["auth_uri"]
        return
    if list(option_problems(system, {extra: value})) and extra not in built_in()[system].options.fields:
        with pytest.raises(ConfigError) as caught:
            config_of(monkeypatch, system, {extra: value})
        message = str(caught.value)
        assert f"the Airflow connection 'it' has what {system} cannot use: {extra} " in message
        assert "planted-value-31" not in message
    else:
        assert "planted-value-31" in json.dumps(config_of(monkeypatch, system, {extra: value}))


@pytest.mark.parametrize(("system", "extra"), EVERY)
@pytest.mark.parametrize("nothing", [None, "", {}, False])
def test_what_asks_for_nothing_is_never_refused(
    monkeypatch: pytest.MonkeyPatch, system: str, extra: str, nothing: Any
) -> None:
    """The form of Airflow saves what was left empty."""
    if nothing is False and extra not in built_in()[system].options.refused:
        return
    if extra in BASE[system].get("extra", {}):
        return
    config_of(monkeypatch, system, {extra: nothing})


@pytest.mark.parametrize(("system", "extra"), EVERY)
def test_sdk_hook_and_connector_take_the_same(
    monkeypatch: pytest.MonkeyPatch, system: str, extra: str
) -> None:
    """An option is refused by all three, or reaches the connector in the same way through all three."""
    rules, service = built_in()[system].options, SERVICES[system]
    if system == "MongoDB" or extra in rules.fields:
        # Options of MongoDB are a part of its URI.
        fields = {rules.fields.get(extra, "auth_uri")} - {"srv", "tls", "tlsAllowInvalidCertificates"}
        assert fields <= set(service.fields) | {"auth_uri"}
        return
    fields = dict.fromkeys(service.needed, "x") | ({"database": "/x"} if system == "SQLite" else {})
    if list(option_problems(system, {extra: "7"})):
        with pytest.raises(ConfigError, match=f"options: {extra} "):
            ConnectedSystem(service, "it", {**fields, "options": {extra: "7"}})
        with pytest.raises(ConfigError, match=f"The options of {system}: {extra} "):
            options_of(system, {"options": {extra: "7"}})
        with pytest.raises(ConfigError, match=f"cannot use: {extra} "):
            config_of(monkeypatch, system, {extra: "7"})
        return
    resource = ConnectedSystem(service, "it", {**fields, "options": {extra: "7"}})
    hook = config_of(monkeypatch, system, {extra: "7"})
    assert resource.system.config["options"] == hook["options"] == {extra: "7"}
    assert options_of(system, hook) == {extra: "7"}


def test_the_fields_of_connections_are_fields_of_resources() -> None:
    for system, rules in ((name, system.options) for name, system in built_in().items()):
        if system != "MongoDB":
            assert set(rules.fields.values()) <= set(SERVICES[system].fields), system
            assert "options" in SERVICES[system].fields or system == "S3"


def test_a_mistyped_option_gets_a_hint_and_shows_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(monkeypatch, "BigQuery", {"locaton": "planted-31", "key_secret_name": "planted-31"})
    message = str(caught.value)
    assert "'it' has what BigQuery cannot use: locaton is unknown, did you mean 'location'?; " in message
    assert "key_secret_name cannot be used: put the key itself into keyfile_dict" in message
    assert message.endswith(" Correct it there, or make a connection for this flow.")
    assert "planted-31" not in message


def test_options_are_text() -> None:
    given = {"a": True, "b": 5, "c": {"d": 1}, "e": "f", "g": None, "h": []}
    assert used_options("Postgres", given) == {"a": "true", "b": "5", "c": '{"d": 1}', "e": "f"}


PAGES = Path(__file__).parents[3] / "docs" / "data-systems"
_PAGE_OF = {"MariaDB": "mysql", "SQL Server": "sqlserver", "AzureSQL": "sqlserver"}


@pytest.mark.parametrize("system", sorted(set(built_in()) - {"S3"}))
def test_the_page_of_a_system_names_every_option(system: str) -> None:
    text = (PAGES / f"{_PAGE_OF.get(system, system.lower())}.md").read_text("utf-8")
    rules = built_in()[system].options
    names = {*rules.fields, *rules.refused, *(rules.known or ())}
    assert {name for name in names if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("config", [{}, {"options": None}, {"options": {}}])
def test_no_options(config: dict[str, object]) -> None:
    assert driver_options("Redshift", config) == options_of("Redshift", config) == {}


def test_options_are_what_they_read_as() -> None:
    given = {
        **{"ssl": "False", "timeout": "30", "sslmode": "verify-ca", "iam": True, "port": 5, "rate": "1.5"},
        **{"db_groups": '["a", "b"]', "session_parameters": {"QUERY_TAG": "x"}, "odd": "[no json"},
        "deep": "[" * 100_000,
    }
    assert driver_options("Redshift", {"options": given}) == {
        "ssl": False,
        "timeout": 30,
        "sslmode": "verify-ca",
        "iam": True,
        "port": 5,
        "rate": "1.5",
        "db_groups": ["a", "b"],
        "session_parameters": {"QUERY_TAG": "x"},
        "odd": "[no json",
        "deep": "[" * 100_000,
    }


def test_what_the_connector_sets_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"The options of SQL Server: as_dict cannot be used: remove it"):
        driver_options("SQL Server", {"options": {"as_dict": "true"}})

from __future__ import annotations

import pytest

from aqueduct_provider.connectors.registry import built_in
from aqueduct_provider.sdk.enums import ServiceType
from aqueduct_provider.sdk.resources.services import SECRETS, SERVICES, overridable, service_of


def test_every_connector_and_airflow_can_be_connected() -> None:
    assert set(SERVICES) == {"Airflow", *built_in()}
    assert {kind.value for kind in ServiceType} == set(SERVICES)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Postgres", "Postgres"),
        ("postgresql", "Postgres"),
        ("sql server", "SQL Server"),
        ("SQLServer", "SQL Server"),
        ("MONGO_DB", "MongoDB"),
        ("mongo", "MongoDB"),
        ("azure sql", "AzureSQL"),
        ("airflow", "Airflow"),
    ],
)
def test_spellings(typed: str, name: str) -> None:
    assert service_of(typed) is SERVICES[name]


@pytest.mark.parametrize("typed", ["", "Salesforce", "sql"])
def test_what_is_no_service(typed: str) -> None:
    assert service_of(typed) is None


def test_secrets_are_no_variables_and_no_plain_fields() -> None:
    assert {"password", "token", "auth_uri", "secret_access_key", "config_file_content"} < set(SECRETS)
    for service in SERVICES.values():
        assert set(service.secrets) <= set(service.fields)
        assert not set(overridable(service)) & set(SECRETS)
        assert "connection_id" in service.fields
    assert overridable(SERVICES["Airflow"]) == ("host", "username")

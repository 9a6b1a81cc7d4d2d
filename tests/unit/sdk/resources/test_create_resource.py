from __future__ import annotations

from pathlib import Path

import pytest

from aqueduct_provider.connectors import registry
from aqueduct_provider.connectors.system import DataSystem
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
from aqueduct_provider.sdk.resources.create_resource import Resource, resource_from
from aqueduct_provider.sdk.resources.files_resource import FilesResource
from aqueduct_provider.sdk.resources.mongodb_resource import MongoResource
from aqueduct_provider.sdk.resources.profile import ResourceProfile
from aqueduct_provider.sdk.resources.services import SERVICES
from aqueduct_provider.sdk.resources.sql_resource import SqlResource
from aqueduct_provider.storage.local import LocalStore

CLASSES = {
    "airflow": AirflowResource,
    "sql": SqlResource,
    "files": FilesResource,
    "mongodb": MongoResource,
}


def made(service: str, **fields: str) -> Resource:
    return resource_from(ResourceProfile("x", service, fields), lambda: LocalStore(Path("/none")))


def test_every_service_becomes_an_object_of_its_family() -> None:
    for known in SERVICES.values():
        resource = made(known.name, **dict.fromkeys(known.needed, "/x"))
        assert type(resource) is CLASSES[known.family]
        assert (resource.name(), resource.type().value) == ("x", known.name)
        assert resource.place


def test_the_service_is_written_in_any_case() -> None:
    assert made("airflow", host="h").type() == "Airflow"
    assert made("sql server", host="h", database="d", username="u").type() == "SQL Server"


def test_what_is_no_service() -> None:
    with pytest.raises(ConfigError) as raised:
        made("MySQLL")
    assert str(raised.value) == (
        "The resource 'x' is of service 'MySQLL', which cannot be connected. Did you mean 'MySQL'?"
    )


def test_all_services_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = DataSystem("DuckDB", "aqueduct_duckdb")
    monkeypatch.setattr(registry, "registered", lambda: {"DuckDB": duckdb})
    with pytest.raises(ConfigError) as raised:
        made("qqq")
    assert "more" not in str(raised.value)
    assert all(repr(name) in str(raised.value) for name in (*SERVICES, "DuckDB"))
    with pytest.raises(ConfigError, match=r"Did you mean 'DuckDB'\?$"):
        made("DuckDb2")

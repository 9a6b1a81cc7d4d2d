"""A method of another kind of resource: the error says which kind has it."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from aqueduct_provider.sdk.resources import missing_methods
from aqueduct_provider.sdk.resources.airflow_resource import AirflowResource
from aqueduct_provider.sdk.resources.create_resource import Resource, resource_from
from aqueduct_provider.sdk.resources.files_resource import FilesResource
from aqueduct_provider.sdk.resources.mongodb_resource import MongoResource
from aqueduct_provider.sdk.resources.profile import ResourceProfile
from aqueduct_provider.sdk.resources.services import SERVICES
from aqueduct_provider.sdk.resources.sql_resource import SqlResource
from aqueduct_provider.storage.local import LocalStore


def made(service: str) -> Resource:
    fields = dict.fromkeys(SERVICES[service].needed, "/x")
    return resource_from(ResourceProfile("demo", service, fields), lambda: LocalStore(Path("/none")))


@pytest.mark.parametrize(
    ("service", "method", "owner"),
    [
        ("Airflow", "sql", "databases that are read by SQL have it"),
        ("Airflow", "save", "data systems have it"),
        ("Postgres", "file", "S3 and GCS have it"),
        ("S3", "table", "databases that are read by SQL have it"),
        ("MongoDB", "sql", "databases that are read by SQL have it"),
        ("Snowflake", "collection", "MongoDB has it"),
    ],
)
def test_the_kinds_that_have_it_are_named(service: str, method: str, owner: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(made(service), method)
    assert str(caught.value).startswith(
        f"The resource 'demo' is of service '{service}', which has no '{method}': {owner}. "
    )


def test_every_method_that_is_named_exists() -> None:
    classes = (AirflowResource, SqlResource, FilesResource, MongoResource)
    for method in missing_methods._OWNERS:
        assert any(hasattr(owner, method) for owner in classes), method


def test_other_names_are_pythons_own_error() -> None:
    with pytest.raises(AttributeError, match=r"^'SqlResource' object has no attribute 'lst_tables'$"):
        made("SQLite").lst_tables  # type: ignore[union-attr]  # noqa: B018
    assert not hasattr(made("SQLite"), "sqll")
    assert copy.copy(made("SQLite")).name() == "demo"

"""The resources of a client, by its methods; ``resources/`` tests what they do."""

from __future__ import annotations

import inspect
from typing import get_args

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, NotFound
from aqueduct_provider.sdk import enums
from aqueduct_provider.sdk.resources.services import SERVICES
from tests.support.deployment import Deployment


def test_older_names(made: Deployment) -> None:
    client = made.client
    made.fake.all_admins = True
    client.connect_integration("more", "Airflow", {"host": made.fake.host})
    assert sorted(client.list_integrations()) == ["cluster", "more"]
    assert client.integration("more").host == made.fake.host
    client.delete_integration("more")
    assert list(client.list_resources()) == ["cluster"]


def test_a_forgotten_resource_is_not_there(made: Deployment) -> None:
    made.client.delete_resource("cluster")
    assert made.client.list_resources() == {}
    with pytest.raises(NotFound, match=r"No resource is named 'cluster'"):
        made.client.resource("cluster")


def test_the_methods_are_named_as_those_of_the_client() -> None:
    with pytest.raises(AuthoringError, match=r"^Client\.connect_resource takes no argument 'conf'\. Did you"):
        aq.Client.connect_resource(aq.Client(), "more", "Airflow", conf={})  # type: ignore[call-arg]


def test_positions_are_those_of_the_original() -> None:
    found = list(inspect.signature(aq.Client.connect_resource).parameters)
    assert found == ["self", "name", "service", "config"]


def test_a_resource_is_of_the_service_that_is_asked_for(made: Deployment) -> None:
    client = made.client
    assert client.resource("cluster", "Airflow").name() == "cluster"
    assert client.resource("Demo", aq.ServiceType.SQLITE).name() == "Demo"
    with pytest.raises(
        AuthoringError, match=r"^The resource 'cluster' is of service 'Airflow', not 'Postgres'\. Name an"
    ):
        client.resource("cluster", "Postgres")
    with pytest.raises(AuthoringError, match=r"^The service 'Postgras' is unknown\. Did you mean 'Postgres'"):
        client.resource("cluster", "Postgras")  # type: ignore[call-overload]


def test_type_checkers_know_the_class_of_every_service() -> None:
    families = {
        "airflow": enums.AirflowService,
        "sql": enums.SqlService,
        "files": enums.FilesService,
        "mongodb": enums.MongoService,
    }
    for family, services in families.items():
        names = [name for name, service in SERVICES.items() if service.family == family]
        assert sorted(get_args(services)) == sorted([*names, *map(aq.ServiceType, names)])

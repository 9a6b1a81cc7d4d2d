"""Resources that are connected again, deleted or replaced between recording and publishing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.publishing.current_resources import current_place
from aqueduct_provider.sdk.resources.profile import ResourceProfile
from tests.support.deployment import Deployment
from tests.support.node_graphs import extract, op, param, save


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    return str(path)


def connect(client: aq.Client, database: str, connection_id: str = "first", name: str = "shop") -> None:
    client.connect_resource(name, "SQLite", {"database": database, "connection_id": connection_id})


def places(flow: Any) -> list[tuple[str, str | None]]:
    """Connector and connection of each extract and load."""
    found = [getattr(one, "source", None) or getattr(one, "target", None) for one in flow.spec.operators]
    return [(place.connector, place.connection_id) for place in found if place]


def recorded(made: Deployment, database: str) -> Any:
    """A query whose result is saved, recorded with the first connection."""
    connect(made.client, database)
    shop = made.client.resource("shop")
    table = shop.sql("SELECT * FROM orders")
    shop.save(table, "copies", "append")
    return table


def test_a_resource_that_is_connected_again(made: Deployment, database: str) -> None:
    table = recorded(made, database)
    assert places(made.publish(artifacts=[table], engine="cluster")) == [("SQLite", "first")] * 2
    made.client.delete_resource("shop")
    connect(made.client, database, "second")
    assert places(made.publish(artifacts=[table], engine="cluster")) == [("SQLite", "second")] * 2
    connect(made.client, database, "third")
    assert places(made.publish(artifacts=[table], engine="cluster")) == [("SQLite", "third")] * 2


def test_a_connection_that_was_missing_when_it_was_recorded(made: Deployment, database: str) -> None:
    made.client.connect_resource("shop", "SQLite", {"database": database})
    table = made.client.resource("shop").sql("SELECT * FROM orders")
    with pytest.raises(AuthoringError, match="need an Airflow connection to 'shop'"):
        made.publish(artifacts=[table], engine="cluster")
    connect(made.client, database)
    assert places(made.publish(artifacts=[table], engine="cluster")) == [("SQLite", "first")]
    made.client.connect_resource("shop", "SQLite", {"database": database})
    with pytest.raises(AuthoringError, match="need an Airflow connection to 'shop'"):
        made.publish(artifacts=[table], engine="cluster")


def test_a_resource_that_another_client_connected(made: Deployment, database: str) -> None:
    table = recorded(made, database)
    other = aq.Client(config_path=made.client._session.profile.path)
    connect(other, database, "second")
    assert places(made.publish(artifacts=[table], engine="cluster")) == [("SQLite", "second")] * 2
    connect(other, database, name="branch")
    assert made.client.resource("branch").name() == "branch"
    assert "branch" in made.client.list_resources()


def test_a_resource_that_was_deleted(made: Deployment, database: str) -> None:
    table = recorded(made, database)
    made.client.delete_resource("shop")
    connect(made.client, database, name="shops")
    with pytest.raises(AuthoringError) as raised:
        made.publish(artifacts=[table], engine="cluster")
    message = str(raised.value)
    assert "\n- 'shop query' uses the resource 'shop', which is not connected any more. Connect" in message
    assert "Did you mean 'shops'?" in message


@pytest.mark.parametrize(
    ("service", "config"),
    [("S3", {"bucket": "b", "connection_id": "x"}), ("Airflow", None)],
)
def test_another_service_under_the_same_name(
    made: Deployment, database: str, service: str, config: dict[str, str] | None
) -> None:
    table = recorded(made, database)
    fake = made.fake
    airflow = {"host": fake.url, "username": fake.user, "password": fake.password}
    made.client.delete_resource("shop")
    made.client._session.profile.save_resource(ResourceProfile("shop", service, config or airflow))
    with pytest.raises(AuthoringError, match=f"with the SQLite resource 'shop', which is {service} now"):
        made.publish(artifacts=[table], engine="cluster")


def test_an_engine_that_is_connected_again(made: Deployment) -> None:
    engine = made.client.resource("cluster")
    fake = made.fake
    config = {"host": fake.url, "username": fake.user, "password": fake.password}
    made.client.connect_resource("cluster", "Airflow", {**config, "python_versions": ["3.5"]})
    with pytest.raises(AuthoringError, match=r"cannot run on 'cluster', which has 3\.5"):
        made.client.publish_flow("churn", artifacts=made.author(), engine=engine)


def test_without_a_client_what_was_recorded_is_current() -> None:
    table = extract("q")
    load = save(table)
    assert current_place(table.producer, None) == table.producer.place
    assert current_place(load, None) == load.place
    assert current_place(op("f", param("p", 1)).producer, lambda name: pytest.fail(name)) == {}

"""Resources on real servers: connected, asked, and saved to by a flow that runs here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring.backends.null
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.sdk.authoring.arguments import nodes_of
from aqueduct_provider.sdk.local.run_flow import LocalOutcome, run_spec
from aqueduct_provider.sdk.local.systems import systems_of
from aqueduct_provider.sdk.publishing.compose import FlowRequest, compose
from aqueduct_provider.storage.local import LocalStore
from tests.data_servers import gcs, mongodb, postgres
from tests.support.keyrings import selected
from tests.support.node_graphs import STORE


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    with postgres.postgres_server() as server:
        yield server


@pytest.fixture(scope="module")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mongodb.MongoServer]:
    with mongodb.mongodb_server(tmp_path_factory.mktemp("mongodb") / "server", with_login=True) as server:
        yield server


@pytest.fixture(scope="module")
def gcs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gcs.GcsServer]:
    with gcs.gcs_server(tmp_path_factory.mktemp("gcs") / "server") as server:
        yield server


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[aq.Client]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with selected(keyring.backends.null.Keyring()):  # type: ignore[no-untyped-call]
        yield aq.Client(config_path=tmp_path / "config.toml", folder=str(tmp_path / "store"))


def run(client: aq.Client, *artifacts: Any, **parameters: Any) -> LocalOutcome:
    """Run the flow of these artifacts; what the spec says of passwords is checked on the way."""
    made = compose(FlowRequest("flow", nodes_of(list(artifacts), "artifacts")), STORE)
    assert b"planted" not in made.text
    store = client._session.store
    for key, data in made.objects.items():
        store.put(key, data)
    outcome = run_spec(made.spec, store, parameters=parameters, find=systems_of(client._session))
    assert [(one.name, one.tip) for one in outcome.operators if one.has_failed] == []
    return outcome


def test_postgres(
    client: aq.Client, postgres_server: postgres.PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    config = postgres_server.new_database()
    database = config["database"]
    postgres_server.run(
        "CREATE SCHEMA shop; CREATE TABLE shop.sales (day date, country text, amount numeric(8,2));"
        "INSERT INTO shop.sales VALUES ('2026-01-31', 'Italy', 1.5), ('2026-01-31', 'France', 2.25)",
        database=database,
    )
    url = "postgresql://{username}:{password}@{host}:{port}/{database}".format(**config)
    client.connect_resource("warehouse", "postgres", {"url": url, "connection_id": "wh"})
    warehouse = client.resource("warehouse")
    assert warehouse.list_tables()["tablename"].tolist() == ["shop.sales"]
    assert len(warehouse.table("shop.sales")) == 2
    country = client.create_param("country", "Italy")
    sales = warehouse.sql("SELECT * FROM shop.sales WHERE country = $1", parameters=[country], output="sales")
    assert sales.get(parameters={"country": "France"})["amount"].astype(float).tolist() == [2.25]
    warehouse.save(sales, "shop.copy", "replace")
    outcome = run(client, sales, country="France")
    assert len(outcome.artifact("sales").get()) == 1
    copied = postgres_server.run("SELECT country, amount::text FROM shop.copy", database=database)
    assert copied == [("France", "2.25")]
    client.connect_resource("wrong", "Postgres", config)
    with pytest.raises(aq.DataSystemError) as raised:
        client.connect_resource("wrong", "Postgres", {**config, "password": "planted-wrong"})
    assert "planted" not in f"{raised.value}{capsys.readouterr()}"


def test_mongodb(
    client: aq.Client, mongodb_server: mongodb.MongoServer, capsys: pytest.CaptureFixture[str]
) -> None:
    config = mongodb_server.new_database()
    with mongodb_server.client() as direct:
        direct[config["database"]].orders.insert_many(
            [{"_id": number, "country": name, "n": number} for number, name in enumerate(("Italy", "France"))]
        )
    client.connect_resource("docs", "MongoDB", {**config, "connection_id": "docs"})
    docs = client.resource("docs")
    assert docs.discover() == ["orders"]
    orders = docs.collection("orders").find({"country": "$1"}, parameters=["Italy"], output="found")
    assert orders.get()["n"].tolist() == [0]
    assert orders.get(parameters={"docs query:1": "France"})["n"].tolist() == [1]
    docs.save(orders, "copy", aq.LoadUpdateMode.APPEND)
    run(client, orders)
    with mongodb_server.client() as direct:
        assert [one["country"] for one in direct[config["database"]].copy.find()] == ["Italy"]
    docs.describe()
    assert "planted" not in str(capsys.readouterr())


def test_gcs(client: aq.Client, gcs_server: gcs.GcsServer) -> None:
    config = {"bucket": gcs_server.new_bucket(), "endpoint": gcs_server.endpoint, "connection_id": "gcs"}
    client.connect_resource("files", "GCS", config)
    files = client.resource("files")
    files.store().put("in/a.csv", b"day,cups\nMon,120\n")
    assert files.discover() == ["in/a.csv"]
    cups = files.file("in/a.csv", aq.ArtifactType.TABLE, format="csv", output="cups")
    assert cups.get()["cups"].tolist() == [120]
    files.save(cups, "out/{day}.csv", format="csv", parameters=["monday"])
    run(client, cups)
    assert files.store().get("out/monday.csv") == b"day,cups\nMon,120\n"
    assert isinstance(client._session.store, LocalStore)

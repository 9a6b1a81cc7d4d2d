"""Running flows here that read from data systems and save to them: real SQLite files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import ConfigError
from aqueduct_provider.sdk.authoring.arguments import nodes_of
from aqueduct_provider.sdk.local.run_flow import LocalOutcome, run_spec
from aqueduct_provider.sdk.local.systems import nothing, system_order, systems_of
from aqueduct_provider.sdk.publishing.compose import FlowRequest, compose
from aqueduct_provider.sdk.resources.profile import ResourceProfile
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import ExtractOperator
from aqueduct_provider.spec.redactor import Redactor
from aqueduct_provider.storage.local import LocalStore
from tests.support.example_specs import compiled_document, extract_task
from tests.support.node_graphs import STORE


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> aq.Client:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return aq.Client(config_path=tmp_path / "config.toml", folder=str(tmp_path / "store"))


Run = Callable[..., LocalOutcome]


@pytest.fixture
def run(client: aq.Client, tmp_path: Path) -> Run:
    """Composes a flow and runs it here, with the client's resources."""

    def run_flow(*artifacts: Any, **parameters: Any) -> LocalOutcome:
        composition = compose(FlowRequest("flow", nodes_of(list(artifacts), "artifacts")), STORE)
        store = LocalStore(tmp_path / "store")
        for key, data in composition.objects.items():
            store.put(key, data)
        find = systems_of(client._session)
        return run_spec(composition.spec, store, parameters=parameters, find=find)

    return run_flow


def rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


# --- whole flows


def test_a_flow_between_two_databases(client: aq.Client, run: Run, tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    shop.touch()
    client.connect_resource("shop", "SQLite", {"database": str(shop), "connection_id": "shop"})
    time = client.create_param("time", "Lunch")
    name = client.create_param("table", "days")
    days = client.resource("Demo").sql(
        "SELECT day, sum(size) AS guests, {{ ds }} AS today FROM tips WHERE time = $1 GROUP BY day",
        parameters=[time],
        output="days",
        lazy=True,
    )
    client.resource("shop").save(days, name, "replace")
    outcome = run(days, time="Dinner")
    assert [(one.name, one.tip) for one in outcome.operators if one.has_failed] == []
    found = outcome.artifact("days").get()
    assert sorted(found["day"]) == ["Fri", "Sat", "Sun", "Thur"]
    saved = [list(row) for row in rows(shop, "SELECT day, guests FROM days")]
    assert sorted(saved) == sorted(found[["day", "guests"]].to_numpy().tolist())
    assert found["today"].tolist() == [f"{datetime.now(timezone.utc):%Y-%m-%d}"] * 4
    run(days, time="Lunch", table="others")
    assert [day for (day,) in rows(shop, "SELECT day FROM others ORDER BY 1")] == ["Fri", "Thur"]
    assert len(rows(shop, "SELECT * FROM days")) == 4


def test_files_of_the_store(client: aq.Client, run: Run, tmp_path: Path) -> None:
    LocalStore(tmp_path / "store").put("in/a.csv", b"day,cups\nMon,120\n")
    client.connect_resource("files", "S3", {})
    files = client.resource("files")
    table = files.file("in/a.csv", aq.ArtifactType.TABLE, format="csv", output="cups")
    files.save(table, "out/a.csv", format="csv")
    outcome = run(table)
    assert [(one.name, one.tip) for one in outcome.operators if one.has_failed] == []
    assert (tmp_path / "store" / "out" / "a.csv").read_bytes() == b"day,cups\nMon,120\n"


def test_a_connection_that_no_resource_stands_for(client: aq.Client, run: Run, tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    shop.touch()
    client.connect_resource("shop", "SQLite", {"database": str(shop), "connection_id": "shop"})
    table = client.resource("shop").sql("SELECT 1 AS one", output="one")
    client.delete_resource("shop")
    (failed,) = run(table).operators
    assert failed.has_failed
    assert "The Airflow connection 'shop' is not there without Airflow, and no SQLite resource" in failed.tip


# --- finding


def test_the_resource_of_a_connection(client: aq.Client) -> None:
    profile = client._session.profile
    for name, service, fields in (
        ("cluster", "Airflow", {"host": "h", "connection_id": "wh"}),
        ("other", "Redshift", {"url": "redshift://u@h/d", "connection_id": "wh"}),
        ("mine", "postgres", {"url": "postgresql://u@h/d", "connection_id": "wh"}),
    ):
        profile.save_resource(ResourceProfile(name, service, fields))
    find = systems_of(client._session)
    assert find("wh", "Postgres").name() == "mine"
    assert find("wh", "Redshift").name() == "other"
    assert find("aqueduct_demo", "SQLite").name() == "Demo"
    for connection, connector in (("wh", "MySQL"), ("other", "Postgres"), ("aqueduct_demo", "Postgres")):
        with pytest.raises(
            ConfigError, match=f"no {connector} resource is connected for it. Connect one: client"
        ):
            find(connection, connector)
    with pytest.raises(
        ConfigError, match=r"client\.connect_resource\(name, 'MySQL', {\.\.\., \"connection_id\": 'x'}"
    ):
        nothing("x", "MySQL")


def test_another_demo_stands_for_the_demo_connection(client: aq.Client) -> None:
    fields = {"database": "/mine", "connection_id": "aqueduct_demo"}
    client._session.profile.save_resource(ResourceProfile("mine", "SQLite", fields))
    assert systems_of(client._session)("aqueduct_demo", "SQLite").name() == "mine"


def test_compiled_specs_bring_their_own(client: aq.Client) -> None:
    task = extract_task("read")
    task |= {
        "connector_name": "Postgres",
        "connector_config": {"username": "u", "password": "p", "database": "d", "host": "h", "port": "5432"},
        "parameters": {"query": "SELECT 1"},
    }
    spec = parse(
        json.dumps(compiled_document(task_specs={"read": task}, task_edges={"read": []})).encode(),
        "compiled.json",
    )
    (operator,) = spec.operators
    assert isinstance(operator, ExtractOperator)
    order = system_order(spec, nothing, Redactor(), operator)
    assert (order.connector, order.config["host"], order.config["password"]) == ("Postgres", "h", "p")

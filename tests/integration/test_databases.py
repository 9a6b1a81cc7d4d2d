"""A flow between two databases, on Airflow: from the SDK and from a compiled spec; killed; without a trace of
its passwords."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from tests.data_servers import mariadb as mariadb_module
from tests.data_servers import postgres as postgres_module
from tests.data_servers.mariadb import MariaDbServer
from tests.data_servers.postgres import PostgresServer
from tests.integration.compiled_draft import CompiledDraft
from tests.integration.flow_place import Place
from tests.integration.pages import pages
from tests.integration.stack import SHOWN_ELSEWHERE
from tests.integration.test_secrets import dump
from tests.integration.waiting import wait_for
from tests.support.function_archives import function_archive

WAIT = 120
SECRETS = (postgres_module.PASSWORD, mariadb_module.PASSWORD)
EVIL = "x'; DROP TABLE orders; --"
MANY = 400_000


@pytest.fixture(scope="module")
def data(postgres: PostgresServer, mariadb: MariaDbServer) -> None:
    """Orders in PostgreSQL, customers in MariaDB."""
    postgres.run("CREATE TABLE orders (id INTEGER, customer INTEGER, region TEXT, amount NUMERIC(10, 2))")
    postgres.run(
        "INSERT INTO orders VALUES (1, 1, 'north', 10.50), (2, 2, 'north', 20), (3, 1, 'south', 5), "
        "(4, NULL, 'north', 1.25), (5, 1, %s, 100)",
        [EVIL],
    )
    mariadb.run("CREATE DATABASE IF NOT EXISTS crm")
    mariadb.run("CREATE TABLE customers (id INTEGER, name VARCHAR(50))", database="crm")
    mariadb.run("INSERT INTO customers VALUES (1, 'Anna Å'), (2, 'Bob')", database="crm")


@pytest.fixture(scope="module")
def client(
    sdk_variables: dict[str, str], place: Place, postgres: PostgresServer, mariadb: MariaDbServer, data: None
) -> Iterator[aq.Client]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sdk_variables.items():
            patch.setenv(name, value)
        client = aq.Client()
        login = place.airflow.login
        client.connect_resource(
            "cluster", "Airflow", {"host": login.url, "username": login.user, "password": login.password}
        )
        client.connect_resource("warehouse", "Postgres", {**postgres.config(), "connection_id": "warehouse"})
        client.connect_resource("crm", "MariaDB", {**mariadb.config("crm"), "connection_id": "crm"})
        yield client


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@aq.op(requirements=["pandas", "pyarrow"], outputs=["named orders"])
def join(orders: Any, customers: Any) -> Any:
    joined = orders.merge(customers, left_on="customer", right_on="id", suffixes=("", "_of_customer"))
    return joined[["id", "name", "amount"]]


@aq.check(requirements=["pandas"], severity="error", output="amounts are positive")
def positive(orders: Any) -> bool:
    return bool((orders["amount"] > 0).all())


def test_a_flow_between_databases(client: aq.Client, postgres: PostgresServer, place: Place) -> None:
    warehouse, crm = client.resource("warehouse"), client.resource("crm")
    region = client.create_param("region", "south")
    orders = warehouse.sql("SELECT id, customer, amount FROM orders WHERE region = $1", parameters=[region])
    customers = crm.sql("SELECT id, name FROM customers", output="customers")
    joined = join(orders, customers)
    assert positive(joined).get() is True
    assert joined.get()["name"].tolist() == ["Anna Å"]
    warehouse.save(joined, "named_orders", aq.LoadUpdateMode.REPLACE)
    postgres.run("CREATE TABLE named_orders (old INTEGER)")
    client.publish_flow("named orders", artifacts=[joined], engine="cluster")
    assert postgres.run("SELECT * FROM named_orders") == [], "publishing saves nothing"
    for value, expected in (
        ("north", [(1, "Anna Å", "10.50"), (2, "Bob", "20.00")]),
        (EVIL, [(5, "Anna Å", "100.00")]),
    ):
        run = client.trigger("named orders", parameters={"region": value}, progress=False)
        run.wait(timeout=WAIT)
        assert run.status() == aq.ExecutionStatus.SUCCEEDED, run.describe()
        found = postgres.run("SELECT id, name, amount::text FROM named_orders ORDER BY id")
        assert found == expected
        assert run.artifact("amounts are positive").get() is True
        assert run.artifact("named orders").get()["id"].tolist() == [row[0] for row in expected]
    assert postgres.run("SELECT count(*) FROM orders") == [(5,)]
    # Decimals and NULLs came as they are.
    kept = run.artifact("warehouse query artifact").get()
    assert str(kept["amount"][0]) == "100.00"
    assert_no_secret(place, "named_orders", run.run_id)


def joined_rows(orders: Any, customers: Any) -> Any:
    joined = orders.merge(customers, left_on="customer", right_on="id", suffixes=("", "_of_customer"))
    return joined[["id", "name"]]


def has_rows(table: Any) -> bool:
    return len(table) > 0


@SHOWN_ELSEWHERE
def test_the_same_from_a_compiled_spec(
    place: Place, postgres: PostgresServer, mariadb: MariaDbServer, data: None
) -> None:
    storage = {
        "region": "us-east-1",
        "bucket": place.bucket,
        "root_dir": "databases",
        "credentials_path": str(place.credentials_path),
        "credentials_profile": "research",
    }
    warehouse, crm = postgres.config(), mariadb.config("crm")
    requirements = ["pandas"]
    for name, function in (("join", joined_rows), ("check", has_rows)):
        archive = function_archive(function, requirements)
        place.s3.put_object(Bucket=place.bucket, Key=f"databases/{name}.zip", Body=archive)
    place.s3.put_object(Bucket=place.bucket, Key="databases/region", Body=b"south")
    draft = CompiledDraft("compiled databases", {"type": "s3", "s3_config": storage})
    draft.param("region", "string", "string", "region")
    query = {"query": "SELECT id, customer FROM orders WHERE region = '$1' AND {{ today }} > '2026-01-01'"}
    draft.extract("orders", "Postgres", warehouse, query, ["region"], "orders")
    chain = {"queries": ["SELECT * FROM customers", "SELECT id, name FROM $ WHERE id < 100"]}
    draft.extract("customers", "MariaDB", crm, chain, [], "customers")
    draft.function("join", "join.zip", ["orders", "customers"], {"joined": "table"})
    draft.function(
        "check", "check.zip", ["joined"], {"good": "boolean"}, operator_type="check", check_severity="error"
    )
    target = {"table": "compiled_orders", "update_mode": "replace"}
    draft.load("save", "Postgres", warehouse, target, ["joined"])
    with place.dropped(draft.document()) as dag_id:
        for conf, expected in (({}, [(3, "Anna Å")]), ({"region": EVIL}, [(5, "Anna Å")])):
            run_id, state = place.run(dag_id, conf)
            states = place.client.states(dag_id, run_id)
            failed = [task for task, one in states.items() if one == "failed"]
            assert state == "success", [place.client.log(dag_id, run_id, task) for task in failed]
            assert postgres.run("SELECT id, name FROM compiled_orders") == expected
        assert_no_secret(place, dag_id, run_id)


@aq.op(requirements=["pandas", "pyarrow"], outputs=["many rows"])
def many_rows(count: int) -> Any:
    import pandas

    return pandas.DataFrame({"n": range(int(count)), "text": "x" * 200})


@SHOWN_ELSEWHERE
def test_killed_in_the_middle_of_a_load_and_tried_again(
    client: aq.Client, postgres: PostgresServer, place: Place
) -> None:
    warehouse = client.resource("warehouse")
    many = many_rows.lazy(MANY)
    warehouse.save(many, "many_rows", aq.LoadUpdateMode.APPEND, retries=2, retry_delay=1)
    postgres.run("CREATE TABLE many_rows (n BIGINT, text TEXT)")
    postgres.run("INSERT INTO many_rows VALUES (-1, 'old')")
    client.publish_flow("many rows", artifacts=[many], engine="cluster")
    run = client.trigger("many rows", progress=False)
    child = wait_for(lambda: _loading(postgres), what="a load on its way", seconds=WAIT, pause=0.005)
    # The task's own process: what an out-of-memory killer or a lost machine ends.
    os.kill(_parent(child), signal.SIGKILL)
    run.wait(timeout=WAIT)
    assert run.status() == aq.ExecutionStatus.SUCCEEDED
    task = place.client.tasks("many_rows", run.run_id)["save_to_warehouse"]
    assert task["try_number"] == 2
    (found,) = postgres.run("SELECT count(*), count(DISTINCT n), min(n), max(n) FROM many_rows")
    assert found == (MANY + 1, MANY + 1, -1, MANY - 1)
    assert len(postgres.run("SELECT 1 FROM aqueduct_loads WHERE run LIKE %s", [f"%{run.run_id}%"])) == 1


def _loading(postgres: PostgresServer) -> int | None:
    """The child process that copies rows just now."""
    if not postgres.run(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'aqueduct' AND query LIKE 'COPY%' "
        "AND state = 'active'"
    ):
        return None
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"aqueduct_provider.connectors" in (folder / "cmdline").read_bytes():
                return int(folder.name)
        except OSError:
            continue
    return None


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def assert_no_secret(place: Place, dag_id: str, run_id: str) -> None:
    """No password in what Airflow's pages, REST API, database and logs hold of a run."""
    tasks = place.client.tasks(dag_id, run_id)
    answers = [
        place.client.details(dag_id),
        tasks,
        *(place.client.xcoms(dag_id, run_id, task) for task in tasks),
        *(place.client.log(dag_id, run_id, task) for task in tasks),
    ]
    everything = {
        "the REST API": json.dumps(answers),
        "the database": dump(place),
        **pages(place.client, dag_id, run_id, tasks),
        **place.airflow.logs(),
    }
    # The search finds what is there.
    assert any(run_id in text for text in everything.values())
    for secret in SECRETS:
        assert [where for where, text in everything.items() if secret in text] == []

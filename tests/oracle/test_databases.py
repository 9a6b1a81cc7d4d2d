"""Extract from, and load into, SQLite and PostgreSQL: what the original leaves, we leave."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.connectors import run
from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder, SystemOrder
from tests.data_servers.postgres import PostgresServer
from tests.oracle.harness import Oracle, Store, TaskSpecs

pytestmark = pytest.mark.oracle

DATES = {"today": "2026-11-22"}


@dataclass(frozen=True)
class Database:
    """A new, empty database, as both sides and a third driver see it."""

    order: SystemOrder
    run: Callable[[str], Sequence[Any]]


@pytest.fixture(params=["SQLite", "Postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "Postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        config = server.new_database()
        return Database(
            SystemOrder("Postgres", config), lambda sql: server.run(sql, database=config["database"])
        )
    path = tmp_path / "test.db"

    def run(sql: str) -> list[Any]:
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(sql).fetchall()

    return Database(SystemOrder("SQLite", {"database": str(path)}), run)


def table(database: Database) -> None:
    is_postgres = database.order.connector == "Postgres"
    moment = "TIMESTAMP" if is_postgres else "DATETIME"
    database.run(
        "CREATE TABLE t (id BIGINT, few INTEGER, price FLOAT, exact NUMERIC(10, 2), name TEXT, "
        f"truth BOOLEAN, day DATE, at {moment})"
    )
    database.run(
        "INSERT INTO t VALUES (1, 7, 0.5, 1.25, 'a \"b\" ä', true, '2024-02-29', '2024-02-29 12:34:56.789'), "
        "(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL), "
        "(3, -1, 1e300, 10, '', false, '1999-12-31', '2000-01-01')"
    )


QUERIES = [
    {"query": "SELECT * FROM t ORDER BY id"},
    {"query": "SELECT id, name FROM t WHERE id <> 2 ORDER BY id"},
    {"query": "SELECT id, truth, at FROM t WHERE truth IS NOT NULL ORDER BY id"},
    {"query": "SELECT count(*) AS n, max(price) AS p, avg(id) AS a FROM t"},
    {"query": "SELECT {{ today }} AS day"},
    {"queries": ["SELECT * FROM t", "SELECT id FROM $ WHERE id > 1", "SELECT max(id) AS m FROM $"]},
    {"queries": ["SELECT id FROM t ORDER BY id"]},
]
POSTGRES_ONLY = [
    "SELECT timestamptz '2024-07-01 12:00+02' AS at, '{\"a\": [1]}'::jsonb AS j, array[1, 2] AS l",
    "SELECT 'a'::char(3) AS c, '12:00'::time AS t, 1::smallint AS s, 1.5::real AS r",
]


@pytest.mark.parametrize("parameters", QUERIES, ids=lambda one: str(next(iter(one.values())))[:40])
def test_extracting_gives_the_same_artifact(
    oracle: Oracle, store: Store, specs: TaskSpecs, database: Database, tmp_path: Path, parameters: Any
) -> None:
    table(database)
    compare_extracts(oracle, store, specs, database, tmp_path, parameters)


@pytest.mark.parametrize("query", POSTGRES_ONLY, ids=lambda query: query[7:40])
def test_types_of_postgres(
    oracle: Oracle, store: Store, specs: TaskSpecs, postgres: PostgresServer, tmp_path: Path, query: str
) -> None:
    config = postgres.new_database()
    database = Database(SystemOrder("Postgres", config), lambda _: [])
    compare_extracts(oracle, store, specs, database, tmp_path, {"query": query})


def test_columns_of_several_storage_classes_in_sqlite(
    oracle: Oracle, store: Store, specs: TaskSpecs, tmp_path: Path
) -> None:
    path = tmp_path / "mixed.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE mixed (horsepower REAL, any, whole TEXT, counted INTEGER)")
        rows = [
            (130.0, 1, "a", 1),
            ("\\N", 2.5, 'é"', 2.5),
            (0.1 + 0.2, "text", None, None),
            (1e300, None, "", 10**15),
            (-0.5, 2**53 + 1, "1", -3),
        ]
        connection.executemany("INSERT INTO mixed VALUES (?, ?, ?, ?)", rows)
    database = Database(SystemOrder("SQLite", {"database": str(path)}), lambda _: [])
    compare_extracts(oracle, store, specs, database, tmp_path, {"query": "SELECT * FROM mixed"})


def compare_extracts(
    oracle: Oracle, store: Store, specs: TaskSpecs, database: Database, folder: Path, parameters: Any
) -> None:
    spec = specs.database_extract(database.order, parameters)
    oracle.execute(spec)
    assert store.get_json("state")["status"] == "succeeded", store.get_json("state")
    theirs = store.get("out").decode().replace(today(), DATES["today"])
    queries = tuple(parameters.get("queries") or [parameters["query"]])
    order = ExtractOrder(database.order, "ours", queries, dates=DATES, tables="table")
    info = run.extract(order, folder)
    assert json.loads((folder / "ours").read_text()) == json.loads(theirs)
    metadata = store.get_json("out.meta")
    assert info.schema == metadata["schema"]
    assert (info.artifact_type, info.serialization_type, info.python_type) == (
        metadata["artifact_type"],
        metadata["serialization_type"],
        metadata["python_type"],
    )


def today() -> str:
    from datetime import date

    return date.today().isoformat()


def test_a_string_parameter_is_the_same_value(
    oracle: Oracle, store: Store, specs: TaskSpecs, database: Database, tmp_path: Path
) -> None:
    table(database)
    store.put("value", b"1")
    metadata = {
        "artifact_type": "string",
        "serialization_type": "string",
        "schema": [],
        "system_metadata": {},
    }
    store.put("value.meta", json.dumps(metadata).encode())
    query = "SELECT id FROM t WHERE id = $1 AND '$1' = '1' ORDER BY id"
    spec = specs.database_extract(database.order, {"query": query}, ["value"])
    oracle.execute(spec)
    order = ExtractOrder(database.order, "ours", (query,), parameters=("1",), tables="table")
    run.extract(order, tmp_path)
    assert (tmp_path / "ours").read_bytes() == store.get("out")
    assert json.loads(store.get("out"))["data"] == [{"id": 1}]


TABLE = {
    "schema": {
        "fields": [
            {"name": "n", "type": "integer"},
            {"name": "x", "type": "number"},
            {"name": "s", "type": "string"},
            {"name": "b", "type": "boolean"},
            {"name": "at", "type": "datetime"},
        ],
        "pandas_version": "1.4.0",
    },
    "data": [
        {"n": 1, "x": 0.5, "s": "a'b", "b": True, "at": "2024-02-29T12:34:56.789"},
        {"n": -2, "x": None, "s": None, "b": False, "at": None},
    ],
}


@pytest.mark.parametrize("mode", ["append", "replace", "fail"])
@pytest.mark.parametrize("is_there", [False, True])
def test_loading_leaves_the_same_table(
    oracle: Oracle,
    store: Store,
    specs: TaskSpecs,
    database: Database,
    tmp_path: Path,
    mode: str,
    is_there: bool,
) -> None:
    store.put("saved", json.dumps(TABLE).encode())
    metadata = {"artifact_type": "table", "serialization_type": "table", "schema": [], "system_metadata": {}}
    store.put("saved.meta", json.dumps(metadata).encode())
    for name in ("theirs", "ours"):
        if is_there:
            at = "TIMESTAMP" if database.order.connector == "Postgres" else "DATETIME"
            database.run(f"CREATE TABLE {name} (n BIGINT, x FLOAT, s TEXT, b BOOLEAN, at {at})")
            database.run(f"INSERT INTO {name} (n) VALUES (9)")
    oracle.execute(specs.database_load(database.order, {"table": "theirs", "update_mode": mode}, ["saved"]))
    theirs_failed = store.get_json("state")["status"] == "failed"
    (tmp_path / "in").write_bytes(store.get("saved"))
    order = LoadOrder(
        database.order,
        "ours",
        mode,
        "in",
        "table",
        "table",
        "k" * 64,
        "d" * 64,
        "run",  # type: ignore[arg-type]
    )
    if theirs_failed:
        with pytest.raises(run.LoadRefused):
            run.load(order, tmp_path)
    else:
        assert run.load(order, tmp_path) == 2
    assert theirs_failed == (is_there and mode == "fail")
    assert database.run("SELECT * FROM ours ORDER BY n") == database.run("SELECT * FROM theirs ORDER BY n")
    assert columns(database, "ours") == columns(database, "theirs")


def columns(database: Database, name: str) -> list[Any]:
    """Names and types of a table's columns."""
    if database.order.connector == "SQLite":
        return [(row[1], row[2]) for row in database.run(f"PRAGMA table_info({name})")]
    # To Postgres, text and unlimited character varying are the same.
    return list(
        database.run(
            "SELECT column_name, replace(data_type, 'character varying', 'text') "
            f"FROM information_schema.columns WHERE table_name = '{name}' ORDER BY ordinal_position"
        )
    )

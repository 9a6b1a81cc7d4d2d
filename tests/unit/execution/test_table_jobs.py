"""Extract and load of tables: the order that a task makes, and the whole path on SQLite files."""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder, SystemOrder
from aqueduct_provider.errors import (
    OperatorCrashed,
    OperatorFailed,
    OperatorKilled,
    OperatorTimedOut,
    is_retryable,
)
from aqueduct_provider.execution.table_jobs import extract_table, load_key, load_table
from aqueduct_provider.execution.workspace import Bench
from aqueduct_provider.spec.loader import parse
from tests.integration.waiting import wait_for
from tests.support.example_specs import compiled_document, extract_task, load_task, param_task
from tests.support.flow_runs import RUN_ID, LocalRun
from tests.unit.execution.conftest import Desk

SECRET = "planted-in-config-77aa"
# Runs until it is ended.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n"


def sql_extract(*queries: str, inputs: Sequence[str] = (), **fields: Any) -> dict[str, Any]:
    source = {"connector": "SQLite", "connection_id": "c", "queries": list(queries)}
    return {
        "task_id": "e",
        "type": "extract",
        "inputs": list(inputs),
        "outputs": ["table"],
        "source": source,
        **fields,
    }


def sql_load(table: str, *inputs: str, mode: str = "append", **fields: Any) -> dict[str, Any]:
    target = {"connector": "SQLite", "connection_id": "c", "table": table, "update_mode": mode}
    return {"task_id": "l", "type": "load", "inputs": list(inputs), "target": target, **fields}


def text_param(name: str) -> dict[str, Any]:
    return {"task_id": name, "type": "param", "parameter": name, "outputs": [f"{name}-out"]}


class Run(LocalRun):
    """A run of a native flow with string parameters, whose data system is a new SQLite file."""

    def __init__(
        self, desk: Desk, *operators: dict[str, Any], texts: dict[str, str] | None = None, **worker: Any
    ):
        self.path = desk.folder / "shop.db"
        texts = texts or {}
        spec = desk.flow(
            *map(text_param, texts),
            *operators,
            types={"table": "table"} | {f"{name}-out": "string" for name in texts},
            parameters=tuple(
                {"name": name, "type": "string", "default": {"value": value}} for name, value in texts.items()
            ),
        )
        config = {"database": str(self.path), "password": SECRET}
        super().__init__(
            spec,
            desk.store,
            desk.folder,
            **{"system": lambda operator: SystemOrder("SQLite", config), **worker},
        )
        self.dates = {"ds": "2026-11-21"}

    def sql(self, *statements: str) -> list[Any]:
        """Run statements on the file; the rows of the last."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            rows = [connection.execute(statement).fetchall() for statement in statements]
        return rows[-1]

    def bench(self, task_id: str, folder: Path) -> Bench:
        attempt = self.attempt(task_id)
        folder.mkdir()
        return Bench(attempt.task, attempt.worker, folder)


# --- orders


def test_the_order_of_a_query(desk: Desk) -> None:
    run = Run(desk, sql_extract("SELECT $1", "SELECT * FROM $", inputs=["a-out"]), texts={"a": "grün"})
    run.run("a")
    bench = run.bench("e", desk.folder / "job")
    operator: Any = bench.task.operator
    order = extract_table(bench, operator, operator.source).order
    assert order == ExtractOrder(
        system=SystemOrder("SQLite", {"database": str(run.path), "password": SECRET}),
        path="outputs/0",
        queries=("SELECT $1", "SELECT * FROM $"),
        parameters=("grün",),
        dates={"ds": "2026-11-21"},
        tables="parquet",
    )


def test_the_order_of_a_query_of_documents(desk: Desk) -> None:
    query = {"args": [{"_id": {"$oid": "5f"}}], "kwargs": {"limit": 1}}
    source = {"connector": "MongoDB", "connection_id": "c", "collection": "people", "query": query}
    run = Run(desk, {**sql_extract(), "source": source})
    bench = run.bench("e", desk.folder / "job")
    operator: Any = bench.task.operator
    order: Any = extract_table(bench, operator, operator.source).order
    assert (order.collection, order.find, order.queries) == ("people", query, ())


@pytest.mark.parametrize(("named", "target"), [("daily", "daily"), ("", "grün")])
def test_the_order_of_a_save(desk: Desk, named: str, target: str) -> None:
    run = Run(
        desk, sql_extract("SELECT 1 AS a"), sql_load(named, "name-out", "table"), texts={"name": "grün"}
    )
    run.run("name", "e")
    bench = run.bench("l", desk.folder / "job")
    operator: Any = bench.task.operator
    order = load_table(bench, operator, operator.target).order
    assert isinstance(order, LoadOrder)
    assert (order.target, order.mode, order.path) == (target, "append", "inputs/1")
    assert (order.artifact_type, order.serialization_type) == ("table", "parquet")
    assert order.digest == run.manifests["e"].artifacts["table"].sha256
    assert order.run == f"flow {RUN_ID} l"
    assert order.key == load_key(str(run.spec.flow.id), RUN_ID, "l-id")


def test_a_collection_is_named_in_the_same_ways(desk: Desk) -> None:
    target = {"connector": "MongoDB", "connection_id": "c", "collection": "", "update_mode": "fail"}
    load = {**sql_load("", "name-out", "table"), "target": target}
    run = Run(desk, sql_extract("SELECT 1 AS a"), load, texts={"name": "people"})
    run.run("name", "e")
    bench = run.bench("l", desk.folder / "job")
    operator: Any = bench.task.operator
    order: Any = load_table(bench, operator, operator.target).order
    assert (order.target, order.mode) == ("people", "fail")


def test_the_key_of_a_load_is_that_of_its_run_and_operator() -> None:
    key = load_key("flow", "run", "operator")
    assert re.fullmatch("[0-9a-f]{64}", key)
    assert key == load_key("flow", "run", "operator")
    others = [("flow2", "run", "operator"), ("flow", "run2", "operator"), ("flow", "run", "operator2")]
    others += [("flowrun", "", "operator"), ("flow", "runoperator", "")]
    assert len({key, *(load_key(*other) for other in others)}) == 6


# --- the whole path


def test_an_extract_leaves_its_artifact_with_metadata(desk: Desk) -> None:
    run = Run(
        desk,
        sql_extract("SELECT n, {{ ds }} AS day FROM t WHERE n > $1 OR n IS NULL", inputs=["a-out"]),
        texts={"a": "1"},
    )
    run.sql("CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (1), (2), (NULL)")
    manifest = run.run()
    metadata = desk.metadata("table")
    assert (metadata["artifact_type"], metadata["serialization_type"]) == ("table", "parquet")
    assert (metadata["python_type"], metadata["encoding"]) == ("DataFrame", "parquet/v3")
    assert metadata["schema"][0] == {"n": "Int64"}
    assert metadata["system_metadata"] == {}
    (desk.folder / "read").write_bytes(desk.content("table"))
    frame = pd.read_parquet(desk.folder / "read")
    assert frame["day"].tolist() == ["2026-11-21"] * 2
    assert frame["n"].dropna().tolist() == [2]
    state = desk.state("e")
    assert (state["status"], state["error"]) == ("succeeded", None)
    assert manifest.artifacts["table"].serialization_type == "parquet"


def test_a_load_writes_once_in_every_run(desk: Desk) -> None:
    run = Run(desk, sql_extract("SELECT 1 AS a"), sql_load("daily", "table"))
    run.run("e", "l")
    run.run("l")
    assert run.sql("SELECT a FROM daily") == [(1,)]
    assert desk.state("l")["user_logs"]["stdout"] == (
        "SQLite, daily: An earlier try has written the rows already.\n"
    )
    run.run_id = "manual__2"
    run.run("e", "l")
    assert run.sql("SELECT a FROM daily") == [(1,), (1,)]


def test_compiled_flows_store_what_the_original_reads(desk: Desk) -> None:
    path = desk.folder / "shop.db"
    connector = {"connector_name": "SQLite", "connector_config": {"conf": {"database": str(path)}}}
    tasks = {
        "id": param_task("id", "string", "string"),
        "read": extract_task("read", **connector, parameters={"queries": ["SELECT n FROM t WHERE n = $1"]}),
        "save": load_task(
            "save", inputs=["read"], **connector, parameters={"table": "copy", "update_mode": ""}
        ),
    }
    tasks["read"] |= {"input_content_paths": ["id-content"], "input_metadata_paths": ["id-metadata"]}
    desk.store.put("id-content", b"2")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2);")
    spec = parse(json.dumps(compiled_document(task_specs=tasks, task_edges={})).encode(), "flow.json")
    assert spec.compiled is not None
    connectors = spec.compiled.connectors
    LocalRun(
        spec, desk.store, desk.folder, system=lambda operator: SystemOrder("SQLite", connectors[operator.id])
    ).run()
    assert json.loads(desk.store.get(f"read-content_{RUN_ID}"))["data"] == [{"n": 2}]
    assert json.loads(desk.store.get(f"read-metadata_{RUN_ID}"))["serialization_type"] == "table"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT n FROM copy").fetchall() == [(2,)]


@pytest.mark.parametrize(
    ("query", "tip"),
    [
        ("SELECT * FROM nope", "no such table: nope"),
        ("SELECT $1", r"The SQL uses \$1, and there are 0 parameters"),
    ],
)
def test_a_query_that_fails_leaves_its_tip(desk: Desk, query: str, tip: str) -> None:
    run = Run(desk, sql_extract(query))
    with pytest.raises(OperatorFailed, match=tip) as caught:
        run.run()
    assert not isinstance(caught.value, OperatorCrashed)
    assert not is_retryable(caught.value)
    state = desk.state("e")
    assert (state["status"], state["failure_type"]) == ("failed", 2)
    assert re.search(tip, state["error"]["tip"])
    assert not desk.store.exists(f"flows/{run.spec.flow.id}/runs/{RUN_ID}/artifacts/table/content")


def test_a_data_system_that_is_away_is_tried_again(desk: Desk) -> None:
    away = SystemOrder("Postgres", {"host": "127.0.0.1", "port": "1", "password": SECRET})
    run = Run(desk, sql_extract("SELECT 1"), system=lambda operator: away)
    with pytest.raises(OperatorCrashed, match="cannot be reached") as caught:
        run.run()
    assert is_retryable(caught.value)
    state = desk.state("e")
    assert state["failure_type"] == 1
    assert SECRET not in json.dumps(state)


def test_what_is_no_text_is_no_parameter(desk: Desk) -> None:
    maker = {
        "task_id": "f",
        "type": "function",
        "outputs": ["number"],
        "code": desk.code("def predict(): return 5"),
    }
    run = Run(desk, maker, sql_extract("SELECT $1", inputs=["number"]))
    with pytest.raises(
        OperatorFailed, match="'number' is a parameter of a query and must be a string, not numeric"
    ):
        run.run()


def test_what_is_no_table_is_not_saved(desk: Desk) -> None:
    maker = {
        "task_id": "f",
        "type": "function",
        "outputs": ["out"],
        "code": desk.code("def predict(): return 5"),
    }
    run = Run(desk, maker, sql_load("t", "out"))
    with pytest.raises(
        OperatorFailed, match="Only tables can be saved to SQLite, and the artifact is of type numeric"
    ):
        run.run()
    assert desk.state("l")["failure_type"] == 2


def test_a_retried_group_leaves_the_load_that_it_feeds_alone(desk: Desk) -> None:
    source = "import pandas, time\ndef predict():\n    return pandas.DataFrame({'at': [str(time.time_ns())]})"
    rows = {"task_id": "r", "type": "function", "outputs": ["table"], "code": desk.code(source), "fuse": "g"}
    bad = {"task_id": "b", "type": "function", "code": desk.code("def predict(): return 1 / 0"), "fuse": "g"}
    run = Run(desk, rows, sql_load("daily", "table", fuse="g"), bad)
    for number in (1, 2):
        with pytest.raises(OperatorFailed, match="ZeroDivisionError"):
            run.group("g", number).run()
    assert not run.path.exists()

    run.manifests["r"] = run.run("r")
    for _ in range(2):  # Airflow does not know that the first one has committed.
        run.run("l")
    stored = pd.read_parquet(io.BytesIO(desk.content("table")))
    assert run.sql("SELECT at FROM daily") == [(stored["at"][0],)]


def test_a_timeout_ends_a_query(desk: Desk) -> None:
    with pytest.raises(OperatorTimedOut):
        Run(desk, sql_extract(ENDLESS, timeout=1.0)).run()
    assert desk.state("e")["failure_type"] == 2


def test_a_kill_ends_a_query(desk: Desk) -> None:
    run = Run(desk, sql_extract(ENDLESS))
    attempt = run.attempt("e")
    caught: list[BaseException] = []

    def target() -> None:
        try:
            attempt.run()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    wait_for(run.path.exists, what="a query at work", seconds=60, pause=0.01)
    attempt.kill()
    thread.join(30)
    assert [type(error) for error in caught] == [OperatorKilled]
    assert desk.state("e")["status"] == "canceled"


def test_the_worker_gives_its_variables_and_no_secret_is_left(
    desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    variables = {**os.environ, "HOME": str(desk.folder)}
    run = Run(desk, sql_extract("SELECT 1 AS a"), sql_load("daily", "table"), variables=variables)
    home = SystemOrder("SQLite", {"database": "~/home.db", "password": SECRET})
    object.__setattr__(run.worker, "system", lambda operator: home)
    run.run()
    assert (desk.folder / "home.db").is_file()
    seen = str(run.lines) + "".join(capfd.readouterr())
    for path in desk.folder.rglob("*"):
        seen += path.read_bytes().decode(errors="replace") if path.is_file() else ""
    assert SECRET not in seen

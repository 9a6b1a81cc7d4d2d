"""Orders on SQLite: what is left in the folder, and what is refused before anything is done."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aqueduct_provider.connectors import run
from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder, SystemOrder
from aqueduct_provider.errors import DataSystemLoginFailed, LoadRefused, StatementRefused
from aqueduct_provider.runner.codecs import encode
from aqueduct_provider.runner.contract import OutputInfo


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    (folder / "outputs").mkdir(parents=True)
    return folder


@pytest.fixture
def system(tmp_path: Path) -> SystemOrder:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (n INTEGER, day DATE)")
        connection.execute("INSERT INTO t VALUES (1, '2024-02-29'), (NULL, NULL)")
    return SystemOrder("SQLite", {"database": str(path)})


@pytest.fixture
def order(system: SystemOrder) -> ExtractOrder:
    return ExtractOrder(system, "outputs/0", ("SELECT n, day FROM t ORDER BY n DESC",))


def asked(system: SystemOrder, sql: str) -> Sequence[Any]:
    with closing(sqlite3.connect(system.config["database"])) as connection:
        return connection.execute(sql).fetchall()


def test_an_extract_leaves_parquet_and_nothing_else(order: ExtractOrder, job: Path) -> None:
    info = run.extract(order, job)
    assert (info.path, info.artifact_type, info.serialization_type) == ("outputs/0", "table", "parquet")
    assert (info.python_type, info.encoding) == ("DataFrame", "parquet/v3")
    assert [[*column] for column in info.schema] == [["n"], ["day"]]
    assert info.schema[0] == {"n": "Int64"}
    assert pd.read_parquet(job / "outputs" / "0")["n"].isna().tolist() == [False, True]
    assert [path.relative_to(job).as_posix() for path in job.rglob("*") if path.is_file()] == ["outputs/0"]


def test_the_originals_json_has_what_the_original_sees(order: ExtractOrder, job: Path) -> None:
    info = run.extract(replace(order, tables="table"), job)
    assert info == OutputInfo("outputs/0", "table", "table", "DataFrame", "table/v1", info.schema)
    assert info.schema == [{"n": "float64"}, {"day": info.schema[1]["day"]}]
    rows = json.loads((job / "outputs" / "0").read_bytes())["data"]
    assert rows == [{"n": 1.0, "day": "2024-02-29"}, {"n": None, "day": None}]


def test_parameters_and_dates_are_those_of_the_order(order: ExtractOrder, job: Path) -> None:
    queries = ("SELECT n FROM t WHERE n = $1", "SELECT {{ ds }} AS day, n, '$1' AS text FROM $")
    run.extract(replace(order, queries=queries, parameters=("1",), dates={"ds": "2026-11-21"}), job)
    assert pd.read_parquet(job / "outputs" / "0").to_dict("records") == [
        {"day": "2026-11-21", "n": 1, "text": "1"}
    ]


@pytest.mark.parametrize("query", ["SELECT $2", "SELECT * FROM nope", "SELECT 1 AS a, 2 AS a"])
def test_a_refused_extract_leaves_nothing(order: ExtractOrder, job: Path, query: str) -> None:
    with pytest.raises(StatementRefused):
        run.extract(replace(order, queries=(query,)), job)
    assert [path for path in job.rglob("*") if path.is_file()] == []


@pytest.fixture
def load(system: SystemOrder, job: Path) -> LoadOrder:
    (job / "in").write_bytes(encode(pd.DataFrame({"n": [1, 2]}), "table").data)
    return LoadOrder(system, "saved", "append", "in", "table", "table", "k" * 64, "d" * 64, "run")


def test_a_load_is_done_once(load: LoadOrder, job: Path) -> None:
    assert run.load(load, job) == 2
    assert run.load(load, job) is None
    assert run.load(replace(load, key="l" * 64), job) == 2
    assert asked(load.system, "SELECT n FROM saved") == [(1,), (2,), (1,), (2,)]


def test_a_schema_stands_before_the_table(load: LoadOrder, job: Path) -> None:
    run.load(replace(load, target="main.my table"), job)
    assert asked(load.system, 'SELECT count(*) FROM "my table"') == [(2,)]
    assert asked(load.system, "SELECT target FROM aqueduct_loads") == [("main.my table",)]


@pytest.mark.parametrize("target", ["", "a;b", 'a"b', "a..b"])
def test_what_is_no_tables_name_is_refused(load: LoadOrder, job: Path, target: str) -> None:
    with pytest.raises(StatementRefused, match=r"The table .* is not a valid name"):
        run.load(replace(load, target=target), job)


@pytest.mark.parametrize("connector", ["SQLite", "MongoDB"])
def test_only_tables_are_saved(load: LoadOrder, job: Path, connector: str) -> None:
    wrong = replace(load, artifact_type="picklable", system=SystemOrder(connector, {}))
    with pytest.raises(LoadRefused, match=f"Only tables can be saved to {connector}, .* of type picklable"):
        run.load(wrong, job)


def test_check_and_discover(system: SystemOrder) -> None:
    assert run.check(system).startswith(f"SQLite {system.config['database']} answers: SQLite 3")
    assert run.discover(system) == ["t"]
    for ask in (run.check, run.discover):
        with pytest.raises(DataSystemLoginFailed):
            ask(SystemOrder("SQLite", {"database": "/nowhere/a.db"}))

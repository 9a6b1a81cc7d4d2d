"""Loads: update modes, failures in the middle, second tries, loads at the same time, on every database."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aqueduct_provider.connectors.requests import LoadOrder, to_json
from aqueduct_provider.errors import DataSystemError, LoadRefused
from tests.connectors.conftest import System
from tests.connectors.system_jobs import Desk
from tests.integration.waiting import wait_for

ONE, TWO = pa.table({"a": [1, 2], "b": ["x", "y"]}), pa.table({"a": [3], "b": ["z"]})


def rows(desk: Desk, table: str = "t") -> list[tuple[int, str]]:
    return [(row["a"], row["b"]) for row in desk.rows(f"SELECT a, b FROM {table} ORDER BY a")]


@pytest.mark.parametrize("mode", ["append", "replace", "fail"])
def test_every_mode_makes_the_table(desk: Desk, mode: str) -> None:
    assert desk.load(ONE, mode=mode) == 2
    assert rows(desk) == [(1, "x"), (2, "y")]


def test_append_adds(desk: Desk) -> None:
    desk.load(ONE)
    assert desk.load(TWO, mode="append") == 1
    assert rows(desk) == [(1, "x"), (2, "y"), (3, "z")]


def test_replace_replaces_columns_too(desk: Desk) -> None:
    desk.load(ONE)
    desk.load(pa.table({"c": [True]}))
    assert desk.rows("SELECT * FROM t") == [{"c": True}]


def test_fail_leaves_what_is_there(desk: Desk, system: System) -> None:
    system.run("CREATE TABLE t (a INTEGER, b VARCHAR(10))")
    with pytest.raises(LoadRefused, match="The table t exists already, and the update mode is 'fail'"):
        desk.load(ONE, mode="fail")
    assert rows(desk) == []


@pytest.mark.parametrize("mode", ["append", "fail"])
def test_a_second_try_writes_nothing_twice(desk: Desk, mode: str) -> None:
    assert desk.load(ONE, mode=mode) == 2
    assert desk.load(ONE, mode=mode) is None
    assert rows(desk) == [(1, "x"), (2, "y")]


def test_another_run_appends_the_same_rows_again(desk: Desk) -> None:
    desk.load(ONE, mode="append", run="run 1")
    assert desk.load(ONE, mode="append", run="run 2") == 2
    assert len(rows(desk)) == 4


def test_a_run_whose_artifact_has_changed_does_not_append_it_too(desk: Desk) -> None:
    desk.load(ONE, mode="append")
    with pytest.raises(LoadRefused, match=r"already written 2 rows to t, .* delete the old rows"):
        desk.load(TWO, mode="append")
    assert len(rows(desk)) == 2


def test_append_converts_to_the_types_of_the_table(desk: Desk, system: System) -> None:
    system.run("CREATE TABLE t (b VARCHAR(10), a SMALLINT, c INTEGER DEFAULT 7)")
    desk.load(ONE, mode="append")
    assert [tuple(row) for row in system.run("SELECT a, b, c FROM t ORDER BY a")] == [
        (1, "x", 7),
        (2, "y", 7),
    ]


def test_append_to_a_table_without_such_a_column(desk: Desk, system: System) -> None:
    system.run("CREATE TABLE t (a INTEGER)")
    with pytest.raises(DataSystemError, match="b"):
        desk.load(ONE, mode="append")
    assert system.run("SELECT * FROM t") == []


def test_rows_that_the_table_refuses_leave_it_as_it_was(desk: Desk, system: System) -> None:
    system.run("CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR(10))")
    desk.load(TWO, mode="append", run="run 1")
    with pytest.raises(DataSystemError):
        desk.load(pa.table({"a": [1, 2, 3], "b": ["x", "y", "twice"]}), mode="append", run="run 2")
    assert rows(desk) == [(3, "z")]
    # Nothing says that the failed try has written anything.
    assert desk.load(ONE, mode="append", run="run 2") == 2


class _Broken(Exception):
    pass


@pytest.mark.parametrize("mode", ["append", "replace", "fail"])
def test_a_load_that_fails_halfway_changes_nothing(desk: Desk, mode: str) -> None:
    from aqueduct_provider.connectors import registry
    from aqueduct_provider.connectors.tables.model import Batches, TableLoad, TableName

    if mode != "fail":
        desk.load(ONE)

    def halfway() -> Iterator[pa.RecordBatch]:
        yield from TWO.to_batches()
        raise _Broken

    load = TableLoad(TableName("", "t"), mode, "k" * 64, "d" * 64, "run")  # type: ignore[arg-type]
    database = registry.connect(desk.name, desk.system.config)
    with pytest.raises((_Broken, DataSystemError)):
        database.write(Batches(TWO.schema, halfway()), load)
    database.close()
    if mode == "fail":
        assert desk.load(ONE, mode="fail") == 2
    assert rows(desk) == [(1, "x"), (2, "y")]


def test_tables_of_another_schema(desk: Desk, system: System) -> None:
    if desk.name == "SQLite":
        schema = "main"
    else:
        schema = "other" if desk.name == "Postgres" else f"{desk.system.config['database']}_other"
        system.run(f"CREATE SCHEMA {schema}")
    for mode in ("replace", "append"):
        desk.load(ONE, f"{schema}.t", mode)
    assert len(rows(desk, f"{schema}.t")) == 4


def test_loads_at_the_same_time(desk: Desk, tmp_path: Path) -> None:
    """Those that append all arrive, and of those that replace one wins whole."""

    def load(number: int) -> None:
        own = Desk(desk.system, tmp_path / f"job {number}")
        own.load(pa.table({"a": [number] * 50, "b": ["x"] * 50}), "appended", "append", f"run {number}")
        own.load(pa.table({"a": [number] * 50, "b": ["x"] * 50}), "replaced", "replace", f"run {number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(load, range(6)))
    counted = "SELECT a, count(*) AS n FROM {} GROUP BY a ORDER BY a"
    assert desk.rows(counted.format("appended")) == [{"a": number, "n": 50} for number in range(6)]
    assert [row["n"] for row in desk.rows(counted.format("replaced"))] == [50]


def test_readers_see_the_old_table_or_the_new_one(desk: Desk, tmp_path: Path) -> None:
    desk.load(pa.table({"a": [0] * 20_000}))
    reader = Desk(desk.system, tmp_path / "reader")
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(
            lambda: [desk.load(pa.table({"a": [n] * 20_000}), run=str(n)) for n in range(1, 6)]
        )
        seen = set()
        while not done.done():
            (row,) = reader.rows("SELECT min(a) AS low, max(a) AS high, count(*) AS n FROM t")
            assert row["n"] == 20_000
            assert row["low"] == row["high"]
            seen.add(row["low"])
    done.result()
    assert seen <= set(range(6))


@pytest.mark.parametrize("mode", ["append", "replace"])
def test_a_killed_load_leaves_nothing_and_its_second_try_all(
    desk: Desk, system: System, mode: str, tmp_path: Path
) -> None:
    desk.load(ONE)
    many = pa.table({"a": list(range(10, 300_010)), "b": ["x" * 200] * 300_000})
    job = tmp_path / "killed"
    job.mkdir()
    pq.write_table(many, job / "in")
    order = LoadOrder(desk.system, "t", mode, "in", "table", "parquet", "k" * 64, "d" * 64, "run")  # type: ignore[arg-type]
    with child(order, job) as process:
        wait_for(
            lambda: system.is_loading() or process.poll() is not None,
            what="rows on their way",
            seconds=60,
            pause=0.005,
        )
        assert process.poll() is None, "the load ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (job / "outcome.json").exists()
    assert rows(desk) == [(1, "x"), (2, "y")]
    with child(order, job) as process:
        process.wait()
    assert json.loads((job / "outcome.json").read_text())["failure"] is None
    (count,) = desk.rows("SELECT count(*) AS n, count(DISTINCT a) AS d FROM t")
    expected = 300_000 + (2 if mode == "append" else 0)
    assert (count["n"], count["d"]) == (expected, expected)


@contextmanager
def child(order: LoadOrder, job: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The child process of a load; its stdin stays open, as its worker's end of the lifeline."""
    command = [sys.executable, "-m", "aqueduct_provider.connectors", str(job)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin
        process.stdin.write(f"{to_json(order)}\n".encode())
        yield process

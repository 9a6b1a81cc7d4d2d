"""A million rows of ten columns out of a database into an artifact, and back: ours against the original.

Ours: ``execute()`` of an extract and of a load of a native flow, which stores Parquet. The original: its own
executor's process for the same work, which stores JSON. Memory is the peak of the largest process that took
part, the worker's own among them.
"""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aqueduct_provider.connectors.requests import SystemOrder
from benchmarks.figures import Figure, Series
from benchmarks.flows import RUN_ID, Flow
from benchmarks.lab import ROOT, BenchmarkFailed, Lab
from benchmarks.task import Order, Report
from benchmarks.warm_task import BOOTSTRAP
from tests.data_servers.postgres import PASSWORD, USER, postgres_server
from tests.oracle.harness import EXECUTORS, Store, TaskSpecs, oracle_python

MB = 10**6
TABLE = "benchmark"
QUERY = f"SELECT * FROM {TABLE}"

_POSTGRES = f"""
CREATE TABLE {TABLE} AS SELECT
  g::bigint AS id, (g * 7 % 1000)::int AS customer, random() AS score, g / 100.0::float8 AS price,
  g % 2 = 0 AS active, 'name ' || g AS name, md5(g::text) AS token,
  timestamp '2020-01-01' + g * interval '1 second' AS at, g % 97 AS days,
  CASE WHEN g % 10 = 0 THEN NULL ELSE 'note ' || g % 1000 END AS note
FROM generate_series(1, {{rows}}) AS g
"""


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param rows: of the table.
    :param runs: of each; but for the original's loads, which take minutes and are run once.
    """

    rows: int
    runs: int


FULL, SMOKE = Sizes(rows=1_000_000, runs=3), Sizes(rows=1000, runs=1)


@dataclass
class Side:
    """What one side took, in seconds and bytes."""

    seconds: Series = field(default_factory=Series)
    memory: list[int] = field(default_factory=list)

    @property
    def peak(self) -> int:
        return max(self.memory)


@dataclass(frozen=True)
class Bench:
    """One database.

    :param connection: the Airflow connection of it, as JSON.
    :param factors: how many times faster extract and load must be.
    :param count: how many rows a table has.
    """

    lab: Lab
    sizes: Sizes
    system: SystemOrder
    connection: Mapping[str, Any]
    factors: tuple[int, int]
    count: Callable[[str], int]


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    with postgres_server() as server:
        server.run(_POSTGRES.format(rows=sizes.rows))
        # As autovacuum leaves a table that is in use: whoever reads a new one first also marks its rows.
        server.run(f"VACUUM ANALYZE {TABLE}")
        place = {"host": "127.0.0.1", "port": server.port, "schema": "postgres"}
        connection = {"conn_type": "postgres", "login": USER, "password": PASSWORD, **place}

        def count(table: str) -> int:
            return int(server.run(f"SELECT count(*) FROM {table}")[0][0])

        system = SystemOrder("Postgres", server.config())
        figures = _figures(Bench(lab, sizes, system, connection, (4, 10), count))
    path = lab.folder / "benchmark.db"
    _fill_sqlite(path, sizes.rows)

    def count_sqlite(table: str) -> int:
        with closing(sqlite3.connect(path)) as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    system = SystemOrder("SQLite", {"database": str(path)})
    connection = {"conn_type": "sqlite", "host": str(path)}
    return figures + _figures(Bench(lab, sizes, system, connection, (2, 2), count_sqlite))


def _fill_sqlite(path: Path, rows: int) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            f"CREATE TABLE {TABLE} (id BIGINT, customer INTEGER, score FLOAT, price FLOAT, active BOOLEAN, "
            "name TEXT, token TEXT, at DATETIME, days INTEGER, note TEXT)"
        )
        database.executemany(
            f"INSERT INTO {TABLE} VALUES ({', '.join('?' * 10)})",
            (
                (
                    g,
                    g * 7 % 1000,
                    (g * 2654435761 % 2**32) / 2**32,
                    g / 100,
                    g % 2 == 0,
                    f"name {g}",
                    f"{g * 2654435761 % 2**64:032x}",
                    f"2020-01-{1 + g % 28:02} 12:{g % 60:02}:00.000000",
                    g % 97,
                    None if g % 10 == 0 else f"note {g % 1000}",
                )
                for g in range(rows)
            ),
        )


def _figures(bench: Bench) -> list[Figure]:
    store = bench.lab.bucket()
    ours, theirs = _ours(bench, store), _theirs(bench, store)
    figures = []
    for kind, factor in zip(("extract", "load"), bench.factors, strict=True):
        mine, other = ours[kind], theirs[kind]
        what = f"{bench.system.connector}: {kind} of {bench.sizes.rows:,} rows of 10 columns"
        times = other.seconds.median / mine.seconds.median
        target = f"at least {factor}x faster"
        figures.append(
            Figure(
                what, str(mine.seconds), str(other.seconds), f"{times:.1f}x faster", target, times >= factor
            )
        )
        share = mine.peak / other.peak
        memory = (f"{mine.peak / MB:.0f} MB", f"{other.peak / MB:.0f} MB", f"{share:.2f}x")
        figures.append(Figure(f"{what}, peak memory", *memory, "at most 0.50x", share <= 0.5))
    return figures


# --- ours


def _ours(bench: Bench, store: Store) -> dict[str, Side]:
    flow = _flow(bench, store)
    folder = bench.lab.dag_folder(flow)
    sides = {"extract": Side(), "load": Side()}
    for _ in range(bench.sizes.runs):
        extracted = _run_task(bench, folder, flow, "extract", {})
        _run_task(bench, folder, flow, "load", {"extract": extracted[0].manifest}, into=sides["load"])
        sides["extract"].seconds.values.append(extracted[0].seconds)
        sides["extract"].memory.append(extracted[1])
        if bench.count("ours") != bench.sizes.rows:
            raise BenchmarkFailed("our load lost rows")
    return sides


def _run_task(
    bench: Bench, folder: Path, flow: Flow, task: str, manifests: dict[str, Any], into: Side | None = None
) -> tuple[Report, int]:
    order = Order(str(folder), flow.document["dag_id"], RUN_ID, manifests, task_id=task)
    variables = {**bench.lab.variables(), "AIRFLOW_CONN_BENCHMARK": json.dumps(bench.connection)}
    output, memory = _measured(
        [sys.executable, "-m", "benchmarks.task"], variables, json.dumps(asdict(order))
    )
    report = Report(**json.loads(output.splitlines()[-1]))
    if into is not None:
        into.seconds.values.append(report.seconds)
        into.memory.append(memory)
    return report, memory


def _flow(bench: Bench, store: Store) -> Flow:
    where = {"connector": bench.system.connector, "connection_id": "benchmark"}
    names = {"id": "extract", "task_id": "extract", "name": "extract", "type": "extract", "outputs": ["rows"]}
    load = {"id": "load", "task_id": "load", "name": "load", "type": "load", "inputs": ["rows"]}
    return Flow(
        {
            "spec_version": 1,
            "flow": {"id": str(uuid.uuid4()), "name": "benchmark"},
            "version": {"id": str(uuid.uuid4())},
            "dag_id": f"databases_{bench.system.connector}",
            "artifact_store": {
                "type": "s3",
                "bucket": store.bucket,
                "region": "us-east-1",
                "endpoint_url": bench.lab.endpoint,
                "credentials_path": str(store.credentials_path),
            },
            "artifacts": [{"id": "rows", "name": "rows", "type": "table"}],
            "operators": [
                {**names, "source": {**where, "queries": [QUERY]}},
                {**load, "target": {**where, "table": "ours", "update_mode": "replace"}},
            ],
        }
    )


# --- the original


def _theirs(bench: Bench, store: Store) -> dict[str, Side]:
    specs = TaskSpecs(store, bench.lab.folder)
    extract = specs.database_extract(bench.system, {"query": QUERY})
    load = specs.database_load(bench.system, {"table": "theirs", "update_mode": "replace"}, ["out"])
    sides = {"extract": Side(), "load": Side()}
    for kind, spec in (("extract", extract), ("load", load)):
        encoded = base64.b64encode(json.dumps(spec).encode()).decode()
        command = [
            str(oracle_python()),
            "-c",
            BOOTSTRAP,
            bench.lab.endpoint,
            EXECUTORS[kind],
            "--spec",
            encoded,
        ]
        for _ in range(bench.sizes.runs if kind == "extract" else 1):
            with sides[kind].seconds.timed():
                _, memory = _measured(command, bench.lab.variables())
            sides[kind].memory.append(memory)
        if store.get_json("state")["status"] != "succeeded":
            raise BenchmarkFailed(f"the original failed: {store.get_json('state')}")
    if bench.count("theirs") != bench.sizes.rows:
        raise BenchmarkFailed("the original's load lost rows")
    return sides


def _measured(command: Sequence[str], variables: Mapping[str, str], text: str = "") -> tuple[str, int]:
    """What a command prints, and the peak memory of it or of a process that it started, in bytes."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(text)
        process.stdin.close()
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchmarkFailed(f"{command[0]} ended with exit code {process.returncode}:\n{output[-4000:]}")
    return output, usage.ru_maxrss * 1024

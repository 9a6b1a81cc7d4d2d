"""The child process: its order through stdin, its outcome in the folder, its end with its worker's."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from aqueduct_provider.connectors import __main__ as child_module
from aqueduct_provider.connectors import run
from aqueduct_provider.connectors.requests import ExtractOrder, LoadOrder, Order, SystemOrder, to_json
from aqueduct_provider.execution.job import connector_command
from aqueduct_provider.runner.codecs import encode
from aqueduct_provider.runner.contract import JobOutcome, outcome_from_json
from tests.integration.waiting import wait_for

# Runs until it is ended.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


@pytest.fixture
def order(tmp_path: Path) -> ExtractOrder:
    return ExtractOrder(
        SystemOrder("SQLite", {"database": str(tmp_path / "a.db")}), "out", ("SELECT 1 AS a",)
    )


@contextmanager
def started(order: Order, job: Path, also: bytes = b"") -> Iterator[subprocess.Popen[bytes]]:
    """The child, with its order, and its worker's end of its stdin."""
    with subprocess.Popen(
        connector_command(job),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        bufsize=0,
    ) as process:
        assert process.stdin
        process.stdin.write(f"{to_json(order)}\n".encode() + also)
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def done(order: Order, job: Path, also: bytes = b"") -> tuple[JobOutcome, str]:
    """The outcome of the child and all that it printed."""
    with started(order, job, also) as process:
        assert process.stdout
        assert process.stderr
        printed = process.stdout.read() + process.stderr.read()
        assert process.wait() == 0
    return outcome_from_json((job / "outcome.json").read_text()), printed.decode()


def test_a_full_disk_is_not_the_data_systems_fault(tmp_path: Path, small_disk: Path) -> None:
    query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
    query += "SELECT hex(randomblob(100)) AS a FROM n"
    system = SystemOrder("SQLite", {"database": str(tmp_path / "a.db")})
    job = small_disk / "job"
    job.mkdir()
    outcome, _ = done(ExtractOrder(system, "out", (query,)), job)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.deterministic) == ("system", False)
    assert str(job) in outcome.failure.tip
    assert "are free there" in outcome.failure.tip


def test_an_extract(order: ExtractOrder, job: Path) -> None:
    outcome, printed = done(order, job)
    assert outcome.failure is None
    assert [(info.path, info.serialization_type) for info in outcome.outputs] == [("out", "parquet")]
    assert outcome.wall_time > 0
    assert outcome.cpu_time > 0
    assert outcome.max_memory_mb > 1
    assert printed == ""
    assert pd.read_parquet(job / "out").to_dict("list") == {"a": [1]}
    assert {path.name for path in job.iterdir()} - {"tmp"} == {"out", "outcome.json"}


def test_an_order_that_no_pipe_holds_at_once(order: ExtractOrder, job: Path) -> None:
    text = "x" * 300_000
    with contextlib.ExitStack() as stack:
        long = replace(order, queries=("SELECT '$1' AS a",), parameters=(text,))
        process = stack.enter_context(started(long, job))
        assert process.wait() == 0
    assert pd.read_parquet(job / "out")["a"].tolist() == [text]


def test_a_load_says_what_it_did(order: ExtractOrder, job: Path) -> None:
    (job / "in").write_bytes(encode(pd.DataFrame({"n": [1, 2]}), "table").data)
    load = LoadOrder(order.system, "t", "append", "in", "table", "table", "k" * 64, "d" * 64, "run")
    assert done(load, job)[1] == "SQLite, t: Wrote 2 rows.\n"
    outcome, printed = done(load, job)
    assert printed == "SQLite, t: An earlier try has written the rows already.\n"
    assert (outcome.outputs, outcome.failure) == ([], None)


@pytest.mark.parametrize(
    ("change", "kind", "deterministic", "tip"),
    [
        ({"queries": ("SELECT * FROM nope",)}, "user", True, "no such table: nope"),
        (
            {"system": SystemOrder("SQLite", {"database": "/nowhere/a.db"})},
            "user",
            True,
            "does not exist on this machine",
        ),
        (
            {"system": SystemOrder("Postgres", {"host": "127.0.0.1", "port": "1", "password": "hunter2"})},
            "system",
            False,
            "cannot be reached",
        ),
    ],
)
def test_what_the_data_system_says_is_the_failure(
    order: ExtractOrder, job: Path, change: dict[str, Any], kind: str, deterministic: bool, tip: str
) -> None:
    outcome, printed = done(replace(order, **change), job)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.deterministic) == (kind, deterministic)
    assert tip in outcome.failure.tip
    assert outcome.failure.context == ""
    assert "hunter2" not in outcome.failure.tip + printed


def test_a_mistake_inside_a_connector_is_the_systems_and_has_its_traceback(
    order: ExtractOrder, job: Path
) -> None:
    broken = SystemOrder("SQLite", {**order.system.config, "options": "none", "password": "hunter2"})
    outcome, _ = done(replace(order, system=broken), job)
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.deterministic) == ("system", False)
    assert outcome.failure.tip.startswith("The connector SQLite failed: ")
    assert "Traceback" in outcome.failure.context


def test_secrets_are_taken_out_of_messages(
    order: ExtractOrder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = {"auth_uri": "mongodb://me:p%40ss@host/", "host": "host", "password": "p@ss-and-more"}
    order = replace(order, system=SystemOrder("MongoDB", config))

    def failing(*_: Any) -> None:
        raise ValueError("mongodb://me:p%40ss@host/ at host: p@ss and p@ss-and-more and p%40ss")

    monkeypatch.setattr(run, "extract", failing)
    failure = child_module._outcome(order, tmp_path).failure
    assert failure is not None
    assert failure.tip == "The connector MongoDB failed: ValueError: *** at host: *** and *** and ***"
    assert "p@ss" not in failure.context
    assert "p%40ss" not in failure.context


def test_the_end_of_the_worker_is_the_childs_end_too(order: ExtractOrder, job: Path) -> None:
    with started(replace(order, queries=(ENDLESS,)), job) as process:
        wait_for(
            lambda: Path(order.system.config["database"]).exists(),
            what="a query at work",
            seconds=60,
            pause=0.01,
        )
        assert process.poll() is None
        assert process.stdin
        process.stdin.close()
        assert process.wait(20) == -signal.SIGKILL
    assert not (job / "outcome.json").exists()


def test_what_comes_after_the_order_is_not_read_as_one(order: ExtractOrder, job: Path) -> None:
    outcome, _ = done(order, job, also=b"and more\n")
    assert outcome.failure is None


@pytest.mark.parametrize("sent", [b"", b"{}\n", b"no json\n", b'{"kind": "extract"'])
def test_without_an_order_there_is_no_outcome(job: Path, sent: bytes) -> None:
    ran = subprocess.run(connector_command(job), input=sent, capture_output=True)
    assert ran.returncode != 0
    assert list(job.iterdir()) == []


def test_the_order_is_in_no_argument_variable_or_file(order: ExtractOrder, job: Path) -> None:
    secret = "planted-secret-90b1"
    system = SystemOrder("SQLite", {**order.system.config, "password": secret})
    with started(replace(order, system=system, queries=(ENDLESS,)), job) as process:
        wait_for(
            lambda: Path(order.system.config["database"]).exists(),
            what="a query at work",
            seconds=60,
            pause=0.01,
        )
        place = Path("/proc") / str(process.pid)
        seen = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        seen += b"".join(path.read_bytes() for path in job.rglob("*") if path.is_file())
    assert secret.encode() not in seen

"""Published flows and their runs on the command line, against a fake Airflow and a real S3 server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas
import pytest

from aqueduct_provider.cli import main
from aqueduct_provider.sdk.results.run_logs import BORDER
from aqueduct_provider.sdk.waiting import wait_for
from tests.support.deployment import Deployment, deployment
from tests.support.written_runs import leave
from tests.unit.cli.places import Place

ROOT = Path(__file__).parents[3]
Captured = pytest.CaptureFixture[str]


def document(capsys: Captured) -> Any:
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


# --- flows, runs, show


def test_flows(place: Place, capsys: Captured) -> None:
    assert place.main("flows") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["flow", "DAG", "engine", "version", "published"]
    assert [line.split()[:3] for line in lines[1:]] == [
        [name, name, "cluster"] for name in ("churn", "kinds")
    ]
    assert place.main("flows", "--json") == 0
    churn, _kinds = document(capsys)
    assert list(churn) == ["name", "flow_id", "dag_id", "version_id", "created_at", "engine", "number"]
    assert (churn["name"], churn["engine"]) == ("churn", "cluster")
    assert datetime.fromisoformat(churn["created_at"]).tzinfo is not None


def test_no_flows(tmp_path: Path, capsys: Captured) -> None:
    options = ["--folder", str(tmp_path), "--config", str(tmp_path / "none.toml")]
    assert main(["flows", *options]) == 0
    assert capsys.readouterr().out == "No flow is published.\n"
    assert main(["flows", "--json", *options]) == 0
    assert document(capsys) == []


def test_runs(place: Place, capsys: Captured) -> None:
    assert place.main("runs", "churn") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["run", place.runs["bad"], place.runs["good"]]
    assert [line.split()[-1] for line in lines] == ["status", "failed", "succeeded"]
    assert place.main("runs", "churn", "--limit", "1", "--json") == 0
    (run,) = document(capsys)
    assert list(run) == ["run_id", "created_at", "status"]
    assert (run["run_id"], run["status"]) == (place.runs["bad"], "failed")
    assert datetime.fromisoformat(run["created_at"]).tzinfo is not None


def test_show_a_flow(place: Place, capsys: Captured) -> None:
    assert place.main("show", "churn") == 0
    out = capsys.readouterr().out
    for part in ("churn", "Who leaves.", "0 6 * * * (Europe/Berlin)", "rows", "features", "cluster"):
        assert part in out
    assert place.main("show", "churn", "--json") == 0
    found = document(capsys)
    assert set(found) == {
        *("flow_id", "name", "dag_id", "version_id", "created_at", "engine", "delivered_to", "retired_at"),
        *("number", "description", "schedule", "parameters", "operators"),
    }
    assert found["schedule"] == {"type": "cron", "cron": "0 6 * * *", "timezone": "Europe/Berlin"}
    assert found["parameters"] == [
        {"name": "rows", "type": "numeric", "default": 3, "description": "how many"}
    ]
    assert {
        "name": "total",
        "task_id": "total",
        "type": "metric",
        "reads": ["table"],
        "writes": ["total"],
    } in found["operators"]


def test_show_a_run(place: Place, capsys: Captured) -> None:
    assert place.main("show", "churn", place.runs["bad"]) == 0
    out = capsys.readouterr().out
    assert f"churn, run {place.runs['bad']}: failed" in out
    assert "rows must not be negative" in out
    assert "-1 rows are made" in out
    assert place.main("show", "churn", "--json", "latest") == 0
    found = document(capsys)
    assert list(found) == [
        *("flow", "run_id", "version_id", "version", "created_at", "status", "airflow_error"),
        *("operators", "artifacts"),
    ]
    assert found["version"] == f"v1 ({found['version_id'][:8]})"
    assert (found["run_id"], found["status"], found["airflow_error"]) == (place.runs["bad"], "failed", None)
    features = next(one for one in found["operators"] if one["name"] == "features")
    assert set(features) == {
        *("name", "task_id", "type", "status", "warning", "tip", "traceback", "stdout", "stderr"),
        *("try_number", "started_at", "ended_at", "duration"),
    }
    assert (features["type"], features["status"], features["try_number"]) == ("function", "failed", 1)
    assert "rows must not be negative" in features["tip"]
    assert features["stdout"] == "-1 rows are made\n"
    assert {"name": "table", "type": "table", "operator": "features"} in found["artifacts"]


def test_what_is_not_there(place: Place, capsys: Captured) -> None:
    for arguments, message in (
        (["show", "chrn"], "No flow 'chrn'"),
        (["show", "churn", "no-such-run"], "no-such-run"),
        (["logs", "churn", "latest", "featurs"], "Did you mean 'features'?"),
        (["artifact", "churn", "latest", "tabel"], "Did you mean 'table'?"),
        (["artifact", "churn", "latest", "table"], "rows must not be negative"),
        (["delete", "chrn"], "No flow 'chrn'"),
    ):
        assert place.main(*arguments) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("aqueduct-airflow: ")
        assert message in err
        assert "Traceback" not in err


# --- logs


def test_logs(place: Place, capsys: Captured) -> None:
    log = f"4 rows are made\n\n{BORDER}\nrunning features\n4 rows are made"
    assert place.main("logs", "churn", place.runs["good"], "features") == 0
    assert capsys.readouterr().out == f"{log}\n"
    assert place.main("logs", "churn", place.runs["good"]) == 0
    assert capsys.readouterr().out.startswith("=== features ===\n4 rows are made\n\n=== ")
    assert place.main("logs", "churn", place.runs["good"], "features", "--try", "1", "--json") == 0
    assert document(capsys) == {
        "run_id": place.runs["good"],
        "operator": "features",
        "log": log,
    }
    assert place.main("logs", "churn", place.runs["good"], "features", "--try", "3") == 1
    assert "has no try 3" in capsys.readouterr().err


# --- artifact


def test_artifacts_are_printed(place: Place, capsys: Captured) -> None:
    good = place.runs["good"]
    assert place.main("artifact", "churn", good, "total") == 0
    assert capsys.readouterr().out == "6\n"
    assert place.main("artifact", "churn", good, "table") == 0
    assert "4 rows x 1 column" in capsys.readouterr().out
    assert place.main("artifact", "churn", good, "table", "--json") == 0
    assert document(capsys)["value"] == [{"n": 0}, {"n": 1}, {"n": 2}, {"n": 3}]


def test_an_artifact_as_a_file(place: Place, tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "table.csv"
    arguments = ["artifact", "churn", place.runs["good"], "table", "-o", str(file)]
    assert place.main(*arguments) == 0
    assert capsys.readouterr().out == ""
    assert pandas.read_csv(file)["n"].tolist() == [0, 1, 2, 3]
    assert place.main(*arguments) == 2
    assert "--force" in capsys.readouterr().err
    file.write_text("old", "utf-8")
    assert place.main(*arguments, "--force") == 0
    assert file.read_text("utf-8").startswith("n\n0\n")


def test_an_artifact_on_stdout(place: Place, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert place.main("artifact", "kinds", "latest", "raw", "-o", "-") == 0
    assert capsysbinary.readouterr().out == b"\x00raw"


def test_what_is_refused_is_not_said_to_be_shown(
    place: Place, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = place.runs["kinds"]
    monkeypatch.delitem(place.made.fake.dags["kinds"].runs, run_id)
    shown = "is shown as the store has it, not verified. 'cluster' does not know the run"
    assert place.main("artifact", "kinds", run_id, "greeting") == 0
    out, err = capsys.readouterr()
    assert out == "good day\n"
    assert shown in err
    for output in ([], ["--json"], ["-o", "-"]):
        assert place.main("artifact", "kinds", run_id, "model", *output) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("aqueduct-airflow: 'model' is not read. It is stored as a pickle")
    assert place.main("artifact", "kinds", run_id, "model", "--trust-store") == 0
    assert shown in capsys.readouterr().err


# --- trigger


def working(made: Deployment) -> Any:
    """Lets the runs of the block end."""

    def queued() -> str | None:
        runs = made.fake.dags["churn"].runs.values()
        return next((run.run_id for run in runs if run.state == "queued"), None)

    def work() -> None:
        made.work(wait_for(queued, what="no run was triggered", seconds=60, pause=0.01))

    return made.meanwhile(work)


def test_trigger(place: Place, capsys: Captured) -> None:
    assert place.main("trigger", "churn", "-p", "rows=7", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["flow", "run_id", "url"]
    run = place.made.fake.dags["churn"].runs.pop(found["run_id"])
    assert run.conf == {"rows": 7}
    assert found["run_id"] in found["url"] or "churn" in found["url"]
    assert place.main("trigger", "churn") == 0
    out = capsys.readouterr().out
    (run_id,) = [run.run_id for run in place.made.fake.dags["churn"].runs.values() if run.state == "queued"]
    assert out.startswith(f"Triggered 'churn': {run_id}\n")
    del place.made.fake.dags["churn"].runs[run_id]


@pytest.mark.parametrize(("rows", "code"), [("2", 0), ("-2", 1)])
def test_trigger_and_wait(rows: str, code: int, place: Place, capsys: Captured) -> None:
    with working(place.made):
        assert place.main("trigger", "churn", "-p", f"rows={rows}", "--wait") == code
    out = capsys.readouterr().out
    if code:
        assert "rows must not be negative" in out
    else:
        assert out.endswith("of 'churn' has succeeded.\n")
    with working(place.made):
        assert place.main("trigger", "churn", "-p", f"rows={rows}", "--wait", "--json") == code
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == ("failed" if code else "succeeded")
    for run_id in list(place.made.fake.dags["churn"].runs)[-2:]:
        del place.made.fake.dags["churn"].runs[run_id]


def test_a_paused_flow(place: Place, capsys: Captured) -> None:
    dag = place.made.fake.dags["kinds"]
    dag.paused = True
    assert place.main("trigger", "kinds") == 1
    err = capsys.readouterr().err
    assert "--unpause" in err
    assert "unpause=True" not in err
    before = set(dag.runs)
    assert place.main("trigger", "kinds", "--unpause") == 0
    assert not dag.paused
    (new,) = set(dag.runs) - before
    del dag.runs[new]


@pytest.mark.parametrize("value", ["row=1", "rows", "rows=many"])
def test_values_that_cannot_be(value: str, place: Place, capsys: Captured) -> None:
    before = dict(place.made.fake.dags["churn"].runs)
    assert place.main("trigger", "churn", "-p", value) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert place.made.fake.dags["churn"].runs == before


@pytest.mark.parametrize("words", [["--limit", "0"], ["--limit", "x"]])
def test_numbers_that_cannot_be(words: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["runs", "churn", *words])
    assert caught.value.code == 2
    assert "is not an integer above 0" in capsys.readouterr().err


# --- delete


def test_delete(place: Place, capsys: Captured) -> None:
    place.made.publish("gone")
    place.made.client.trigger("gone", progress=False)
    assert place.main("delete", "gone") == 1
    assert "--force" in capsys.readouterr().err
    assert place.main("delete", "gone", "--force") == 0
    assert "Deleted 'gone'" in capsys.readouterr().out
    assert [one["name"] for one in place.made.client.list_flows()] == ["churn", "kinds"]
    assert place.main("show", "gone") == 0
    assert "\ndeleted " in capsys.readouterr().out
    assert place.main("flows", "--retired") == 0
    head, line = capsys.readouterr().out.splitlines()
    assert (head.split()[-1], line.split()[0]) == ("deleted", "gone")
    assert place.main("trigger", "gone") == 1
    assert "'gone' was deleted on" in capsys.readouterr().err
    assert place.main("delete", "gone", "--artifacts") == 0
    assert place.main("show", "gone") == 1
    capsys.readouterr()
    assert place.main("flows", "--retired", "--json") == 0
    assert document(capsys) == []


# --- as a process


def test_a_process_needs_no_airflow(place: Place) -> None:
    code = """
import sys
from aqueduct_provider.cli import main
status = main(sys.argv[1:])
assert "airflow" not in sys.modules, "airflow was imported"
sys.exit(status)
"""
    env = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    command = [sys.executable, "-c", code, "show", "churn", place.runs["good"], *place.options]
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "succeeded" in run.stdout
    assert run.stderr == ""


# --- prune


@pytest.fixture
def with_older_runs(
    bucket: str, s3_server: str, credentials_file: Path, tmp_path: Path
) -> Iterator[list[str]]:
    """A flow with two runs, and how the command line gets there."""
    given = {
        "--config": str(tmp_path / "config.toml"),
        "--bucket": bucket,
        "--endpoint-url": s3_server,
        "--credentials-path": str(credentials_file),
    }
    with deployment(bucket, s3_server, credentials_file, tmp_path) as made:
        flow = made.publish()
        for run_id in ("old", "new"):
            leave(made, flow, run_id, 5)
        yield [word for pair in given.items() for word in pair]


def test_prune(with_older_runs: list[str], capsys: Captured) -> None:
    keep = ["prune", "churn", "--keep", "1", *with_older_runs]
    capsys.readouterr()
    assert main(["prune", "churn", *with_older_runs]) == 1
    assert "'churn' has no k_latest_runs" in capsys.readouterr().err
    assert main([*keep, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "old" in out
    assert out.endswith("'churn': would delete 4 objects (17 bytes) of 1 older run.\n")
    assert main([*keep, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"run_id": "old", "objects": 4, "size": 17}]
    assert main(keep) == 0
    assert capsys.readouterr().out == "'churn': no older run has artifacts to delete.\n"
    assert main(["artifact", "churn", "old", "table", *with_older_runs]) == 1
    assert "'table' was deleted on" in capsys.readouterr().err


def test_a_number_that_is_none(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["prune", "churn", "--keep", "0"])
    assert "is not an integer above 0" in capsys.readouterr().err

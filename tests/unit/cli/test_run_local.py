"""Running a spec here, on the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.cli import main
from aqueduct_provider.state.exec_state import exec_state_from_json
from aqueduct_provider.storage.layout import NativeLayout
from aqueduct_provider.storage.local import LocalStore
from aqueduct_provider.storage.s3 import S3Settings, connect
from tests.support.example_specs import FLOW_ID, Document
from tests.support.stored_flows import Flows, call, param

ROOT = Path(__file__).parents[3]
Captured = pytest.CaptureFixture[str]
DOUBLE = "def predict(n): print('doubling'); return 2 * n"
FAILS = "def predict(*_): raise ValueError('too bad')"


class Bench:
    """A folder as the store, and a spec as a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "flow.json"
        self.flows = Flows(folder / "store")
        self.config = folder / "config.toml"

    def write(self, *parts: Document, **fields: Any) -> None:
        self.file.write_text(json.dumps(self.flows.document(*parts, **fields)), "utf-8")

    def words(self, *more: str, folder: bool = True) -> list[str]:
        where = ["--folder", str(self.flows.folder)] if folder else []
        return ["run", str(self.file), "--config", str(self.config), *where, *more]

    def run(self, *more: str, folder: bool = True) -> int:
        return main(self.words(*more, folder=folder))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in list(os.environ):
        if name.startswith(("AWS_", "AQUEDUCT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Bench(tmp_path)


def test_progress_and_outcome(bench: Bench, capsys: Captured) -> None:
    bench.write(param("n", 4), call("double", DOUBLE, "n"), call("text", "def predict(): return b'x' * 300"))
    assert bench.run("--run-id", "r") == 0
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        *("n: running", "n: succeeded", "double: running", "double | doubling", "double: succeeded"),
        *("text: running", "text: succeeded"),
    ]
    lines = out.splitlines()
    assert lines[0] == "small, run r: succeeded"
    assert lines[2].split() == ["operator", "type", "status", "seconds"]
    head = next(number for number, line in enumerate(lines) if line.startswith("artifact"))
    rows = {line.split()[0]: line.split()[1:] for line in lines[head + 1 :]}
    assert rows["double"][:3] == ["numeric", "1", "8"]
    assert rows["double"][3].startswith("file:///")
    # The value of what is no text is not shown.
    assert rows["text"][:2] == ["bytes", "300"]
    assert rows["text"][2].startswith("file:///")


def test_for_programs(bench: Bench, capsys: Captured) -> None:
    bench.write(param("n", 4), call("double", DOUBLE, "n"), call("bad", FAILS, "double"))
    assert bench.run("--json", "-p", "n=1.5") == 1
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["flow", "run_id", "version_id", "status", "operators", "artifacts"]
    assert (found["flow"], found["status"]) == ("small", "failed")
    assert found["run_id"].startswith("local__")
    double = found["operators"][1]
    assert (double["name"], double["type"], double["stdout"]) == ("double", "function", "doubling\n")
    assert [one["name"] for one in found["artifacts"]] == ["n", "double"]
    artifact = found["artifacts"][1]
    assert list(artifact) == ["name", "type", "operator", "size", "url", "value"]
    assert (artifact["value"], artifact["size"]) == (3.0, 3)
    assert Path(artifact["url"].removeprefix("file://")).read_text("utf-8") == "3.0"


def test_a_value_that_json_lacks_is_null(bench: Bench, capsys: Captured) -> None:
    bench.write(call("lost", "def predict(): return float('nan')"))
    assert bench.run("--json") == 0
    out = capsys.readouterr().out
    assert "NaN" not in out
    assert json.loads(out)["artifacts"][0]["value"] is None


def test_two_values_for_one_parameter(bench: Bench, capsys: Captured) -> None:
    bench.write(param("n", 4))
    assert bench.run("-p", "n=1", "-p", "n=2") == 2
    assert "-p n is given twice" in capsys.readouterr().err


def test_a_failure_is_shown(bench: Bench, capsys: Captured) -> None:
    bench.write(call("bad", FAILS), call("after", DOUBLE, "bad"))
    assert bench.run() == 1
    out, err = capsys.readouterr()
    assert "small, run local__" in out
    assert "raise ValueError('too bad')" in out
    assert "Traceback" in out
    assert "after: canceled: It was not run" in err


def test_retries_and_jobs_are_options(bench: Bench, capsys: Captured) -> None:
    bench.write(call("bad", FAILS, retries=1, retry_delay=300.0))
    assert bench.run("--no-retries", "--jobs", "2") == 1
    assert "tried again" not in capsys.readouterr().err


def test_isolation(bench: Bench, capsys: Captured) -> None:
    source = bench.flows.document(call("f", "def predict(): return 1"))
    source["operators"][0]["code"]["requirements"] = ["no-such-package==1"]
    bench.file.write_text(json.dumps(source), "utf-8")
    assert bench.run("--isolation", "never") == 1
    out = capsys.readouterr().out
    assert "--isolation auto" in out


# --- which store


def test_a_folder_must_hold_the_code(bench: Bench, tmp_path: Path, capsys: Captured) -> None:
    bench.write(call("f", "def predict(): return 1"))
    assert main(["run", str(bench.file), "--folder", str(tmp_path / "other")]) == 2
    err = capsys.readouterr().err
    assert "the folder must hold the flow's code, and lacks code/" in err
    assert not (tmp_path / "other").exists()


def test_no_store(bench: Bench, capsys: Captured) -> None:
    bench.write(call("f", "def predict(): return 1"))
    assert bench.run(folder=False) == 1
    err = capsys.readouterr().err
    assert "is that of the Airflow connection 'aqueduct_default', which only Airflow knows." in err
    assert "--folder DIR for a local copy" in err
    s3 = {"type": "s3", "bucket": "spec-bucket", "credentials_path": "/on/workers"}
    bench.write(call("f", "def predict(): return 1"), artifact_store=s3)
    assert bench.run(folder=False) == 1
    assert "The credentials file /on/workers does not exist on this machine" in capsys.readouterr().err


def test_the_store_of_the_configuration(bench: Bench, capsys: Captured) -> None:
    s3 = {"type": "s3", "bucket": "spec-bucket", "credentials_path": "/on/workers"}
    bench.write(call("f", "def predict(): return 1"), artifact_store=s3)
    bench.config.write_text(f'[store]\nfolder = "{bench.flows.folder}"\n', "utf-8")
    bench.config.chmod(0o600)
    assert bench.run("--run-id", "r", folder=False) == 0
    assert bench.flows.store.exists(NativeLayout(FLOW_ID, "r").content("f"))


@pytest.mark.parametrize("named", ["in the spec", "typed"])
def test_the_store_of_the_spec(
    named: str, bench: Bench, bucket: str, s3_server: str, credentials_file: Path, capsys: Captured
) -> None:
    where = {"bucket": bucket, "region": "us-east-1", "endpoint_url": s3_server}
    path = str(credentials_file) if named == "in the spec" else "/on/workers"
    spec = {"type": "s3", "credentials_path": path, **where}
    bench.write(call("f", "def predict(): return 1"), artifact_store=spec)
    store = connect(S3Settings(**where, credentials_path=str(credentials_file)))
    for key in bench.flows.store.list("code/"):
        store.put(key, bench.flows.store.get(key))
    more = ["--credentials-path", str(credentials_file)] if named == "typed" else []
    assert bench.run("--run-id", "r", *more, folder=False) == 0
    assert store.get(NativeLayout(FLOW_ID, "r").content("f")) == b"1"
    assert f"s3://{bucket}/flows/" in capsys.readouterr().out


def test_a_compiled_spec_shows_no_secret(bench: Bench, capsys: Captured) -> None:
    source = "def predict(n): raise ValueError('example-secret')"
    bench.flows.compiled({"n": 5}, source)
    document = bench.flows.compiled_document({"n": 5}, source)
    bench.file.write_text(json.dumps(document), "utf-8")
    assert bench.run("--run-id", "r") == 1
    out, err = capsys.readouterr()
    assert "***" in out
    assert "example-secret" not in out + err


# --- mistakes, interrupts


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["-p", "m=1"], 2, "no parameter 'm'. There are: 'n'."),
        (["--run-id", "a/b"], 1, "cannot be a run id"),
    ],
)
def test_mistakes(more: list[str], code: int, message: str, bench: Bench, capsys: Captured) -> None:
    bench.write(param("n", 4))
    assert bench.run(*more) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_a_spec_that_is_none(bench: Bench, capsys: Captured) -> None:
    assert bench.run() == 1
    assert "flow.json has 1 problem: $: cannot be read: No such file" in capsys.readouterr().err


def test_an_interrupt(bench: Bench) -> None:
    sleeps = "import time\ndef predict(): print('begun', flush=True); time.sleep(600)"
    bench.write(call("f", sleeps))
    code = "import sys; from aqueduct_provider.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *bench.words("--run-id", "r")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while process.stderr.readline() != "f | begun\n":
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "aqueduct-airflow: interrupted"
    assert "Traceback" not in err
    key = NativeLayout(FLOW_ID, "r").exec_state("f-id")
    assert exec_state_from_json(LocalStore(bench.flows.folder).get(key)).status.value == "canceled"


def test_a_home_that_cannot_be_written_is_one_sentence(
    bench: Bench, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The cases: HOME is /proc or a file, a folder of XDG may not be written."""
    bench.write(param("n", 1))
    (tmp_path / "file").touch()
    for variables in (
        {"HOME": "/proc"},
        {"HOME": str(tmp_path / "file")},
        {"XDG_CACHE_HOME": "/proc/cache"},
        {"XDG_CACHE_HOME": str(tmp_path / "file")},
    ):
        with monkeypatch.context() as patch:
            patch.delenv("XDG_CACHE_HOME")
            for name, value in variables.items():
                patch.setenv(name, value)
            assert bench.run("--isolation", "never") == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert "cannot be written: " in err
        assert "Set XDG_CACHE_HOME to a folder that this user may write" in err

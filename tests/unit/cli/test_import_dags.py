"""Python files of the original become specs on the command line."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.cli import main
from aqueduct_provider.spec.loader import load
from tests.support.airflow_files import airflow_file
from tests.support.example_specs import VERSION_ID, compiled_document, extract_task

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the file of one flow."""
    monkeypatch.chdir(tmp_path)
    put("churn_airflow.py")
    return tmp_path


def put(name: str, **overrides: Any) -> Path:
    file = Path(name)
    file.parent.mkdir(exist_ok=True)
    file.write_text(airflow_file(compiled_document(**overrides)), "utf-8")
    return file


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_file_becomes_a_spec_beside_it(folder: Path, capsys: Captured) -> None:
    assert main(["import", "churn_airflow.py"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["ok    churn_airflow.py -> churn.json (7 tasks)", "imported: 1, refused: 0"]
    assert "aqueduct-airflow init" in lines[2]
    spec = load(folder / "churn.json")
    assert (spec.dag_id, str(spec.version.id), len(spec.operators)) == ("churn", VERSION_ID, 7)
    assert mode_of(folder / "churn.json") == 0o644
    assert sorted(path.name for path in folder.iterdir()) == ["churn.json", "churn_airflow.py"]


def test_importing_twice_changes_nothing(folder: Path, capsys: Captured) -> None:
    assert main(["import", "churn_airflow.py"]) == 0
    before = (folder / "churn.json").read_bytes(), (folder / "churn.json").stat().st_mtime_ns
    assert main(["import", "churn_airflow.py", "churn_airflow.py"]) == 0
    assert "ok    churn_airflow.py: churn.json is unchanged" in capsys.readouterr().out
    assert before == ((folder / "churn.json").read_bytes(), (folder / "churn.json").stat().st_mtime_ns)


def test_several_files_into_a_folder(folder: Path, capsys: Captured) -> None:
    put("old/sales_airflow.py", dag_id="__bersicht")
    (folder / "specs").mkdir()
    (folder / "broken_airflow.py").write_text("with DAG(\n")
    command = ["import", "broken_airflow.py", "old/sales_airflow.py", "missing.py", "churn_airflow.py"]
    assert main([*command, "--output", "specs"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[:6] == [
        "error broken_airflow.py",
        "  line 1: not valid Python: '(' was never closed; fix the text there",
        "ok    old/sales_airflow.py -> specs/__bersicht.json (7 tasks)",
        "error missing.py",
        "  cannot be read: No such file or directory; check the path and the permissions",
        "ok    churn_airflow.py -> specs/churn.json (7 tasks)",
    ]
    assert "imported: 2, refused: 2" in out
    assert err == ""
    assert sorted(path.name for path in (folder / "specs").iterdir()) == ["__bersicht.json", "churn.json"]


def test_nothing_is_written_when_the_spec_does_not_load(folder: Path, capsys: Captured) -> None:
    put("bad_airflow.py", cron_schedule="every day")
    assert main(["import", "bad_airflow.py"]) == 1
    out = capsys.readouterr().out
    assert "error bad_airflow.py\n  line " in out
    assert "schedule_interval: " in out
    assert out.endswith("imported: 0, refused: 1\n")
    assert not list(folder.glob("*.json"))


def test_a_different_file_is_replaced_only_with_force(folder: Path, capsys: Captured) -> None:
    target = folder / "churn.json"
    target.write_text("{}")
    assert main(["import", "churn_airflow.py"]) == 1
    words = "  churn.json exists with other content; compare them, then repeat with --force\n"
    assert words in capsys.readouterr().out
    assert target.read_text() == "{}"
    assert main(["import", "--force", "churn_airflow.py"]) == 0
    assert load(target).dag_id == "churn"


def test_two_files_of_one_flow(folder: Path, capsys: Captured) -> None:
    put("older_airflow.py", cron_schedule="")
    for force in ([], ["--force"]):
        (folder / "churn.json").unlink(missing_ok=True)
        assert main(["import", "churn_airflow.py", "older_airflow.py", *force]) == 1
        words = "churn_airflow.py has the same DAG id; import only the newer one of the two"
        assert f"error older_airflow.py\n  {words}" in capsys.readouterr().out
        assert load(folder / "churn.json").schedule is not None


@pytest.mark.parametrize("leads", ["victim", "nowhere"])
def test_a_symbolic_link_is_not_followed(folder: Path, leads: str) -> None:
    (folder / "victim").write_text("mine")
    target = folder / "churn.json"
    target.symlink_to(folder / leads)
    assert main(["import", "churn_airflow.py"]) == 1
    assert target.is_symlink()
    assert main(["import", "churn_airflow.py", "--force"]) == 0
    assert not target.is_symlink()
    assert (folder / "victim").read_text() == "mine"
    assert not (folder / "nowhere").exists()


@pytest.mark.parametrize("dag_id", ["../x", "a/b", "/tmp/x", "..", ".hidden", "a\x1b[31m", "x" * 251, ""])
def test_ids_that_are_not_names_of_files(folder: Path, dag_id: str, capsys: Captured) -> None:
    put("inner/x_airflow.py", dag_id=dag_id)
    assert main(["import", "inner/x_airflow.py"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("error inner/x_airflow.py\n  ")
    assert "\x1b" not in out
    assert [path.name for path in folder.rglob("*") if path.suffix != ".py"] == ["inner"]


def test_credentials_are_for_the_owner_only(folder: Path, capsys: Captured) -> None:
    document = compiled_document()
    document["task_specs"]["read"] = extract_task("read")
    put("s3_airflow.py", task_specs=document["task_specs"])
    (folder / "churn.json").write_text("{}")
    assert main(["import", "s3_airflow.py", "--force"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "ok    s3_airflow.py -> churn.json (8 tasks, readable by its owner only (mode 0600))"
    assert out[1].startswith(
        "  warning: credentials in connector_config: access_key_id, secret_access_key (task"
    )
    assert "example-secret" not in "".join(out)
    assert mode_of(folder / "churn.json") == 0o600


def test_for_programs(folder: Path, capsys: Captured) -> None:
    document = compiled_document()
    document["task_specs"]["read"] = extract_task("read")
    put("s3_airflow.py", dag_id="s3", task_specs=document["task_specs"])
    (folder / "bad_airflow.py").write_text("x = 1")
    assert main(["import", "--json", "s3_airflow.py", "bad_airflow.py", "churn_airflow.py"]) == 1
    good, bad, plain = json.loads(capsys.readouterr().out)
    assert list(good) == ["file", "outcome", "spec", "dag_id", "version_id", "tasks", "problems"]
    assert (good["outcome"], good["spec"], good["dag_id"]) == ("written", "s3.json", "s3")
    assert (good["version_id"], good["tasks"][-1]) == (VERSION_ID, "read")
    assert [(one["path"], one["level"]) for one in good["problems"]] == [("$", "warning")]
    assert (bad["outcome"], bad["spec"], bad["dag_id"], bad["tasks"]) == ("refused", None, None, [])
    assert [(one["path"], one["level"]) for one in bad["problems"]] == [("line 1", "error")]
    assert plain["problems"] == []


def test_what_is_not_a_file_of_the_original(folder: Path, capsys: Captured) -> None:
    (folder / "x.json").write_text(json.dumps(compiled_document()))
    os.mkfifo(folder / "pipe.py")
    (folder / "large.py").write_bytes(b"#" * (17 * 1024 * 1024))
    names = ["x.json", "pipe.py", "large.py", str(folder), "churn_airflow.py"]
    assert main(["import", *names]) == 1
    out = capsys.readouterr().out
    assert "error x.json\n  a spec already; check it with aqueduct-airflow lint\n" in out
    assert "error pipe.py\n  not a regular file; name the <flow>_airflow.py" in out
    assert "error large.py\n  line 1: larger than 4 MiB;" in out
    assert f"error {folder}\n  not a regular file;" in out
    assert "imported: 1, refused: 4" in out


def test_a_folder_that_cannot_be_written(folder: Path, capsys: Captured) -> None:
    (folder / "churn.json").mkdir()
    assert main(["import", "churn_airflow.py", "--force"]) == 1
    assert "churn.json cannot be written: Is a directory; check the folder" in capsys.readouterr().out
    assert main(["import", "churn_airflow.py", "-o", "missing"]) == 2
    assert capsys.readouterr().err == (
        "aqueduct-airflow: missing is not a folder; create it, or name another one\n"
    )
    assert sorted(path.name for path in folder.iterdir()) == ["churn.json", "churn_airflow.py"]


def test_no_spec_of_the_file_is_run(folder: Path) -> None:
    file = folder / "churn_airflow.py"
    file.write_text("open('ran', 'w').close()\n" + file.read_text())
    assert main(["import", "churn_airflow.py"]) == 0
    assert not (folder / "ran").exists()

"""Specs as files on the command line: lint, schema, init."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from aqueduct_provider.cli import main
from aqueduct_provider.cli.specs import LOADER
from aqueduct_provider.spec.schema import schema_text
from tests.examples import compiled_document, native_document

ROOT = Path(__file__).parents[3]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """A folder with a good spec of each dialect, one with two problems, and what Airflow would not load."""
    folder = tmp_path / "specs"
    (folder / "below").mkdir(parents=True)
    bad = native_document(dagid="x", tgas=[])
    for name, document in (("a.json", native_document()), ("b.json", bad), ("c.JSON", compiled_document())):
        (folder / name).write_text(json.dumps(document), "utf-8")
    for name in ("notes.txt", ".hidden.json", "below/d.json"):
        (folder / name).write_text("no spec", "utf-8")
    return folder


def test_lint_for_people(specs: Path, capsys: Captured) -> None:
    assert main(["lint", str(specs)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"ok    {specs / 'a.json'}",
        f"error {specs / 'b.json'}",
        "  $.dagid: unknown field, did you mean 'dag_id'?",
        lines[3],
        f"ok    {specs / 'c.JSON'}",
        "checked: 3, with problems: 1, problems in all: 2",
    ]
    assert lines[3].startswith("  $.tgas: unknown field, remove it; known here: spec_version, flow")


def test_lint_for_machines(specs: Path, capsys: Captured) -> None:
    assert main(["lint", "--json", str(specs / "b.json"), str(specs / "a.json")]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(item["file"], item["path"]) for item in found] == [
        (str(specs / "b.json"), "$.dagid"),
        (str(specs / "b.json"), "$.tgas"),
    ]
    assert found[0]["message"] == "unknown field, did you mean 'dag_id'?"


def test_lint_of_good_specs(specs: Path, capsys: Captured) -> None:
    (specs / "b.json").unlink()
    assert main(["lint", "--json", str(specs)]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert main(["lint", str(specs / "a.json")]) == 0
    assert capsys.readouterr().out.endswith("checked: 1, with problems: 0, problems in all: 0\n")


def test_lint_of_a_missing_file_is_a_problem_of_it(tmp_path: Path, capsys: Captured) -> None:
    assert main(["lint", str(tmp_path / "no.json")]) == 1
    assert "$: cannot be read: No such file or directory" in capsys.readouterr().out


def test_lint_shows_names_as_they_stand(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "[bold]x.json"
    file.write_text(json.dumps(native_document(**{"[red]": 1})), "utf-8")
    assert main(["lint", str(file)]) == 1
    out = capsys.readouterr().out
    assert str(file) in out
    assert '$["[red]"]' in out


def test_schema(capsys: Captured) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == schema_text()


def test_init_writes_a_loader_that_airflow_opens(tmp_path: Path, capsys: Captured) -> None:
    assert main(["init", str(tmp_path)]) == 0
    file = tmp_path / "aqueduct_dags.py"
    text = file.read_text("utf-8")
    assert str(file) in capsys.readouterr().out
    # Airflow's safe mode looks for these two words.
    assert "airflow" in text.lower()
    assert "dag" in text.lower()
    assert len(ast.parse(text).body) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["aqueduct_dags.py"]


@pytest.mark.parametrize("connection", ["aqueduct_default", 'it\'s "mine" \N{SNOWMAN}'])
def test_init_for_a_store_as_well(connection: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["init", str(tmp_path), "--connection", connection]) == 0
    assert connection in capsys.readouterr().out
    text = (tmp_path / "aqueduct_dags.py").read_text("utf-8")
    assert "airflow" in text
    assert len(text.splitlines()) == 3
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    assert [ast.literal_eval(keyword.value) for call in calls for keyword in call.keywords] == [connection]
    assert main(["init", str(tmp_path), "--connection", connection]) == 0
    assert "there already" in capsys.readouterr().out
    assert main(["init", str(tmp_path)]) == 2


def test_the_example_is_the_same_loader() -> None:
    assert (ROOT / "dags_example/aqueduct_dags.py").read_text("utf-8") == LOADER


def test_init_replaces_a_different_file_only_when_forced(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "aqueduct_dags.py"
    file.write_text("mine = 1\n", "utf-8")
    assert main(["init", str(tmp_path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert file.read_text("utf-8") == "mine = 1\n"
    assert main(["init", "--force", str(tmp_path)]) == 0
    assert file.read_text("utf-8") == LOADER
    assert main(["init", str(tmp_path)]) == 0
    assert "there already" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["lint", "{tmp}"],
        ["init", "{tmp}/no/such/folder"],
        ["init", "{tmp}/file"],
        ["init", "{tmp}/taken"],
    ],
)
def test_mistakes_are_one_line_on_stderr(arguments: list[str], tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken/aqueduct_dags.py").mkdir(parents=True)
    assert main([argument.replace("{tmp}", str(tmp_path)) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("aqueduct-airflow: ")
    assert err.count("\n") == 1

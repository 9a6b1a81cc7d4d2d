"""Specs as files on the command line: lint, schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aqueduct_provider.cli import main
from aqueduct_provider.spec.schema import schema_text
from tests.support.example_specs import compiled_document, native_document

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
    assert lines[3].startswith("  $.tgas: unknown field, remove it; known here: $schema, spec_version, flow")


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


@pytest.mark.parametrize(
    "arguments",
    [
        ["lint", "{tmp}"],
    ],
)
def test_mistakes_are_one_line_on_stderr(arguments: list[str], tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").touch()
    assert main([argument.replace("{tmp}", str(tmp_path)) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("aqueduct-airflow: ")
    assert err.count("\n") == 1

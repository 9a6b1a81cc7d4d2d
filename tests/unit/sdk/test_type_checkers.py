"""What mypy and pyright find in users' scripts, and how much of the SDK's types pyright knows.

``typed/`` has the scripts, which are never run; that of ``docs/operators.md`` is read, too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path

import pytest

import aqueduct_provider
from tests.support.code_blocks import python_blocks

pytest.importorskip("mypy", reason="only environments with the linters have it")
pytest.importorskip("pyright", reason="only environments with the linters have it")

pytestmark = pytest.mark.slow

TYPED = Path(__file__).parent / "typed"
PAGE = Path(__file__).parents[3] / "docs" / "operators.md"
PACKAGE = Path(aqueduct_provider.__file__).parent
# Script -> the lines with an error.
Errors = Mapping[str, Set[int]]


def run(folder: Path, *arguments: str, **variables: str) -> str:
    """Run a checker of this environment, in a folder that has no configuration, and return what it prints."""
    # Pyright asks the Python on PATH where packages are.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environ = {**os.environ, "PATH": path, **variables}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def mypy(folder: Path, scripts: Sequence[str]) -> Iterator[tuple[str, int]]:
    options = ("--strict", "--no-incremental", "--output", "json", "--config-file", os.devnull)
    for line in run(folder, "mypy", *options, *scripts).splitlines():
        fact = json.loads(line)
        if fact["severity"] == "error":
            yield fact["file"], fact["line"]


def pyright(folder: Path, scripts: Sequence[str]) -> Iterator[tuple[str, int]]:
    report = json.loads(run(folder, "pyright", "--outputjson", *scripts))
    assert report["summary"]["filesAnalyzed"] == len(scripts)
    for fact in report["generalDiagnostics"]:
        if fact["severity"] == "error":
            # Its lines begin at 0.
            yield fact["file"], fact["range"]["start"]["line"] + 1


@pytest.fixture(scope="module", params=[mypy, pyright], ids=["mypy", "pyright"])
def errors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Errors:
    """The lines with errors of each script; all are read at once, for most of the time goes to libraries."""
    folder = tmp_path_factory.mktemp("scripts")
    shutil.copytree(TYPED, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "of_the_page.py").write_text("\n".join(python_blocks(PAGE)), "utf-8")
    found: dict[str, set[int]] = {script.name: set() for script in folder.glob("*.py")}
    for script, line in request.param(folder, sorted(found)):
        found[Path(script).name].add(line)
    return found


def test_a_correct_script_has_no_errors(errors: Errors) -> None:
    assert errors["correct_script.py"] == set()


def test_every_mistake_is_an_error_at_its_line(errors: Errors) -> None:
    script = (TYPED / "wrong_script.py").read_text("utf-8").splitlines()
    wrong = {number for number, line in enumerate(script, 1) if line.endswith("  # wrong")}
    assert [script[number - 1] for number in sorted(wrong - errors["wrong_script.py"])] == []
    assert errors["wrong_script.py"] == wrong


def test_the_page_shows_the_errors(errors: Errors) -> None:
    script = "\n".join(python_blocks(PAGE)).splitlines()
    wrong = {number for number, line in enumerate(script, 1) if "  # error: " in line}
    assert wrong
    assert errors["of_the_page.py"] == wrong


def test_the_types_of_the_sdk_are_complete(tmp_path: Path) -> None:
    """Pyright calls unknown whatever derives from Any, so in this copy artifacts do not."""
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    base = tmp_path / PACKAGE.name / "sdk" / "authoring" / "lazy_value.py"
    source = base.read_text("utf-8")
    assert source.count("TypeAlias = Any\n") == 1
    base.write_text(source.replace("TypeAlias = Any\n", "TypeAlias = object\n"))
    options = ("--verifytypes", "aqueduct_provider.sdk", "--ignoreexternal", "--outputjson")
    report = json.loads(run(tmp_path, "pyright", *options, PYTHONPATH=str(tmp_path)))["typeCompleteness"]
    assert report["packageRootDirectory"] == str(tmp_path / PACKAGE.name)
    problems = [
        f"{symbol['name']}: {fact['message']}"
        for symbol in report["symbols"]
        for fact in symbol["diagnostics"]
        if fact["severity"] == "error"
    ]
    assert problems == []
    assert report["completenessScore"] == 1

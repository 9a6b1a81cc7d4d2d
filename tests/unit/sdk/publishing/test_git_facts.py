"""The commit of the published code: real repositories, and folders that are none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aqueduct_provider.sdk.publishing.git_facts import git_facts, script_folder

AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    return subprocess.check_output(["git", *AUTHOR, *arguments], cwd=folder, text=True).strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "churn.py").write_text("x = 1\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Add it")
    return tmp_path


def test_a_clean_tree(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert git_facts(repository / "flows") == {"commit": head, "clean": True}


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("flows/churn.py", False),
        ("other.py", False),
        ("churn_airflow.json", True),
        ("flows/churn_airflow.json", True),
    ],
)
def test_what_differs_from_the_commit(repository: Path, path: str, clean: bool) -> None:
    (repository / path).write_text("x = 2\n")
    found = git_facts(repository / "flows")
    assert found is not None
    assert found["clean"] is clean


def test_a_staged_change_is_one(repository: Path) -> None:
    (repository / "flows" / "churn.py").write_text("x = 2\n")
    git(repository, "add", "--all")
    found = git_facts(repository)
    assert found is not None
    assert found["clean"] is False


def test_nothing_is_known(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    assert git_facts(outside) is None
    assert git_facts(outside / "missing") is None
    git(outside, "init", "--quiet")
    assert git_facts(outside) is None
    assert git_facts(repository, seconds=0) is None


def test_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_facts(repository) is None


def test_settings_of_the_repository_start_nothing(repository: Path) -> None:
    program, mark = repository / "monitor.sh", repository / "started"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(program))
    assert git_facts(repository) is not None
    assert not mark.exists()


def test_the_folder_of_a_script(tmp_path: Path) -> None:
    script, elsewhere = tmp_path / "scripts" / "publish.py", tmp_path / "elsewhere"
    script.parent.mkdir()
    elsewhere.mkdir()
    code = "from aqueduct_provider.sdk.publishing.git_facts import script_folder; print(script_folder())"
    script.write_text(code)
    for command, folder in (([str(script)], script.parent), (["-c", code], elsewhere)):
        found = subprocess.check_output([sys.executable, *command], cwd=elsewhere, text=True)
        assert Path(found.strip()) == folder.resolve()


def test_an_installed_program_is_not_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__file__", pytest.__file__)
    monkeypatch.chdir(tmp_path)
    assert script_folder() == tmp_path

"""Folders on disk for eager calls: what is in them, and that nobody else's files change."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError, PackagingError
from aqueduct_provider.sdk.authoring.eager_workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return Workspace()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "project/prices.csv"
    path.parent.mkdir()
    path.write_text("1")
    return path


def test_a_folder_holds_the_files_and_nothing_else(workspace: Workspace, source: Path) -> None:
    with workspace.laid_out({"data/prices.csv": source, "again.csv": source}, "train") as folder:
        assert sorted(path.name for path in folder.rglob("*")) == ["again.csv", "data", "prices.csv"]
        assert (folder / "data/prices.csv").read_text() == "1"
        (folder / "left").mkdir()
        (folder / "left/file").touch()
        (folder / "link").symlink_to(source.parent)
    # The same folder again: pools of processes keep it as their working directory.
    with workspace.laid_out({}, "train") as second:
        assert second == folder
        assert list(second.iterdir()) == []
    assert source.read_text() == "1"


def test_writing_to_a_file_changes_neither_the_users_nor_the_next_calls(
    workspace: Workspace, source: Path
) -> None:
    for _ in range(2):
        with workspace.laid_out({"prices.csv": source}, "train") as folder:
            assert (folder / "prices.csv").read_text() == "1"
            (folder / "prices.csv").write_text("2")
    for _ in range(2):
        with workspace.laid_out({"prices.csv": source}, "train") as folder:
            (folder / "prices.csv").chmod(0o600)
            (folder / "prices.csv").unlink()
    assert source.read_text() == "1"


def test_a_file_is_copied_once_and_again_when_it_has_changed(
    workspace: Workspace, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = list[Path]()
    copy = shutil.copyfile

    def copyfile(one: Path, other: Path) -> Any:
        copied.append(one)
        return copy(one, other)

    monkeypatch.setattr("shutil.copyfile", copyfile)
    for text, copies in (("1", 1), ("1", 1), ("33", 2)):
        if source.read_text() != text:
            source.write_text(text)
        with workspace.laid_out({"prices.csv": source, "again.csv": source}, "train") as folder:
            assert (folder / "prices.csv").read_text() == text
        assert len(copied) == copies


def test_a_call_within_a_call_has_a_folder_of_its_own(workspace: Workspace, source: Path) -> None:
    with workspace.laid_out({"prices.csv": source}, "outer") as outer:
        with workspace.laid_out({}, "inner") as inner:
            assert list(inner.iterdir()) == []
        assert inner != outer
        assert (outer / "prices.csv").exists()


def test_a_folder_that_the_function_removed_or_locked_is_there_again(workspace: Workspace) -> None:
    with workspace.laid_out({}, "train") as folder:
        folder.rmdir()
    with workspace.laid_out({}, "train") as folder:
        (folder / "locked").mkdir()
        (folder / "locked/file").touch()
        (folder / "locked").chmod(0o500)
    with workspace.laid_out({}, "train") as folder:
        assert list(folder.iterdir()) == []


def test_a_file_that_cannot_be_read(workspace: Workspace, source: Path) -> None:
    source.unlink()
    with (
        pytest.raises(
            PackagingError, match=r"^file_dependencies of 'train': prices\.csv cannot be read: No such file"
        ),
        workspace.laid_out({"prices.csv": source}, "train"),
    ):
        pass


def test_a_folder_that_cannot_be_written(workspace: Workspace, source: Path) -> None:
    with workspace.laid_out({}, "train") as folder:
        root = folder.parent
    folder.rmdir()
    folder.write_text("not a folder")
    message = f"^'train' cannot be computed here, .*{root}.*TMPDIR"
    with pytest.raises(AuthoringError, match=message), workspace.laid_out({"prices.csv": source}, "train"):
        pass


def test_it_is_usable_while_its_folder_is_there(workspace: Workspace) -> None:
    with workspace.laid_out({}, "train") as folder:
        assert workspace.is_usable
    folder.rmdir()
    folder.parent.rmdir()
    assert not workspace.is_usable


PROCESS = """
import os, sys
from aqueduct_provider.sdk.authoring.eager_workspace import Workspace
workspace = Workspace()
with workspace.laid_out({}, "train") as folder:
    print(folder.parent)
if os.fork() == 0:
    sys.exit(1 if workspace.is_usable else 0)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
assert folder.parent.is_dir()
"""


def test_it_ends_with_its_process_and_not_with_a_forked_one() -> None:
    done = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.strip()).exists()

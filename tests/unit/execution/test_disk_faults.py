"""Full, foreign and vanished folders under whole attempts: errors of our own, retried where that can help."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import (
    AqueductError,
    DiskError,
    DiskFull,
    DiskRefused,
    OperatorCrashed,
    is_retryable,
)
from tests.support.flow_runs import LocalRun
from tests.unit.execution.conftest import Desk

Function = Callable[..., dict[str, Any]]


def failure(run: LocalRun) -> AqueductError:
    with pytest.raises(AqueductError) as caught:
        run.run("f")
    return caught.value


@pytest.fixture
def full_tmp(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files with little space."""
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    return small_disk


FILE = "def predict():\n    with open('file', 'wb') as file:\n        file.write(b'x' * 2_000_000)"
TEMPORARY = FILE.replace("open('file', 'wb')", "__import__('tempfile').TemporaryFile()")
RESULT = "def predict():\n    return 'x' * 2_000_000"


@pytest.mark.parametrize("source", [FILE, TEMPORARY, RESULT], ids=["file", "temporary", "result"])
def test_what_fills_the_job_folder_is_the_machines_fault_and_retried(
    desk: Desk, function: Function, full_tmp: Path, source: str
) -> None:
    run = LocalRun(desk.flow(function(source)), desk.store, desk.folder)
    error = failure(run)
    assert isinstance(error, DiskFull | OperatorCrashed)
    assert is_retryable(error)
    assert f"{full_tmp}/aqueduct-{os.geteuid()}/job-" in str(error)
    assert "are free there" in str(error)
    assert "TMPDIR" in str(error)
    assert (desk.state("f")["status"], desk.state("f")["failure_type"]) == ("failed", 1)
    assert not list(full_tmp.iterdir())


def test_a_full_job_folder_is_named_before_the_code_runs(
    desk: Desk, function: Function, full_tmp: Path
) -> None:
    run = LocalRun(desk.flow(function("def predict(): return 1")), desk.store, desk.folder)
    (full_tmp / "filling").write_bytes(b"x" * (shutil.disk_usage(full_tmp).free - 4096))
    error = failure(run)
    assert isinstance(error, DiskFull)
    assert is_retryable(error)
    assert desk.state("f")["failure_type"] == 1


def test_a_full_cache_is_named(desk: Desk, function: Function, small_disk: Path) -> None:
    (small_disk / "filling").write_bytes(b"x" * 990_000)
    run = LocalRun(
        desk.flow(function("def predict(): return 1")), desk.store, desk.folder, cache_dir=small_disk
    )
    error = failure(run)
    assert isinstance(error, DiskFull)
    assert str(small_disk) in str(error)
    assert "cache_dir" in str(error)


def test_a_job_folder_that_vanishes_is_named_and_retried(desk: Desk, function: Function) -> None:
    source = (
        "import os, shutil\ndef predict():\n"
        "    shutil.rmtree(os.path.dirname(os.path.dirname(os.getcwd())))\n    return 1"
    )
    error = failure(LocalRun(desk.flow(function(source)), desk.store, desk.folder))
    assert isinstance(error, OperatorCrashed | DiskError)
    assert is_retryable(error)


def test_inputs_that_cannot_be_written_because_the_folder_vanished(desk: Desk, function: Function) -> None:
    class Vanishing:
        """A store that removes the folder it is to write to, as a clean-up of temporary files does."""

        def __getattr__(self, name: str) -> Any:
            return getattr(desk.store, name)

        def get_file(self, key: str, path: Path) -> Any:
            shutil.rmtree(path.parent)
            return desk.store.get_file(key, path)

    run = LocalRun(desk.flow(function("def predict(): return 1")), Vanishing(), desk.folder)  # type: ignore[arg-type]
    error = failure(run)
    assert type(error) is DiskError
    assert is_retryable(error)
    assert "something has removed it" in str(error)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_cache_of_another_user_is_refused_for_good(function: Function, desk: Desk) -> None:
    # Not in tmp_path: above it there are folders that only their owner may enter.
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name, "theirs"), Path(name, "cache")
        cache.mkdir()
        operator = function("def predict(): return 1")
        shutil.copytree(desk.folder, folder)
        theirs = Desk(folder)
        run = LocalRun(theirs.flow(operator), theirs.store, folder, cache_dir=cache)
        for path in (Path(name), folder, *folder.rglob("*")):
            os.chown(path, 12345, 12345)
        os.seteuid(12345)
        try:
            error = failure(run)
        finally:
            os.seteuid(0)
    assert isinstance(error, DiskRefused)
    assert not is_retryable(error)
    assert "belongs to user root, mode 0755; this process runs as user 12345" in str(error)
    assert "cache_dir" in str(error)

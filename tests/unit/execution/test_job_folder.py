"""What the job of a killed task leaves: its folder and what still runs."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from aqueduct_provider.execution.job_folder import job_folder
from aqueduct_provider.process import MARK
from tests.support.process_checks import is_running


def test_the_next_job_ends_what_a_killed_one_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    root = tmp_path / f"aqueduct-{os.geteuid()}"
    root.mkdir(mode=0o700)
    left = root / "job-abcdefgh"
    left.mkdir()
    with job_folder() as running:
        marks = {"left": left, "running": running, "other": tmp_path}
        processes = {
            name: subprocess.Popen(["sleep", "600"], env={MARK: str(mark)}) for name, mark in marks.items()
        }
        try:
            # The left one was removed by the first, so it has to be left again.
            assert not left.exists()
            left.mkdir()
            with job_folder():
                assert not left.exists()
            assert [name for name, process in processes.items() if is_running(process.pid)] == [
                "running",
                "other",
            ]
        finally:
            for process in processes.values():
                process.kill()
                process.wait()
    assert not root.exists()

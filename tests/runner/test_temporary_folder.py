"""Where a job's temporary files go."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from aqueduct_provider.runner.temporary_folder import use_own_temporary_folder
from tests.runner.jobs import Job

SOURCE = (
    "import os, subprocess, sys, tempfile\n"
    "ASK = 'import tempfile; print(tempfile.gettempdir())'\n"
    "def predict():\n"
    "    child = subprocess.run([sys.executable, '-c', ASK], capture_output=True, text=True)\n"
    "    return [tempfile.gettempdir(), child.stdout.strip()]"
)


def test_temporary_files_of_the_job_and_its_processes_are_in_its_folder() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name, "job")
        folder.mkdir()
        job = Job(folder)
        assert job.output(job.call(SOURCE)) == [f"{folder}/tmp"] * 2


def test_where_sockets_could_not_be_made_the_folder_is_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/as/before")
    folder = tmp_path / ("x" * 70)
    folder.mkdir()
    use_own_temporary_folder(str(folder))
    assert os.environ["TMPDIR"] == "/as/before"
    assert not list(folder.iterdir())

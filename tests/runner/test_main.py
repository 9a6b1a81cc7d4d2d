from __future__ import annotations

import json
import subprocess
import sys

from aqueduct_provider.execution.runner_package import runner_archive
from aqueduct_provider.runner.contract import REQUEST_FILE
from tests.runner.jobs import Job


def test_the_outcome_is_all_that_is_added_to_the_folder(job: Job) -> None:
    job.call("def predict():\n    return 1")
    # The request is removed: it says that the function was not called yet.
    expected = {"code", "out0", "outcome.json"}
    assert {path.name for path in job.folder.iterdir()} - {"tmp"} == expected


def test_an_unknown_protocol_leaves_no_outcome(job: Job) -> None:
    (job.folder / REQUEST_FILE).write_text(json.dumps({"version": 99}))
    archive = runner_archive(job.folder.parent / "runner")
    command = [sys.executable, "-I", "-u", str(archive), str(job.folder)]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ran.returncode != 0
    assert "version 99" in ran.stderr
    assert not (job.folder / "outcome.json").exists()


def test_closed_output_streams_are_no_failure(job: Job) -> None:
    finished = job.call(
        "import sys\ndef predict():\n    sys.stdout.close()\n    sys.stderr = None\n    return 1"
    )
    assert job.output(finished) == 1

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from aqueduct_provider.execution.archive import runner_archive
from aqueduct_provider.runner.contract import REQUEST_FILE, FunctionCall, JobRequest, OutputSlot, to_json
from tests.processes import wait_until_gone
from tests.runner.jobs import Finished, Job

SLEEP = """
import os, pathlib, subprocess, sys
def predict():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pathlib.Path("pids.part").write_text(f"{os.getpid()} {child.pid}")
    os.replace("pids.part", "pids")
    child.wait()
"""


def test_the_outcome_is_all_that_is_added_to_the_folder(job: Job) -> None:
    job.call("def predict():\n    return 1")
    assert {path.name for path in job.folder.iterdir()} == {"code", "out0", "outcome.json", "request.json"}


def test_an_unknown_protocol_leaves_no_outcome(job: Job) -> None:
    (job.folder / REQUEST_FILE).write_text(json.dumps({"version": 99}))
    archive = runner_archive(job.folder.parent / "runner")
    command = [sys.executable, "-I", "-u", str(archive), str(job.folder)]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ran.returncode != 0
    assert "version 99" in ran.stderr
    assert not (job.folder / "outcome.json").exists()


def test_the_code_reads_nothing_from_standard_input(job: Job) -> None:
    read, write = os.pipe()
    os.write(write, b"not for the user's code")
    source = "import sys\ndef predict():\n    return sys.stdin.read()"
    try:
        assert job.output(_with_stdin(job, source, read)) == ""
    finally:
        os.close(read)
        os.close(write)


def _with_stdin(job: Job, source: str, stdin: int) -> Finished:
    job.write_code(source, {})
    call = FunctionCall("code", "model.py", "", "predict")
    return job.run(JobRequest("function", outputs=[OutputSlot("out0")], call=call), stdin=stdin)


def test_the_whole_group_dies_with_the_worker(job: Job) -> None:
    job.write_code(SLEEP, {})
    call = FunctionCall("code", "model.py", "", "predict")
    (job.folder / REQUEST_FILE).write_text(to_json(JobRequest("function", call=call)))
    command = [sys.executable, "-I", "-u", str(runner_archive(job.folder.parent / "runner")), str(job.folder)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        runner, grandchild = map(int, _wait_for(job.folder / "code" / "pids").split())
        assert runner == child.pid
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(timeout=20) == -signal.SIGKILL
        wait_until_gone(grandchild)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def test_closed_output_streams_are_no_failure(job: Job) -> None:
    finished = job.call(
        "import sys\ndef predict():\n    sys.stdout.close()\n    sys.stderr = None\n    return 1"
    )
    assert job.output(finished) == 1


def _wait_for(path: Path) -> str:
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)
    return path.read_text()

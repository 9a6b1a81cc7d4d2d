"""Standard input as the worker's lifeline, in real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aqueduct_provider.execution.runner_package import runner_archive
from aqueduct_provider.runner.contract import REQUEST_FILE, FunctionCall, JobRequest, OutputSlot, to_json
from tests.runner.jobs import Finished, Job
from tests.support.process_checks import wait_until_gone

SLEEP = """
import os, pathlib, subprocess, sys
def predict():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pathlib.Path("pids.part").write_text(f"{os.getpid()} {child.pid}")
    os.replace("pids.part", "pids")
    child.wait()
"""


HOLD = "from aqueduct_provider.runner.lifeline import hold_lifeline; hold_lifeline(); import sys, time; "


@pytest.mark.parametrize("stdin", [subprocess.DEVNULL, "file"])
def test_what_is_no_pipe_is_no_lifeline(tmp_path: Path, stdin: int | str) -> None:
    (tmp_path / "input").write_text("not to be read")
    with (tmp_path / "input").open() as file:
        ran = subprocess.run(
            [sys.executable, "-c", f"{HOLD} print(repr(sys.stdin.read()))"],
            stdin=file if stdin == "file" else subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    assert (ran.returncode, ran.stdout) == (0, "''\n")


def test_a_child_without_a_group_of_its_own_ends_alone() -> None:
    """Were its whole group ended, these tests would be too."""
    child = subprocess.Popen([sys.executable, "-c", f"{HOLD} time.sleep(600)"], stdin=subprocess.PIPE)
    assert os.getpgid(child.pid) == os.getpgrp()
    assert child.stdin is not None
    child.stdin.write(b"what the worker wrote before\n")
    child.stdin.close()
    assert child.wait(timeout=20) == -signal.SIGKILL


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
        process, grandchild = map(int, _wait_for(job.folder / "code" / "pids").split())
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(timeout=20) == -signal.SIGKILL
        wait_until_gone(process)
        wait_until_gone(grandchild)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _wait_for(path: Path) -> str:
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)
    return path.read_text()

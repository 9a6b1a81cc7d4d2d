"""What a job starts ends with it, in real processes, however the child is started and however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import OperatorKilled
from aqueduct_provider.execution.fork_server import ForkServers
from aqueduct_provider.execution.job import job_command
from aqueduct_provider.execution.runner_package import runner_archive
from aqueduct_provider.process import MARK, Child, Finished, Start, spawn
from aqueduct_provider.runner.contract import REQUEST_FILE, FunctionCall, JobRequest, OutputSlot, to_json
from tests.support.process_checks import is_running, wait_until_gone

# A daemon as books describe it, which is deaf to SIGTERM on top.
DAEMON = """
import os, signal, subprocess, sys, time

def daemon():
    read, write = os.pipe()
    if not os.fork():
        os.setsid()
        if not os.fork():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.write(write, str(os.getpid()).encode())
            {closing}
            time.sleep(600)
        os._exit(0)
    os.wait()
    print(os.getpid(), os.getppid(), os.read(read, 20).decode(), flush=True)

def predict():
    daemon()
    {then}
"""
ENDS = {
    "success": ("return 1", 0),
    "failure": ("1 / 0", 0),
    "exit": ("os._exit(3)", 3),
    "crash": ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
    "another program": ("os.execv('/bin/sh', ['sh', '-c', 'exit 5'])", 5),
}


class Jobs:
    """Runs sources as jobs and keeps the ids that they print: the job, its supervisor, the daemon."""

    def __init__(self, folder: Path, start: Start) -> None:
        self.folder = folder
        self.start = start
        self.pids: list[int] = []
        folder.mkdir()
        (folder / "code").mkdir()

    def child(self, then: str, *, closing: str = "os.closerange(0, 3)", **options: Any) -> Child:
        (self.folder / "code" / "model.py").write_text(DAEMON.format(then=then, closing=closing))
        call = FunctionCall("code", "model.py", "", "predict")
        request = JobRequest("function", outputs=[OutputSlot("out")], call=call)
        (self.folder / REQUEST_FILE).write_text(to_json(request))
        runner = runner_archive(self.folder.parent / "runner")
        options.setdefault("on_line", lambda _, line: self.pids.extend(map(int, line.split())))
        return Child(
            job_command(Path(sys.executable), runner, self.folder, 0.2),
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], MARK: str(self.folder)},
            grace=0.2,
            start=self.start,
            supervised=True,
            **options,
        )

    def run(self, then: str, **options: Any) -> Finished:
        return self.child(then, **options).run()

    def check_all_gone(self) -> None:
        assert len(self.pids) == 3
        for pid in self.pids if self.start is spawn else self.pids[::2]:
            assert not is_running(pid), f"{self.pids}: {pid} was left behind"


@pytest.fixture(params=["spawned", "forked"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Jobs]:
    with ForkServers() as servers:
        yield Jobs(tmp_path / "job", spawn if request.param == "spawned" else servers.start)


@pytest.mark.parametrize("end", ENDS)
def test_a_daemon_ends_with_the_job(jobs: Jobs, end: str) -> None:
    then, returncode = ENDS[end]
    assert jobs.run(then).returncode == returncode
    jobs.check_all_gone()


def test_a_daemon_that_keeps_the_output_open_ends_too(jobs: Jobs) -> None:
    assert jobs.run("return 1", closing="").returncode == 0
    jobs.check_all_gone()


def test_a_daemon_ends_at_the_timeout(jobs: Jobs) -> None:
    finished = jobs.run("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)", timeout=3)
    assert (finished.timed_out, finished.returncode) == (True, -signal.SIGKILL)
    jobs.check_all_gone()


def test_a_daemon_ends_when_the_task_is_killed_by_airflow(jobs: Jobs) -> None:
    def note_and_kill(_: str, line: str) -> None:
        jobs.pids.extend(map(int, line.split()))
        child.kill()

    child = jobs.child("time.sleep(600)", on_line=note_and_kill)
    finished = child.run()
    assert (finished.killed, finished.returncode) == (True, -signal.SIGTERM)
    jobs.check_all_gone()


@pytest.mark.parametrize("victim", [0, 1])
def test_a_daemon_ends_when_the_job_or_its_supervisor_is_killed(jobs: Jobs, victim: int) -> None:
    def note_and_kill(_: str, line: str) -> None:
        jobs.pids.extend(map(int, line.split()))
        os.kill(jobs.pids[victim], signal.SIGKILL)

    assert jobs.run("time.sleep(600)", on_line=note_and_kill).returncode == -signal.SIGKILL
    for pid in jobs.pids:
        if jobs.start is spawn or pid != jobs.pids[1] or victim == 1:
            wait_until_gone(pid)


def test_a_daemon_ends_when_an_exception_leaves_the_task(jobs: Jobs) -> None:
    def fail(_: str, line: str) -> None:
        jobs.pids.extend(map(int, line.split()))
        raise OperatorKilled("while a line is logged")

    with pytest.raises(OperatorKilled):
        jobs.run("time.sleep(600)", on_line=fail)
    wait_until_gone(jobs.pids[2])


def test_what_forks_again_and_again_ends(jobs: Jobs) -> None:
    # Each process lives for a moment and has a successor in a session of its own by then.
    then = (
        "child = os.fork()\n"
        "    while not child:\n"
        "        os.setsid()\n"
        "        time.sleep(0.01)\n"
        "        child = os.fork()\n"
        "        child and os._exit(0)"
    )
    assert jobs.run(then).returncode == 0
    jobs.check_all_gone()
    time.sleep(0.1)
    # The server that forks is one of them, and goes on.
    assert set(_marked(str(jobs.folder))) <= {jobs.pids[1]}


def test_processes_of_others_are_left_alone(jobs: Jobs) -> None:
    """The worker's other children, also those that look like daemons of the job."""
    others = [
        subprocess.Popen(["sleep", "600"], start_new_session=True, env={MARK: f"{jobs.folder}-other"}),
        subprocess.Popen(["sleep", "600"]),
    ]
    try:
        assert jobs.run("os.kill(os.getpid(), signal.SIGKILL)").returncode == -signal.SIGKILL
        assert [other.poll() for other in others] == [None, None]
    finally:
        for other in others:
            other.kill()
            assert other.wait() == -signal.SIGKILL


WORKER = """
import sys
from pathlib import Path
from aqueduct_provider.execution.fork_server import ForkServers
from aqueduct_provider.process import spawn
from tests.runner.test_supervisor import Jobs

servers = ForkServers()
jobs = Jobs(Path(sys.argv[1]), spawn if sys.argv[2] == "spawn" else servers.start)
jobs.run("time.sleep(600)", on_line=lambda _, line: print(line, flush=True))
"""


@pytest.mark.parametrize("start", ["spawn", "fork"])
@pytest.mark.parametrize("then", ["time.sleep(600)", "import re; re.match('(a+)+b', 'a' * 60)"])
def test_a_daemon_ends_when_the_task_is_killed_by_the_system(tmp_path: Path, start: str, then: str) -> None:
    """Also where the job cannot notice: a regular expression holds Python's interpreter lock."""
    code = WORKER.replace("time.sleep(600)", then)
    worker = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "job"), start],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert worker.stdout is not None
    with worker.stdout:
        pids = list(map(int, worker.stdout.readline().split()))
    assert len(pids) == 3
    worker.kill()
    worker.wait()
    for pid in pids:
        wait_until_gone(pid)


def test_a_python_without_ctypes_ends_the_process_group(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "job", spawn)
    child = jobs.child("print(0, 0, subprocess.Popen(['sleep', '600']).pid)")
    site = tmp_path / "site"
    site.mkdir()
    (site / "ctypes.py").write_text("raise ImportError\n")
    argv = [sys.executable, "-u", "-c", _WITHOUT_CTYPES, str(site), *child.argv[3:]]
    finished = Child(
        argv, cwd=jobs.folder, env={}, on_line=lambda _, line: jobs.pids.extend(map(int, line.split()))
    ).run()
    assert finished.returncode == 0, finished.stderr
    wait_until_gone(jobs.pids[5])
    # It left the group.
    assert is_running(jobs.pids[2])
    os.kill(jobs.pids[2], signal.SIGKILL)


_WITHOUT_CTYPES = """
import runpy, sys

sys.path.insert(0, sys.argv.pop(1))
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def _marked(mark: str) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in path.read_bytes().split(b"\0"):
                yield int(path.parent.name)

"""Children of fork servers under ``Child``: what holds for spawned ones holds for them."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import CommandNotStarted, OperatorKilled
from aqueduct_provider.execution.fork_server import ForkServers, _ForkedChild
from aqueduct_provider.execution.runner_package import runner_archive
from aqueduct_provider.process import Child, ChildCommand, Finished, spawn
from aqueduct_provider.runner.contract import REQUEST_FILE, FunctionCall, JobRequest, OutputSlot, to_json
from tests.support.process_checks import is_running, wait_until_gone

PARENT = "import os\ndef predict():\n    print(os.getppid(), flush=True)"
SLEEP = (
    "import os, time\ndef predict():\n    print(os.getpid(), os.getppid(), flush=True)\n    time.sleep(600)"
)
STUBBORN = (
    "import signal, subprocess, sys, time\n"
    "def predict():\n"
    "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "    print(child.pid, flush=True)\n"
    "    time.sleep(600)"
)


class Jobs:
    """Runs jobs with one :class:`ForkServers`, and remembers their lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers = ForkServers()
        self.runner = runner_archive(folder / "runner")
        self.lines: list[tuple[str, str]] = []
        self.env = {"PATH": os.environ["PATH"]}
        self.python = sys.executable
        self._count = 0

    def child(self, source: str, **options: Any) -> Child:
        self._count += 1
        job = self.folder / str(self._count)
        (job / "code").mkdir(parents=True)
        (job / "code" / "model.py").write_text(source)
        call = FunctionCall("code", "model.py", "", "predict")
        request = JobRequest("function", outputs=[OutputSlot("out")], call=call)
        (job / REQUEST_FILE).write_text(to_json(request))
        options.setdefault("on_line", lambda stream, text: self.lines.append((stream, text)))
        options.setdefault("start", self.servers.start)
        argv = [self.python, "-I", "-u", str(self.runner), str(job)]
        return Child(argv, cwd=job, env=self.env, grace=0.2, **options)

    def run(self, source: str, **options: Any) -> Finished:
        return self.child(source, **options).run()

    def parent(self) -> int:
        """The parent of a child that is started now."""
        return int(self.run(PARENT).stdout)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    jobs = Jobs(tmp_path)
    with jobs.servers:
        yield jobs


def test_children_have_one_parent_which_ends_when_it_is_closed(jobs: Jobs) -> None:
    first, second = jobs.parent(), jobs.parent()
    assert first == second != os.getpid()
    with jobs.servers:
        pass
    assert not is_running(first)


def test_output_and_exit_code(jobs: Jobs) -> None:
    source = (
        "import os, sys\ndef predict():\n    print('out')\n    print('err', file=sys.stderr)\n    os._exit(7)"
    )
    finished = jobs.run(source)
    assert (finished.returncode, finished.stdout, finished.stderr) == (7, "out\n", "err\n")
    assert sorted(jobs.lines) == [("stderr", "err"), ("stdout", "out")]


def test_variables_are_those_that_were_given(jobs: Jobs) -> None:
    jobs.env["GIVEN"] = "1"
    source = "import os\ndef predict():\n    print(sorted(set(os.environ) - {'LC_CTYPE', 'TMPDIR'}))"
    assert jobs.run(source).stdout == "['GIVEN', 'PATH']\n"


def test_other_variables_are_another_server(jobs: Jobs) -> None:
    first = jobs.parent()
    jobs.env["OTHER"] = "1"
    assert jobs.parent() != first


def test_a_timeout_ends_the_child_and_not_the_server(jobs: Jobs) -> None:
    server = jobs.parent()
    finished = jobs.run(SLEEP, timeout=0.3)
    assert (finished.timed_out, finished.returncode) == (True, -signal.SIGTERM)
    wait_until_gone(int(finished.stdout.split()[0]))
    assert jobs.parent() == server


def test_a_kill_ends_the_whole_group(jobs: Jobs) -> None:
    child = jobs.child(STUBBORN, on_line=lambda _, line: (jobs.lines.append(("", line)), child.kill()))
    finished = child.run()
    assert (finished.killed, finished.returncode) == (True, -signal.SIGKILL)
    wait_until_gone(int(jobs.lines[0][1]))


def test_what_a_child_leaves_behind_is_ended(jobs: Jobs) -> None:
    source = (
        "import subprocess\ndef predict():\n    print(subprocess.Popen(['sleep', '600']).pid, flush=True)"
    )
    finished = jobs.run(source)
    assert finished.returncode == 0
    wait_until_gone(int(finished.stdout))


def test_an_exception_while_it_runs_ends_the_child(jobs: Jobs) -> None:
    def fail(_: str, line: str) -> None:
        jobs.lines.append(("", line))
        raise RuntimeError("while a line is logged")

    with pytest.raises(RuntimeError, match="while a line is logged"):
        jobs.run(SLEEP, on_line=fail)
    wait_until_gone(int(jobs.lines[0][1].split()[0]))


def test_a_server_that_is_killed_ends_the_job_and_is_replaced(jobs: Jobs) -> None:
    def kill_server(_: str, line: str) -> None:
        jobs.lines.append(("", line))
        os.kill(int(line.split()[1]), signal.SIGKILL)

    finished = jobs.run(SLEEP, on_line=kill_server)
    pid, server = map(int, jobs.lines[0][1].split())
    assert finished.returncode == -signal.SIGKILL
    wait_until_gone(pid)
    assert jobs.parent() not in (server, os.getpid())


@pytest.mark.parametrize(
    "said",
    [
        *(b"garbage\n", b"\xff\n", b"[]\n", b"[" * 4000 + b"\n", b"x" * 20_000),
        *(b'{"returncode": "0"}\n', b'{"pid": null}\n', b'{"pid": true}\n'),
    ],
)
def test_what_no_server_says_ends_its_child(said: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = _ForkedChild(ours, lambda: -signal.SIGKILL)
        for descriptor in child.theirs:
            os.close(descriptor)
        theirs.sendall(said)
        assert child.wait(60) == -signal.SIGKILL
        assert child.pid == 0
        # The server, for which this is a lifeline, ends with all that it has started.
        assert theirs.recv(1) == b""
        child.close()


@pytest.mark.parametrize("script", ["exit 1", 'case "$*" in *--serve*) exit 0;; esac; exec {python} "$@"'])
def test_where_no_server_can_be_had_children_are_spawned(jobs: Jobs, script: str) -> None:
    python = jobs.folder / "python"
    python.write_text(f"#!/bin/sh\n{script.replace('{python}', sys.executable)}\n")
    python.chmod(0o755)
    jobs.python = str(python)
    if "exec" in script:
        # Each has a supervisor of its own.
        assert len({jobs.parent(), jobs.parent()}) == 2
    else:
        assert jobs.run(PARENT).returncode == 1


def test_a_python_that_is_not_there_is_named(jobs: Jobs) -> None:
    jobs.python = "/no/such/python"
    with pytest.raises(CommandNotStarted, match="/no/such/python"):
        jobs.run(PARENT)


def test_a_server_that_does_not_answer_is_not_waited_for_once_cancelled(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 600\n")
    python.chmod(0o755)
    asked = threading.Event()

    def cancelled() -> bool:
        asked.set()
        return True

    with ForkServers(cancelled) as servers, pytest.raises(OperatorKilled):
        servers.start(ChildCommand([str(python), str(tmp_path)], tmp_path, {}))
    assert asked.is_set()


def test_a_spawned_child_is_no_different_to_child(jobs: Jobs) -> None:
    finished = jobs.run(PARENT, start=spawn)
    assert finished.returncode == 0
    assert int(finished.stdout) not in (os.getpid(), jobs.parent())

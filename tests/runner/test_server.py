"""The server that forks, spoken to as the worker does; its children run real jobs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.execution.runner_package import runner_archive
from aqueduct_provider.runner.codecs import decode
from aqueduct_provider.runner.contract import (
    OUTCOME_FILE,
    REQUEST_FILE,
    FunctionCall,
    JobRequest,
    OutputSlot,
    outcome_from_json,
    to_json,
)
from tests.support.process_checks import is_running, wait_until_gone


class Server:
    """A server of some Python, and jobs for it."""

    def __init__(self, python: str, folder: Path, option: str = "--serve") -> None:
        self.folder = folder
        self.socket, theirs = socket.socketpair()
        with theirs:
            command = [python, "-I", "-u", str(runner_archive(folder / "runner")), option]
            self.process = subprocess.Popen([*command, str(theirs.fileno())], pass_fds=[theirs.fileno()])
        self.messages = self.socket.makefile()
        self.stdin = 0

    def close(self) -> None:
        self.messages.close()
        self.socket.close()
        self.process.wait(20)

    def ask(self, name: str, source: str, **files: str) -> tuple[int, Any]:
        """Send a job; the child's pid and what it prints to, a file for both streams."""
        job = self.folder / name
        (job / "code").mkdir(parents=True)
        for file, text in {"model.py": source, **files}.items():
            (job / "code" / file).write_text(text)
        call = FunctionCall("code", "model.py", "", "predict")
        (job / REQUEST_FILE).write_text(
            to_json(JobRequest("function", outputs=[OutputSlot("out")], call=call))
        )
        read, write = os.pipe()
        lifeline, self.stdin = os.pipe()
        socket.send_fds(
            self.socket, [json.dumps({"folder": str(job)}).encode() + b"\n"], [lifeline, write, write]
        )
        os.close(write)
        os.close(lifeline)
        return self.heard()["pid"], os.fdopen(read)

    def run(self, name: str, source: str, **files: str) -> tuple[int, str]:
        """Run a job to its end: the exit code, and what it printed."""
        _, output = self.ask(name, source, **files)
        with output:
            text = output.read()
        code = self.heard()["returncode"]
        os.close(self.stdin)
        return code, text

    def heard(self) -> dict[str, int]:
        message: dict[str, int] = json.loads(self.messages.readline())
        return message

    def output(self, name: str) -> Any:
        """What a job returned."""
        outcome = outcome_from_json((self.folder / name / OUTCOME_FILE).read_text())
        assert outcome.failure is None, outcome.failure.tip
        info = outcome.outputs[0]
        data = (self.folder / name / info.path).read_bytes()
        return decode(data, info.serialization_type, info.artifact_type)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(sys.executable, tmp_path)
    yield made
    made.close()


def test_a_python_without_packages_serves(other_python: str, tmp_path: Path) -> None:
    server = Server(other_python, tmp_path)
    assert server.run("a", "def predict():\n    print('said')\n    return 7") == (0, "said\n")
    assert server.output("a") == 7
    server.close()
    assert server.process.returncode == 0


def test_a_server_for_one_child_loads_nothing_early(tmp_path: Path) -> None:
    """That would take longer than it saves."""
    source = "import sys\ndef predict(): return 'cloudpickle' in sys.modules"
    for option, loaded in (("--serve", True), ("--serve-one", False)):
        server = Server(sys.executable, tmp_path / option, option)
        assert server.run("a", source) == (0, "")
        assert server.output("a") is loaded
        server.close()


def test_a_child_is_what_a_process_of_its_own_is(server: Server) -> None:
    source = (
        "import os, sys\n"
        "def predict():\n"
        "    pid = os.getpid()\n"
        "    return [os.getpgrp() == os.getsid(0) == pid, os.getcwd(), sys.argv[1:], sys.stdin.read()]"
    )
    assert server.run("a", source)[0] == 0
    job = str(server.folder / "a")
    assert server.output("a") == [True, f"{job}/code", [job], ""]


def test_modules_of_one_job_never_meet_those_of_another(server: Server) -> None:
    source = "import helper\ndef predict():\n    return helper.NAME"
    for name in ("a", "b"):
        assert server.run(name, source, **{"helper.py": f"NAME = {name!r}"})[0] == 0
    assert (server.output("a"), server.output("b")) == ("a", "b")


def test_what_the_server_has_loaded_hides_no_module_of_the_user(server: Server) -> None:
    source = (
        "import selectors, socket, cloudpickle\ndef predict():\n    return [socket.MINE, cloudpickle.MINE]"
    )
    mine = {"socket.py": "MINE = 1", "cloudpickle.py": "MINE = 2"}
    assert server.run("a", source, **mine) == (0, "")
    assert server.output("a") == [1, 2]


@pytest.mark.parametrize(("act", "code"), [("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", -9)])
def test_a_crash_ends_its_own_job_only(server: Server, act: str, code: int) -> None:
    assert server.run("a", f"import os\ndef predict():\n    {act}")[0] == code
    assert not (server.folder / "a" / OUTCOME_FILE).exists()
    assert server.run("b", "def predict(): return 1")[0] == 0


def test_threads_are_waited_for_and_exit_handlers_run(server: Server) -> None:
    source = (
        "import atexit, threading, time\n"
        "def later():\n"
        "    time.sleep(0.2)\n"
        "    print('thread')\n"
        "def predict():\n"
        "    atexit.register(print, 'handler')\n"
        "    atexit.register(lambda: 1 / 0)\n"
        "    threading.Thread(target=later).start()"
    )
    code, text = server.run("a", source)
    assert code == 0
    assert text.startswith("thread\n")
    assert "handler\n" in text


def test_children_measure_what_is_theirs(server: Server) -> None:
    assert server.run("a", "def predict():\n    return len(bytearray(100_000_000))")[0] == 0
    assert server.run("b", "def predict():\n    return 1")[0] == 0
    peaks = [
        outcome_from_json((server.folder / name / OUTCOME_FILE).read_text()).max_memory_mb for name in "ab"
    ]
    assert peaks[0] > 100 > peaks[1]


def test_random_numbers_differ(server: Server) -> None:
    for name in ("a", "b"):
        server.run(name, "import random\ndef predict():\n    return random.random()")
    assert server.output("a") != server.output("b")


def test_the_server_and_its_child_end_with_the_worker(server: Server) -> None:
    pid, output = server.ask("a", "import time\ndef predict():\n    time.sleep(600)")
    assert is_running(pid)
    # What the death of the worker does.
    os.close(server.stdin)
    server.socket.shutdown(socket.SHUT_RDWR)
    wait_until_gone(pid)
    assert server.process.wait(20) == 0
    output.close()


def test_a_killed_server_leaves_no_child_that_outlives_the_worker(server: Server) -> None:
    pid, output = server.ask("a", "import time\ndef predict():\n    time.sleep(600)")
    server.process.send_signal(signal.SIGKILL)
    assert server.messages.readline() == ""
    os.close(server.stdin)
    wait_until_gone(pid)
    output.close()

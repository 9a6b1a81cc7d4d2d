from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aqueduct_provider.demo.servers import end_group, free_port, kill, processes_of, wait_until
from aqueduct_provider.errors import WaitTimedOut
from tests.support.process_checks import wait_until_gone

SLEEP = "import time; time.sleep(60)"
# Prints the id of a child of its own.
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
print(child.pid, flush=True)
child.wait()
"""


def test_a_free_port_can_be_bound() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_what_is_not_ready_in_time_is_an_error_with_details() -> None:
    with pytest.raises(WaitTimedOut, match=r"^the server did not start within 0 s\nits log$"):
        wait_until(lambda: False, label="the server", seconds=0, detail=lambda: "its log")


def test_it_asks_until_the_answer_is_yes() -> None:
    answers = iter([False, True])
    wait_until(lambda: next(answers), label="the server", seconds=10)
    assert not list(answers)


def test_a_process_ends_with_its_children() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, start_new_session=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    end_group(parent)
    parent.stdout.close()
    assert parent.returncode is not None
    wait_until_gone(child)


def test_processes_are_found_by_a_mark_in_their_command_and_killed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SLEEP, str(tmp_path)])
    assert processes_of(str(tmp_path)) == [process.pid]
    kill([process.pid])
    process.wait()
    kill([process.pid])
    assert not processes_of(str(tmp_path))

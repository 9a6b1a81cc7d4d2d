from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aqueduct_provider.errors import OperatorCrashed, OperatorKilled, OperatorTimedOut
from aqueduct_provider.execution.job import (
    connector_command,
    job_command,
    job_variables,
    read_outcome,
)
from aqueduct_provider.process import Finished
from aqueduct_provider.runner.contract import OUTCOME_FILE, JobOutcome, to_json


def _finished(returncode: int = 0, *, timed_out: bool = False, killed: bool = False) -> Finished:
    return Finished(returncode, "", "last words", 1.5, timed_out, killed)


def test_only_listed_variables_are_passed_and_the_childs_folder_comes_first() -> None:
    worker = {"PATH": "/bin", "LC_CTYPE": "C", "AWS_PROFILE": "x", "AIRFLOW_HOME": "y", "OWN": "z"}
    env = job_variables(worker, frozenset({"OWN"}), Path("/env/bin/python"))
    assert env == {"PATH": "/env/bin:/bin", "LC_CTYPE": "C", "OWN": "z"}


def test_an_outcome_is_read(tmp_path: Path) -> None:
    (tmp_path / OUTCOME_FILE).write_text(to_json(JobOutcome(wall_time=2.0)))
    assert read_outcome(tmp_path, _finished()).wall_time == 2.0


def test_a_kill_or_a_timeout_counts_even_when_an_outcome_was_left(tmp_path: Path) -> None:
    (tmp_path / OUTCOME_FILE).write_text(to_json(JobOutcome()))
    with pytest.raises(OperatorKilled):
        read_outcome(tmp_path, _finished(-15, killed=True))
    with pytest.raises(OperatorTimedOut, match=r"1\.5 s"):
        read_outcome(tmp_path, _finished(-15, timed_out=True))


@pytest.mark.parametrize(
    ("returncode", "words"),
    [
        (-signal.SIGSEGV, "SIGSEGV.*compiled library"),
        (-signal.SIGKILL, "SIGKILL.*memory"),
        (-signal.SIGRTMIN, "signal"),
        (-40, "signal 40"),
        (3, "exit code 3"),
    ],
)
def test_no_outcome_is_a_crash_with_its_reason(tmp_path: Path, returncode: int, words: str) -> None:
    with pytest.raises(OperatorCrashed, match=words) as caught:
        read_outcome(tmp_path, _finished(returncode))
    assert caught.value.context == "last words"


def test_a_child_of_the_user_is_isolated_and_a_connector_runs_in_the_workers_python(tmp_path: Path) -> None:
    python, runner = Path("/env/bin/python"), Path("/cache/runner.pyz")
    assert job_command(python, runner, tmp_path, 2.5) == [
        *(str(python), "-I", "-u", str(runner), "--grace", "2.5", str(tmp_path)),
    ]
    assert connector_command(tmp_path) == [
        *(sys.executable, "-u", "-m", "aqueduct_provider.connectors"),
        str(tmp_path),
    ]


def test_a_connector_starts_in_any_folder(tmp_path: Path) -> None:
    ran = subprocess.run(connector_command(tmp_path), cwd=tmp_path, input=b"no order\n", capture_output=True)
    assert b"JSONDecodeError" in ran.stderr

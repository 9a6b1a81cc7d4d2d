"""Progress: lines where nothing can move, in place in terminals and notebooks."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aqueduct_provider.sdk.display.progress import picture, run_progress
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import OperatorRun

ROOT = Path(__file__).parents[4]
RUN: Any = SimpleNamespace(record=SimpleNamespace(name="churn"), run_id="r1")
PENDING, RUNNING = ExecutionStatus.PENDING, ExecutionStatus.RUNNING
SUCCEEDED, FAILED = ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED


def one(name: str, status: ExecutionStatus, tip: str = "", **fields: Any) -> OperatorRun:
    return OperatorRun(name, name, "function", status, tip=tip, **fields)


# What is seen look by look.
LOOKS = [
    (PENDING, [one("f", PENDING), one("g", PENDING)]),
    (RUNNING, [one("f", RUNNING), one("g", PENDING)]),
    (RUNNING, [one("f", RUNNING), one("g", PENDING)]),
    (FAILED, [one("f", SUCCEEDED), one("g", FAILED, "It went wrong.")]),
]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rich takes for a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


def without_codes(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


# --- lines


def test_a_line_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    with run_progress(RUN) as show:
        for status, operators in LOOKS:
            show(status, operators)
        show.say("Airflow is away.")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "churn, run r1: pending",
        "churn, run r1: running",
        "f: running",
        "f: succeeded",
        "g: failed: It went wrong.",
        "churn, run r1: failed",
        "Airflow is away.",
    ]


def test_an_operator_that_waits_again_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with run_progress(RUN) as show:
        show(RUNNING, [one("f", RUNNING)])
        show(RUNNING, [one("f", PENDING, "It failed; Airflow runs it again.")])
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "f: pending: It failed; Airflow runs it again."


def test_names_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with run_progress(RUN) as show:
        show(RUNNING, [one("[red]:x:", RUNNING)])
    assert "[red]:x:: running\n" in capsys.readouterr().err


# --- terminals


@pytest.mark.usefixtures("terminal")
def test_in_a_terminal_the_last_state_stays(capsys: pytest.CaptureFixture[str]) -> None:
    with run_progress(RUN) as show:
        for status, operators in LOOKS:
            show(status, operators)
    told = capsys.readouterr()
    assert told.out == ""
    # The cursor goes up before each new frame.
    last = without_codes(told.err.rsplit("\x1b[1A", 1)[-1])
    assert [line.rstrip() for line in last.strip().splitlines()] == [
        "churn, run r1: failed",
        "operator  type      status",
        "f         function  succeeded",
        "g         function  failed",
        "g: It went wrong.",
    ]


@pytest.mark.usefixtures("terminal")
def test_in_a_narrow_terminal_nothing_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    with run_progress(RUN) as show:
        show(FAILED, [one("f", FAILED, "It went wrong in many words.")])
    words = without_codes(capsys.readouterr().err.rsplit("\x1b[1A", 1)[-1]).split()
    assert words[-7:] == "f: It went wrong in many words.".split()


def test_small_flows_are_shown_whole() -> None:
    lines = picture(RUN, *LOOKS[1]).plain.splitlines()
    assert lines == [
        "churn, run r1: running, 0 of 2 operators are over",
        "operator  type      status",
        "f         function  running",
        "g         function  pending",
    ]


def test_of_large_flows_only_what_runs_or_failed_is_shown() -> None:
    operators = [one(f"f{number}", SUCCEEDED) for number in range(998)]
    operators += [one("g", RUNNING), one("h", FAILED, "It went wrong.")]
    assert picture(RUN, RUNNING, operators).plain.splitlines() == [
        "churn, run r1: running, 999 of 1000 operators are over",
        "operator  type      status",
        "g         function  running",
        "h         function  failed",
        "h: It went wrong.",
    ]


def test_never_more_than_a_screen() -> None:
    operators = [one(f"f{number}", FAILED, "No.") for number in range(1000)]
    assert len(picture(RUN, FAILED, operators).plain.splitlines()) == 42
    operators = [one(f"f{number}", SUCCEEDED) for number in range(1000)]
    assert picture(RUN, SUCCEEDED, operators).plain == "churn, run r1: succeeded"


# --- notebooks

CELL = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.unit.sdk.display.test_progress import LOOKS, RUN
from aqueduct_provider.sdk.console import spinner
from aqueduct_provider.sdk.display.progress import run_progress
with spinner("Waiting <for> it", shown=True):
    pass
with run_progress(RUN) as show:
    for status, operators in LOOKS:
        show(status, operators)
        show(status, operators)
    show.say("Airflow is <away>.")
"""


def test_in_a_notebook_one_output_is_replaced() -> None:
    pytest.importorskip("ipykernel")
    client = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    client.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    message, shown = notebook.cells[0].outputs
    assert "Waiting <for> it" in message.get("text", "") or "Waiting" in str(message.get("data"))
    assert shown["data"]["text/plain"].splitlines()[0] == "churn, run r1: failed"
    assert "g: It went wrong.\nAirflow is &lt;away&gt;.</pre>" in shown["data"]["text/html"]

"""Some suites run at the same time; one that fails fails the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import suites
from tools.suites import Run, Suite, closed

# Stands in for a Python with pytest: waits for the other suite of its pair, and ends as it is named.
_PYTHON = """#!/bin/sh
while [ $# -gt 1 ]; do shift; done
touch "$1"
for try in $(seq 200); do [ "$(ls | grep -c pair)" = 2 ] && break; sleep 0.05; done
echo "1 passed in $1, $(ls | grep -c pair) there"
case "$1" in *bad*) exit 1 ;; esac
"""


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(_PYTHON)
    python.chmod(0o755)
    reports = tmp_path / "reports"
    reports.mkdir()
    monkeypatch.setattr(suites, "ROOT", tmp_path)
    monkeypatch.setattr(suites, "REPORTS", reports)
    return tmp_path


def test_two_suites_run_at_the_same_time(capsys: pytest.CaptureFixture[str]) -> None:
    results = Run([]).all([Suite(name, "env", (name,)) for name in ("pair1", "pair2")])
    assert {result.closing for result in results} == {
        "1 passed in pair1, 2 there",
        "1 passed in pair2, 2 there",
    }
    printed = capsys.readouterr().out
    assert "=== pair1\n1 passed in pair1" in printed
    assert "=== pair2\n1 passed in pair2" in printed
    assert closed(results) == 0


def test_one_that_fails_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    results = Run([]).all([Suite(name, "env", (name,)) for name in ("pair1", "bad pair2", "pair3")])
    assert len(results) == 3
    assert closed(results) == 1
    assert "FAILED: 1 of 3 suites" in capsys.readouterr().out

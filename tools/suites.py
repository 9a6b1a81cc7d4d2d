"""Runs every test suite on both lines of Airflow and says how it ended: ``.venv/bin/python tools/suites.py``.

In: the environments that ``tools/environments.py`` built. Out: what pytest prints, a summary, a verdict, and
an exit code: 0 only when every suite passed. The standard library only.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / ".work" / "reports"
# Seconds after which a suite that hangs is ended, and fails.
DEADLINE = 1200


@dataclass(frozen=True)
class Suite:
    """Test folders that run in one environment."""

    name: str
    environment: str
    folders: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """How a suite ended.

    :param closing: pytest's last line, ``12 passed in 3.21s``.
    """

    suite: Suite
    passed: bool
    closing: str
    seconds: float


SUITES = (
    Suite(
        "unit, runner, architecture, oracle on Airflow 3",
        ".venv",
        ("tests/unit", "tests/runner", "tests/architecture", "tests/oracle"),
    ),
    Suite("unit, architecture on Airflow 2.11", ".venv-2.11", ("tests/unit", "tests/architecture")),
    Suite("integration on Airflow 3", ".venv", ("tests/integration",)),
    Suite("integration on Airflow 2.11", ".venv-2.11", ("tests/integration",)),
)


def main(arguments: Sequence[str]) -> int:
    """Run all suites; ``arguments`` go to pytest."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    results = [run(suite, arguments) for suite in SUITES]
    print("\nSummary")
    for result in results:
        mark = "passed" if result.passed else "FAILED"
        print(f"  {mark}  {result.suite.name} ({result.seconds:.0f} s): {result.closing}")
    failed = [result for result in results if not result.passed]
    if failed:
        where = REPORTS.relative_to(ROOT)
        print(f"FAILED: {len(failed)} of {len(results)} suites; what pytest printed is in {where}")
        return 1
    print(f"PASSED: all {len(results)} suites")
    return 0


def run(suite: Suite, arguments: Sequence[str]) -> Result:
    """Run one suite, printing what pytest prints and keeping it in the reports' folder."""
    print(f"\n=== {suite.name}", flush=True)
    started = time.monotonic()
    python = ROOT / suite.environment / "bin" / "python"
    command = [str(python), "-m", "pytest", "-q", *suite.folders, *arguments]
    report = REPORTS / f"{suite.name.replace(', ', '-').replace(' ', '-')}.txt"
    with report.open("w") as copy, _pytest(command) as process:
        deadline = threading.Timer(DEADLINE, process.send_signal, [signal.SIGINT])
        deadline.start()
        try:
            closing = _echo(process, copy)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            _echo(process, copy)
            raise
        finally:
            deadline.cancel()
    return Result(suite, process.returncode == 0, closing, time.monotonic() - started)


def _echo(process: subprocess.Popen[str], copy: TextIO) -> str:
    """Print what the process prints until it ends, and give its last line."""
    assert process.stdout
    closing = "nothing was printed"
    for line in process.stdout:
        print(line, end="", flush=True)
        copy.write(line)
        closing = line.strip().strip("= ") or closing
    return closing


def _pytest(command: Sequence[str]) -> subprocess.Popen[str]:
    """Pytest in a session of its own, so that only SIGINT ends it: tests then end what they started."""
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        # SIGINT too: a shell's background job ignores it, and hands that on to what it starts.
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("STOPPED")

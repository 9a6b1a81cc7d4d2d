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
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / ".work" / "reports"
# Seconds after which a suite that hangs is ended, and fails.
DEADLINE = 1500


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


# Suites of one group run at the same time: unit tests keep one core busy, Airflow's servers keep both.
GROUPS = (
    (
        Suite(
            "unit, runner, architecture, data systems, oracle on Airflow 3",
            ".venv",
            ("tests/unit", "tests/runner", "tests/architecture", "tests/connectors", "tests/oracle"),
        ),
        Suite(
            "unit, architecture, data systems on Airflow 2.11",
            ".venv-2.11",
            ("tests/unit", "tests/architecture", "tests/connectors"),
        ),
    ),
    (Suite("integration on Airflow 3", ".venv", ("tests/integration",)),),
    (Suite("integration on Airflow 2.11", ".venv-2.11", ("tests/integration",)),),
)


def main(arguments: Sequence[str]) -> int:
    """Run all suites; ``arguments`` go to pytest."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    results = [result for group in GROUPS for result in run_group(group, arguments)]
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


def run_group(suites: Sequence[Suite], arguments: Sequence[str]) -> list[Result]:
    """Run suites at the same time: what the first one prints is seen at once, the others' afterwards."""
    with ThreadPoolExecutor(len(suites)) as pool, ExitStack() as stack:
        processes = [(suite, stack.enter_context(_pytest(suite, arguments))) for suite in suites]
        try:
            quiet = [pool.submit(_followed, suite, process) for suite, process in processes[1:]]
            results = [_followed(*processes[0], shown=True)]
            for (suite, _), future in zip(processes[1:], quiet, strict=True):
                results.append(future.result())
                print(f"\n=== {suite.name}\n{_report(suite).read_text()}", end="", flush=True)
        except KeyboardInterrupt:
            for _, process in processes:
                process.send_signal(signal.SIGINT)
            raise
    return results


def _followed(suite: Suite, process: subprocess.Popen[str], *, shown: bool = False) -> Result:
    """How a suite ends; what it prints is kept in the reports' folder.

    :param shown: whether it is printed, too.
    """
    if shown:
        print(f"\n=== {suite.name}", flush=True)
    started = time.monotonic()
    deadline = threading.Timer(DEADLINE, process.send_signal, [signal.SIGINT])
    deadline.start()
    try:
        with _report(suite).open("w") as copy:
            closing = _echo(process, copy, shown=shown)
        process.wait()
    finally:
        deadline.cancel()
    return Result(suite, process.returncode == 0, closing, time.monotonic() - started)


def _report(suite: Suite) -> Path:
    return REPORTS / f"{suite.name.replace(', ', '-').replace(' ', '-')}.txt"


def _echo(process: subprocess.Popen[str], copy: TextIO, *, shown: bool) -> str:
    """Keep, and print, what the process prints until it ends, and give its last line."""
    assert process.stdout
    closing = "nothing was printed"
    for line in process.stdout:
        if shown:
            print(line, end="", flush=True)
        copy.write(line)
        closing = line.strip().strip("= ") or closing
    return closing


def _pytest(suite: Suite, arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Pytest in a session of its own, so that only SIGINT ends it: tests then end what they started."""
    python = ROOT / suite.environment / "bin" / "python"
    return subprocess.Popen(
        [str(python), "-m", "pytest", "-q", *suite.folders, *arguments],
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

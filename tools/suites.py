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
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NoReturn, TextIO

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / ".work" / "reports"
# Seconds after which a suite that hangs is ended, and fails.
DEADLINE = 2100


@dataclass(frozen=True)
class Suite:
    """Test folders that run in one environment.

    :param options: further arguments of pytest.
    """

    name: str
    environment: str
    folders: tuple[str, ...]
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """How a suite ended.

    :param closing: pytest's last line, ``12 passed in 3.21s``.
    """

    suite: Suite
    passed: bool
    closing: str
    seconds: float


# What meets Airflow, or a library of which Airflow 2.11 has another version (rich, SQLAlchemy): the rest is
# the same code with the same libraries on both lines.
_TWO = (
    "bundles cli connectors/mysql factory hooks operators runs sdk/display sdk/local spec_sources ui "
    "test_compat.py test_config.py test_get_provider_info.py"
)

# The longest first: whichever lane is free takes the next. Unit tests keep one core busy, and the integration
# tests of both lines of Airflow wait most of the time: together they fill two cores.
LANES = 3
SUITES = (
    Suite("integration on Airflow 3", ".venv", ("tests/integration",)),
    Suite(
        "unit, runner, architecture on Airflow 3",
        ".venv",
        ("tests/unit", "tests/runner", "tests/architecture"),
        ("--ignore", "tests/unit/sdk"),
    ),
    Suite("integration on Airflow 2.11", ".venv-2.11", ("tests/integration",)),
    Suite(
        "unit tests of the SDK on Airflow 3",
        ".venv",
        ("tests/unit/sdk",),
        ("--ignore", "tests/unit/sdk/results"),
    ),
    Suite("unit tests of results on Airflow 3", ".venv", ("tests/unit/sdk/results",)),
    Suite(
        "unit, architecture, data systems on Airflow 2.11",
        ".venv-2.11",
        (*(f"tests/unit/{name}" for name in _TWO.split()), "tests/architecture", "tests/connectors"),
    ),
    Suite("data systems, oracle on Airflow 3", ".venv", ("tests/connectors", "tests/oracle")),
    Suite("a part of the campaign, on Airflow 3", ".venv", ("tests/chaos",)),
    Suite("releases of Airflow", ".venv", ("tests/releases",)),
)


def main(arguments: Sequence[str]) -> int:
    """Run all suites; ``arguments`` go to pytest."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    return closed(Run(arguments).all(SUITES))


def closed(results: Sequence[Result]) -> int:
    """Print the summary and the verdict of suites; the exit code."""
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


class Run:
    """All suites of a run, and the processes of those that are under way.

    :param arguments: go to pytest.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def all(self, suites: Sequence[Suite]) -> list[Result]:
        """Run suites, some at the same time: print one lane as it goes on, the others afterwards."""
        waiting = deque(suites)
        with ThreadPoolExecutor(LANES - 1) as pool:
            try:
                quiet = [pool.submit(self._lane, waiting) for _ in range(LANES - 1)]
                results = self._lane(waiting, shown=True)
                for result in chain.from_iterable(lane.result() for lane in quiet):
                    results.append(result)
                    suite = result.suite
                    print(f"\n=== {suite.name}\n{_report(suite).read_text()}", end="", flush=True)
            except KeyboardInterrupt:
                self._stopped = True
                for process in tuple(self._running):
                    process.send_signal(signal.SIGINT)
                raise
        return results

    def _lane(self, waiting: deque[Suite], *, shown: bool = False) -> list[Result]:
        results: list[Result] = []
        while not self._stopped:
            try:
                suite = waiting.popleft()
            except IndexError:
                break
            results.append(self._suite(suite, shown=shown))
        return results

    def _suite(self, suite: Suite, *, shown: bool) -> Result:
        with _pytest(suite, self._arguments) as process:
            self._running.add(process)
            try:
                return _followed(suite, process, shown=shown)
            finally:
                self._running.discard(process)


def _followed(suite: Suite, process: subprocess.Popen[str], *, shown: bool) -> Result:
    """How a suite ends; what it prints is kept in the reports' folder.

    :param shown: whether it is printed, too.
    """
    if shown:
        print(f"\n=== {suite.name}", flush=True)
    started = time.monotonic()
    deadline = threading.Timer(DEADLINE, process.send_signal, [signal.SIGINT])
    deadline.start()
    try:
        with _report(suite).open("w", buffering=1) as copy:
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
        [str(python), "-m", "pytest", "-q", "--durations=15", *suite.options, *suite.folders, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def as_program(main: Callable[[list[str]], int]) -> NoReturn:
    """Run a main function with the arguments of this process, so that it can be stopped politely."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # SIGINT too: a shell's background job ignores it, and hands that on to what it starts.
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("STOPPED")


if __name__ == "__main__":
    as_program(main)

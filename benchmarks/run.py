"""Measures the figures of this package: ``.venv/bin/python -m benchmarks.run [--only NAME ...] [--write]``

Prints one table, ours and the original side by side, and for each target whether it was reached. The exit
code is 0 only when all were. ``--write`` puts the rows into ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence

from benchmarks import (
    bundle,
    databases,
    eager,
    environment_reuse,
    fused,
    memory,
    publish,
    s3_requests,
    scale,
    sdk_import,
    warm_task,
)
from benchmarks.figures import Figure
from benchmarks.lab import ROOT, BenchmarkFailed, Lab, open_lab
from benchmarks.results import README, commit_of, row, table, updated

BENCHMARKS: dict[str, Callable[[Lab], list[Figure]]] = {
    "warm_task": warm_task.measure,
    "environment_reuse": environment_reuse.measure,
    "s3_requests": s3_requests.measure,
    "memory": memory.measure,
    "scale": scale.measure,
    "bundle": bundle.measure,
    "fused": fused.measure,
    "sdk_import": sdk_import.measure,
    "publish": publish.measure,
    "eager": eager.measure,
    "databases": databases.measure,
}
PACKAGES = ("apache-airflow", "botocore", "moto", "pandas", "pyarrow", "uv")


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks that the arguments name."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Measure what a task costs."
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=BENCHMARKS, default=list(BENCHMARKS))
    parser.add_argument("--write", action="store_true", help="put the rows into benchmarks/README.md")
    options = parser.parse_args(arguments)
    return measure(options.only, write=options.write)


def measure(names: Sequence[str], *, write: bool) -> int:
    """Run benchmarks and judge their targets."""
    commit, done = commit_of(ROOT), dict[str, list[Figure]]()
    for name in names:
        figures = run(name)
        if figures is not None:
            show(figures)
            done[name] = figures
    rows = [row(name, figure, commit) for name, figures in done.items() for figure in figures]
    print(f"\n{commit}: {machine()}\n\n{table(rows)}\n")
    if write:
        text = updated(README.read_text(encoding="utf-8"), rows, machine(), list(BENCHMARKS))
        README.write_text(text, encoding="utf-8")
    return verdict(done, failed=[name for name in names if name not in done])


def show(figures: Sequence[Figure]) -> None:
    """Print figures while the other benchmarks are still to come."""
    for figure in figures:
        judged = f" ({figure.target}): {figure.verdict}" if figure.target else ""
        print(f"  {figure.what}: {figure.result or figure.ours}{judged}", flush=True)


def verdict(done: Mapping[str, Sequence[Figure]], failed: Sequence[str]) -> int:
    """Print whether all targets are reached; the exit code."""
    missed = [
        f"{name}: {figure.what}" for name, figures in done.items() for figure in figures if not figure.reached
    ]
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    if missed:
        print(f"NOT REACHED: {'; '.join(missed)}")
    if not failed and not missed:
        print("All targets are reached.")
    return 1 if failed or missed else 0


def run(name: str) -> list[Figure] | None:
    """The figures of one benchmark; None: it failed, which does not stop the others."""
    started = time.monotonic()
    print(f"{name} ...", flush=True)
    try:
        with open_lab() as lab:
            figures = BENCHMARKS[name](lab)
    except Exception as error:
        shown = str(error) if isinstance(error, BenchmarkFailed) else traceback.format_exc()
        print(f"  FAILED after {time.monotonic() - started:.0f} s: {shown}", file=sys.stderr, flush=True)
        return None
    print(f"  took {time.monotonic() - started:.0f} s", flush=True)
    return figures


def machine() -> str:
    """What the figures are measured on today, and with what."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, {versions}"
    )


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # So that whatever ends this process also ends the servers it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))

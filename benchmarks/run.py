"""Measures the figures of this package: ``.venv/bin/python -m benchmarks.run [--only NAME ...] [--write]``

Prints one table, ours and the original side by side, and for each target whether it was reached. The exit
code is 0 only when all were. ``--write`` puts the table into ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

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
from benchmarks.figures import Figure, table
from benchmarks.lab import Lab, open_lab

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
README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
PACKAGES = ("apache-airflow", "botocore", "moto", "uv")


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks that the arguments name."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Measure what a task costs."
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=BENCHMARKS, default=list(BENCHMARKS))
    parser.add_argument("--write", action="store_true", help="put the results into benchmarks/README.md")
    options = parser.parse_args(arguments)
    rows = [(name, figure) for name in options.only for figure in run(name)]
    report = f"{machine()}\n\n{table(rows)}"
    print(f"\n{report}\n")
    if options.write:
        command = " ".join(["python -m benchmarks.run", *arguments])
        write(f"`{command}`\n\n{report}")
    missed = [figure.what for _, figure in rows if not figure.reached]
    print(f"NOT REACHED: {'; '.join(missed)}" if missed else "All targets are reached.")
    return 1 if missed else 0


def run(name: str) -> list[Figure]:
    """The figures of one benchmark; its failure is one of them and does not stop the others."""
    started = time.monotonic()
    print(f"{name} ...", flush=True)
    try:
        with open_lab() as lab:
            figures = BENCHMARKS[name](lab)
    except Exception as error:
        print(f"  {error}", file=sys.stderr)
        figures = [Figure("it failed", type(error).__name__, target="to run", reached=False)]
    for figure in figures:
        verdict = f" ({figure.target}): {figure.verdict}" if figure.target else ""
        print(f"  {figure.what}: {figure.result or figure.ours}{verdict}")
    print(f"  took {time.monotonic() - started:.0f} s", flush=True)
    return figures


def machine() -> str:
    """What the figures were measured on, and with what."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{time.strftime('%Y-%m-%d')}, commit {commit()}: {os.cpu_count()} cores, {memory_gb:.0f} GB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {versions}. "
        "Medians, with the smallest and the largest value."
    )


def commit() -> str:
    """The commit that is measured, and whether there are changes since."""
    command = ["git", "-C", str(README.parent), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"


def write(report: str) -> None:
    """Replace what stands between the markers of the README."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f"{before}{BEGIN}\n\n{report}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # So that whatever ends this process also ends the servers it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))

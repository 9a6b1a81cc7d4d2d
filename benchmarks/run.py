"""Measures the figures of this package: ``.venv/bin/python -m benchmarks.run``

Prints one table, ours and the original side by side, and for each target whether it was reached. The exit
code is 0 only when all were. ``--write`` puts the rows into ``benchmarks/README.md``. ``--smoke`` runs each
benchmark once at a small size, where figures say nothing: only what ends in an error fails.
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
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

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
    table_codecs,
    ui_pages,
    warm_task,
)
from benchmarks.figures import Figure
from benchmarks.lab import ROOT, BenchmarkFailed, open_lab, s3_server
from benchmarks.results import README, commit_of, row, table, updated

# Each has ``measure(lab, sizes)``, and the sizes FULL and SMOKE.
BENCHMARKS: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        warm_task,
        environment_reuse,
        s3_requests,
        memory,
        table_codecs,
        scale,
        bundle,
        fused,
        sdk_import,
        publish,
        eager,
        databases,
        ui_pages,
    )
}
PACKAGES = ("apache-airflow", "botocore", "moto", "pandas", "pyarrow", "uv")


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks that the arguments name."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Measure what a task costs."
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=BENCHMARKS, default=list(BENCHMARKS))
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="put the rows into benchmarks/README.md")
    what.add_argument("--smoke", action="store_true", help="run each once at a small size, without targets")
    options = parser.parse_args(arguments)
    if options.smoke:
        return smoke(options.only)
    return measure(options.only, write=options.write)


def smoke(names: Sequence[str]) -> int:
    """Run benchmarks at small sizes."""
    started = time.monotonic()
    with s3_server() as port:
        failed = [name for name in names if run(name, BENCHMARKS[name].SMOKE, port) is None]
    verdict = f"FAILED: {', '.join(failed)}" if failed else f"PASSED: {len(names)} benchmarks ran"
    print(f"SMOKE {verdict} ({time.monotonic() - started:.0f} s; targets are not judged at small sizes)")
    return 1 if failed else 0


def measure(names: Sequence[str], *, write: bool) -> int:
    """Run benchmarks and judge their targets."""
    commit, done = commit_of(ROOT), dict[str, list[Figure]]()
    for name in names:
        figures = run(name, BENCHMARKS[name].FULL)
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


def run(name: str, sizes: Any, port: int | None = None) -> list[Figure] | None:
    """The figures of one benchmark; None: it failed, which does not stop the others.

    :param sizes: one of the benchmark's.
    :param port: of an S3 server; None: it gets one of its own.
    """
    started = time.monotonic()
    print(f"{name} ...", flush=True)
    try:
        with open_lab(port) as lab:
            figures: list[Figure] = BENCHMARKS[name].measure(lab, sizes)
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

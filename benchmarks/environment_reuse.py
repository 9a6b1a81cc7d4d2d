"""Environments: one that is cached against one that is built, by us with uv and as the original does it.

The original makes a virtual environment for each task and installs the 16 packages of ``aqueduct-ml`` into
it with pip: done here once, for real, with both pip and uv held to the versions in ``constraints/``. Files of
packages may come out of the caches of pip and uv, whose state is that of the machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from aqueduct_provider.environment.builder import UvBuilder
from aqueduct_provider.environment.cache import EnvironmentCache
from aqueduct_provider.environment.fingerprint import WORKER_PYTHON, EnvironmentSpec
from aqueduct_provider.environment.provide import provide
from benchmarks.figures import Figure, Series, duration, faster
from benchmarks.lab import ROOT, Lab, run
from tests.oracle.harness import oracle_python

LOOKUP_LIMIT = 0.005
TARGET = 150
PINS = str(ROOT / "constraints" / "oracle.txt")


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param original: the requirements of the original's environment.
    :param others: those of other environments.
    :param lookups: of a cached environment.
    :param reuses: of it, each with a process.
    :param builds: of each other environment, ours.
    :param pip_builds: the same with pip; the last one counts.
    """

    original: tuple[str, ...]
    others: tuple[tuple[str, ...], ...]
    lookups: int
    reuses: int
    builds: int
    pip_builds: int


FULL = Sizes(
    original=("aqueduct-ml==0.3.6",),
    others=(("cloudpickle",), ("cloudpickle", "pandas", "scikit-learn")),
    lookups=300,
    reuses=9,
    builds=3,
    pip_builds=2,
)
# The packages of the original take a minute to install.
SMOKE = Sizes(
    original=("cloudpickle",), others=(("cloudpickle",),), lookups=1, reuses=1, builds=1, pip_builds=1
)


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    python = _oracle("import sys; print(sys._base_executable)")
    version = _oracle("import sys; print('%d.%d' % sys.version_info[:2])")
    spec = EnvironmentSpec(sizes.original, version)
    by_pip = pip_build(lab, python, sizes.original, PIP_CONSTRAINT=PINS)
    cache = cache_in(lab, UV_CONSTRAINT=PINS)
    by_uv, reuse, lookup = Series(), Series(), Series()
    with by_uv.timed():
        lease(cache, spec)
    for _ in range(sizes.lookups):
        with lookup.timed():
            lease(cache, spec)
    for _ in range(sizes.reuses):
        with reuse.timed():
            subprocess.run([lease(cache, spec), "-I", "-c", ""], check=True)
    limit = f"below {duration(LOOKUP_LIMIT)}"
    median = duration(lookup.median)
    return [
        Figure(
            "looking up a cached environment", str(lookup), "", median, limit, lookup.median < LOOKUP_LIMIT
        ),
        faster("the original's environment, reused and started; virtualenv and pip", reuse, by_pip, TARGET),
        faster("the original's environment, built by uv; virtualenv and pip", by_uv, by_pip),
        *(build(lab, requirements, sizes) for requirements in sizes.others),
    ]


def build(lab: Lab, requirements: tuple[str, ...], sizes: Sizes) -> Figure:
    """A cold build of ours and of pip's, with the packages' files in their caches."""
    spec = EnvironmentSpec(requirements, WORKER_PYTHON)
    by_uv, by_pip = Series(), Series()
    lease(cache_in(lab), spec)
    for _ in range(sizes.builds):
        cache = cache_in(lab)
        with by_uv.timed():
            lease(cache, spec)
    for _ in range(sizes.pip_builds):
        by_pip = pip_build(lab, sys.executable, requirements)
    return faster(f"{', '.join(requirements)}, built by uv; virtualenv and pip", by_uv, by_pip)


def cache_in(lab: Lab, **variables: str) -> EnvironmentCache:
    """A new, empty cache."""
    root = lab.folder / f"environments-{uuid.uuid4().hex}"
    builder = UvBuilder(variables={**lab.variables(), **variables})
    return EnvironmentCache(root, builder, max_bytes=10**11)


def lease(cache: EnvironmentCache, spec: EnvironmentSpec) -> Path:
    """The Python of an environment, as a task gets it."""
    with provide(spec, isolation="always", cache=cache, on_line=lambda *_: None) as environment:
        return environment.executable


def pip_build(lab: Lab, python: str, requirements: tuple[str, ...], **variables: str) -> Series:
    """A virtual environment made with a Python's own means."""
    folder = lab.folder / f"virtualenv-{uuid.uuid4().hex}"
    environment = {**lab.variables(), **variables}
    series = Series()
    with series.timed():
        run([python, "-m", "venv", str(folder)], environment)
        run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *requirements], environment)
    shutil.rmtree(folder)
    return series


def _oracle(script: str) -> str:
    return run([str(oracle_python()), "-c", script], os.environ).strip()

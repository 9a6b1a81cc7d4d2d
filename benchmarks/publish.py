"""Publishing a flow of 100 operators to S3, and publishing it once more with nothing changed.

Each operator has a function of its own and takes what the one before it returned; every third uses a module
beside them. Each turn has a new bucket, and two processes, which publish the flow twice each.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.author import Order, Report
from benchmarks.figures import Figure, Series, at_most, duration
from benchmarks.lab import BenchmarkFailed, Lab, run
from tests.oracle.harness import Store

FIRST_LIMIT = 5.0
AGAIN_LIMIT = 0.20
CHECK_LIMIT = 2.0
REQUIREMENTS = ("pandas", "numpy", "scikit-learn", "requests")

HEAD = '''\
"""The author's flow."""

import logging

import numpy as np
import pandas as pd

import aqueduct_provider.sdk as aq
import scaling
from scaling import clipped

log = logging.getLogger(__name__)
REQUIREMENTS = {requirements}
'''

# Each operator is made of one of them, in turns.
STEPS = (
    '''

@aq.op(requirements=REQUIREMENTS)
def step_{n}(table) -> pd.DataFrame:
    """Add a smoothed column."""
    window = {n} % 7 + 2
    column = "value" if "value" in table else table.columns[0]
    result = table.copy()
    smooth = result[column].rolling(window, min_periods=1).mean()
    result["smooth_{n}"] = np.where(smooth.isna(), 0.0, smooth + {n})
    log.info("%d rows in step {n}", len(result))
    return result
''',
    '''

@aq.op(requirements=REQUIREMENTS)
def step_{n}(table):
    """Scale every numeric column, and keep it within bounds."""
    numeric = table.select_dtypes("number")
    scaled = scaling.rescaled(numeric, factor=1.{n})
    limits = {{name: (-{n}, {n} + 1) for name in scaled.columns}}
    for name, (lower, upper) in limits.items():
        scaled[name] = clipped(scaled[name], lower, upper)
    return scaled
''',
    '''

@aq.op(requirements=REQUIREMENTS)
def step_{n}(table):
    """Train a model on the table, and add what it predicts."""
    from sklearn.linear_model import LinearRegression

    def features(data):
        return data.fillna(0.0).to_numpy()[:, :{n} + 1]

    target = np.arange(len(table)) * {n}
    model = LinearRegression().fit(features(table), target)
    return pd.DataFrame({{"value": model.predict(features(table)), "step": {n}}})
''',
)
TAIL = """

def record():
    table = pd.DataFrame({{"value": [1.0, 2.0, 4.0, 8.0]}})
{calls}
    return table
"""
SCALING = '''\
"""What several steps share."""

import math

SHIFT = math.tau


def rescaled(table, factor):
    """The table around its means, in other units."""
    return (table - table.mean()) * factor + SHIFT


def clipped(column, lower, upper):
    """The column without what lies outside of the bounds."""
    return column.where(column.between(lower, upper), (lower + upper) / 2)
'''
PROFILE = """\
[resources.airflow]
service = "Airflow"
host = "127.0.0.1:1"
username = "benchmark"
password = "benchmark"
"""


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param turns: with the first, which compiles bytecode and is left out.
    """

    operators: int
    turns: int


FULL, SMOKE = Sizes(operators=100, turns=6), Sizes(operators=3, turns=1)


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    folder = write(lab, sizes.operators)
    reports, later, unchecked = list[Report](), list[Report](), list[Report]()
    for _ in range(sizes.turns):
        store = lab.bucket()
        reports.append(author(lab, folder, store))
        check(store, sizes.operators, versions=2)
        later.append(author(lab, folder, store))
        check(store, sizes.operators, versions=4)
        unchecked.append(author(lab, folder, lab.bucket(), load_check=False))
    pieces = author(lab, folder, lab.bucket(), phases=True).phases
    return figures(sizes.operators, reports, later, unchecked, pieces)


def figures(
    operators: int,
    reports: list[Report],
    later: list[Report],
    unchecked: list[Report],
    pieces: dict[str, float],
) -> list[Figure]:
    """What the processes of authors took.

    :param later: of those that published the same once more.
    :param unchecked: of those that did not load the archives first.
    :param pieces: seconds of the parts of one first publication.
    """
    first, again, new = series(reports, "first"), series(reports, "again"), series(later, "first")
    limit, result = f"below {duration(FIRST_LIMIT)}", duration(first.median)
    what = f"publish_flow of {operators} operators"
    without = series(unchecked, "first")
    return [
        Figure(what, str(first), "", result, limit, first.median < FIRST_LIMIT),
        at_most(f"{what}; without loading their archives first", first, without, CHECK_LIMIT),
        at_most(f"{what}, unchanged, once more; the first time", again, first, AGAIN_LIMIT),
        at_most(f"{what}, unchanged, in a new process; the first time", new, first),
        Figure("loading the SDK, pandas and the author's files", str(series(reports, "loading"))),
        Figure(f"making the client and recording {operators} calls", str(series(reports, "recording"))),
        Figure(
            "where the first publication spends its time",
            ", ".join(f"{name} {duration(seconds)}" for name, seconds in pieces.items()),
        ),
    ]


def series(reports: list[Report], name: str) -> Series:
    """One of the figures of all turns but the first."""
    return Series([getattr(report, name) for report in reports]).warm


def write(lab: Lab, operators: int) -> Path:
    """A folder with the author's files."""
    folder = lab.folder / "project"
    folder.mkdir()
    pins = [f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS]
    steps = [STEPS[n % len(STEPS)].format(n=n) for n in range(operators)]
    calls = "\n".join(f"    table = step_{n}(table)" for n in range(operators))
    text = HEAD.format(requirements=pins) + "".join(steps) + TAIL.format(calls=calls)
    (folder / "flow.py").write_text(text)
    (folder / "scaling.py").write_text(SCALING)
    profile = folder / "config.toml"
    profile.touch(0o600)
    profile.write_text(PROFILE)
    return folder


def author(lab: Lab, folder: Path, store: Store, **how: bool) -> Report:
    """Publish the flow twice, in a new process.

    :param how: fields of the order.
    """
    client = {
        "bucket": store.bucket,
        "region": "us-east-1",
        "endpoint_url": lab.endpoint,
        "credentials_path": str(store.credentials_path),
        "config_path": str(folder / "config.toml"),
    }
    order = json.dumps(dataclasses.asdict(Order(str(folder), client, **how)))
    output = run([sys.executable, "-m", "benchmarks.author"], lab.variables(), order)
    return Report(**json.loads(output.splitlines()[-1]))


def check(store: Store, operators: int, *, versions: int) -> None:
    """All that was published must be there, and the archives only once."""
    listed = store.client.get_paginator("list_objects_v2").paginate(Bucket=store.bucket)
    keys = [item["Key"] for page in listed for item in page.get("Contents", ())]
    found = {
        "archives": sum(key.endswith(".zip") for key in keys),
        "versions": sum("/versions/" in key for key in keys),
        "functions": sum(
            operator["type"] == "function"
            for key in keys
            if key.startswith("specs/")
            for operator in json.loads(store.get(key))["operators"]
        ),
    }
    expected = {"archives": operators, "versions": versions, "functions": operators}
    if found != expected:
        raise BenchmarkFailed(f"published were {found}, not {expected}: {', '.join(keys)[:2000]}")

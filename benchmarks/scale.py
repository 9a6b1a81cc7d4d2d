"""What a thousand flows cost: building their DAGs, against ``dag-factory`` and by hand; the one DAG that a
task needs; and what Airflow's database stores of a task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import chains
from benchmarks.figures import Figure, Series, at_most, duration
from benchmarks.lab import Lab, run
from tools.environments import ENVIRONMENTS

# Every case runs there, so that all have the same Airflow, plugins included.
DAG_FACTORY = ENVIRONMENTS["dag-factory"]
LIMIT_DAG_FACTORY = 0.30
LIMIT_BY_HAND = 1.3
LIMIT_FLAT = 1.15
LIMIT_START = 0.020
LIMIT_STORED = 1.2


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param specs: that the builders of DAGs are compared with.
    :param few: specs of which one DAG should cost as much as of ``many``.
    :param runs: of each case.
    """

    specs: int
    few: int
    many: int
    runs: int


FULL = Sizes(specs=1000, few=100, many=5000, runs=5)
SMOKE = Sizes(specs=3, few=2, many=3, runs=1)


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    return [*building(lab, sizes), flatness(lab, sizes), *task_starts(lab, sizes), *stored(lab)]


def building(lab: Lab, sizes: Sizes) -> list[Figure]:
    """DAGs of many specs, ours and others' in turns."""
    specs = chains.write(lab.folder, chains.native, sizes.specs)
    ours, by_hand, files, one_file, compiled = in_turns(
        lab,
        [
            ("dags_in", specs),
            ("by_hand", specs),
            ("dag_factory", chains.write_yaml(lab.folder, specs, one_file=False)),
            ("dag_factory", chains.write_yaml(lab.folder, specs, one_file=True)),
            ("dags_in", chains.write(lab.folder, chains.compiled, sizes.specs)),
        ],
        sizes.runs,
    )
    best, how = min((files, "a file for each DAG"), (one_file, "one file"), key=lambda way: way[0].median)
    what = f"one DAG of {chains.TASKS} tasks out of {sizes.specs}"
    return [
        at_most(f"{what}; dag-factory, YAML, {how}", ours, best, LIMIT_DAG_FACTORY),
        at_most(f"{what}; the same DAG by hand", ours, by_hand, LIMIT_BY_HAND),
        at_most(f"{what}, compiled specs; the same tasks by hand", compiled, by_hand),
    ]


def flatness(lab: Lab, sizes: Sizes) -> Figure:
    """Whether many specs cost more, each."""
    many, few = in_turns(
        lab,
        [("dags_in", chains.write(lab.folder, chains.native, count)) for count in (sizes.many, sizes.few)],
        sizes.runs,
    )
    return at_most(f"one DAG out of {sizes.many}; one out of {sizes.few}", many, few, LIMIT_FLAT)


def task_starts(lab: Lab, sizes: Sizes) -> list[Figure]:
    """The one DAG of a task among many, and alone."""
    one = chains.write(lab.folder, chains.native, 1)
    named = chains.write(lab.folder, chains.native, sizes.many)
    otherwise = chains.write(lab.folder, chains.native, sizes.many, "spec {}.json")
    last = chains.dag_id(sizes.many - 1)
    cases = [
        ("task_start", one, chains.dag_id(0)),
        ("task_start", named, last),
        ("task_start", otherwise, last),
        ("stub_start", one, chains.dag_id(0)),
        ("stub_start", named, last),
    ]
    alone, among, among_others, stub, stub_among = in_turns(lab, cases, sizes.runs)
    return [
        _more(f"task start, {sizes.many} specs named after their DAGs; one spec", among, alone, LIMIT_START),
        _more(f"task start from the bundle, {sizes.many} specs; one spec", stub_among, stub, LIMIT_START),
        # The client names none so: each file is read.
        _more(f"task start, {sizes.many} specs named otherwise; one spec", among_others, alone),
    ]


def stored(lab: Lab) -> list[Figure]:
    """Bytes in Airflow's database for each task."""
    folder = chains.write(lab.folder, chains.described, 1)
    ours = measured(lab, "stored_ours", folder)
    figures = []
    for name in ("empty", "python"):
        other = measured(lab, f"stored_{name}", folder)
        share = ours / other
        what = f"serialized task; {name.capitalize()}Operator with the same parameters"
        target = f"at most {LIMIT_STORED:.2f}x"
        reached = share <= LIMIT_STORED
        figures.append(Figure(what, f"{ours:.0f} B", f"{other:.0f} B", f"{share:.2f}x", target, reached))
    return figures


def in_turns(lab: Lab, cases: Sequence[tuple[str | Path, ...]], runs: int) -> list[Series]:
    """Each case some times, one after the other, each time in a new process."""
    series = [Series() for _ in cases]
    for _ in range(runs):
        for values, case in zip(series, cases, strict=True):
            values.values.append(measured(lab, *case))
    return series


def measured(lab: Lab, *case: str | Path) -> float:
    """What a function of ``building`` gives.

    :param case: its name and its arguments.
    """
    settings = {
        # It would tell its makers of every run.
        "AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY": "False",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(lab.folder / "bundles"),
    }
    command = [str(DAG_FACTORY.python), "-m", "benchmarks.building", *map(str, case)]
    return float(run(command, lab.variables() | settings).splitlines()[-1])


def _more(what: str, ours: Series, against: Series, limit: float | None = None) -> Figure:
    extra = ours.median - against.median
    target = "" if limit is None else f"below {duration(limit)} more"
    reached = limit is None or extra < limit
    return Figure(what, str(ours), str(against), f"{duration(extra)} more", target, reached)

"""What ``import aqueduct_provider.sdk`` costs, beside the original's ``import aqueduct``.

Whole processes, each ``python -c "import ..."`` in its own environment, from their start to their end, in
turns. The interpreter's own start is part of both, and is measured too, for information.
"""

from __future__ import annotations

import sys

from benchmarks.figures import Figure, Series, at_most
from benchmarks.lab import Lab, run
from tests.oracle.harness import oracle_python

RUNS = 15
LIMIT = 0.40
IMPORT = "import aqueduct_provider.sdk as aq"
# The names of the SDK load when they are first used.
NAMES = f"{IMPORT}; aq.op; aq.Client"


def measure(lab: Lab) -> list[Figure]:
    original = str(oracle_python())
    # Made before the clock starts: that takes a process of its own.
    variables = lab.variables()
    commands = {
        "ours": [sys.executable, "-c", IMPORT],
        "names": [sys.executable, "-c", NAMES],
        "nothing": [sys.executable, "-c", ""],
        "original": [original, "-c", "import aqueduct"],
        "original, nothing": [original, "-c", ""],
    }
    series = {name: Series() for name in commands}
    # The first turn compiles bytecode and is left out.
    for turn in range(RUNS + 1):
        for name, command in commands.items():
            with series[name].timed():
                run(command, variables)
        if turn == 0:
            series = {name: Series() for name in commands}
    ours, names, theirs = series["ours"], series["names"], series["original"]
    ratio = f"{names.median / theirs.median:.2f}x"
    return [
        at_most("import of the SDK, whole process; the original's", ours, theirs, LIMIT),
        Figure("the same with aq.op and aq.Client used", str(names), str(theirs), ratio),
        Figure(
            "the interpreter alone; the original's",
            str(series["nothing"]),
            str(series["original, nothing"]),
        ),
    ]

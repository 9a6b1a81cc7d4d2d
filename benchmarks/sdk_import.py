"""What ``import aqueduct_provider.sdk`` costs, beside the original's ``import aqueduct``.

Whole processes, each ``python -c "import ..."`` in its own environment, from their start to their end, in
turns. The interpreter's own start is part of both, and is measured too, for information.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from benchmarks.figures import Figure, Series, at_most
from benchmarks.lab import Lab, run
from tests.oracle.harness import oracle_python

LIMIT = 0.40
IMPORT = "import aqueduct_provider.sdk as aq"
# The names of the SDK load when they are first used.
NAMES = f"{IMPORT}; aq.op; aq.Client"


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param turns: with the first, which compiles bytecode and is left out.
    """

    turns: int


FULL, SMOKE = Sizes(turns=16), Sizes(turns=1)


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
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
    for _ in range(sizes.turns):
        for name, command in commands.items():
            with series[name].timed():
                run(command, variables)
    series = {name: values.warm for name, values in series.items()}
    ours, names, theirs = series["ours"], series["names"], series["original"]
    return [
        at_most("import of the SDK, whole process; the original's", ours, theirs, LIMIT),
        at_most("the same with aq.op and aq.Client used", names, theirs),
        Figure(
            "the interpreter alone; the original's",
            str(series["nothing"]),
            str(series["original, nothing"]),
        ),
    ]

"""A 1 GB artifact on its way through a task: how much memory the worker's process needs for it.

The child that runs the user's function needs memory for the value; the worker's process moves files. How long
it takes says nothing: moto reads the whole object again for each range of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from aqueduct_provider.artifacts.metadata import Metadata
from benchmarks import flows
from benchmarks.figures import Figure
from benchmarks.lab import BenchmarkFailed, Lab, store_of

MB = 10**6
LIMIT = 150 * MB
IDENTITY = "def predict(value):\n    return value\n"


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param megabytes: of the artifact.
    """

    megabytes: int


FULL, SMOKE = Sizes(megabytes=1000), Sizes(megabytes=20)


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    store = lab.bucket()
    value = lab.folder / "value"
    block = os.urandom(MB)
    with value.open("wb") as file:
        for _ in range(sizes.megabytes):
            file.write(block)
    archive = flows.archive(IDENTITY)
    store.put("identity.zip", archive)
    flow = flows.native(lab.endpoint, store, archive, "identity.zip", 1, 1)
    manifest = flow.publish_inputs(store_of(store), value, Metadata("bytes", "bytes", "bytes"))
    value.unlink()
    report = lab.run_task(lab.dag_folder(flow), flow, manifest)
    (sent,), (returned,) = (tuple(left["artifacts"].values()) for left in (manifest, report.manifest))
    if (returned["size"], returned["sha256"]) != (sizes.megabytes * MB, sent["sha256"]):
        raise BenchmarkFailed("the artifact did not come through as it was")
    growth = f"{report.growth / MB:.0f} MB"
    what = f"growth of the worker's peak memory by a {sizes.megabytes} MB artifact in and out"
    return [Figure(what, growth, "", growth, f"below {LIMIT // MB} MB", report.growth < LIMIT)]

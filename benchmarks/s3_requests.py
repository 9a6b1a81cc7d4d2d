"""How many S3 requests a function task makes, and what it gains by sending them together.

A proxy in front of the server counts the requests and lets each wait for 30 ms.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aqueduct_provider.artifacts.manifest import manifest_from_xcom
from aqueduct_provider.artifacts.transfer import fetch_content
from aqueduct_provider.storage.parallel import together
from benchmarks import flows
from benchmarks.figures import Figure, Series, at_most
from benchmarks.lab import Lab, Proxy, store_of
from tests.oracle.harness import Store

DELAY_MS = 30
LIMIT = 0.35


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param cases: numbers of inputs and outputs of a task.
    :param fetches: how often ten inputs are fetched in each way.
    """

    cases: tuple[tuple[int, int], ...]
    fetches: int


FULL = Sizes(cases=((0, 1), (1, 1), (10, 1), (3, 2)), fetches=9)
SMOKE = Sizes(cases=((1, 1),), fetches=1)


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    value = lab.folder / "value"
    value.write_text("1")
    with lab.proxy(DELAY_MS) as proxy:
        store = lab.bucket(proxy.endpoint)
        return [
            *(count(lab, proxy, store, value, *case, native=False) for case in sizes.cases),
            *(count(lab, proxy, store, value, *case, native=True) for case in sizes.cases),
            fetch_together(lab, store, value, sizes.fetches),
        ]


def count(
    lab: Lab, proxy: Proxy, store: Store, value: Path, inputs: int, outputs: int, *, native: bool
) -> Figure:
    """The requests of one task; in the native dialect, with its archive already on the worker."""
    result = ", ".join(["1"] * outputs)
    archive = flows.archive(f"def predict(*values):\n    return {result}\n")
    key = f"{outputs}.zip"
    store.put(key, archive)
    if native:
        flow = flows.native(proxy.endpoint, store, archive, key, inputs, outputs)
    else:
        flow = flows.compiled(store, key, inputs, outputs, entry_point_class="")
    manifest = flow.publish_inputs(store_of(store), value)
    folder = lab.dag_folder(flow)
    if native:
        lab.run_task(folder, flow, manifest)
    before = len(proxy.requests)
    lab.run_task(folder, flow, manifest)
    made = len(proxy.requests) - before
    limit = (0 if native else 1) + 2 * inputs + 2 * outputs + 1
    dialect = "native, archive cached" if native else "compiled"
    what = f"S3 requests with {inputs} inputs and {outputs} outputs, {dialect}"
    return Figure(what, str(made), "", str(made), f"at most {limit}", made <= limit)


def fetch_together(lab: Lab, store: Store, value: Path, times: int) -> Figure:
    """Ten inputs at once against one by one, with the very same code."""
    flow = flows.compiled(store, "1.zip", 10, 1, entry_point_class="")
    artifacts = store_of(store)
    refs = manifest_from_xcom(flow.publish_inputs(artifacts, value), "source").artifacts.values()
    at_once, one_by_one = Series(), Series()
    for _ in range(times):
        for series, workers in ((at_once, 10), (one_by_one, 1)):
            with tempfile.TemporaryDirectory(dir=lab.folder) as name, series.timed():
                paths = [Path(name) / str(index) for index in range(len(refs))]
                calls = [
                    partial(fetch_content, artifacts, ref, path)
                    for ref, path in zip(refs, paths, strict=True)
                ]
                together(calls, workers)
    return at_most(
        f"10 inputs fetched together; one by one ({DELAY_MS} ms per request)", at_once, one_by_one, LIMIT
    )

"""A warm function task with tiny values: ``execute()`` against the original executor's own process.

Both run the same task spec, one input and one output, in turns. The original's process is given its archive
unpacked, which it needs another process for. ``auto``: our task runs in the worker's own Python, so the
archive asks for what the worker has; ``always``: in a cached environment, the archive as the original SDK
made it.
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import cloudpickle

from aqueduct_provider.environment.fingerprint import WORKER_PYTHON
from benchmarks import flows
from benchmarks.figures import Figure, Series, at_most, duration
from benchmarks.lab import BenchmarkFailed, Lab, run, store_of
from tests.oracle.harness import EXECUTORS, UNPACK, Oracle, Store, oracle_python

LIMIT = 0.30
SOURCE = "def predict(x):\n    return x + 1\n"

# The original's botocore has no setting for an endpoint.
BOOTSTRAP = """
import runpy, sys
import botocore.session

endpoint, module, *arguments = sys.argv[1:]
create = botocore.session.Session.create_client

def create_client(self, *args, **kwargs):
    kwargs["endpoint_url"] = endpoint
    return create(self, *args, **kwargs)

botocore.session.Session.create_client = create_client
sys.argv = [module, *arguments]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param turns: with the first, which fills every cache and is left out.
    """

    turns: int


FULL, SMOKE = Sizes(turns=12), Sizes(turns=1)


def measure(lab: Lab, sizes: Sizes) -> list[Figure]:
    store = lab.bucket()
    with closing(Oracle(lab.endpoint, lab.folder / "tmp")) as oracle:
        archive = oracle.package(SOURCE)
    store.put("original.zip", archive)
    store.put("worker.zip", for_worker(archive))
    value = lab.folder / "value"
    value.write_text("1")
    tasks = {
        "auto": flows.compiled(store, "worker.zip", 1, 1),
        "always": flows.compiled(store, "original.zip", 1, 1),
    }
    folders = {isolation: lab.dag_folder(flow) for isolation, flow in tasks.items()}
    manifest = tasks["auto"].publish_inputs(store_of(store), value)
    original = flows.run_scoped(tasks["always"].document["task_specs"]["task"])
    unpack, function = (command(lab, module, original) for module in (UNPACK, EXECUTORS["function"]))
    # Made before the clock starts: that may take a process of its own.
    variables = lab.variables()

    def ours(isolation: str, *, phases: bool = False) -> Any:
        flow = tasks[isolation]
        return lab.run_task(folders[isolation], flow, manifest, phases=phases, isolation=isolation)

    series = {name: Series() for name in ("original", *tasks)}
    for _ in range(sizes.turns):
        run(unpack, variables)
        with series["original"].timed():
            run(function, variables)
        check(store, original)
        for isolation in tasks:
            series[isolation].values.append(ours(isolation).seconds)
            check(store, original)
    return [
        *(
            at_most(
                f"execute(), isolation = {isolation}; the original's process",
                series[isolation].warm,
                series["original"].warm,
                LIMIT,
            )
            for isolation in tasks
        ),
        *(parts(isolation, ours(isolation, phases=True).phases) for isolation in tasks),
    ]


def for_worker(archive: bytes) -> bytes:
    """The archive as if it had been packaged in the worker's own Python."""
    files = flows.unzipped(archive)
    function: dict[str, Any] = {"__name__": "__main__"}
    exec(SOURCE, function)
    own = {
        "model.pkl": cloudpickle.dumps(function["predict"]),
        "requirements.txt": f"cloudpickle=={importlib.metadata.version('cloudpickle')}\n".encode(),
        "python_version.txt": WORKER_PYTHON.encode(),
    }
    return flows.zipped({name: own.get(name.rpartition("/")[2], data) for name, data in files.items()})


def command(lab: Lab, module: str, spec: dict[str, Any]) -> list[str]:
    """Runs a module of the original on a task spec."""
    encoded = base64.b64encode(json.dumps(spec).encode()).decode()
    return [str(oracle_python()), "-c", BOOTSTRAP, lab.endpoint, module, "--spec", encoded]


def check(store: Store, spec: dict[str, Any]) -> None:
    """Whoever ran the task, it must have done all of its work; the next to run it must do it again."""
    state = store.get_json(spec["metadata_path"])
    if state["status"] != "succeeded" or store.get(spec["output_content_paths"][0]) != b"2":
        raise BenchmarkFailed(f"the task did not succeed: {state}")
    keys = [spec["metadata_path"], *spec["output_content_paths"], *spec["output_metadata_paths"]]
    for key in keys:
        store.client.delete_object(Bucket=store.bucket, Key=key)


def parts(isolation: str, phases: dict[str, float]) -> Figure:
    """Where the time of one run went."""
    text = ", ".join(f"{name} {duration(seconds)}" for name, seconds in phases.items())
    return Figure(f"where one execute() spends its time, isolation = {isolation}", text)

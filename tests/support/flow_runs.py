"""Runs flows without Airflow: the main path of ``execution/``, task by task, with real children."""

from __future__ import annotations

import hashlib
import io
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aqueduct_provider.artifacts.manifest import Manifest
from aqueduct_provider.connectors.requests import SystemOrder
from aqueduct_provider.environment.cache import WORKER, PythonEnvironment
from aqueduct_provider.execution.attempt import Attempt
from aqueduct_provider.execution.function_archive import ArchiveLimits
from aqueduct_provider.execution.fused import GroupAttempt
from aqueduct_provider.execution.sandbox import Sandbox
from aqueduct_provider.execution.task import OperatorTask, Worker
from aqueduct_provider.spec.flow_plan import flow_plan
from aqueduct_provider.spec.graph import order
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.spec.run_values import StoredValue
from aqueduct_provider.storage.object_store import ObjectStore

# What the fixture `sandboxed` sets.
SANDBOX: Sandbox | None = None

RUN_ID = "manual__2026-01-01T00:00:00+00:00"


def function_zip(source: str, **files: str) -> bytes:
    """A function archive written by hand: a module-level ``predict``, no class, no requirements."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, text in {"model.py": source, **files}.items():
            zipped.writestr(zipfile.ZipInfo(f"op/{name}"), text)
    return buffer.getvalue()


def code_of(store: ObjectStore, source: str) -> dict[str, Any]:
    """Put a function archive into the store and give its ``code`` in a native spec."""
    data = function_zip(source)
    digest = hashlib.sha256(data).hexdigest()
    store.put(f"code/{digest}.zip", data)
    return {"key": f"code/{digest}.zip", "sha256": digest, "entry_class": "", "requirements": []}


class LocalRun:
    """One run of a flow.

    :param folder: scratch space.
    :param params: parameter values of the run.
    :param worker: replaces fields of the :class:`Worker`.
    """

    def __init__(
        self,
        spec: WorkflowSpec,
        store: ObjectStore,
        folder: Path,
        *,
        params: Mapping[str, Any] | None = None,
        run_id: str = RUN_ID,
        **worker: Any,
    ) -> None:
        self.spec = spec
        self.params = params or {}
        self.given: Mapping[str, StoredValue] = {}
        self.dates: Mapping[str, str] = {}
        self.run_id = run_id
        self.lines: list[tuple[str, str]] = []
        self.manifests: dict[str, Manifest] = {}
        defaults: dict[str, Any] = {
            "store": store,
            "connect": lambda operator: store,
            "system": lambda operator: SystemOrder("SQLite", {"database": str(folder / "data.db")}),
            "provide": own_python,
            "cache_dir": folder / "cache",
            "archive_limits": ArchiveLimits(max_bytes=10_000_000, max_files=100),
            "variables": os.environ,
            "allowed_variables": frozenset(),
            "output_limit": 1_000_000,
            "kill_grace": 1.0,
            "requests": 4,
            "on_line": lambda stream, line: self.lines.append((stream, line)),
            "sandbox": SANDBOX,
        }
        self.worker = Worker(**{**defaults, **worker})

    def attempt(self, task_id: str) -> Attempt:
        """The next attempt at a task, with the inputs that earlier tasks of this run left."""
        operator = next(op for op in self.spec.operators if op.task_id == task_id)
        inputs = {
            artifact: self.manifests[self.spec.producer(artifact).task_id].artifacts[artifact]
            for artifact in operator.inputs
        }
        task = OperatorTask(self.spec, operator, self.run_id, self.params, inputs, self.given, self.dates)
        return Attempt(task, self.worker)

    def group(self, fuse: str, try_number: int = 1) -> GroupAttempt:
        """The next attempt at the operators that are fused by this name."""
        members = flow_plan(self.spec).tasks[fuse].operators
        inputs = {
            artifact: ref
            for manifest in self.manifests.values()
            for artifact, ref in manifest.artifacts.items()
        }
        task = OperatorTask(
            self.spec, members[0], self.run_id, self.params, inputs, self.given, self.dates, try_number
        )
        return GroupAttempt([replace(task, operator=operator) for operator in members], self.worker)

    def run(self, *task_ids: str) -> Manifest:
        """Run these tasks, or all in order; the last one's manifest."""
        for task_id in task_ids or order(self.spec):
            self.manifests[task_id] = self.attempt(task_id).run()
        return self.manifests[task_id]


@contextmanager
def own_python(*_: Any) -> Iterator[PythonEnvironment]:
    """Leases the Python that runs the tests, whatever is asked for."""
    yield PythonEnvironment(Path(sys.executable), WORKER, reused=True, build_seconds=0.0)

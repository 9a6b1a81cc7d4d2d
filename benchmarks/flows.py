"""The flows that are measured: specs of both dialects, archives, and inputs as a task before left them."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqueduct_provider.artifacts.manifest import Manifest
from aqueduct_provider.artifacts.metadata import Metadata
from aqueduct_provider.artifacts.transfer import NewArtifact, publish
from aqueduct_provider.execution.task import OperatorTask
from aqueduct_provider.spec import loader
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.object_store import ObjectStore
from tests.oracle.harness import Store, TaskSpecs

RUN_ID = "manual__2026-01-01T00:00:00+00:00"
TINY = Metadata("numeric", "json", "int")


@dataclass(frozen=True)
class Flow:
    """A flow of two tasks: ``source`` makes the inputs of ``task``, which is measured."""

    document: dict[str, Any]

    @property
    def spec(self) -> WorkflowSpec:
        return loader.parse(json.dumps(self.document).encode(), "benchmark.json")

    def publish_inputs(self, store: ObjectStore, path: Path, metadata: Metadata = TINY) -> dict[str, Any]:
        """Write the file ``path`` as each input of ``task``; what ``source`` would give to XCom."""
        spec = self.spec
        operator = next(operator for operator in spec.operators if operator.task_id == "task")
        layout = OperatorTask(spec, operator, RUN_ID, {}, {}).layout
        new = [
            NewArtifact(path, layout.content(name), layout.metadata(name), metadata)
            for name in operator.inputs
        ]
        refs = publish(store, new, workers=4)
        return Manifest("succeeded", dict(zip(operator.inputs, refs, strict=True))).to_xcom()


def compiled(store: Store, code: str, inputs: int, outputs: int, **changes: Any) -> Flow:
    """The flow in the compiled dialect.

    :param code: key of the archive.
    :param changes: fields of the task specs.
    """
    specs = TaskSpecs(store, store.credentials_path.parent)
    ins, outs = names("in", inputs), names("out", outputs)
    tasks = {"task": specs.function(code, inputs=ins, outputs=outs, **changes)}
    if inputs:
        source = {"metadata_path": "source-state", "name": "source", **changes}
        tasks["source"] = specs.function(code, outputs=ins, **source)
    document = {
        "name": "benchmark",
        "type": "compile_airflow",
        "storage_config": store.config,
        "metadata_path": "workflow",
        "output_content_path": "",
        "workflow_dag_id": str(uuid.uuid4()),
        "dag_id": f"compiled_{inputs}_{outputs}",
        "cron_schedule": "",
        "task_specs": tasks,
        "task_edges": {"source": ["task"]} if inputs else {},
    }
    return Flow(document)


def native(endpoint: str, store: Store, archive: bytes, code: str, inputs: int, outputs: int) -> Flow:
    """The flow in the native dialect, which pins the digest of its archive.

    :param endpoint: URL of the S3 server.
    :param code: key of the archive.
    """
    ins, outs = names("in", inputs), names("out", outputs)
    where = {"key": code, "sha256": hashlib.sha256(archive).hexdigest(), "entry_class": ""}
    tasks = [_function("task", where, ins, outs)]
    if inputs:
        tasks.append(_function("source", where, [], ins))
    document = {
        "spec_version": 1,
        "flow": {"id": str(uuid.uuid4()), "name": "benchmark"},
        "version": {"id": str(uuid.uuid4())},
        "dag_id": f"native_{inputs}_{outputs}",
        "artifact_store": {
            "type": "s3",
            "bucket": store.bucket,
            "region": "us-east-1",
            "endpoint_url": endpoint,
            "credentials_path": str(store.credentials_path),
        },
        "artifacts": [{"id": name, "name": name, "type": "untyped"} for name in ins + outs],
        "operators": tasks,
    }
    return Flow(document)


def _function(task_id: str, code: dict[str, str], inputs: list[str], outputs: list[str]) -> dict[str, Any]:
    return {
        "id": f"{task_id}-id",
        "task_id": task_id,
        "name": task_id,
        "type": "function",
        "code": code,
        "inputs": inputs,
        "outputs": outputs,
    }


def names(prefix: str, count: int) -> list[str]:
    """``count`` different names."""
    return [f"{prefix}{index}" for index in range(count)]


def run_scoped(task: dict[str, Any]) -> dict[str, Any]:
    """A task spec of the compiled dialect as the original's Airflow task gets it: keys of one run."""
    scoped = dict(task)
    for field, value in task.items():
        if field.endswith(("content_paths", "metadata_paths")):
            scoped[field] = [f"{path}_{RUN_ID}" for path in value]
    scoped["metadata_path"] = f"{task['metadata_path']}_{RUN_ID}"
    return scoped


def archive(source: str) -> bytes:
    """A function archive whose entry file is ``source`` and which needs no packages of its own."""
    return zipped({"op/model.py": source.encode()})


def zipped(files: dict[str, bytes]) -> bytes:
    """The files as a zip."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return data.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The files in a zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return {item.filename: source.read(item) for item in source.infolist() if not item.is_dir()}

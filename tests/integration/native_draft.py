"""A native spec in the making, with the function archives that it names."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from aqueduct_provider.sdk.packaging.package import PYTHON_VERSION
from tests.support.function_archives import function_archive

Json = dict[str, Any]


@dataclass
class Draft:
    """A flow whose operators are added one by one; ids of artifacts are the names given to them.

    :param artifact_store: as the native spec has it.
    :param fields: further fields of the spec (``schedule``, ``retention``).
    """

    dag_id: str
    artifact_store: Json
    description: str = ""
    tags: Sequence[str] = ()
    fields: Json = field(default_factory=dict)
    version: str = field(default_factory=lambda: str(uuid.uuid4()))
    archives: dict[str, bytes] = field(default_factory=dict, init=False)
    _operators: list[Json] = field(default_factory=list, init=False)
    _artifacts: list[Json] = field(default_factory=list, init=False)
    _parameters: list[Json] = field(default_factory=list, init=False)

    @property
    def flow_id(self) -> str:
        """The same for every version of the flow."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"aqueduct:{self.dag_id}"))

    def parameter(self, name: str, kind: str, default: Any, description: str = "") -> str:
        """Add a parameter; its value in a run is the artifact with its name."""
        inline = {"name": name, "type": kind, "default": {"value": default}, "description": description}
        self._parameters.append(inline)
        self._operator("param", name, (), {name: kind}, parameter=name)
        return name

    def call(
        self,
        function: Callable[..., Any],
        *inputs: str,
        outputs: Mapping[str, str],
        kind: str = "function",
        requirements: Sequence[str] = (),
        **fields: Any,
    ) -> None:
        """Add an operator that calls a function.

        :param inputs: names of the artifacts that it is called with.
        :param outputs: name and type of each artifact that it returns.
        :param kind: ``function``, ``metric`` or ``check``.
        :param fields: further fields of the operator, such as ``retries`` or ``severity``.
        """
        archive = function_archive(function, requirements)
        digest = hashlib.sha256(archive).hexdigest()
        key = f"functions/{digest}.zip"
        self.archives[key] = archive
        code = {"key": key, "sha256": digest, "python_version": PYTHON_VERSION}
        doc = function.__doc__ or ""
        self._operator(kind, function.__name__, inputs, outputs, code=code, description=doc, **fields)

    def system_metric(self, name: str, metric: str, measured: str) -> None:
        """Add a measurement (``runtime`` or ``max_memory``) of the operator that made an artifact."""
        self._operator("system_metric", name, (measured,), {name: "numeric"}, metric=metric)

    def load(self, name: str, saved: str, **target: Any) -> None:
        """Add an operator that saves an artifact.

        :param target: as the native spec has it: ``connector``, ``connection_id``, ...
        """
        self._operator("load", name, (saved,), {}, target=target)

    def document(self) -> Json:
        """The native spec."""
        created = datetime.now(timezone.utc).isoformat()
        return {
            "spec_version": 1,
            "flow": {
                "id": self.flow_id,
                "name": self.dag_id,
                "description": self.description,
                "tags": list(self.tags),
            },
            "version": {"id": self.version, "created_at": created},
            "dag_id": self.dag_id,
            "artifact_store": self.artifact_store,
            "artifacts": self._artifacts,
            "parameters": self._parameters,
            "operators": self._operators,
            **self.fields,
        }

    def publish(self, s3_client: Any, bucket: str, folder: Path, prefix: str = "") -> Path:
        """Put the archives into the bucket, then the spec into the DAG folder; returns the spec's file.

        :param prefix: of the store's keys: empty, or ending with ``/``.
        """
        for key, archive in self.archives.items():
            s3_client.put_object(Bucket=bucket, Key=prefix + key, Body=archive)
        return write_spec(folder, self.dag_id, self.document())

    def _operator(
        self, kind: str, task_id: str, inputs: Sequence[str], outputs: Mapping[str, str], **fields: Any
    ) -> None:
        self._artifacts += [{"id": name, "name": name, "type": type_} for name, type_ in outputs.items()]
        names = {"id": task_id, "task_id": task_id, "name": task_id, "type": kind}
        self._operators.append({**names, "inputs": list(inputs), "outputs": list(outputs), **fields})


def write_spec(folder: Path, dag_id: str, document: Json) -> Path:
    """Put a spec into a DAG folder, whole or not at all."""
    path = folder / f"{dag_id}.json"
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(document, indent=2))
    return unfinished.replace(path)

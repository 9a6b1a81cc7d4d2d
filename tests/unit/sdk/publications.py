"""Composed flows and a place to deliver them to, for tests of what is published."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from aqueduct_provider.sdk.publishing.compose import Composition
from aqueduct_provider.sdk.publishing.flow_names import dag_id_of, flow_id_of
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.storage.layout import FlowLayout, function_archive
from tests.support.example_specs import native_document


class Folder:
    """A delivery into this object.

    :param error: raised instead of delivering.
    """

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.specs: dict[str, bytes] = {}

    def deliver(self, dag_id: str, data: bytes) -> str:
        if self.error is not None:
            raise self.error
        self.specs[dag_id] = data
        return f"folder/{dag_id}.json"

    def delivered(self, dag_id: str) -> bytes | None:
        return self.specs.get(dag_id)

    def withdraw(self, dag_id: str) -> None:
        if self.error is not None:
            raise self.error
        self.specs.pop(dag_id, None)


def composition(name: str, *sources: str, default: bytes = b"model", description: str = "") -> Composition:
    """A new version of a flow: a stored parameter and one function for each source."""
    flow_id = flow_id_of(name)
    value = hashlib.sha256(default).hexdigest()
    objects = {FlowLayout(flow_id).value(value): default}
    operators = [_operator("p", type="param", parameter="p")]
    for number, source in enumerate(sources or ("f", "g")):
        data = f"archive of {source}".encode()
        digest = hashlib.sha256(data).hexdigest()
        objects[function_archive(digest)] = data
        operators.append(
            _operator(f"f{number}", type="function", code={"key": function_archive(digest), "sha256": digest})
        )
    stored = {"key": FlowLayout(flow_id).value(value), "serialization_type": "pickle", "sha256": value}
    document = native_document(
        flow={"id": flow_id, "name": name, "description": description},
        version={"id": str(uuid.uuid4()), "created_at": "2026-01-31T12:00:00+00:00"},
        dag_id=dag_id_of(name),
        artifact_store={"type": "connection"},
        artifacts=[{"id": one["outputs"][0], "name": one["name"]} for one in operators],
        parameters=[{"name": "p", "type": "picklable", "default": stored}],
        operators=operators,
    )
    text = json.dumps(document).encode()
    return Composition(spec=parse(text, "flow.json"), text=text, objects=objects)


def _operator(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "task_id": name, "name": name, "outputs": [f"{name}-out"], **fields}

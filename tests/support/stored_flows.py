"""Small flows that are run here, in a folder of their own, with real children."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.local import LocalStore
from tests.support.example_specs import (
    FLOW_ID,
    VERSION_ID,
    Document,
    compiled_document,
    function_task,
    param_task,
)
from tests.support.flow_runs import code_of, function_zip


class Flows:
    """A store, and flows whose code lies in it.

    :param folder: the store's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LocalStore(folder)

    def stored(self, data: bytes, serialization_type: str = "table") -> Document:
        """A parameter's default that lies in the store."""
        digest = hashlib.sha256(data).hexdigest()
        self.store.put(f"defaults/{digest}", data)
        return {"key": f"defaults/{digest}", "serialization_type": serialization_type, "sha256": digest}

    def document(self, *parts: Document, **fields: Any) -> Document:
        """A native spec of operators as :func:`call`, :func:`check` and :func:`param` give them."""
        operators = [self._operator(part) for part in parts]
        names = {part["task_id"] for part in parts}
        for operator in operators:
            assert set(operator.get("inputs", ())) <= names
        return {
            "spec_version": 1,
            "flow": {"id": FLOW_ID, "name": "small"},
            "version": {"id": VERSION_ID},
            "dag_id": "small",
            "artifact_store": {"type": "connection"},
            "artifacts": [
                {"id": part["task_id"], "name": part["task_id"], "type": part.get("kind", "untyped")}
                for part in parts
                if part["outputs"]
            ],
            "parameters": [part["declares"] for part in parts if "declares" in part],
            "operators": operators,
            **fields,
        }

    def spec(self, *parts: Document, **fields: Any) -> WorkflowSpec:
        """See :meth:`document`."""
        return parse(json.dumps(self.document(*parts, **fields)).encode(), "small.json")

    def compiled(
        self, defaults: dict[str, Any], source: str, kinds: Mapping[str, str] | None = None
    ) -> WorkflowSpec:
        """See :meth:`compiled_document`."""
        return parse(json.dumps(self.compiled_document(defaults, source, kinds)).encode(), "compiled.json")

    def compiled_document(
        self, defaults: dict[str, Any], source: str, kinds: Mapping[str, str] | None = None
    ) -> Document:
        """A compiled spec: parameters, and a function ``plus`` of all of them; it holds a secret.

        :param kinds: types of parameters that are not numeric.
        """
        for name, value in defaults.items():
            self.store.put(f"{name}-content", json.dumps(value).encode())
        self.store.put("plus-function", function_zip(source))
        plus = function_task("plus", inputs=list(defaults), entry_point_class="")
        params = {name: param_task(name, (kinds or {}).get(name, "numeric")) for name in defaults}
        tasks = {**params, "plus": plus}
        document = compiled_document(task_specs=tasks, task_edges={name: ["plus"] for name in defaults})
        document["storage_config"]["s3_config"].update(
            aws_access_key_id="example-key", aws_secret_access_key="example-secret"
        )
        for task in tasks.values():
            task["storage_config"] = document["storage_config"]
        return document

    def _operator(self, part: Document) -> Document:
        operator = {key: value for key, value in part.items() if key not in ("kind", "declares", "source")}
        operator |= {"id": f"{part['task_id']}-id", "name": part["task_id"]}
        if "source" in part:
            operator["code"] = code_of(self.store, part["source"])
        return operator


def call(task_id: str, source: str, *inputs: str, **fields: Any) -> Document:
    """A function; its artifact has its name. ``kind`` is the artifact's type."""
    return {
        "task_id": task_id,
        "type": "function",
        "source": source,
        "inputs": list(inputs),
        "outputs": [task_id],
        **fields,
    }


def check(task_id: str, source: str, *inputs: str, severity: str) -> Document:
    """A check."""
    return call(task_id, source, *inputs, type="check", severity=severity, kind="boolean")


def param(name: str, default: Any, kind: str = "numeric") -> Document:
    """A parameter; a dict with a ``key`` is a default in the store."""
    is_stored = isinstance(default, dict) and "key" in default
    declares = {"name": name, "type": kind, "default": default if is_stored else {"value": default}}
    return {
        "task_id": name,
        "type": "param",
        "parameter": name,
        "outputs": [name],
        "kind": kind,
        "declares": declares,
    }

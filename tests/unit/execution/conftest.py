from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.environment.fingerprint import EnvironmentSpec
from aqueduct_provider.execution.sandbox import Sandbox, find_sandbox
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.local import LocalStore
from tests.support import flow_runs
from tests.support.example_specs import FLOW_ID, VERSION_ID
from tests.support.flow_runs import RUN_ID, code_of, own_python


class Desk:
    """A store, and native flows of a few operators in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LocalStore(folder / "store")

    def code(self, source: str) -> dict[str, Any]:
        return code_of(self.store, source)

    def flow(
        self,
        *operators: dict[str, Any],
        types: dict[str, str] | None = None,
        parameters: tuple[dict[str, Any], ...] = (),
    ) -> WorkflowSpec:
        """Operators need no id, name or, where their outputs say it, artifacts."""
        outputs = [name for operator in operators for name in operator.get("outputs", ())]
        document = {
            "spec_version": 1,
            "flow": {"id": FLOW_ID, "name": "flow"},
            "version": {"id": VERSION_ID},
            "dag_id": "flow",
            "artifact_store": {"type": "connection"},
            "artifacts": [
                {"id": name, "name": name, "type": (types or {}).get(name, "untyped")} for name in outputs
            ],
            "parameters": list(parameters),
            "operators": [
                {"id": f"{item['task_id']}-id", "name": item["task_id"], **item} for item in operators
            ],
        }
        return parse(json.dumps(document).encode(), "flow.json")

    def state(self, task_id: str) -> dict[str, Any]:
        key = f"flows/{FLOW_ID}/runs/{RUN_ID}/operators/{task_id}-id/state.json"
        document: dict[str, Any] = json.loads(self.store.get(key))
        return document

    def content(self, artifact: str) -> bytes:
        return self.store.get(f"flows/{FLOW_ID}/runs/{RUN_ID}/artifacts/{artifact}/content")

    def metadata(self, artifact: str) -> dict[str, Any]:
        key = f"flows/{FLOW_ID}/runs/{RUN_ID}/artifacts/{artifact}/metadata.json"
        document: dict[str, Any] = json.loads(self.store.get(key))
        return document


class Asked:
    """Leases the Python of the tests, and remembers what was asked for."""

    def __init__(self) -> None:
        self.requirements: list[tuple[str, ...]] = []

    def __call__(self, spec: EnvironmentSpec, *rest: Any) -> Any:
        self.requirements.append(spec.requirements)
        return own_python()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def function(desk: Desk) -> Callable[..., dict[str, Any]]:
    """Makes the operator ``f``, of type function, from its source."""

    def make(source: str, **changes: Any) -> dict[str, Any]:
        return {
            "task_id": "f",
            "type": "function",
            "outputs": ["out"],
            "code": desk.code(source),
            **changes,
        }

    return make


@pytest.fixture(params=["none", "bwrap"])
def sandboxed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Sandbox | None:
    """Run what ``LocalRun`` runs without a sandbox, and again in one."""
    sandbox = find_sandbox(network=True, hidden=[Path.home()]) if request.param == "bwrap" else None
    monkeypatch.setattr(flow_runs, "SANDBOX", sandbox)
    return sandbox

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.s3 import S3Settings, connect
from tests.support.example_specs import FLOW_ID, SHA256, VERSION_ID
from tests.support.flow_runs import code_of


@pytest.fixture(autouse=True)
def airflow_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW__AQUEDUCT__CACHE_DIR", str(tmp_path / "cache"))


class Flows:
    """Native flows of functions, in a real bucket that the spec names with a credentials file."""

    def __init__(self, bucket: str, credentials: Path, endpoint: str) -> None:
        self.store = connect(
            S3Settings(bucket=bucket, endpoint_url=endpoint, credentials_path=str(credentials))
        )
        self.artifact_store = {
            "type": "s3",
            "bucket": bucket,
            "region": "us-east-1",
            "endpoint_url": endpoint,
            "credentials_path": str(credentials),
            "credentials_profile": "research",
        }

    def flow(self, *functions: dict[str, Any]) -> WorkflowSpec:
        """Each function is its task id, its source, its inputs and what else its operator has."""
        operators = []
        for function in functions:
            fields = {"type": "function", "outputs": [f"{function['task_id']}-out"], **function}
            code = code_of(self.store, fields.pop("source"))
            operators.append({"id": fields["task_id"], "name": fields["task_id"], "code": code, **fields})
        return self._parsed(operators)

    def param_flow(self, name: str, type_: str) -> WorkflowSpec:
        """A parameter whose published default is missing from the store."""
        default = {"key": "missing", "serialization_type": "pickle", "sha256": SHA256}
        param = {"id": name, "task_id": name, "name": name, "type": "param", "parameter": name}
        return self._parsed(
            [{**param, "outputs": [f"{name}-out"]}],
            parameters=[{"name": name, "type": type_, "default": default}],
        )

    def _parsed(self, operators: list[dict[str, Any]], **fields: Any) -> WorkflowSpec:
        document = {
            "spec_version": 1,
            "flow": {"id": FLOW_ID, "name": "flow"},
            "version": {"id": VERSION_ID},
            "dag_id": "flow",
            "artifact_store": self.artifact_store,
            "artifacts": [{"id": out, "name": out} for item in operators for out in item["outputs"]],
            "operators": operators,
            **fields,
        }
        return parse(json.dumps(document).encode(), "flow.json")


@pytest.fixture
def flows(bucket: str, credentials_file: Path, s3_server: str) -> Flows:
    return Flows(bucket, credentials_file, s3_server)

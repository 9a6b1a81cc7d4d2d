"""Documents of both dialects, for tests of every room: small, complete, and all that the formats know.

Each call gives a fresh document of the same flow: a parameter, two functions, a metric, an error check, a
warning check and a system metric.
"""

from __future__ import annotations

import copy
import uuid
from typing import Any

Document = dict[str, Any]

VERSION_ID = "5f0c1a8e-3b7d-4c52-9e61-2a4d8f7b6c10"
FLOW_ID = "0d9b7f64-58c1-4f7e-8a3e-6c1f2b5d4e90"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

STORAGE: Document = {
    "type": "s3",
    "s3_config": {
        "region": "us-east-2",
        "bucket": "aqueduct-test",
        "root_dir": "",
        "credentials_path": "/aws/credentials",
        "credentials_profile": "",
        "aws_access_key_id": "",
        "aws_secret_access_key": "",
    },
}


def compiled_document(**overrides: Any) -> Document:
    """A spec of the original Aqueduct; ``overrides`` replace its top-level fields."""
    tasks = {
        "threshold": param_task("threshold"),
        "features": function_task("features", inputs=["threshold"], type_="table"),
        "train": function_task("train", inputs=["features"], type_="picklable"),
        "accuracy": function_task("accuracy", inputs=["train"], operator="metric", type_="numeric"),
        "good_enough": function_task("good_enough", inputs=["accuracy"], operator="check", type_="boolean"),
        "no_drift": function_task(
            "no_drift", inputs=["features"], operator="check", type_="boolean", severity="warning"
        ),
        "train_runtime": system_metric_task("train_runtime", input_="train"),
    }
    return {
        "name": machine_name("compile-airflow"),
        "type": "compile_airflow",
        "storage_config": copy.deepcopy(STORAGE),
        "metadata_path": "compile-state",
        "output_content_path": "compile-output",
        "workflow_dag_id": VERSION_ID,
        "dag_id": "churn",
        "cron_schedule": "0 6 * * *",
        "task_specs": tasks,
        "task_edges": {
            "threshold": ["features"],
            "features": ["train", "no_drift"],
            "train": ["accuracy", "train_runtime"],
            "accuracy": ["good_enough"],
        },
        **overrides,
    }


def machine_name(kind: str, seed: str = "") -> str:
    """What the original's server names a flow or a task."""
    return f"{kind.replace('_', '-')}-operator-{uuid.uuid5(uuid.NAMESPACE_URL, seed)}"


def _task(name: str, type_: str) -> Document:
    return {
        "name": machine_name(type_, name),
        "type": type_,
        "storage_config": copy.deepcopy(STORAGE),
        "metadata_path": f"{name}-state",
    }


def function_task(
    name: str,
    *,
    inputs: list[str],
    type_: str = "untyped",
    operator: str = "function",
    severity: str | None = None,
    **overrides: Any,
) -> Document:
    """A task of type ``function`` that reads the artifacts of the named tasks."""
    if operator == "check":
        severity = severity or "error"
    return {
        **_task(name, "function"),
        "function_path": f"{name}-function",
        "function_extract_path": "",
        "entry_point_file": "model.py",
        "entry_point_class": "Function",
        "entry_point_method": "predict",
        "custom_args": "",
        "input_content_paths": [f"{other}-content" for other in inputs],
        "input_metadata_paths": [f"{other}-metadata" for other in inputs],
        "output_content_paths": [f"{name}-content"],
        "output_metadata_paths": [f"{name}-metadata"],
        "expected_output_artifact_types": [type_],
        "operator_type": operator,
        "check_severity": severity,
        "resources": None,
        "image": None,
        **overrides,
    }


def param_task(name: str, type_: str = "numeric", serialization: str = "json", **overrides: Any) -> Document:
    """A task of type ``param``."""
    return {
        **_task(name, "param"),
        "expected_type": type_,
        "serialization_type": serialization,
        "output_content_path": f"{name}-content",
        "output_metadata_path": f"{name}-metadata",
        **overrides,
    }


def system_metric_task(name: str, *, input_: str, metric: str = "runtime", **overrides: Any) -> Document:
    """A task of type ``system_metric`` that measures the named task."""
    return {
        **_task(name, "system_metric"),
        "metric_name": metric,
        "input_metadata_paths": [f"{input_}-metadata"],
        "output_content_path": f"{name}-content",
        "output_metadata_path": f"{name}-metadata",
        **overrides,
    }


S3_CONNECTOR: Document = {
    "type": "access_key",
    "access_key_id": "AKIAEXAMPLE",
    "secret_access_key": "example-secret",
    "bucket": "data",
    "region": "us-east-2",
}


_POSTGRES: Document = {
    "connector_name": "Postgres",
    "connector_config": {
        "username": "ada",
        "password": "planted-database-password",
        "database": "shop",
        "host": "db.example.org",
        "port": "5432",
    },
}
POSTGRES_EXTRACT: Document = {**_POSTGRES, "parameters": {"query": "SELECT * FROM orders WHERE id = $1"}}
POSTGRES_LOAD: Document = {**_POSTGRES, "parameters": {"table": "daily", "update_mode": "append"}}


def extract_task(name: str, *, filepath: str = '"in/a.csv"', **overrides: Any) -> Document:
    """A task of type ``extract`` that reads CSV from S3."""
    return {
        **_task(name, "extract"),
        "connector_name": "S3",
        "connector_config": copy.deepcopy(S3_CONNECTOR),
        "parameters": {"filepath": filepath, "artifact_type": "table", "format": "CSV", "merge": None},
        "input_content_paths": [],
        "input_metadata_paths": [],
        "output_content_path": f"{name}-content",
        "output_metadata_path": f"{name}-metadata",
        **overrides,
    }


def load_task(name: str, *, inputs: list[str], **overrides: Any) -> Document:
    """A task of type ``load`` that writes CSV to S3."""
    return {
        **_task(name, "load"),
        "connector_name": "S3",
        "connector_config": {"conf": copy.deepcopy(S3_CONNECTOR)},
        "parameters": {"filepath": "out/a.csv", "format": "CSV"},
        "input_content_paths": [f"{other}-content" for other in inputs],
        "input_metadata_paths": [f"{other}-metadata" for other in inputs],
        **overrides,
    }


def native_document(**overrides: Any) -> Document:
    """A spec of our own, of the same flow; ``overrides`` replace its top-level fields."""
    types = {
        "threshold": "numeric",
        "features": "table",
        "train": "picklable",
        "accuracy": "numeric",
        "good_enough": "boolean",
        "no_drift": "boolean",
        "train_runtime": "numeric",
    }
    return {
        "spec_version": 1,
        "flow": {"id": FLOW_ID, "name": "churn", "description": "Predicts who leaves.", "tags": ["ml"]},
        "version": {"id": VERSION_ID, "created_at": "2026-01-31T12:00:00+00:00"},
        "dag_id": "churn",
        "schedule": {"type": "cron", "cron": "0 6 * * *", "timezone": "Europe/Berlin"},
        "artifact_store": {
            "type": "s3",
            "bucket": "aqueduct-test",
            "region": "us-east-2",
            "credentials_path": "/aws/credentials",
        },
        "artifacts": [{"id": f"{name}-value", "name": name, "type": kind} for name, kind in types.items()],
        "parameters": [{"name": "threshold", "type": "numeric", "default": {"value": 0.5}}],
        "operators": [
            operator("threshold", "param", parameter="threshold"),
            call_operator("features", inputs=["threshold"]),
            call_operator("train", inputs=["features"], retries=2, retry_delay=30, timeout=3600.0),
            call_operator("accuracy", "metric", inputs=["train"]),
            call_operator("good_enough", "check", inputs=["accuracy"]),
            call_operator("no_drift", "check", inputs=["features"], severity="warning"),
            operator("train_runtime", "system_metric", inputs=["train"], metric="runtime"),
        ],
        "retention": {"k_latest_runs": 10},
        **overrides,
    }


def small_document(dag_id: str, **overrides: Any) -> Document:
    """A native spec of one task, for tests that need very many."""
    task = call_operator("only", inputs=[])
    artifact = {"id": "only-value", "name": "only", "type": "untyped"}
    document = native_document(dag_id=dag_id, flow={"id": FLOW_ID, "name": dag_id}, schedule=None)
    return {**document, "operators": [task], "artifacts": [artifact], "parameters": [], **overrides}


def operator(name: str, type_: str, *, inputs: list[str] | None = None, **fields: Any) -> Document:
    """An operator of a native spec that reads the artifacts of the named tasks and writes its own."""
    return {
        "id": f"{name}-operator",
        "task_id": name,
        "name": name,
        "type": type_,
        "inputs": [f"{other}-value" for other in inputs or ()],
        "outputs": [f"{name}-value"],
        **fields,
    }


def call_operator(name: str, type_: str = "function", *, inputs: list[str], **fields: Any) -> Document:
    """An operator that calls code."""
    code = {
        "key": f"code/{name}.zip",
        "sha256": SHA256,
        "requirements": ["cloudpickle==3.1.1", "pandas==2.2.3"],
        "python_version": "3.11",
    }
    return operator(name, type_, inputs=inputs, code=code, **fields)

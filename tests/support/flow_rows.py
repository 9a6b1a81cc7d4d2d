"""A flow in Airflow's tables: what its DAG states, and what its tasks left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.airflow_rows import AirflowRows
from tests.support.example_specs import FLOW_ID, VERSION_ID


def operator_json(name: str, kind: str, type_: str = "numeric", **options: Any) -> dict[str, Any]:
    """One operator as the attribute ``aqueduct`` of its task has it."""
    own = {
        "name": name,
        "task_id": name.replace(" ", "_"),
        "kind": kind,
        "severity": "",
        "inputs": [],
        "outputs": [{"id": f"{name}-id", "name": f"{name} artifact", "type": type_}],
    }
    return {**own, **options}


def attributes(operators: Sequence[dict[str, Any]], **flow: Any) -> dict[str, Any]:
    """The attributes ``aqueduct`` of a flow whose operators have tasks of their own."""
    own = {"id": FLOW_ID, "name": "Churn", "dialect": "native", "version": VERSION_ID, "store": None}
    found: dict[str, Any] = {one["task_id"]: {"operators": [one]} for one in operators}
    next(iter(found.values()))["flow"] = {**own, "created_at": "", "owner": "ada", "sha256": "", **flow}
    return found


CHURN = (
    operator_json("train", "function", "picklable"),
    operator_json("auc", "metric", inputs=["train artifact"]),
    operator_json("good", "check", "boolean", severity="warning", inputs=["auc artifact"]),
    operator_json("greater than 0.5", "check", "boolean", severity="error", inputs=["auc artifact"]),
)


def manifest(
    value: Any = None, status: str = "succeeded", *, version: str = VERSION_ID, **options: Any
) -> dict[str, Any]:
    """What one operator leaves in XCom."""
    glance = {} if value is None else {"value": value}
    ref = {
        "key": "k",
        "sha256": "0" * 64,
        "size": 8,
        "metadata_key": "m",
        "metadata_sha256": "0" * 64,
        "artifact_type": "numeric",
        "serialization_type": "json",
        "name": "x",
        "glance": glance,
    }
    spec = {"sha256": "0" * 64, "version": version}
    return {"version": 1, "status": status, "artifacts": {"id": ref}, "spec": spec, **options}


def add_churn(rows: AirflowRows, dag_id: str = "churn", **flow: Any) -> None:
    """Write the DAG of a flow with a metric and two checks."""
    rows.dag(dag_id, attributes(CHURN, **flow), name=flow.get("name", "Churn"))


def add_run(
    rows: AirflowRows, auc: float, good: str = "succeeded", dag_id: str = "churn", **options: Any
) -> str:
    """Write a run of it that ended well.

    :param good: the status of its check.
    """
    run_id = rows.run(dag_id)
    rows.task(dag_id, run_id, "train", manifest(**options), seconds=30)
    rows.task(dag_id, run_id, "auc", manifest(auc, **options), seconds=2)
    rows.task(dag_id, run_id, "good", manifest(good == "succeeded", good, **options))
    rows.task(dag_id, run_id, "greater_than_0.5", manifest(True, **options))
    return run_id

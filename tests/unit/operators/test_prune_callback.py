"""The callback after a flow's success, as Airflow calls it; only its context is a stand-in."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from aqueduct_provider.operators import prune_callback
from aqueduct_provider.operators.prune_callback import deletes, prune_after_success
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.layout import NativeLayout
from tests.support.example_specs import FLOW_ID, compiled_document, native_document
from tests.unit.operators.conftest import Flows

STATES = {"old": "success", "new": "running"}


def workflow(flows: Flows | None = None, *, keep: int | None = 1, snapshots: bool = True) -> WorkflowSpec:
    document = native_document(retention={"k_latest_runs": keep})
    for artifact in document["artifacts"]:
        artifact["keep_snapshot"] = snapshots or artifact["name"] != "features"
    if flows is not None:
        document["artifact_store"] = flows.artifact_store
    return parse(json.dumps(document).encode(), "churn.json")


@pytest.fixture
def context(flows: Flows, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    # Only a worker's own supervisor, or database, tells the states of runs.
    monkeypatch.setattr(prune_callback, "dag_run_state", lambda _ti, run_id: STATES.get(run_id))
    for run_id in STATES:
        flows.store.put(NativeLayout(FLOW_ID, run_id).content("features-value"), b"12345")
    task = SimpleNamespace(workflow=workflow(flows, snapshots=False))
    return {"task": task, "ti": SimpleNamespace(dag_id="churn"), "run_id": "new"}


def test_one_line_tells_what_was_deleted(
    context: dict[str, Any], flows: Flows, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, prune_callback.log.name):
        prune_after_success(context)
        prune_after_success({**context, "task": SimpleNamespace(workflow=workflow(flows, keep=None))})
    assert [record.message for record in caplog.records if record.name == prune_callback.log.name] == [
        "Retention: deleted 1 object (5 bytes) of 1 older run, for k_latest_runs=1: old; deleted what keeps "
        "no snapshot of this run: features."
    ]


def test_a_failure_is_one_warning(context: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    prune_after_success({**context, "task": SimpleNamespace(workflow=workflow())})
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.exc_info is None
    assert "The next run that succeeds goes on with it. CredentialsError: " in record.message


def test_whether_a_flow_deletes_anything() -> None:
    assert deletes(workflow())
    assert deletes(workflow(keep=None, snapshots=False))
    assert not deletes(workflow(keep=None))
    assert not deletes(parse(json.dumps(compiled_document()).encode(), "compiled.json"))


@pytest.mark.parametrize("leaves", [1, 3])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_task_that_announces_the_success_calls_it(leaves: int) -> None:
    from aqueduct_provider.factory.dag import dag_of

    document = native_document(retention={"k_latest_runs": 1})
    if leaves == 1:
        document["operators"] = document["operators"][:2]
        document["artifacts"] = document["artifacts"][:2]
    dag = dag_of(parse(json.dumps(document).encode(), "churn.json"), source="", fileloc="")
    callbacks = {task.task_id: task.on_success_callback for task in dag.tasks if task.on_success_callback}
    assert callbacks == {"features" if leaves == 1 else "flow_succeeded": [prune_after_success]}
    assert dag.get_task(*callbacks).workflow.retention.k_latest_runs == 1
    assert not any(
        task.on_success_callback for task in dag_of(workflow(keep=None), source="", fileloc="").tasks
    )

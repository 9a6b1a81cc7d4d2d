"""The objects that a run of the flow of ``deployment.py`` writes, written at once: no task runs for it."""

from __future__ import annotations

import json
import time

import aqueduct_provider.sdk as aq
from aqueduct_provider.state.exec_state import ExecState, FailureType, Status
from aqueduct_provider.storage.layout import NativeLayout
from tests.support.artifact_vouchers import vouch
from tests.support.deployment import Deployment


def leave(made: Deployment, flow: aq.Flow, run_id: str, rows: int) -> None:
    """A run as its operators leave it, with a table of no use; without rows it fails."""
    spec, layout = flow.spec, NativeLayout(flow.record.flow_id, run_id)
    values = {"rows": rows, "table": "no table", "total": rows + 10, "many": True}
    dag_id, version = flow.record.dag_id, str(spec.version.id)
    made.fake.add_run(dag_id, run_id, state="success" if rows else "failed")
    for operator in spec.operators if rows else spec.operators[:2]:
        well = rows > 0 or operator is spec.operators[0]
        for artifact in map(spec.artifact, operator.outputs if well else ()):
            metadata = {"artifact_type": artifact.type, "serialization_type": "json"}
            made.store.put(layout.content(artifact.id), json.dumps(values[artifact.name]).encode())
            made.store.put(layout.metadata(artifact.id), json.dumps(metadata).encode())
        made.fake.add_task(dag_id, run_id, operator.task_id, state="success" if well else "failed")
        if well:
            vouch(made.fake, made.store, spec, run_id, *operator.outputs)
        state = ExecState(Status.FAILED, FailureType.USER_FATAL, "No rows.", version=version)
        state = ExecState(Status.SUCCEEDED, version=version) if well else state
        made.store.put(layout.exec_state(operator.id), state.to_json())
    # S3 tells in whole seconds when an object was written, and the next run is to be newer.
    time.sleep(1 - time.time() % 1)

"""Many runs of a flow of many operators at a fake Airflow, as their tasks would have left them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from aqueduct_provider.artifacts.manifest import ArtifactRef, Manifest
from aqueduct_provider.operators.xcom import with_spec
from aqueduct_provider.sdk.flow import Flow
from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.storage.layout import NativeLayout
from tests.support.deployment import Deployment
from tests.support.example_specs import SHA256, call_operator, native_document

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def many_runs(made: Deployment, runs: int, operators: int) -> Flow:
    """Return a flow of metrics ``m0``, ``m1``, ...; in run ``r7``, the first one is 7, the next one 8."""
    names = [f"m{number}" for number in range(operators)]
    document = native_document(
        artifacts=[{"id": f"{name}-value", "name": name, "type": "numeric"} for name in names],
        operators=[call_operator(name, "metric", inputs=[]) for name in names],
        parameters=[],
    )
    spec = parse(json.dumps(document).encode(), "churn")
    made.fake.show(spec)
    flow_id, version_id = str(spec.flow.id), str(spec.version.id)
    for place in range(runs):
        begun = START + timedelta(hours=place)
        run_id = f"r{place}"
        made.fake.add_run(
            spec.dag_id, run_id, queued=begun, started=begun, ended=begun + timedelta(minutes=5)
        )
        layout = NativeLayout(flow_id, run_id)
        for number, name in enumerate(names):
            key = f"{name}-value"
            ref = ArtifactRef(
                *(layout.content(key), SHA256, 3, layout.metadata(key), SHA256, "numeric", "json", name),
                glance={"value": place + number},
            )
            ended = begun + timedelta(seconds=number + 1)
            task = made.fake.add_task(spec.dag_id, run_id, name, started=begun, ended=ended)
            task.xcoms["return_value"] = with_spec(Manifest("succeeded", {key: ref}, "metric"), spec)
    record = FlowRecord(flow_id, "churn", spec.dag_id, version_id, START, "cluster", "", spec.sha256)
    return Flow(made.session, record)

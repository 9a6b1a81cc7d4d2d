from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from aqueduct_provider.artifacts.manifest import ArtifactRef, GroupManifest, Manifest
from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS, Asset
from aqueduct_provider.operators.asset_events import describe_flow, describe_saved
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import VERSION_ID, native_document

FLOW = Asset("aqueduct://churn")
TABLE = "aqueduct-data://warehouse/daily"


def spec_of(**overrides: Any) -> WorkflowSpec:
    return parse(json.dumps(native_document(**overrides)).encode(), "churn.json")


def saving() -> WorkflowSpec:
    """The flow of the examples, which also saves its table."""
    document = native_document()
    target = {
        "connector": "Postgres",
        "connection_id": "warehouse",
        "table": "daily",
        "update_mode": "replace",
    }
    load = {"id": "save", "task_id": "save", "name": "save", "type": "load", "inputs": ["features-value"]}
    document["operators"].append({**load, "target": target})
    return parse(json.dumps(document).encode(), "churn.json")


def ref(name: str, **glance: Any) -> ArtifactRef:
    return ArtifactRef("key", "0" * 64, 3, "key.json", "1" * 64, "numeric", "json", name, glance)


def manifest(name: str, status: Any = "succeeded", **glance: Any) -> dict[str, Any]:
    return Manifest(status, {f"{name}-value": ref(name, **glance)}).to_xcom()


LEFT = {
    "accuracy": manifest("accuracy", value=0.9956),
    "good_enough": manifest("good_enough", value=True),
    "no_drift": manifest("no_drift", "warning", value=False),
    "train_runtime": manifest("train_runtime", value=3),
}


def context(left: dict[str, Any] | None = None) -> dict[str, Any]:
    """A task's, with the accessors of this Airflow."""
    if AIRFLOW_V_3_0_PLUS:
        from airflow.sdk.execution_time.context import OutletEventAccessors
    else:
        from airflow.utils.context import OutletEventAccessors

    pull = (left or {}).get
    return {
        "outlet_events": OutletEventAccessors(),
        "ti": SimpleNamespace(xcom_pull=lambda task_ids: pull(task_ids)),
    }


def test_the_event_of_a_flow_has_its_metrics_and_checks() -> None:
    task = context(LEFT)
    describe_flow(task, [Asset(TABLE), FLOW], spec_of(version={"id": VERSION_ID, "number": 12}))
    assert task["outlet_events"][FLOW].extra == {
        "flow": "churn",
        "version": f"v12 ({VERSION_ID[:8]})",
        "metrics": {"accuracy": 0.9956, "train_runtime": 3},
        "checks": {"good_enough": "passed", "no_drift": "warning"},
    }
    assert task["outlet_events"][Asset(TABLE)].extra == {}


def test_a_metric_has_the_name_of_its_output() -> None:
    document = native_document()
    names = {"accuracy-value": "third", "train_runtime-value": "train_runtime artifact (1)"}
    for artifact in document["artifacts"]:
        artifact["name"] = names.get(artifact["id"], artifact["name"])
    task = context(LEFT)
    describe_flow(task, [FLOW], parse(json.dumps(document).encode(), "churn.json"))
    assert task["outlet_events"][FLOW].extra["metrics"] == {"third": 0.9956, "train_runtime (1)": 3}


def test_a_group_is_asked_once_for_each_of_its_operators() -> None:
    operators = native_document()["operators"]
    for operator in operators:
        operator["fuse"] = "model"
    left = GroupManifest(
        {
            "accuracy": Manifest("succeeded", {"accuracy-value": ref("accuracy", value=0.5)}),
            "no_drift": Manifest("failed", {}),
        }
    ).to_xcom()
    task = context()
    describe_flow(task, [FLOW], spec_of(operators=operators), lambda task_id: {"model": left}[task_id])
    extra = task["outlet_events"][FLOW].extra
    assert (extra["metrics"], extra["checks"]) == ({"accuracy": 0.5}, {"no_drift": "failed"})


@pytest.mark.parametrize("word", ["nan", "inf", "-inf"])
def test_a_number_that_json_has_not_is_a_word(word: str) -> None:
    task = context({**LEFT, "accuracy": manifest("accuracy", value=word)})
    describe_flow(task, [FLOW], spec_of())
    extra = task["outlet_events"][FLOW].extra
    assert json.loads(json.dumps(extra, allow_nan=False))["metrics"] == {"accuracy": word, "train_runtime": 3}
    assert str(float(extra["metrics"]["accuracy"])) == word


@pytest.mark.parametrize("glance", [{}, {"value": "0.9"}, {"value": True}, {"value": "NaN"}])
def test_what_is_no_number_is_no_metric(glance: dict[str, Any]) -> None:
    task = context({**LEFT, "accuracy": manifest("accuracy", **glance), "no_drift": None})
    describe_flow(task, [FLOW], spec_of())
    extra = task["outlet_events"][FLOW].extra
    assert (extra["metrics"], extra["checks"]) == ({"train_runtime": 3}, {"good_enough": "passed"})


def test_other_tasks_ask_for_nothing() -> None:
    task = context()
    del task["ti"]
    describe_flow(task, [Asset(TABLE)], spec_of())
    describe_flow(task, [], spec_of())
    describe_flow({}, [FLOW], spec_of())
    assert len(task["outlet_events"]) == 0


def test_what_was_saved_has_its_rows() -> None:
    spec, task = saving(), context()
    describe_saved(
        task, [Asset(TABLE)], spec, spec.operators, {"features-value": ref("features", rows=133, columns=14)}
    )
    assert task["outlet_events"][Asset(TABLE)].extra == {
        "flow": "churn",
        "version": f"version {VERSION_ID[:8]}",
        "rows": 133,
        "columns": 14,
    }


@pytest.mark.parametrize("refs", [{}, {"features-value": ref("features", value=5)}])
def test_what_has_no_rows_has_none(refs: dict[str, ArtifactRef]) -> None:
    spec, task = saving(), context()
    describe_saved(task, [Asset(TABLE)], spec, spec.operators, refs)
    assert task["outlet_events"][Asset(TABLE)].extra == {}


def test_an_airflow_that_does_not_answer_fails_no_task(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    describe_flow(context(), [FLOW], spec_of(), lambda task_id: {}[task_id])
    assert "The event of aqueduct://churn has no facts of this run: KeyError" in caplog.text

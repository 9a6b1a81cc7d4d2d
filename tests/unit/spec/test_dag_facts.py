from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.spec.dag_facts import DagFacts, FlowFacts, OperatorFacts, OutputFacts, facts_of
from aqueduct_provider.spec.flow_plan import flow_plan
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import FLOW_ID, VERSION_ID, compiled_document, native_document

S3 = {"type": "s3", "bucket": "shop", "region": "eu-west-1", "endpoint_url": "https://minio.example.com"}


def spec_of(document: dict[str, Any]) -> WorkflowSpec:
    return parse(json.dumps(document).encode(), "churn.json")


def read(facts: dict[str, str]) -> DagFacts:
    found = DagFacts.of(facts)
    assert found is not None
    return found


def test_a_native_flow_is_known_from_its_dag() -> None:
    spec = spec_of(native_document(artifact_store={"type": "connection"}))
    facts = facts_of(spec)
    assert list(facts) == [operator.task_id for operator in spec.operators]
    assert [task_id for task_id, text in facts.items() if "flow" in json.loads(text)] == ["threshold"]
    found = read(facts)
    assert found.flow == FlowFacts(
        id=FLOW_ID,
        name="churn",
        dialect="native",
        version=VERSION_ID,
        created_at="2026-01-31T12:00:00+00:00",
        sha256=spec.sha256,
        timezone="Europe/Berlin",
        store={"connection_id": "aqueduct_default"},
    )
    (drift,) = found.tasks["no_drift"]
    (output,) = drift.outputs
    assert (drift.kind, drift.severity, drift.inputs) == ("check", "warning", (spec.artifacts[1].name,))
    assert (output.id, output.type) == (spec.operators[5].outputs[0], "boolean")
    assert [one.kind for (one,) in found.tasks.values()] == [operator.type for operator in spec.operators]


def test_a_compiled_flow_is_known_too() -> None:
    spec = spec_of(compiled_document())
    found = read(facts_of(spec))
    assert (found.flow.dialect, found.flow.version) == ("compiled", VERSION_ID)
    assert found.flow.timezone == "UTC"
    assert read(facts_of(spec_of(native_document(schedule=None)))).flow.timezone == ""
    assert found.flow.store is not None
    assert found.flow.store["bucket"] == "aqueduct-test"
    assert found.tasks["train"][0].outputs == (OutputFacts("train-content", "train", "picklable"),)


def test_keys_in_a_spec_leave_the_store_unknown() -> None:
    document = compiled_document()
    for holder in (document, *document["task_specs"].values()):
        holder["storage_config"]["s3_config"] |= {
            "aws_access_key_id": "AKIAPLANTED",
            "aws_secret_access_key": "planted",
        }
    facts = facts_of(spec_of(document))
    assert read(facts).flow.store is None
    assert "planted" not in json.dumps(facts).lower()


@pytest.mark.parametrize(("endpoint", "known"), [(S3["endpoint_url"], True), ("https://a:b@host", False)])
def test_a_store_of_the_spec(endpoint: str, known: bool) -> None:
    spec = spec_of(native_document(artifact_store={**S3, "endpoint_url": endpoint}))
    expected = {
        "bucket": "shop",
        "region": "eu-west-1",
        "root_dir": "",
        "endpoint_url": endpoint,
        "credentials_path": "",
        "credentials_profile": "",
    }
    assert read(facts_of(spec)).flow.store == (expected if known else None)


def test_a_group_has_its_operators_in_the_order_in_which_they_run() -> None:
    document = native_document()
    operators = document["operators"]
    for operator in operators[1:4]:
        operator["fuse"] = "model"
    operators[1], operators[3] = operators[3], operators[1]
    spec = spec_of(document)
    found = read(facts_of(spec, flow_plan(spec)))
    assert [one.task_id for one in found.tasks["model"]] == ["features", "train", "accuracy"]
    assert set(found.tasks) == {"threshold", "model", "good_enough", "no_drift", "train_runtime"}


def test_names_are_short() -> None:
    document = native_document(flow={"id": FLOW_ID, "name": "Größe" + "x" * 300})
    document["artifacts"][0]["name"] = "y" * 4000
    found = read(facts_of(spec_of(document)))
    assert found.flow.name == "Größe" + "x" * 194 + "\N{HORIZONTAL ELLIPSIS}"
    assert found.tasks["features"][0].inputs == ("y" * 199 + "\N{HORIZONTAL ELLIPSIS}",)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"a": None, "b": "text", "c": [], "d": {"flow": {"id": "f", "version": "v"}}, "e": "[]"},
        {"a": '{"flow": null}'},
        {"a": '{"flow": {"id": "f"}}'},
        {"a": '{"flow": {"id": 1, "version": 2}}'},
    ],
)
def test_other_dags_have_no_facts(attributes: dict[str, Any]) -> None:
    assert DagFacts.of(attributes) is None


def test_what_another_release_wrote_is_read_as_far_as_it_is_understood() -> None:
    flow = {"id": "f", "version": "v", "number": True, "store": {"bucket": 1}, "later": {}}
    operators = ["text", {"name": 1, "task_id": "t", "inputs": [1, "x"], "outputs": [None, {"id": "o"}]}]
    task = json.dumps({"flow": flow, "operators": operators})
    found = DagFacts.of({"other": None, "t": task, "u": '{"operators": 5}'})
    assert found == DagFacts(
        FlowFacts("f", "", "native", "v", store={"bucket": ""}),
        {"t": (OperatorFacts("", "t", "", inputs=("x",), outputs=(OutputFacts("o", "", ""),)),), "u": ()},
    )

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.factory.task_docs import label_options, owner_options, page_link
from aqueduct_provider.spec.flow_plan import flow_plan
from aqueduct_provider.spec.loader import parse
from tests.support.example_specs import compiled_document, native_document


def labels_of(task_id: str, document: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """What is shown of a task, whose operator has these fields, too."""
    document = document or native_document()
    for operator in document.get("operators", []):
        if operator["task_id"] == task_id:
            operator.update(fields)
    spec = parse(json.dumps(document).encode(), "churn.json")
    artifacts = {artifact.id: artifact for artifact in spec.artifacts}
    return label_options(flow_plan(spec).tasks[task_id].operators, artifacts)


def code(**fields: Any) -> dict[str, Any]:
    return {"code": {**native_document()["operators"][1]["code"], **fields}}


def test_a_function() -> None:
    assert labels_of("features", description="Reads *customers*.") == {
        "doc_md": "Reads *customers*.\n\n"
        "- Reads `threshold`.\n"
        "- Writes `features` (table).\n"
        "- Python 3.11.\n"
        "- Requirements: `cloudpickle==3.1.1, pandas==2.2.3`.\n"
    }


@pytest.mark.parametrize(("severity", "said"), [("error", "its task fails"), ("warning", "the flow goes on")])
def test_a_check_says_what_follows(severity: str, said: str) -> None:
    assert (
        f"- When the check does not pass, {said}.\n" in labels_of("good_enough", severity=severity)["doc_md"]
    )


def test_a_parameter_needs_nothing() -> None:
    labels = labels_of("threshold", name="The threshold")
    assert labels == {"doc_md": "- Writes `threshold` (numeric).\n", "task_display_name": "The threshold"}


def test_a_compiled_operator() -> None:
    assert labels_of("train", compiled_document()) == {
        "doc_md": "- Reads `features`.\n- Writes `train` (picklable).\n"
    }


def test_of_many_names_the_first_are_shown() -> None:
    document = native_document()
    document["operators"][1]["inputs"] = ["threshold-value"] * 23
    assert f"- Reads {'`threshold`, ' * 20}3 more.\n" in labels_of("features", document)["doc_md"]


def test_requirements_are_short_and_hold_no_password() -> None:
    requirements = [
        "pack @ https://ann:planted-secret@example.com/p.whl",
        *(f"package{n}==1" for n in range(200)),
    ]
    docs = labels_of("features", **code(requirements=requirements, python_version=None))["doc_md"]
    assert "`pack @ https://***@example.com/p.whl, package0==1, " in docs
    assert "planted" not in docs
    assert "- Python" not in docs
    assert 1000 < len(docs) < 1200


def test_a_group_says_once_what_its_operators_need() -> None:
    document = native_document()
    for operator in document["operators"][1:4]:
        operator["fuse"] = "model"
    labels = labels_of("model", document)
    assert labels["task_display_name"] == "model (3 operators)"
    assert labels["doc_md"].count("cloudpickle") == 1
    assert labels["doc_md"].endswith(
        "\n3. accuracy (`accuracy`, metric): Reads `train`. Writes `accuracy` (numeric).\n\n"
        "- Python 3.11.\n- Requirements: `cloudpickle==3.1.1, pandas==2.2.3`.\n"
    )


@pytest.mark.parametrize(
    ("task_id", "label"),
    [
        ("features", "Source, results and output of the newest run"),
        ("threshold", "Results of the newest run"),
    ],
)
def test_the_docs_lead_to_the_page_of_the_task(task_id: str, label: str) -> None:
    document = {**native_document(), "artifact_store": {"type": "connection"}}
    spec = parse(json.dumps(document).encode(), "churn.json")
    operators = flow_plan(spec).tasks[task_id].operators
    link = page_link(spec, operators, "/aqueduct/dags/churn/tasks/x")
    assert link == f"[{label}](/aqueduct/dags/churn/tasks/x)"
    artifacts = {artifact.id: artifact for artifact in spec.artifacts}
    assert label_options(operators, artifacts, link)["doc_md"].endswith(f"\n\n{link}\n")


def test_no_source_is_promised_of_a_store_that_pages_do_not_read() -> None:
    for document in (native_document(), compiled_document()):
        spec = parse(json.dumps(document).encode(), "churn.json")
        link = page_link(spec, flow_plan(spec).tasks["train"].operators, "/p")
        assert link == "[Results of the newest run](/p)"


def test_a_flow_without_owner_has_that_of_airflow() -> None:
    spec = parse(json.dumps(native_document()).encode(), "churn.json")
    assert owner_options(spec) == {}

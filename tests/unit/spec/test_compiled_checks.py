"""What the compiled dialect can get wrong between its tasks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider.spec import compiled_checks
from aqueduct_provider.spec.compiled_models import Document
from tests.support.example_specs import STORAGE, compiled_document, function_task

Edit = Callable[[Any], Any]


def problems_of(document: Any) -> dict[str, str]:
    model = Document.model_validate_json(json.dumps(document))
    return {p.path: p.message for p in compiled_checks.check(model, document["storage_config"])}


def in_task(name: str, **fields: Any) -> Edit:
    return lambda document: document["task_specs"][name].update(fields)


def at_top(**fields: Any) -> Edit:
    return lambda document: document.update(fields)


def storage(**fields: Any) -> Any:
    return {**STORAGE, "s3_config": {**STORAGE["s3_config"], **fields}}


@pytest.mark.parametrize(
    ("edit", "path", "message"),
    [
        (at_top(dag_id="my flow"), "$.dag_id", "must be 1 to 250 of A-Z"),
        (at_top(dag_id=""), "$.dag_id", "must be 1 to 250 of A-Z"),
        (at_top(dag_id="a" * 251), "$.dag_id", "must be 1 to 250 of A-Z"),
        (at_top(task_edges={"nobody": ["train"]}), "$.task_edges.nobody", "no such task"),
        (at_top(task_edges={"train": ["accuracy", "x y"]}), "$.task_edges.train[1]", "no such task"),
        (
            in_task("train", storage_config=storage(bucket="other")),
            "$.task_specs.train.storage_config",
            "differs from $.storage_config",
        ),
        (
            in_task("train", storage_config={"type": "s3", "s3_config": 5}),
            "$.task_specs.train.storage_config",
            "differs from $.storage_config",
        ),
        (
            in_task("train", input_metadata_paths=[]),
            "$.task_specs.train.input_metadata_paths",
            "as many entries as input_content_paths",
        ),
        (
            in_task("train", output_metadata_paths=[]),
            "$.task_specs.train.output_metadata_paths",
            "as many entries as output_content_paths",
        ),
        (
            in_task("train", expected_output_artifact_types=["table", "table"]),
            "$.task_specs.train.expected_output_artifact_types",
            "as many entries as output_content_paths",
        ),
        (
            in_task("train", input_metadata_paths=["other"]),
            "$.task_specs.train.input_metadata_paths[0]",
            "not the metadata path that $.task_specs.features gives this artifact",
        ),
        (
            in_task("train_runtime", output_metadata_path="train-metadata"),
            "$.task_specs.train_runtime",
            "its metadata would overwrite the metadata of $.task_specs.train",
        ),
        (
            in_task("train_runtime", output_content_path="train-state"),
            "$.task_specs.train_runtime",
            "its content would overwrite the exec state of $.task_specs.train",
        ),
        (
            in_task("train_runtime", output_metadata_path="train_runtime-content"),
            "$.task_specs.train_runtime",
            "its metadata would overwrite the content of",
        ),
    ],
)
def test_each_fault_between_tasks(edit: Edit, path: str, message: str) -> None:
    document: Any = compiled_document()
    edit(document)
    assert message in problems_of(document)[path]


def test_a_task_key_longer_than_airflow_allows() -> None:
    document: Any = compiled_document()
    document["task_specs"]["a" * 250] = function_task("fits", inputs=[])
    assert problems_of(document) == {}
    document["task_specs"]["a" * 251] = function_task("does_not", inputs=[])
    ((_, message),) = problems_of(document).items()
    assert "250 characters" in message


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"type": "file", "file_config": {"directory": "/x"}}, "$.storage_config.type"),
        ({"type": "gcs"}, "$.storage_config.type"),
        ({"type": "s3"}, "$.storage_config.s3_config"),
        (storage(aws_access_key_id="AKIA"), "$.storage_config.s3_config"),
        (storage(aws_secret_access_key="hunter2"), "$.storage_config.s3_config"),
    ],
)
def test_only_s3_is_legal_and_it_is_said_once(config: Any, path: str) -> None:
    document: Any = compiled_document(storage_config=config)
    for task in document["task_specs"].values():
        task["storage_config"] = config
    problems = problems_of(document)
    assert list(problems) == [path]
    assert "hunter2" not in str(problems)


def test_spelling_alone_makes_no_difference_between_storages() -> None:
    document: Any = compiled_document()
    del document["task_specs"]["train"]["storage_config"]["s3_config"]["root_dir"]
    document["task_specs"]["train"]["storage_config"]["gcs_config"] = None
    assert problems_of(document) == {}


def test_an_image_is_noticed() -> None:
    document = compiled_document()
    document["task_specs"]["train"]["image"] = {"registry_id": "r", "service": "s", "url": "u"}
    (notice,) = compiled_checks.notices(Document.model_validate_json(json.dumps(document)))
    assert notice.path == "$.task_specs.train.image"
    assert notice.message.startswith("the image of task 'train' is not used")

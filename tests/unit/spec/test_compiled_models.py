"""The compiled dialect as it stands on paper."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.spec.compiled_models import Document, ExtractTask, decoded_filepath
from tests.support.example_specs import compiled_document, extract_task


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('"a/b.csv"', "a/b.csv"),
        ('"folder/"', "folder/"),
        ('["a", "b"]', ("a", "b")),
        ("a/b.csv", None),
        ('""', None),
        ("[]", None),
        ('["a", 1]', None),
        ("{}", None),
        ("1", None),
        ("[" * 100_000, None),
    ],
)
def test_a_filepath_is_json_inside_text(text: str, paths: object) -> None:
    assert decoded_filepath(text) == paths


@pytest.mark.parametrize(
    ("filepath", "kind", "merge", "gives"),
    [
        ('"a"', "table", None, "table"),
        ('"a"', "image", True, "image"),
        ('"a/"', "table", True, "table"),
        ('"a/"', "table", False, "tuple"),
        ('["a"]', "image", True, "tuple"),
        ('"a"', "nonsense", None, "untyped"),
    ],
)
def test_what_an_extract_gives(filepath: str, kind: str, merge: Any, gives: str) -> None:
    parameters = {"filepath": filepath, "artifact_type": kind, "merge": merge}
    task = ExtractTask.model_validate_json(json.dumps(extract_task("a", parameters=parameters)))
    assert [value.value for value in task.output_types] == [gives]


def test_secrets_are_not_shown() -> None:
    document: Any = compiled_document()
    config = {**document["storage_config"]["s3_config"], "aws_secret_access_key": "hunter2"}
    document["storage_config"]["s3_config"] = config
    for task in document["task_specs"].values():
        task["storage_config"]["s3_config"] = config
    document["task_specs"]["read"] = extract_task("read", connector_config={"secret_access_key": "hunter2"})
    assert "hunter2" not in repr(Document.model_validate_json(json.dumps(document)))

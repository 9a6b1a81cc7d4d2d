from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from aqueduct_provider.artifacts.manifest import (
    ArtifactRef,
    GroupManifest,
    Manifest,
    check_outcome,
    manifest_from_xcom,
)
from aqueduct_provider.errors import IntegrityError

REF = ArtifactRef("key", "0" * 64, 3, "key.json", "1" * 64, "numeric", "json", "auc", {"value": 0.5})


def test_a_manifest_survives_json() -> None:
    manifest = Manifest("warning", {"a1": REF}, "check", "warning", 0.25)
    assert manifest_from_xcom(json.loads(json.dumps(manifest.to_xcom())), "train") == manifest


def test_the_environment_of_a_task_is_read_back() -> None:
    made = Manifest("succeeded", {}, "function", "", 7.5, "1a2b3c4d5e6f", 4.2)
    assert manifest_from_xcom(json.loads(json.dumps(made.to_xcom())), "train") == made
    assert "build_seconds" not in Manifest("succeeded", {}, environment="worker").to_xcom()


def test_a_check_that_succeeded_has_passed() -> None:
    assert [check_outcome(one) for one in ("succeeded", "warning", "failed")] == [
        "passed",
        "warning",
        "failed",
    ]


@pytest.mark.parametrize("value", [None, "text", {}, {"version": 2, "status": "succeeded", "artifacts": {}}])
def test_what_is_no_manifest_is_refused_with_the_tasks_name_and_a_cure(value: Any) -> None:
    with pytest.raises(IntegrityError, match="Clear task 'train' to run it again"):
        manifest_from_xcom(value, "train")


def test_what_other_releases_wrote_can_be_read() -> None:
    value = Manifest("succeeded", {"a1": REF}).to_xcom()
    older = {
        name: field for name, field in value["artifacts"]["a1"].items() if name not in ("name", "glance")
    }
    read = manifest_from_xcom({**value, "artifacts": {"a1": older}}, "train")
    assert read.artifacts["a1"] == dataclasses.replace(REF, name="", glance={})
    newer = {**value, "extra": 1, "artifacts": {"a1": {**value["artifacts"]["a1"], "lines": 3}}}
    assert manifest_from_xcom(newer, "train").artifacts == {"a1": REF}


@pytest.mark.parametrize(
    "forged",
    [
        {"status": ["failed"]},
        {"status": "done"},
        {"status": {}},
        {"seconds": "1"},
        {"seconds": [1]},
        {"build_seconds": "4"},
    ],
)
def test_facts_that_cannot_be_are_refused(forged: dict[str, Any]) -> None:
    value = {**Manifest("succeeded", {"a1": REF}).to_xcom(), **forged}
    with pytest.raises(IntegrityError, match="cannot be read"):
        manifest_from_xcom(value, "train")


def test_a_group_has_a_manifest_for_each_operator() -> None:
    manifests = {"a": Manifest("warning", {"a1": REF}), "b": Manifest("succeeded", {})}
    value = json.loads(json.dumps(GroupManifest(manifests).to_xcom()))
    assert value.keys() == {"version", "operators"}
    assert GroupManifest(manifests).written() == manifests["a"].written() == {"a1": REF}
    assert [manifest_from_xcom(value, "flow", name) for name in "ab"] == list(manifests.values())


@pytest.mark.parametrize("operator", ["c", ""])
def test_an_operator_that_a_group_did_not_run_left_nothing(operator: str) -> None:
    value = GroupManifest({"a": Manifest("succeeded", {})}).to_xcom()
    with pytest.raises(IntegrityError, match="Clear task 'flow' to run it again"):
        manifest_from_xcom(value, "flow", operator)

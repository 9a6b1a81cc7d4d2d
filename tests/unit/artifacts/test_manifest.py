from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.artifacts.manifest import ArtifactRef, Manifest, manifest_from_xcom
from aqueduct_provider.errors import IntegrityError

REF = ArtifactRef("key", "0" * 64, 3, "key.json", "1" * 64, "numeric", "json")


def test_a_manifest_survives_json() -> None:
    manifest = Manifest("warning", {"a1": REF})
    assert manifest_from_xcom(json.loads(json.dumps(manifest.to_xcom())), "train") == manifest


@pytest.mark.parametrize("value", [None, "text", {}, {"version": 2, "status": "succeeded", "artifacts": {}}])
def test_what_is_no_manifest_is_refused_with_the_tasks_name_and_a_cure(value: Any) -> None:
    with pytest.raises(IntegrityError, match="Clear task 'train' to run it again"):
        manifest_from_xcom(value, "train")

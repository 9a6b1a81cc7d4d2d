"""What differs, in sentences and as JSON; ``test_flow_diff.py`` has those of real flows."""

from __future__ import annotations

import json

import pytest

from aqueduct_provider.sdk.versions.differences import Change, Differences, OperatorChange

NEW = Change("x", None, {"type": "table", "keep_snapshot": True})


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        ({}, []),
        ({"added": tuple("abcdefg")}, ["added a, b, c, d, e and 2 more"]),
        ({"removed": ("a",), "changed": (OperatorChange("b"),)}, ["removed a", "changed b"]),
        ({"added": ("a",), "artifacts": (NEW,), "edges": (Change("b -> a", None, "x"),)}, ["added a"]),
        ({"edges": (Change("b -> a", "x", "y"),)}, ["changed the edges"]),
        ({"artifacts": (NEW,)}, ["renamed artifacts"]),
        ({"artifacts": (Change("x", {"type": "list"}, {"type": "table"}),)}, ["changed the artifacts x"]),
        ({"settings": (Change("artifact_store", 1, 2),)}, ["changed the artifact store"]),
        ({"schedule": Change("schedule", None, {})}, ["changed the schedule"]),
    ],
)
def test_sentences(fields: dict[str, object], sentences: list[str]) -> None:
    found = Differences("v1", "v2", **fields)  # type: ignore[arg-type]
    assert found.summary() == sentences
    assert found.is_empty is (not fields)


def test_json() -> None:
    found = Differences("v1", "v2", changed=(OperatorChange("b", requirements=(Change("p", "p==1", None),)),))
    document = json.loads(json.dumps(found.to_json()))
    assert document["changed"] == [
        {
            "name": "b",
            "source": "",
            "requirements": [{"name": "p", "before": "p==1", "after": None}],
            "options": [],
            "code_changed": False,
            "note": "",
            "is_repackaged": False,
        }
    ]
    assert document["is_empty"] is False

"""Why content is gone: the mark of the run, or the spec, or nobody knows."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from pathlib import Path

import pytest

from aqueduct_provider.sdk.results.deleted import Deletion, deletion_of
from aqueduct_provider.spec.models import ArtifactSpec
from aqueduct_provider.state.pruned import PrunedMark
from aqueduct_provider.storage.layout import NativeLayout
from aqueduct_provider.storage.local import LocalStore

LAYOUT = NativeLayout("flow", "run")
KEPT = ArtifactSpec(id="total", name="Total")
UNKEPT = ArtifactSpec(id="table", name="Table", keep_snapshot=False)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def test_a_pruned_run(store: LocalStore) -> None:
    mark = PrunedMark(datetime.now(timezone.utc), "k_latest_runs", 3, "v1", {"total": 6})
    store.put(LAYOUT.pruned_mark, mark.to_json())
    assert deletion_of(store, LAYOUT, KEPT) == Deletion(mark.reason, 6)
    assert deletion_of(store, LAYOUT, UNKEPT) == Deletion(mark.reason)


def test_an_artifact_without_snapshot(store: LocalStore) -> None:
    found = deletion_of(store, LAYOUT, UNKEPT)
    assert found is not None
    assert "keep_snapshot" in found.reason
    assert deletion_of(store, LAYOUT, KEPT) is None


def test_a_damaged_mark_tells_nothing(store: LocalStore, caplog: pytest.LogCaptureFixture) -> None:
    store.put(LAYOUT.pruned_mark, b"{")
    with caplog.at_level(logging.WARNING, "aqueduct"):
        assert deletion_of(store, LAYOUT, KEPT) is None
    assert "pruned.json" in caplog.text

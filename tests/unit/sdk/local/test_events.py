"""What comes of a local run: its status, and its artifacts read back."""

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.errors import NotFound
from aqueduct_provider.sdk.authoring.artifacts import BoolArtifact, NumericArtifact
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.local.events import LocalOutcome
from aqueduct_provider.sdk.local.run_flow import run_spec
from tests.support.stored_flows import Flows, call, check


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        flows = Flows(tmp_path_factory.mktemp("store"))
        spec = flows.spec(
            call("number", "def predict(): return 5", kind="numeric"),
            check("small", "def predict(n): return n < 3", "number", severity="warning"),
            call("bad", "def predict(n): raise ValueError('no')", "number"),
            call("after", "def predict(n): return n", "bad"),
        )
        yield run_spec(spec, flows.store, run_id="r")


def test_the_status(outcome: LocalOutcome) -> None:
    assert outcome.status is ExecutionStatus.FAILED
    assert [one.word for one in outcome.operators] == ["succeeded", "warning", "failed", "canceled"]
    good = LocalOutcome(outcome.spec, outcome.store, "r", outcome.operators[:2], outcome.artifacts)
    assert good.status is ExecutionStatus.SUCCEEDED


def test_artifacts_are_read_back(outcome: LocalOutcome) -> None:
    assert sorted(outcome.artifacts) == ["number", "small"]
    number = outcome.artifact("number")
    assert isinstance(number, NumericArtifact)
    assert number.get() == 5
    assert isinstance(outcome.artifact("small"), BoolArtifact)
    assert outcome.artifact("small").get() is False
    assert outcome.source("number").content() == b"5"


def test_artifacts_that_are_not_there(outcome: LocalOutcome) -> None:
    with pytest.raises(NotFound, match=r"'small' has no artifact 'numbr'. Did you mean 'number'\?"):
        outcome.artifact("numbr")
    with pytest.raises(NotFound, match=r"'bad' was not written: operator 'bad' of run r is failed\. .*no"):
        outcome.artifact("bad")
    with pytest.raises(NotFound, match=r"operator 'after' of run r is canceled\. It was not run"):
        outcome.artifact("after")


def test_an_object_that_was_deleted_since(outcome: LocalOutcome) -> None:
    source = outcome.source("number")
    data = outcome.store.get(source.content_key)
    outcome.store.delete([source.content_key])
    try:
        with pytest.raises(NotFound, match="it was deleted"):
            source.content()
    finally:
        outcome.store.put(source.content_key, data)


def test_no_value_in_the_repr(outcome: LocalOutcome) -> None:
    assert "store" not in repr(outcome)

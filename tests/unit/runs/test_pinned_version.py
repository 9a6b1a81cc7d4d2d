"""Which version a task goes by, with the store and Airflow's database as they may be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import RunVersionChanged
from aqueduct_provider.runs import pinned_version
from aqueduct_provider.runs.pinned_version import RunTask, SpecRef, spec_of_run
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.layout import FlowLayout, pinned_spec, run_spec
from aqueduct_provider.storage.local import LocalStore
from tests.support.example_specs import FLOW_ID, call_operator, native_document
from tests.support.observed_stores import DamagingStore

OLD, NEW = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def document(version: str, *operators: dict[str, Any]) -> bytes:
    """Two tasks that begin the flow, ``left`` and ``right``, and ``join``."""
    given = operators or (
        call_operator("left", inputs=[]),
        call_operator("right", inputs=[]),
        call_operator("join", inputs=["left", "right"]),
    )
    names = [output for operator in given for output in operator["outputs"]]
    return json.dumps(
        native_document(
            version={"id": version},
            parameters=[],
            artifacts=[{"id": name, "name": name} for name in names],
            operators=list(given),
        )
    ).encode()


def spec(version: str, *operators: dict[str, Any]) -> WorkflowSpec:
    return parse(document(version, *operators), version)


class Run:
    """A run, in Airflow's database and in the store."""

    def __init__(self, store: LocalStore) -> None:
        self.store = store
        self.results: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.succeeded: set[str] = set()
        self.attempt = 0

    def goes_by(self, own: WorkflowSpec, task_id: str) -> str:
        """Begin a task; the version that it goes by."""
        self.told.pop(task_id, None)
        self.results.pop(task_id, None)
        self.succeeded.discard(task_id)
        task = RunTask(
            task_id,
            "run",
            self.attempt,
            left=self.results.get,
            succeeded=self.succeeded.intersection,
            reported=self.told.get,
            report=lambda value: self.told.update({task_id: value}),
        )
        return str(spec_of_run(own, task, self.store).version.id)

    def ends(self, own: WorkflowSpec, task_id: str) -> None:
        self.results[task_id] = {"version": 1, "spec": SpecRef.of(own).to_json()}
        self.succeeded.add(task_id)

    def clear(self, *task_ids: str) -> None:
        """Clear tasks in Airflow: what they left stays until they begin."""
        self.attempt += 1
        self.succeeded.difference_update(task_ids)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(pinned_version, "_PATIENCE", 0)
    return Run(LocalStore(tmp_path))


@pytest.fixture
def published(run: Run) -> Run:
    """The store keeps both versions, as the SDK leaves them."""
    for version in (OLD, NEW):
        run.store.put(FlowLayout(FLOW_ID).version(version), document(version))
    return run


def test_nothing_changed(run: Run) -> None:
    own = spec(OLD)
    assert [run.goes_by(own, task) for task in ("left", "right")] == [OLD, OLD]
    for task in ("left", "right"):
        run.ends(own, task)
    assert run.goes_by(own, "join") == OLD


def test_a_task_goes_on_with_the_version_of_those_before_it(published: Run) -> None:
    for task in ("left", "right"):
        published.ends(spec(OLD), task)
    assert published.goes_by(spec(NEW), "join") == OLD


def test_the_first_tasks_agree(published: Run) -> None:
    assert published.goes_by(spec(OLD), "left") == OLD
    assert published.goes_by(spec(NEW), "right") == OLD
    assert published.goes_by(spec(NEW), "right") == OLD, "its second try, too"


def test_a_spec_that_was_damaged_on_the_way_is_fetched_once_more(run: Run) -> None:
    run.store = DamagingStore(run.store.root)
    key = FlowLayout(FLOW_ID).version(OLD)
    run.store.put(key, document(OLD))
    run.ends(spec(OLD), "left")
    assert run.goes_by(spec(NEW), "join") == OLD
    assert run.store.damaged == {key}


def test_a_bundle_keeps_versions_too(run: Run) -> None:
    run.store.put(pinned_spec(spec(OLD).sha256), document(OLD))
    run.ends(spec(OLD), "left")
    assert run.goes_by(spec(NEW), "join") == OLD


def test_a_version_that_is_not_kept_stops_the_run(run: Run) -> None:
    run.ends(spec(OLD), "left")
    with pytest.raises(RunVersionChanged, match=f"began with version {OLD}, and {NEW} is there now"):
        run.goes_by(spec(NEW), "join")


def test_another_content_under_the_old_versions_key_is_not_used(run: Run) -> None:
    run.store.put(FlowLayout(FLOW_ID).version(OLD), document(NEW))
    run.ends(spec(OLD), "left")
    with pytest.raises(RunVersionChanged, match="not kept in the store"):
        run.goes_by(spec(NEW), "join")


def test_versions_are_never_mixed(published: Run) -> None:
    published.ends(spec(OLD), "left")
    published.ends(spec(NEW), "right")
    with pytest.raises(RunVersionChanged, match=f"'left' ran by version {OLD}, 'right' ran by version {NEW}"):
        published.goes_by(spec(NEW), "join")


def test_a_task_that_the_old_version_lacks(published: Run) -> None:
    own = spec(NEW, call_operator("left", inputs=[]), call_operator("added", inputs=["left"]))
    published.ends(spec(OLD), "left")
    with pytest.raises(RunVersionChanged, match="has no task 'added', which"):
        published.goes_by(own, "added")


def test_a_claim_that_airflow_does_not_know_is_not_believed(published: Run) -> None:
    """Who can only write to the bucket must not choose what runs."""
    claim = {"spec": SpecRef.of(spec(OLD)).to_json(), "task_id": "left", "attempt": 0}
    key = run_spec(FlowLayout(FLOW_ID), "run", 0)
    published.store.put(key, json.dumps(claim).encode())
    assert published.goes_by(spec(NEW), "right") == NEW
    assert published.goes_by(spec(OLD), "left") == NEW, "the claim was replaced"


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b'{"spec": 1}', b"[" * 200_000])
def test_a_damaged_claim_decides_nothing(published: Run, damage: bytes) -> None:
    published.store.put(run_spec(FlowLayout(FLOW_ID), "run", 0), damage)
    assert published.goes_by(spec(NEW), "right") == NEW


def test_the_only_task_that_has_begun_takes_a_fix_at_its_next_try(published: Run) -> None:
    assert published.goes_by(spec(OLD), "left") == OLD
    assert published.goes_by(spec(NEW), "left") == NEW
    assert published.goes_by(spec(OLD), "right") == NEW


def test_a_run_that_is_cleared_takes_the_new_version(published: Run) -> None:
    for task in ("left", "right"):
        assert published.goes_by(spec(OLD), task) == OLD
        published.ends(spec(OLD), task)
    published.clear("left", "right")
    for task in ("left", "right"):
        assert published.goes_by(spec(NEW), task) == NEW
        published.ends(spec(NEW), task)
    assert published.goes_by(spec(NEW), "join") == NEW


def test_a_first_task_that_is_cleared_keeps_the_version_of_those_that_are_not(published: Run) -> None:
    assert published.goes_by(spec(OLD), "left") == OLD
    published.ends(spec(OLD), "left")
    published.clear("right", "join")
    assert published.goes_by(spec(NEW), "right") == OLD
    published.ends(spec(OLD), "right")
    assert published.goes_by(spec(NEW), "join") == OLD


def test_a_lone_first_task_asks_nobody(run: Run) -> None:
    own = spec(OLD, call_operator("only", inputs=[]))
    assert run.goes_by(own, "only") == OLD
    assert list(run.store.list("")) == []
    assert run.told == {}


def test_results_of_an_earlier_release_say_nothing(run: Run) -> None:
    run.results["left"] = {"version": 1, "status": "succeeded", "artifacts": {}}
    assert run.goes_by(spec(NEW), "join") == NEW

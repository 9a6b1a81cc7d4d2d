"""What is deleted once a run has succeeded, and what never is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.errors import ObjectNotFound, StorageError
from aqueduct_provider.runs import retention
from aqueduct_provider.runs.retention import Policy, Pruned, prune, prune_after_success, total
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.state.pruned import PrunedMark, pruned_mark_from_json
from aqueduct_provider.storage.layout import FlowLayout, NativeLayout
from tests.support.example_specs import FLOW_ID, VERSION_ID, native_document
from tests.support.observed_stores import CountingStore

FLOW = FlowLayout(FLOW_ID)
POLICY = Policy(2, "prune", VERSION_ID)
CONTENTS = {"features-value": b"PAR1 a table", "accuracy-value": b"0.5", "good_enough-value": b"true"}


class Flow:
    """A flow in a folder: its runs, each of them older than the next, and what Airflow says of them."""

    def __init__(self, root: Path) -> None:
        self.store = CountingStore(root)
        self.states: dict[str, str] = {}
        self.asked: list[str] = []
        self.now = 1_000_000_000

    def run(
        self, run_id: str, state: str | None = "success", contents: Mapping[str, bytes] = CONTENTS
    ) -> str:
        """A run wrote these artifacts, then its exec state."""
        layout = NativeLayout(FLOW_ID, run_id)
        for artifact, content in contents.items():
            self.write(layout.content(artifact), content)
            self.write(layout.metadata(artifact), b"{}")
        self.write(layout.exec_state("train-operator"), b"{}")
        if state is not None:
            self.states[run_id] = state
        return run_id

    def write(self, key: str, data: bytes) -> None:
        self.store.put(key, data)
        self.now += 1
        os.utime(self.store.root / key, (self.now, self.now))

    def state_of(self, run_id: str) -> str | None:
        self.asked.append(run_id)
        return self.states.get(run_id)

    def succeed(self, run_id: str, k: int | None = 2, **overrides: Any) -> tuple[list[str], list[Pruned]]:
        """A run ends well, and its last task does what is tested here."""
        self.run(run_id, "running")
        found = prune_after_success(self.store, workflow(k, **overrides), run_id, self.state_of)
        self.states[run_id] = "success"
        return found

    def prune(self, policy: Policy = POLICY, *, dry_run: bool = False) -> list[str]:
        found = prune(self.store, FLOW_ID, policy, self.state_of, dry_run=dry_run)
        return [one.run_id for one in found]

    def kept(self) -> set[str]:
        """The runs that have content."""
        return {key.split("/")[3] for key in self.store.list(FLOW.runs_prefix) if key.endswith("/content")}

    def mark(self, run_id: str) -> PrunedMark:
        return pruned_mark_from_json(self.store.get(NativeLayout(FLOW_ID, run_id).pruned_mark))


def workflow(k: int | None, **overrides: Any) -> WorkflowSpec:
    document = native_document(retention={"k_latest_runs": k}, **overrides)
    return parse(json.dumps(document).encode(), "churn.json")


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path)


def test_the_newest_successes_keep_their_artifacts(flow: Flow) -> None:
    for run_id in ("z", "a", "m"):
        assert flow.succeed(run_id)[1] == ([] if run_id != "m" else [Pruned("z", 3, 19)])
    assert flow.kept() == {"a", "m"}
    assert flow.succeed("b") == ([], [Pruned("a", 3, 19)])


def test_metadata_states_and_numbers_stay_and_a_mark_tells_why(flow: Flow) -> None:
    flow.run("old")
    before = set(flow.store.list(FLOW.runs_prefix))
    flow.succeed("new", k=1)
    layout = NativeLayout(FLOW_ID, "old")
    after = {key for key in flow.store.list(FLOW.runs_prefix) if "/old/" in key}
    assert before - after == {layout.content(artifact) for artifact in CONTENTS}
    assert after - before == {layout.pruned_mark}
    mark = flow.mark("old")
    assert (mark.by, mark.keep, mark.version) == ("k_latest_runs", 1, VERSION_ID)
    assert mark.numbers == {"accuracy-value": 0.5, "good_enough-value": True}


def test_failed_runs_count_for_nothing_and_go_when_they_are_older(flow: Flow) -> None:
    flow.run("failed early", "failed")
    flow.run("good")
    flow.run("failed late", "failed")
    assert [one.run_id for one in flow.succeed("new")[1]] == ["failed early"]
    assert flow.kept() == {"good", "failed late", "new"}


@pytest.mark.parametrize("state", ["running", "queued", "restarting", None])
def test_what_may_still_run_is_never_touched_and_does_not_count(flow: Flow, state: str | None) -> None:
    flow.run("open and old", state)
    flow.run("good")
    flow.run("open and new", state)
    assert flow.succeed("new")[1] == []
    assert flow.prune(Policy(1, "prune", VERSION_ID)) == ["good"]
    assert flow.kept() == {"open and old", "open and new", "new"}


def test_a_run_that_is_cleared_meanwhile_is_not_touched(flow: Flow) -> None:
    flow.run("old")
    flow.run("older than k")
    flow.run("good")

    def state_of(run_id: str) -> str | None:
        if run_id == "older than k":
            flow.states["old"] = "queued"
        return flow.states[run_id]

    assert [one.run_id for one in prune(flow.store, FLOW_ID, POLICY, state_of)] == []
    flow.run("newest")
    assert [one.run_id for one in prune(flow.store, FLOW_ID, POLICY, state_of)] == ["older than k"]
    assert "old" in flow.kept()


def test_a_run_that_was_ended_from_outside_deletes_nothing(flow: Flow) -> None:
    flow.run("old")
    flow.run("killed", "failed")
    spec = workflow(1)
    assert prune_after_success(flow.store, spec, "killed", flow.state_of) == ([], [])
    assert flow.kept() == {"old", "killed"}


def test_pruned_runs_are_not_looked_at_again(flow: Flow) -> None:
    for number in range(5):
        flow.succeed(f"{number}", k=1)
    flow.store.clear()
    flow.asked.clear()
    flow.succeed("last", k=1)
    assert sorted(flow.asked) == ["4", "last"]
    assert flow.store.keys("list") == [FLOW.pruned_prefix]
    assert set(flow.store.list(FLOW.pruned_prefix)) == {FLOW.pruned(f"{number}") for number in range(5)}


def test_a_run_without_artifacts_is_settled_without_a_word(flow: Flow) -> None:
    flow.run("empty", "failed", contents={})
    assert flow.succeed("new", k=1) == ([], [])
    assert flow.store.exists(FLOW.pruned("empty"))
    assert not flow.store.exists(NativeLayout(FLOW_ID, "empty").pruned_mark)


def test_one_task_does_not_do_it_all(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_LOOKED_AT", 4)
    monkeypatch.setattr(retention, "_PRUNED_AT_ONCE", 2)
    for number in range(8):
        flow.run(f"{number}")
    counts = [len(flow.succeed(f"new {number}", k=1)[1]) for number in range(6)]
    assert counts == [2, 2, 2, 2, 2, 2]
    assert "new 5" in flow.kept()


def test_a_deletion_that_was_cut_off_is_finished(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    flow.run("old")

    def cut_off(keys: Any) -> None:
        (flow.store.root / next(iter(keys))).unlink()
        raise StorageError("away")

    with monkeypatch.context() as patch:
        patch.setattr(flow.store, "delete", cut_off)
        with pytest.raises(StorageError, match="away"):
            flow.succeed("new", k=1)
    numbers = flow.mark("old").numbers
    assert len(numbers) == 2
    flow.states["new"] = "success"
    # It has lost artifacts, so it goes, however many are kept.
    assert [one.run_id for one in flow.succeed("newer", k=5)[1]] == ["old"]
    assert flow.kept() == {"new", "newer"}
    assert flow.mark("old").numbers == numbers


def test_a_pruned_run_that_ran_again_is_a_run_as_any_other(flow: Flow) -> None:
    flow.run("old")
    flow.succeed("new", k=1)
    mark = NativeLayout(FLOW_ID, "old").pruned_mark
    os.utime(flow.store.root / mark, (flow.now, flow.now))
    assert [one.run_id for one in flow.succeed("old", k=1)[1]] == ["new"]
    assert not flow.store.exists(mark)
    assert [one.run_id for one in flow.succeed("newest", k=1)[1]] == ["old"]


def test_on_the_terminal_runs_that_were_pruned_and_ran_again_are_found(flow: Flow) -> None:
    flow.run("old")
    flow.succeed("new", k=1)
    mark = NativeLayout(FLOW_ID, "old").pruned_mark
    os.utime(flow.store.root / mark, (flow.now, flow.now))
    flow.run("old", "failed")
    flow.run("newest")
    assert flow.succeed("last", k=1)[1] != []
    assert "old" in flow.kept()
    assert flow.prune(Policy(1, "prune", VERSION_ID)) == ["old"]
    assert flow.prune(Policy(1, "prune", VERSION_ID)) == []


def test_a_dry_run_tells_and_deletes_nothing(flow: Flow) -> None:
    for run_id in ("1", "2", "3", "4"):
        flow.run(run_id)
    before = list(flow.store.list(""))
    assert flow.prune(dry_run=True) == ["2", "1"]
    assert list(flow.store.list("")) == before
    assert flow.prune() == ["2", "1"]
    assert flow.kept() == {"3", "4"}
    assert flow.mark("1").by == "prune"


def test_what_keeps_no_snapshot_goes_with_the_success(flow: Flow) -> None:
    artifacts = [
        {**artifact, "keep_snapshot": artifact["name"] != "features"}
        for artifact in native_document()["artifacts"]
    ]
    assert flow.succeed("new", k=None, artifacts=artifacts) == (["features"], [])
    layout = NativeLayout(FLOW_ID, "new")
    with pytest.raises(ObjectNotFound):
        flow.store.get(layout.content("features-value"))
    assert flow.store.get(layout.content("accuracy-value")) == b"0.5"
    assert flow.store.exists(layout.metadata("features-value"))


def test_a_flow_without_retention_asks_for_nothing_more(flow: Flow) -> None:
    flow.run("old")
    flow.run("new", "running")
    flow.store.clear()
    assert prune_after_success(flow.store, workflow(None), "new", flow.state_of) == ([], [])
    assert flow.store.requests == []


def test_how_much_in_words() -> None:
    assert total([Pruned("a", 1, 1200)]) == "1 object (1,200 bytes) of 1 older run"
    assert total([Pruned("a", 2, 1), Pruned("b", 3, 4)]) == "5 objects (5 bytes) of 2 older runs"

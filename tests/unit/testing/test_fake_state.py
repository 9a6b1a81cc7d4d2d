"""States of runs and tasks have the times that Airflow gives them."""

from __future__ import annotations

import pytest

from aqueduct_provider.testing.fake_state import FakeState


@pytest.mark.parametrize(
    ("state", "started", "ended"),
    [("queued", False, False), ("running", True, False), ("success", True, True), ("failed", True, True)],
)
def test_a_state_sets_the_times(state: str, started: bool, ended: bool) -> None:
    fake = FakeState()
    run = fake.add_run("churn", "r1", state="queued")
    task = fake.add_task("churn", "r1", "train", state=None)
    for one, name in ((run, None), (task, "train")):
        fake.set_state("churn", "r1", state, name)
        assert one.state == state
        assert (one.started is not None, one.ended is not None) == (started, ended)


def test_a_fault_hits_as_often_as_was_said_and_only_its_path() -> None:
    fake = FakeState()
    fake.fail(503, times=2, path="/dagRuns")
    hit = [fake.next_fault("GET", path) is not None for path in ("/dags", "/dagRuns", "/dagRuns", "/dagRuns")]
    assert hit == [False, True, True, False]
    fake.drop()
    fake.recover()
    assert fake.next_fault("GET", "/dags") is None


def test_a_dag_that_is_replaced_keeps_its_runs() -> None:
    fake = FakeState()
    fake.add_run("churn", "r1")
    assert list(fake.add_dag("churn", tags=["new"]).runs) == ["r1"]

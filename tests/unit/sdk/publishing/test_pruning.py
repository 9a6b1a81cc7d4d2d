"""Pruning a published flow: what Airflow says, what goes, and what its readers see afterwards."""

from __future__ import annotations

from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AirflowUnreachable, AuthoringError, NotFound
from tests.support.deployment import Deployment
from tests.support.written_runs import leave


@pytest.fixture
def flow(made: Deployment) -> aq.Flow:
    """Two runs that succeeded, and between them one that failed."""
    flow = made.publish(k_latest_runs=1)
    for run_id, rows in (("old", 5), ("bad", 0), ("new", 6)):
        leave(made, flow, run_id, rows)
    return flow


def test_older_runs_lose_their_content_and_nothing_else(made: Deployment, flow: aq.Flow) -> None:
    new, bad, old = flow.runs()
    would = flow.prune(dry_run=True)
    assert [(one["run_id"], one["objects"]) for one in would] == [("bad", 1), ("old", 4)]
    assert would[1]["size"] == len(b'5"no table"15true')
    assert flow.prune() == would
    assert flow.prune() == []
    assert new.artifact("total").get() == 16
    with pytest.raises(NotFound, match=r"'table' was deleted by the flow's retention \(k_latest_runs=1\)"):
        old.artifact("table").get()
    with pytest.raises(NotFound, match="No rows"):
        bad.artifact("table").get()
    assert flow.metric_history("total")["value"].tolist()[::2] == [16, 15]
    assert flow.metric_history("many")["value"].tolist()[::2] == [True, True]
    assert old.parameters() == {"rows": 5}
    assert [operator.word for operator in bad.operators()][:2] == ["succeeded", "failed"]


def test_what_airflow_says_and_what_it_does_not(made: Deployment, flow: aq.Flow) -> None:
    before = set(made.store.list(""))
    with (
        made.away(),
        pytest.raises(AirflowUnreachable, match="only Airflow knows which of its runs are activ"),
    ):
        flow.prune()
    made.fake.set_state("churn", "old", "running")
    assert [one["run_id"] for one in flow.prune(dry_run=True)] == ["bad"]
    # Forgotten, it is told from what it left.
    del made.fake.dags["churn"].runs["old"]
    assert [one["run_id"] for one in flow.prune(dry_run=True)] == ["bad", "old"]
    assert flow.prune(keep=2) == []
    assert set(made.store.list("")) == before
    flow.prune(keep=1)
    with pytest.raises(NotFound, match=r"'total' was deleted on .* by a user who pruned .*\(keep=1\)"):
        flow.fetch("old").artifact("total").get()


def test_numbers_that_are_none(made: Deployment) -> None:
    flow = made.publish()
    wrong: list[Any] = [0, -1, True, 1.5, "2"]
    for keep in wrong:
        with pytest.raises(AuthoringError, match="give an integer from 1"):
            flow.prune(keep)
    with pytest.raises(AuthoringError, match="'churn' has no k_latest_runs"):
        flow.prune()

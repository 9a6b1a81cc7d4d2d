"""A flow that keeps the artifacts of two runs: four runs, one of which fails, and what is left of them."""

from __future__ import annotations

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import NotFound
from tests.integration.flow_place import Place
from tests.integration.waiting import wait_for

WAIT = 120


@aq.metric(requirements=[], output="root")
def root(number: float) -> float:
    if number < 0:
        raise ValueError("negative numbers have none")
    return float(number**0.5)


def test_older_runs_lose_their_artifacts_and_nothing_else(client: aq.Client, place: Place) -> None:
    flow = client.publish_flow(
        "retention", artifacts=[root(client.create_param("number", 1))], k_latest_runs=2, wait=WAIT
    )

    def run(number: int) -> aq.Run:
        run = client.trigger("retention", parameters={"number": number}, unpause=True, progress=False)
        wanted = aq.ExecutionStatus.SUCCEEDED if number > 0 else aq.ExecutionStatus.FAILED
        assert run.wait(WAIT, progress=False) == wanted, run.logs("root")
        return run

    first, failed, third = run(4), run(-1), run(9)
    assert flow.prune() == []
    would = [one["run_id"] for one in flow.prune(keep=1, dry_run=True)]
    assert would == [failed.run_id, first.run_id]
    assert flow.fetch(first.run_id).artifact("root").get() == 2

    last = run(16)
    # Airflow 3 shows the success before the task that deletes has ended.
    pruned = f"sdk/flows/{flow.id()}/pruned/"
    wait_for(lambda: len(place.keys(pruned)) == 2, what="two pruned runs", seconds=WAIT)
    assert [last.artifact("root").get(), third.artifact("root").get()] == [4, 3]
    gone = flow.fetch(first.run_id)
    with pytest.raises(NotFound, match=r"'root' was deleted by the flow's retention \(k_latest_runs=2\)"):
        gone.artifact("root").get()
    assert [operator.word for operator in gone.operators()] == ["succeeded"] * 2
    assert "negative numbers have none" in failed.operators()[1].traceback
    history = flow.metric_history("root")["value"].tolist()
    assert [history[0], history[1], history[3]] == [4, 3, 2]
    assert flow.prune(keep=2) == []
    log = last.logs("root")
    assert log.count("Retention: ") == 1
    assert f"for k_latest_runs=2: {failed.run_id}, {first.run_id}" in log

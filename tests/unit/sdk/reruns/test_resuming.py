"""Failed runs go on from what failed, by their own version or by the newest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, NotFound
from tests.support.deployment import Deployment
from tests.unit.sdk.conftest import Finished


@aq.op(requirements=["pandas"], outputs=["table"], name="features")
def corrected_features(rows: int) -> pandas.DataFrame:
    return pandas.DataFrame({"n": range(abs(rows))})


def publish_corrected(made: Deployment) -> None:
    made.publish(artifacts=[corrected_features(made.client.create_param("rows", 3))])


def asked(made: Deployment) -> Mapping[str, Any]:
    """What Airflow was asked to clear."""
    (call,) = made.fake.calls("POST", "/clearTaskInstances")
    body: Mapping[str, Any] = call.body
    return body


def test_what_failed_runs_again_with_all_that_follows(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    assert run.resume() is run
    assert run.status() is aq.ExecutionStatus.PENDING
    assert asked(made) == {
        "dag_run_id": run.run_id,
        "dry_run": False,
        "only_failed": False,
        "reset_dag_runs": True,
        "task_ids": ["features", "many", "total"],
        "include_downstream": True,
        "run_on_latest_version": False,
    }
    states = {name: task.state for name, task in made.fake.dags["churn"].runs[run.run_id].tasks.items()}
    assert states == {"rows": "success", "features": None, "total": None, "many": None}


def test_the_newest_version_runs_all_of_it(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-2)
    assert run.status() is aq.ExecutionStatus.FAILED
    assert [one.word for one in run.operators()].count("failed") == 1
    publish_corrected(made)
    run.resume(version="latest", progress=False)
    assert asked(made)["run_on_latest_version"] is True
    assert "task_ids" not in asked(made)
    made.fake.dags["churn"].runs[run.run_id].tasks.clear()
    made.work(run.run_id)
    assert run.wait(5, progress=False) is aq.ExecutionStatus.SUCCEEDED
    assert len(run.artifact("table").get()) == 2
    assert run.spec.version.id == made.client.flow("churn").spec.version.id
    assert run.parameters() == {"rows": -2}


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_run_that_goes_on(made: Deployment, state: str) -> None:
    made.publish()
    run = made.run(rows=-1)
    made.fake.set_state("churn", run.run_id, state)
    with pytest.raises(AuthoringError, match=rf"^Run {run.run_id[:6]}.* only a failed run can be resumed"):
        run.resume()


def test_a_run_that_succeeded(finished: Finished) -> None:
    with pytest.raises(AuthoringError, match="has succeeded: nothing of it is left to run"):
        finished.good.resume()


def test_another_word_for_the_version(finished: Finished) -> None:
    with pytest.raises(AuthoringError, match="version='v2' cannot be resumed with"):
        finished.bad.resume(version="v2")  # type: ignore[arg-type]


def test_a_run_that_airflow_has_forgotten(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    made.fake.dags["churn"].runs.clear()
    with pytest.raises(
        NotFound, match=r"cannot be resumed: Airflow does not know it .*client\.trigger\('churn'"
    ):
        run.resume()


def test_a_flow_that_was_deleted(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    made.client.delete_flow("churn")
    with pytest.raises(AuthoringError, match="'churn' was deleted, so its runs cannot be resumed"):
        run.resume()


def test_a_flow_that_is_paused(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    made.fake.dags["churn"].paused = True
    with pytest.raises(AuthoringError, match=r"is paused in Airflow.*unpause=True"):
        run.resume()
    run.resume(unpause=True)
    assert not made.fake.dags["churn"].paused


def test_a_run_that_was_marked_by_hand(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=4)
    made.fake.set_state("churn", run.run_id, "failed")
    with pytest.raises(
        AuthoringError, match=r"All operators of run .* have succeeded: it was marked as failed"
    ):
        run.resume()


def test_nothing_has_succeeded_and_another_version_is_there(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    for name in ("rows", "features"):
        made.fake.set_state("churn", run.run_id, "failed", name)
    publish_corrected(made)
    with pytest.raises(AuthoringError, match=r"No operator of run .* has succeeded.*version='latest'"):
        run.resume()
    run.resume(version="latest", progress=False)

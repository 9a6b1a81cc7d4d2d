"""The logs of a run: what the code printed comes first."""

from __future__ import annotations

from aqueduct_provider.sdk.results.run_logs import BORDER
from tests.support.deployment import Deployment


def test_while_a_try_runs_it_is_not_what_the_one_before_printed(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    made.fake.add_task("churn", run.run_id, "features", state="running", try_number=2, log="again")
    assert run.logs("features") == "again"
    made.fake.set_state("churn", run.run_id, "failed", "features")
    assert run.logs("features") == f"-1 rows are made\n\n{BORDER}\nagain"


def test_what_airflow_has_forgotten(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    del made.fake.dags["churn"].runs[run.run_id]
    assert run.logs() == "=== features ===\n-1 rows are made"


def test_operators_that_share_a_task(made: Deployment) -> None:
    made.publish(fuse=True)
    run = made.run(rows=4)
    printed, _, airflow = run.logs("features").partition(f"\n\n{BORDER}\n")
    assert printed == "4 rows are made"
    assert airflow.endswith("4 rows are made")
    assert BORDER not in run.logs("total")

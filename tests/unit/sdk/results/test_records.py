"""What Airflow's database says of what a run has written."""

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.errors import IntegrityError, NotFound
from aqueduct_provider.sdk.results.records import Records
from tests.support.deployment import Deployment
from tests.unit.sdk.conftest import Finished


def records_of(finished: Finished, run_id: str, engine: str = "cluster") -> Records:
    return Records(finished.made.session, engine, "churn", run_id)


def operator(finished: Finished, name: str) -> Any:
    return next(one for one in finished.flow.spec.operators if one.name == name)


def test_a_task_is_asked_for_once(finished: Finished) -> None:
    records, fake = records_of(finished, finished.good.run_id), finished.made.fake
    before = len(fake.calls("GET"))
    record = records.of("total")
    assert record is records.of("total")
    assert len(fake.calls("GET")) == before + 1
    assert record.spec is not None
    assert record.spec.sha256 == finished.flow.spec.sha256
    (output,) = operator(finished, "total").outputs
    found = record.artifact(operator(finished, "total"), output)
    assert found.ref is not None
    assert (found.is_written, found.why, found.ref.artifact_type) == (True, "", "numeric")


def test_tasks_that_have_not_succeeded_wrote_nothing(finished: Finished) -> None:
    records = records_of(finished, finished.bad.run_id)
    for task_id in ("features", "total"):
        record = records.of(task_id)
        (output,) = operator(finished, task_id).outputs
        found = record.artifact(operator(finished, task_id), output)
        assert (found.ref, found.is_written, found.why) == (None, False, "")


def test_runs_that_airflow_does_not_know_are_asked_for_once(finished: Finished) -> None:
    records, fake = records_of(finished, "gone"), finished.made.fake
    record = records.of("total")
    assert (record.value, record.is_over) == (None, True)
    assert record.why == "'cluster' does not know the run gone (any more)."
    before = len(fake.asked)
    assert records.of("rows").why == record.why
    assert len(fake.asked) == before


def test_another_airflow_than_the_flows_record_says(finished: Finished) -> None:
    assert records_of(finished, finished.good.run_id, "nowhere").of("total").value is not None


def test_an_airflow_that_is_away(finished: Finished) -> None:
    with finished.made.away():
        record = records_of(finished, finished.good.run_id).of("total")
    assert record.value is None
    assert finished.made.fake.host in record.why


def test_without_an_airflow(made: Deployment) -> None:
    made.publish()
    run = made.run()
    made.client.delete_resource("cluster")
    assert run.records.of("total").why == "No Airflow is connected here."


def test_a_task_whose_xcom_is_gone(made: Deployment) -> None:
    made.publish()
    run = made.run()
    made.fake.dags["churn"].runs[run.run_id].tasks["total"].xcoms.clear()
    record = run.records.of("total")
    assert record.value is None
    assert record.why.startswith("Airflow has no record of what task 'total' wrote: its XCom was deleted")


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_what_a_failed_check_has_written(made: Deployment, severity: str) -> None:
    import aqueduct_provider.sdk as aq
    from tests.support.deployment import features, total

    @aq.check(requirements=[], outputs=["enough"], severity=severity)
    def enough(number: int) -> bool:
        return number > 4

    made.publish(artifacts=[enough(total(features(made.client.create_param("rows", 9))))])
    run = made.run(rows=2)
    assert run.artifact("enough").get() is False
    assert run.operators()[-1].word == ("failed" if severity == "error" else "warning")


def test_a_record_of_another_release(made: Deployment) -> None:
    made.publish()
    run = made.run()
    made.fake.dags["churn"].runs[run.run_id].tasks["total"].xcoms["return_value"]["version"] = 99
    with pytest.raises(IntegrityError, match="left no manifest in XCom"):
        run.artifact("total").get()


def test_operators_of_one_task(made: Deployment) -> None:
    made.publish(fuse=True)
    run = made.run(rows=4)
    assert [run.artifact(name).get() for name in ("rows", "total", "many")] == [4, 6, True]
    failed = made.run(rows=-1)
    # Its task failed, and what the other operators wrote is known all the same.
    assert failed.artifact("rows").get() == -1


def test_operators_of_a_task_that_runs(made: Deployment) -> None:
    made.publish(fuse=True)
    run = made.run(rows=4)
    (task,) = made.fake.dags["churn"].runs[run.run_id].tasks.values()
    task.xcoms.clear()
    made.fake.set_state("churn", run.run_id, "running", task.task_id)
    with pytest.raises(NotFound, match=r"is succeeded\. Its Airflow task leaves the digests .* read it then"):
        run.artifact("total").get()

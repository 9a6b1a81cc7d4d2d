"""Runs: read at the moment of asking, with the version they ran under, from what is there."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import (
    AirflowUnreachable,
    AuthoringError,
    NotFound,
    StorageUnavailable,
    WaitTimedOut,
)
from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
from aqueduct_provider.sdk.results.run_logs import BORDER
from aqueduct_provider.sdk.run import Run
from aqueduct_provider.sdk.waiting import wait_for
from aqueduct_provider.storage.layout import NativeLayout
from tests.support.deployment import Deployment, features
from tests.support.observed_stores import CountingStore
from tests.unit.sdk.conftest import Finished

# --- a run that is over


def test_what_a_run_left(finished: Finished) -> None:
    run = finished.flow.fetch(finished.good.run_id)
    assert run.status() is aq.ExecutionStatus.SUCCEEDED
    assert run.id() == run.run_id
    pandas.testing.assert_frame_equal(run.artifact("table").get(), pandas.DataFrame({"n": range(4)}))
    assert [run.artifact(name).get() for name in ("rows", "total", "many")] == [4, 6, True]
    assert run.parameters() == {"rows": 4}
    assert run.created_at() == finished.made.fake.dags["churn"].runs[run.run_id].queued
    assert run.url().startswith(f"{finished.made.fake.url}/dags/churn/runs/")
    assert repr(run) == f"<Run {run.run_id!r} of 'churn': succeeded, rows=4>"


def test_every_operator_is_told(finished: Finished) -> None:
    rows, table, total, many = finished.bad.operators()
    assert [one.word for one in (rows, table, total, many)] == ["succeeded", "failed", "canceled", "canceled"]
    assert table.tip == "Error in the function: ValueError: rows must not be negative"
    assert table.traceback.endswith("ValueError: rows must not be negative\n")
    assert table.stdout == "-1 rows are made\n"
    assert (table.try_number, table.kind, rows.kind) == (1, "function", "param")


def test_a_check_that_only_warns(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=2)
    assert run.status() is aq.ExecutionStatus.SUCCEEDED
    assert run.operators()[-1].word == "warning"
    assert run.artifact("many").get() is False


def test_names_that_are_not_there(finished: Finished) -> None:
    run = finished.good
    with pytest.raises(NotFound, match=r"of 'churn' has no artifact 'tabel'\. Did you mean 'table'\?$"):
        run.artifact("tabel")
    with pytest.raises(NotFound, match=r"of 'churn' has no operator 'feature'\. Did you mean 'features'\?$"):
        run.logs("feature")


def test_what_a_failed_run_did_not_write(finished: Finished) -> None:
    with pytest.raises(NotFound) as caught:
        finished.bad.artifact("total").get()
    assert str(caught.value) == (
        f"'total' was not written: operator 'total' of run {finished.bad.run_id} is canceled. "
        "It was not run, for an operator before it failed."
    )
    with pytest.raises(NotFound, match=r"is failed\. Error in the function: ValueError: rows must not be"):
        finished.bad.artifact("table").get()


# --- logs


def test_logs(finished: Finished) -> None:
    run = finished.good
    airflow = "running features\n4 rows are made"
    assert run.logs("features") == f"4 rows are made\n\n{BORDER}\n{airflow}"
    text = run.logs()
    assert text.startswith("=== features ===\n4 rows are made\n\n=== ")
    assert f"\n\n=== features: Airflow's log ===\n{airflow}\n\n" in text
    assert re.findall(r"^=== (\w+)(.*) ===$", text, re.MULTILINE) == [
        ("features", ""),
        *((name, ": Airflow's log") for name in ("rows", "features", "total", "many")),
    ]
    with pytest.raises(AuthoringError, match="try_number is that of one operator"):
        run.logs(try_number=1)


def test_logs_of_tries(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    for number in (1, 2):
        made.fake.add_task(
            "churn", run.run_id, "features", state="failed", try_number=number, log=f"try {number}"
        )
    assert [run.logs("features", number) for number in (1, 2, None)] == [
        "try 1",
        *[f"-1 rows are made\n\n{BORDER}\ntry 2"] * 2,
    ]
    with pytest.raises(NotFound, match=r"'features' has no try 3 in run .*: it had 2"):
        run.logs("features", 3)


def test_without_a_log_in_airflow_it_is_what_the_code_printed(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    made.fake.dags["churn"].runs[run.run_id].tasks["features"].logs.clear()
    assert run.logs("features") == "-1 rows are made\n"
    assert run.logs("total") == ""


def test_operators_of_one_name_are_told_apart_by_their_task_ids(made: Deployment) -> None:
    tables = [features(made.client.create_param(name, 1)) for name in ("a", "b")]
    tables[1].set_name("other")
    made.publish(artifacts=tables)
    run = made.run()
    ids = [one.task_id for one in run.operators() if one.kind == "function"]
    with pytest.raises(AuthoringError, match=f"2 operators are called .*: '{ids[0]}' or '{ids[1]}'"):
        run.logs("features")
    assert f"{BORDER}\nrunning {ids[1]}\n" in run.logs(ids[1])


# --- runs that go on


def test_a_queued_run(made: Deployment) -> None:
    made.publish()
    run = made.client.trigger("churn", progress=False)
    assert run.status() is aq.ExecutionStatus.PENDING
    assert {one.word for one in run.operators()} == {"pending"}
    artifact = run.artifact("total")
    with pytest.raises(NotFound, match=r"operator 'total' of run .* is pending"):
        artifact.get()
    assert run.parameters() == {}
    made.work(run.run_id)
    assert run.status() is aq.ExecutionStatus.SUCCEEDED
    # Asked for before it was there.
    assert artifact.get() == 3


def test_a_running_run(made: Deployment) -> None:
    made.publish()
    run = made.client.trigger("churn", progress=False)
    made.work(run.run_id, tasks=2)
    made.fake.set_state("churn", run.run_id, "running", "total")
    assert run.status() is aq.ExecutionStatus.RUNNING
    assert [one.word for one in run.operators()] == ["succeeded", "succeeded", "running", "pending"]
    assert len(run.artifact("table").get()) == 3
    assert run.parameters() == {"rows": 3}


def test_a_run_that_is_cleared_in_airflow_is_read_anew(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    assert run.status() is aq.ExecutionStatus.FAILED
    assert run.operators()[1].word == "failed"
    made.fake.dags["churn"].runs[run.run_id].conf["rows"] = 4
    for task in made.fake.dags["churn"].runs[run.run_id].tasks.values():
        task.state = None
    made.work(run.run_id)
    assert run.status() is aq.ExecutionStatus.SUCCEEDED
    assert run.operators()[1].tip == ""
    assert run.operators()[1].stdout == "4 rows are made\n"


# --- versions


def test_each_run_is_read_with_its_own_version(made: Deployment) -> None:
    made.publish()
    old = made.run(rows=4)
    flow = made.publish(artifacts=made.author(total="sum"))
    new = made.run(rows=4)
    old = flow.fetch(old.run_id)
    assert old.artifact("total").get() == new.artifact("sum").get() == 6
    for run, name in ((old, "sum"), (new, "total")):
        with pytest.raises(NotFound, match=f"has no artifact '{name}'"):
            run.artifact(name)


def test_a_run_that_waits_is_read_with_the_version_that_it_will_have(made: Deployment) -> None:
    made.publish()
    run = made.client.trigger("churn", progress=False)
    first = run.spec.version.id
    flow = made.publish(artifacts=made.author(total="sum"))
    made.work(run.run_id)
    assert (run.spec.version.id, str(run.spec.version.id)) == (made.spec().version.id, flow.record.version_id)
    assert run.spec.version.id != first


# --- waiting


def test_waiting_for_the_end(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    made.publish()
    run = made.client.trigger("churn", progress=False)
    capsys.readouterr()
    made.fake.asked.clear()

    def work_after_a_look() -> None:
        # The second question is asked when the first one, for the status, is answered.
        wait_for(lambda: len(made.fake.asked) > 1, what="nobody looks", seconds=60, pause=0.01)
        made.work(run.run_id)

    with made.meanwhile(work_after_a_look):
        status = run.wait(timeout=120, pause=0.02)
    assert status is aq.ExecutionStatus.SUCCEEDED
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"churn, run {run.run_id}: pending"
    assert lines[-1] == f"churn, run {run.run_id}: succeeded"
    assert "features: succeeded" in lines
    assert len(lines) == len(set(lines))


def test_waiting_in_silence_asks_for_the_run_alone(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    made.publish()
    run = made.client.trigger("churn", progress=False)
    capsys.readouterr()
    made.fake.asked.clear()
    with pytest.raises(WaitTimedOut, match=r"After 0 s the run .* of 'churn' is not over\. It goes on; wait"):
        run.wait(timeout=0, progress=False)
    assert capsys.readouterr() == ("", "")
    assert [one.path for one in made.fake.asked] == [f"/api/v2/dags/churn/dagRuns/{run.run_id}"]


def test_a_look_with_progress_asks_for_run_and_tasks(made: Deployment) -> None:
    made.publish()
    run = made.client.trigger("churn", progress=False)
    made.work(run.run_id, tasks=0)
    made.fake.asked.clear()
    with pytest.raises(WaitTimedOut):
        run.wait(timeout=0)
    paths = [one.path.rpartition("/")[2] for one in made.fake.asked]
    assert paths == [run.run_id, "taskInstances"]


def test_what_an_operator_left_is_read_once(finished: Finished, tmp_path: Path) -> None:
    run, store = copy_of(finished, tmp_path)
    for _ in range(3):
        run.operators()
    states = [key for key in store.keys("get") if key.endswith("state.json")]
    layout = NativeLayout(run.record.flow_id, run.run_id)
    # One more tells the version. What was not run has left none, and is not asked for.
    assert sorted(set(states)) == sorted(layout.exec_state(name) for name in ("features", "rows"))
    assert len(states) == 3


def test_a_short_absence_of_airflow_does_not_end_the_waiting(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    made.publish()
    run = made.client.trigger("churn", progress=False)

    def act() -> None:
        made.fake.drop(3, path=run.run_id)
        made.work(run.run_id)

    look, looks = run.status, []

    def watched() -> aq.ExecutionStatus:
        looks.append(1)
        if len(looks) == 2:
            act()
        return look()

    run.status = watched  # type: ignore[method-assign]
    assert run.wait(timeout=60, pause=0) is aq.ExecutionStatus.SUCCEEDED
    assert "It is asked again." in capsys.readouterr().err


# --- what is away


def test_without_airflow_artifacts_are_read_from_the_store(finished: Finished) -> None:
    run = finished.flow.fetch(finished.good.run_id)
    with finished.made.away():
        assert run.artifact("total").get() == 6
        assert run.parameters() == {"rows": 4}
        with pytest.raises(AirflowUnreachable, match=f"Airflow at {finished.made.fake.url}"):
            run.status()
        status, operators, lack = run.as_far_as_known()
    assert (status, [one.word for one in operators]) == (aq.ExecutionStatus.SUCCEEDED, ["succeeded"] * 4)
    assert finished.made.fake.url in lack


def test_without_the_store_the_message_names_it(
    finished: Finished, s3_server: str, credentials_file: Path, tmp_path: Path
) -> None:
    client = aq.Client(
        bucket="bucket",
        region="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        credentials_path=str(credentials_file),
        config_path=finished.made.folder / "config.toml",
    )
    with pytest.raises(StorageUnavailable, match=r"127\.0\.0\.1:9"):
        Run(client._session, finished.flow.record, finished.good.run_id).artifact("total")


def test_a_run_that_airflow_has_forgotten(made: Deployment) -> None:
    made.publish()
    run = made.run(rows=-1)
    del made.fake.dags["churn"].runs[run.run_id]
    assert run.status() is aq.ExecutionStatus.FAILED
    assert run.created_at() is None
    assert [one.word for one in run.operators()] == ["succeeded", "failed", "unknown", "unknown"]
    assert run.logs("features") == "-1 rows are made\n"
    assert run.wait(progress=False) is aq.ExecutionStatus.FAILED
    assert repr(run) == f"<Run {run.run_id!r} of 'churn'>"


def test_a_damaged_exec_state_hides_no_other(made: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    made.publish()
    run = made.run(rows=-1)
    made.store.put(NativeLayout(run.record.flow_id, run.run_id).exec_state("features"), b"{")
    rows, table, *_ = run.operators()
    assert (rows.word, table.word, table.tip[:29]) == ("succeeded", "failed", "Airflow counts it as failed; ")
    assert "features/state.json: An exec state cannot be read" in caplog.text


# --- small things


def test_when_a_run_was_created() -> None:
    moments = [datetime(2026, 1, day, tzinfo=timezone.utc) for day in (1, 2, 3)]
    fields: list[dict[str, Any]] = [
        {"queued_at": moments[0], "started_at": moments[1], "logical_date": moments[2]},
        {"started_at": moments[1], "logical_date": moments[2]},
        # A run that waits, on Airflow 2.11.
        {"logical_date": moments[2]},
    ]
    assert [RunInfo("r", "queued", **one).created_at for one in fields] == moments


def test_describe_prints(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    finished.good.describe()
    assert capsys.readouterr().out.startswith(f"churn, run {finished.good.run_id}: succeeded\n")


def copy_of(finished: Finished, folder: Path) -> tuple[Run, CountingStore]:
    """The failed run in a folder that counts."""
    made, bad = finished.made, finished.bad
    store = CountingStore(folder)
    for key in made.store.list(f"flows/{bad.record.flow_id}/"):
        store.put(key, made.store.get(key))
    client = aq.Client(config_path=made.folder / "config.toml", folder=str(folder))
    client._session.store = store
    return Run(client._session, bad.record, bad.run_id, bad.info), store

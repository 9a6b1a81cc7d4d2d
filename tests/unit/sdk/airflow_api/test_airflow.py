from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from aqueduct_provider.errors import (
    AirflowError,
    AirflowLoginFailed,
    AirflowRefused,
    AirflowUnreachable,
    NotFound,
)
from aqueduct_provider.sdk.airflow_api.airflow import Airflow, AirflowLogin, DagInfo, RunInfo, TaskInfo
from aqueduct_provider.sdk.airflow_api.api_models import ImportErrorInfo
from aqueduct_provider.testing import FakeAirflow

NOON = datetime(2026, 5, 1, 12, tzinfo=timezone.utc)


# --- Airflow


def test_which_airflow(fake: FakeAirflow, airflow: Airflow) -> None:
    assert airflow.version() == fake.version
    assert airflow.major == fake.major


def test_check(fake: FakeAirflow, airflow: Airflow) -> None:
    assert airflow.check() == f"Airflow {fake.version} at {fake.url} accepts the user 'ann'."


def test_check_says_what_is_wrong(fake: FakeAirflow) -> None:
    with Airflow(AirflowLogin(fake.url, "ann", "wrong")) as airflow, pytest.raises(AirflowLoginFailed):
        airflow.check()


def test_what_is_shown(fake: FakeAirflow, airflow: Airflow) -> None:
    assert repr(airflow) == f"Airflow({fake.url!r}, user 'ann')"
    assert repr(Airflow(AirflowLogin("h:1", token="secret"))) == "Airflow('http://h:1')"
    assert fake.asked == []


def test_pages_of_the_ui(fake: FakeAirflow, airflow: Airflow) -> None:
    run = "manual__2026-05-01T12:00:00+00:00"
    quoted = "manual__2026-05-01T12%3A00%3A00%2B00%3A00"
    if fake.major == 3:
        assert airflow.url("d") == f"{fake.url}/dags/d"
        assert airflow.url("d", run) == f"{fake.url}/dags/d/runs/{quoted}"
    else:
        assert airflow.url("d") == f"{fake.url}/dags/d/grid"
        assert airflow.url("d", run) == f"{fake.url}/dags/d/grid?dag_run_id={quoted}"


def test_forgotten_clients_leave_no_sockets(fake: FakeAirflow) -> None:
    # An open socket that is collected is a warning, and so an error here.
    Airflow(AirflowLogin(fake.url, fake.user, fake.password)).check()
    gc.collect()


def test_importing_it_is_light() -> None:
    program = (
        "import sys; import aqueduct_provider.sdk.airflow_api.airflow as _; "
        "print('httpx' in sys.modules, 'ssl' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).split() == ["False", "False"]


# --- DAGs


def test_a_dag(fake: FakeAirflow, airflow: Airflow) -> None:
    made = fake.add_dag("d", tags=["aqueduct", "v1"], paused=True)
    made.parsed_at = NOON
    bundle = made.bundle if fake.major == 3 else ""
    expected = DagInfo("d", True, ("aqueduct", "v1"), made.file_token, display_name="d", bundle=bundle)
    assert airflow.dag("d") == expected


def test_dags_that_are_not_there(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("gone", active=False)
    assert airflow.dag("gone") is None
    assert airflow.dag("unknown") is None
    assert airflow.dag("") is None


def test_a_dag_whose_file_is_gone(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("gone", active=False)
    found = airflow.dag("gone", gone=True)
    assert found is not None
    assert found.is_gone
    assert airflow.dag("unknown", gone=True) is None


def test_the_dags_of_a_tag(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("other", tags=["x"])
    fake.add_dag("gone", tags=["aqueduct"], active=False)
    assert airflow.dags("aqueduct") == []
    assert [dag.dag_id for dag in airflow.dags("aqueduct", gone=True)] == ["gone"]
    for number in range(101):
        fake.add_dag(f"here{number:03}", tags=["aqueduct"])
    fake.asked.clear()
    found = airflow.dags("aqueduct")
    assert [dag.dag_id for dag in found] == [f"here{number:03}" for number in range(101)]
    assert not any(dag.is_gone for dag in found)
    assert len(fake.calls("GET", "/dags")) == 2
    assert len(airflow.dags("aqueduct", limit=7)) == 7


def test_the_docs_that_are_serialized(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("d").docs = "Version `1`"
    assert airflow.docs("d") == "Version `1`"
    assert airflow.docs("unknown") == ""


def test_import_errors(fake: FakeAirflow, airflow: Airflow) -> None:
    assert airflow.import_errors() == []
    fake.import_errors["churn.py"] = "Traceback\nKeyError"
    assert airflow.import_errors() == [ImportErrorInfo("churn.py", "Traceback\nKeyError")]


def test_unpausing(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("d", paused=True)
    airflow.unpause("d")
    assert not fake.dags["d"].paused
    with pytest.raises(NotFound, match="unknown"):
        airflow.unpause("unknown")


def test_parsing_now(fake: FakeAirflow, airflow: Airflow) -> None:
    token = fake.add_dag("d").file_token
    for _ in range(2):
        airflow.parse_now(token)
    airflow.parse_now("a token/of nothing")
    assert fake.parsed[0] == token
    fake.forbid("PUT")
    with pytest.raises(AirflowRefused, match="permission"):
        airflow.parse_now(token)


def test_deleting(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("d")
    airflow.delete_dag("d")
    assert "d" not in fake.dags
    airflow.delete_dag("d")
    fake.add_dag("busy").busy = True
    with pytest.raises(AirflowRefused, match="still running") as failure:
        airflow.delete_dag("busy")
    assert failure.value.status == 409


# --- runs


def test_a_run(fake: FakeAirflow, airflow: Airflow) -> None:
    later = NOON + timedelta(hours=1)
    fake.add_run("d", "a/b c+d", state="failed", queued=NOON, started=NOON, ended=later, conf={"x": [1]})
    queued, logical = (NOON, None) if fake.major == 3 else (None, NOON)
    expected = RunInfo("a/b c+d", "failed", queued, NOON, later, {"x": [1]}, logical)
    assert airflow.run("d", "a/b c+d") == expected


@pytest.mark.parametrize("run_id", ["unknown", "", "..", "."])
def test_runs_that_are_not_there(fake: FakeAirflow, airflow: Airflow, run_id: str) -> None:
    fake.add_dag("d")
    for ask in (airflow.run, airflow.tasks, airflow.end_run):
        with pytest.raises(NotFound):
            ask("d", run_id)


def test_the_newest_runs_first(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_run("d", "old", started=NOON)
    fake.add_run("d", "backfill", started=NOON - timedelta(days=1), run_type="backfill")
    fake.add_run("d", "waiting", state="queued")
    assert [run.run_id for run in airflow.runs("d", 10)] == ["waiting", "backfill", "old"]
    assert [run.run_id for run in airflow.runs("d", 2)] == ["waiting", "backfill"]
    assert airflow.runs("d", 0) == []


def test_runs_of_an_unknown_dag(airflow: Airflow) -> None:
    assert airflow.runs("unknown", 5) == []
    assert airflow.active_runs("unknown") == []


def test_active_runs(fake: FakeAirflow, airflow: Airflow) -> None:
    for state in ("success", "running", "failed", "queued"):
        fake.add_run("d", state, state=state)
    assert [run.run_id for run in airflow.active_runs("d")] == ["queued", "running"]


def test_clearing_tasks(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_run("d", "r", state="failed")
    for name, state in (("a", "success"), ("b", "failed")):
        fake.add_task("d", "r", name, state=state)
    airflow.clear("d", "r", ["b"], latest=False)
    assert {task.task_id: task.state for task in airflow.tasks("d", "r")} == {"a": "success", "b": None}
    assert airflow.run("d", "r").state == "queued"
    airflow.clear("d", "r", latest=True)
    assert {task.state for task in airflow.tasks("d", "r")} == {None}
    by_version = [one.body.get("run_on_latest_version") for one in fake.calls("POST", "/clearTaskInstances")]
    assert by_version == ([False, True] if fake.major == 3 else [None, None])
    with pytest.raises(NotFound):
        airflow.clear("d", "none", latest=False)


def test_releases_that_cannot_clear_by_version(three: FakeAirflow) -> None:
    three.version = "3.0.6"
    three.add_run("d", "r", state="failed")
    with Airflow(AirflowLogin(three.url, three.user, three.password)) as airflow:
        airflow.clear("d", "r", latest=True)
        assert "run_on_latest_version" not in three.calls("POST", "/clearTaskInstances")[0].body
        three.fail(200, path="/dagRuns/r", body=b'{"bundle_version": "abc"}')
        with pytest.raises(AirflowError, match=r"Run r keeps its bundle version on Airflow 3\.0\.6"):
            airflow.clear("d", "r", latest=True)


def test_ending_a_run(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_run("d", "r", state="running")
    airflow.end_run("d", "r")
    assert airflow.run("d", "r").state == "failed"


@pytest.mark.parametrize("most_per_page", [100, 30])
def test_many_runs(fake: FakeAirflow, airflow: Airflow, most_per_page: int) -> None:
    fake.most_per_page = most_per_page
    for number in range(1000):
        fake.add_run("d", f"r{number}", state="running")
    expected = [f"r{number}" for number in reversed(range(1000))]
    assert [run.run_id for run in airflow.runs("d", 1000)] == expected
    assert [run.run_id for run in airflow.runs("d", 5000)] == expected
    assert [run.run_id for run in airflow.runs("d", 250)] == expected[:250]
    assert [run.run_id for run in airflow.active_runs("d")] == expected


def test_a_run_that_begins_between_two_pages(fake: FakeAirflow, airflow: Airflow) -> None:
    for number in range(150):
        fake.add_run("d", f"r{number}")
    runs = fake.dags["d"].runs
    fake.dags["d"].runs = Growing(runs, lambda: fake.add_run("d", "new"))
    found = [run.run_id for run in airflow.runs("d", 1000)]
    assert found == [f"r{number}" for number in reversed(range(150))]


class Growing(dict[str, Any]):
    """Runs that become more when they have been read once."""

    def __init__(self, runs: dict[str, Any], grow: Callable[[], object]) -> None:
        super().__init__(runs)
        self.grow: Callable[[], object] | None = grow

    def values(self) -> Any:
        found = list(super().values())
        grow, self.grow = self.grow, None
        if grow:
            grow()
        return found


# --- tasks


def test_tasks(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_run("d", "r", state="running")
    assert airflow.tasks("d", "r") == []
    fake.add_task("d", "r", "b", state=None, try_number=0)
    fake.add_task("d", "r", "a", try_number=2, started=NOON, ended=NOON + timedelta(seconds=1.5))
    assert airflow.tasks("d", "r") == [
        TaskInfo("a", "success", 2, NOON, NOON + timedelta(seconds=1.5), 1.5),
        TaskInfo("b", None, 0),
    ]


def test_many_tasks(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_run("d", "r")
    for number in range(1000):
        fake.add_task("d", "r", f"t{number:04}")
    assert [task.task_id for task in airflow.tasks("d", "r")] == [f"t{number:04}" for number in range(1000)]


# --- logs


def test_a_log(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_run("d", "r")
    fake.add_task("d", "r", "t", try_number=1, log="first\ntry")
    fake.add_task("d", "r", "t", try_number=2, log="second")
    assert airflow.log("d", "r", "t", 1) == "first\ntry"
    assert airflow.log("d", "r", "t", 2) == "second"


def test_no_log_yet(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_run("d", "r", state="running")
    fake.add_task("d", "r", "t", state="queued", try_number=1, log="")
    assert airflow.log("d", "r", "t", 1) == ""
    assert airflow.log("d", "r", "t", 2) == ""
    assert airflow.log("d", "r", "unknown", 1) == ""


def test_long_logs(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_run("d", "r", state="running")
    text = "\n".join(f"line {number}" for number in range(1000))
    for state in ("success", "running"):
        fake.add_task("d", "r", "t", state=state, log=text)
        assert airflow.log("d", "r", "t", 1) == text


def test_events_of_airflow_3() -> None:
    with FakeAirflow(3) as fake, Airflow(AirflowLogin(fake.url, fake.user, fake.password)) as airflow:
        fake.add_run("d", "r")
        fake.add_task("d", "r", "t", log=[{"timestamp": "T", "level": "info", "event": "hello", "code": 1}])
        assert airflow.log("d", "r", "t", 1) == "[T] INFO - hello code=1"


# --- what answers otherwise


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{}", b'{"dag_runs": [{}], "total_entries": 1}', b"<html>", b"[" * 100_000]
)
def test_answers_of_another_form(fake: FakeAirflow, airflow: Airflow, body: bytes) -> None:
    fake.add_dag("d")
    fake.fail(200, path="/dagRuns", body=body)
    with pytest.raises(AirflowUnreachable, match="not as Airflow"):
        airflow.runs("d", 1)


def test_a_missing_permission(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_dag("d")
    fake.forbid("POST", "/dagRuns")
    with pytest.raises(AirflowRefused, match="does not allow this to the user 'ann'") as failure:
        airflow.trigger("d", {})
    assert failure.value.status == 403


def test_nobody_listens(airflow: Airflow) -> None:
    with FakeAirflow() as gone:
        url = gone.url
    pauses: list[float] = []
    with pytest.raises(AirflowUnreachable, match="nothing listens there"):
        Airflow(AirflowLogin(url), sleep=pauses.append).check()
    assert len(pauses) == 2


# --- XComs


def test_xcoms_are_as_they_are_in_the_database(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.add_run("d", "r")
    value = {"version": 1, "artifacts": {"a": {"size": 1, "key": "grün"}}, "none": None}
    fake.add_task("d", "r", "t").xcoms.update({"return_value": value, "other/key": "text"})
    assert airflow.xcom("d", "r", "t") == value
    assert airflow.xcom("d", "r", "t", "other/key") == "text"
    for path in (("d", "r", "t", "none"), ("d", "r", "x"), ("d", "x", "t"), ("x", "r", "t")):
        assert airflow.xcom(*path) is None


def test_xcoms_that_may_not_be_read(fake: FakeAirflow, airflow: Airflow) -> None:
    fake.forbid("GET", "xcomEntries")
    with pytest.raises(AirflowRefused):
        airflow.xcom("d", "r", "t")

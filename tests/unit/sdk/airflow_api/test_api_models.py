from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from aqueduct_provider.sdk.airflow_api.api_models import (
    DagInfo,
    RunInfo,
    TaskInfo,
    dag_of,
    moment_of,
    run_of,
    task_of,
    xcom_of,
)

NOON = datetime(2026, 5, 1, 12, 0, 0, 250000, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01T12:00:00.25Z", NOON),
        ("2026-05-01T12:00:00.250000Z", NOON),
        ("2026-05-01T12:00:00.250000123+00:00", NOON),
        ("2026-05-01T14:00:00.250+02:00", NOON),
        ("2026-05-01T12:00:00", NOON.replace(microsecond=0)),
        ("", None),
        (None, None),
    ],
)
def test_moments(text: str | None, moment: datetime | None) -> None:
    assert moment_of(text) == moment


def test_moments_are_aware() -> None:
    moment = moment_of("2026-05-01T12:00:00")
    assert moment is not None
    assert moment.utcoffset() == timedelta(0)


def test_a_run_of_airflow_3() -> None:
    data = {
        "dag_run_id": "r",
        "state": "running",
        "queued_at": "2026-05-01T12:00:00.250000Z",
        "start_date": "2026-05-01T12:00:00.250000Z",
        "end_date": None,
        "conf": {"n": 1},
        "logical_date": None,
        "something": "new",
    }
    assert run_of(data) == RunInfo("r", "running", NOON, NOON, None, {"n": 1}, None)


def test_a_run_of_airflow_2_knows_nothing_of_the_queue() -> None:
    data = {"dag_run_id": "r", "state": "queued", "conf": None, "start_date": None}
    assert run_of({**data, "logical_date": "2026-05-01T12:00:00.250000+00:00"}) == RunInfo(
        "r", "queued", logical_date=NOON
    )


def test_a_task() -> None:
    data = {"task_id": "t", "state": None, "try_number": 0, "start_date": None, "end_date": None}
    assert task_of({**data, "duration": None}) == TaskInfo("t", None, 0)
    times = {"start_date": "2026-05-01T12:00:00Z", "end_date": "2026-05-01T12:00:03Z"}
    # As Airflow 3.0 has it with SQLite.
    done = task_of({**data, **times, "state": "success", "try_number": 2, "duration": -35.3})
    assert (done.state, done.try_number, done.duration) == ("success", 2, 3.0)
    assert isinstance(done.duration, float)


def test_a_dag() -> None:
    data = {"dag_id": "d", "is_paused": True, "tags": [{"name": "b"}, {"name": "a"}], "file_token": "x"}
    assert dag_of(data) == DagInfo("d", True, ("b", "a"), "x")
    assert dag_of({"dag_id": "d", "is_paused": False, "tags": None}) == DagInfo("d", False)


@pytest.mark.parametrize(
    ("data", "gone"),
    [
        ({"is_stale": True}, True),
        ({"is_stale": False}, False),
        ({"is_active": False}, True),
        ({"is_active": True}, False),
        ({}, False),
    ],
)
def test_whether_the_file_is_gone(data: dict[str, Any], gone: bool) -> None:
    assert dag_of({"dag_id": "d", "is_paused": False, **data}).is_gone is gone


def test_what_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        run_of({"state": "queued"})


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ({"a": [1, None]}, {"a": [1, None]}),
        ('{"a": [1, null]}', {"a": [1, None]}),
        ("{'a': [1, None]}", {"a": [1, None]}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ("s3://bucket/xcom", "s3://bucket/xcom"),
        ("__import__('os')", "__import__('os')"),
        (None, None),
    ],
)
def test_xcoms_in_every_form(stored: Any, value: Any) -> None:
    assert xcom_of({"value": stored}) == value

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from aqueduct_provider.errors import IntegrityError
from aqueduct_provider.state.exec_state import (
    ExecState,
    FailureType,
    Status,
    TaskPart,
    exec_state_from_json,
)

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)


def test_success_has_the_originals_fields_and_no_error() -> None:
    state = ExecState(Status.SUCCEEDED, stdout="héllo\n", stderr="warn\n")
    assert json.loads(state.to_json()) == {
        "user_logs": {"stdout": "héllo\n", "stderr": "warn\n"},
        "status": "succeeded",
        "failure_type": None,
        "error": None,
    }


def test_failure_names_its_type_by_number() -> None:
    state = ExecState(Status.FAILED, FailureType.USER_NON_FATAL, "tip", "context")
    document = json.loads(state.to_json())
    assert (document["status"], document["failure_type"]) == ("failed", 3)
    assert document["error"] == {"tip": "tip", "context": "context"}


def test_text_that_is_no_unicode_can_still_be_written() -> None:
    state = ExecState(Status.FAILED, FailureType.USER_FATAL, "lone \ud800 surrogate")
    assert json.loads(state.to_json())["error"]["tip"] == "lone \ud800 surrogate"


def test_the_version_is_written_where_there_is_one() -> None:
    assert json.loads(ExecState(Status.SUCCEEDED, version="v1").to_json())["version"] == "v1"


@pytest.mark.parametrize(
    "state",
    [
        ExecState(Status.SUCCEEDED, stdout="out", stderr="err", version="v1"),
        ExecState(Status.FAILED, FailureType.USER_FATAL, "tip", "context"),
        ExecState(Status.CANCELED),
        ExecState(Status.SUCCEEDED, part=TaskPart(2, AT, AT + timedelta(seconds=1.5))),
    ],
)
def test_what_was_written_can_be_read(state: ExecState) -> None:
    assert exec_state_from_json(state.to_json()) == state


_PART = {
    "try_number": 2,
    "started_at": "2026-01-31T12:00:00+00:00",
    "ended_at": "2026-01-31T12:00:01+00:00",
}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"status": "lost", "user_logs": {"stdout": "", "stderr": ""}}',
        b'{"status": "failed", "user_logs": {"stdout": "", "stderr": ""}, "failure_type": 9}',
        b'{"status": "failed", "user_logs": {"stdout": "", "stderr": ""}, "error": "text"}',
        *(
            json.dumps({"status": "failed", "user_logs": {"stdout": "", "stderr": ""}, "task": task}).encode()
            for task in (
                [],
                {**_PART, "try_number": "2"},
                {**_PART, "try_number": float("nan")},
                {**_PART, "started_at": "2026-01-31T12:00:00"},
                {**_PART, "ended_at": 5},
            )
        ),
    ],
)
def test_what_is_no_exec_state(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="exec state cannot be read"):
        exec_state_from_json(data)

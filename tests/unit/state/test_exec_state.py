from __future__ import annotations

import json

from aqueduct_provider.state.exec_state import ExecState, FailureType, Status


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

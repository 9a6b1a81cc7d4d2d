from __future__ import annotations

import pytest

from aqueduct_provider.runner.contract import (
    ExternalFile,
    Failure,
    FunctionCall,
    InputFile,
    JobOutcome,
    JobRequest,
    OutputInfo,
    OutputSlot,
    outcome_from_json,
    request_from_json,
    to_json,
)


def test_a_request_comes_back() -> None:
    request = JobRequest(
        "function",
        inputs=[InputFile("a", "numeric", "json")],
        outputs=[OutputSlot("b", "table", "ü")],
        call=FunctionCall("code", "model.py", "Function", "predict"),
        files=[ExternalFile("c", "key", "table", "CSV")],
        merge=True,
    )
    assert request_from_json(to_json(request)) == request


def test_an_outcome_comes_back() -> None:
    info = OutputInfo("b", "table", "table", "DataFrame", "table/v1", [{"a": "int64"}])
    outcome = JobOutcome([info], Failure("user", "tip", "\ud800", True), False, 1.0, 2.0, 3.0)
    assert outcome_from_json(to_json(outcome)) == outcome


@pytest.mark.parametrize("read", [request_from_json, outcome_from_json])
def test_other_versions_are_refused(read: object) -> None:
    with pytest.raises(ValueError, match="version 2"):
        read('{"version": 2}')  # type: ignore[operator]

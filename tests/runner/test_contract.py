from __future__ import annotations

from pathlib import Path

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
    write_outcome,
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


def test_an_outcome_is_left_whole_under_its_own_name(tmp_path: Path) -> None:
    for outcome in (JobOutcome(check_passed=True), JobOutcome(failure=Failure("system", "tip"))):
        write_outcome(outcome, str(tmp_path))
        assert outcome_from_json((tmp_path / "outcome.json").read_text()) == outcome
        assert [path.name for path in tmp_path.iterdir()] == ["outcome.json"]


def test_an_outcome_that_cannot_be_written_leaves_none(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_outcome(JobOutcome(outputs=[OutputInfo("a", "b", "c", "d", object())]), str(tmp_path))  # type: ignore[arg-type]
    assert not (tmp_path / "outcome.json").exists()

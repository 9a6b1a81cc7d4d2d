from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from aqueduct_provider.sdk.airflow_api.log import text_of, traceback_of, without_sources

STAMP = "2026-11-22T22:10:25.908116Z"


def event(text: str, **fields: Any) -> dict[str, Any]:
    return {"timestamp": STAMP, "level": "info", "event": text, "logger": "task", "lineno": 1, **fields}


def stack(kind: str, value: str, *frames: tuple[str, int, str], **fields: Any) -> dict[str, Any]:
    named = [{"filename": file, "lineno": line, "name": name} for file, line, name in frames]
    return {
        "exc_type": kind,
        "exc_value": value,
        "exc_notes": [],
        "is_cause": False,
        "frames": named,
        **fields,
    }


SOURCES = ["::group::Log message source details", "/logs/attempt=1.log", "::endgroup::"]


def test_events_become_lines() -> None:
    content = [
        event("hello"),
        event("two\nlines", level="warning", task_id="t", ti_id="x"),
        {"event": "bare"},
    ]
    assert text_of(content) == f"[{STAMP}] INFO - hello\n[{STAMP}] WARNING - two\nlines\nbare"


def test_a_log_that_airflow_could_not_parse() -> None:
    assert text_of(["a", "b"]) == "a\nb"


def test_what_an_event_says_beside_its_words_is_shown() -> None:
    content = [event("Process exited", exit_code=-9, signal_sent="SIGKILL", bundle_version=None)]
    assert text_of(content) == f"[{STAMP}] INFO - Process exited exit_code=-9 signal_sent=SIGKILL"


def test_where_the_log_was_found_is_left_out() -> None:
    assert text_of([*({"event": line} for line in SOURCES), event("x")]) == f"[{STAMP}] INFO - x"
    assert text_of({"event": line} for line in SOURCES) == ""
    assert without_sources(["worker-1", *SOURCES, "a", "::endgroup::"]) == ["a", "::endgroup::"]


def test_groups_of_the_task_stay() -> None:
    lines = ["::group::Pre Execute", "a", "::endgroup::", "b"]
    assert without_sources(lines) == lines


def test_tracebacks_are_in_pythons_form() -> None:
    detail = [
        stack("ValueError", "bad", ("/dags/d.py", 10, "fails")),
        stack("KeyError", "'x'", ("/dags/d.py", 8, "fails"), is_cause=True),
    ]
    assert text_of([event("Task failed", level="error", error_detail=detail)]) == (
        f"[{STAMP}] ERROR - Task failed\n"
        "Traceback (most recent call last):\n"
        '  File "/dags/d.py", line 8, in fails\n'
        "KeyError: 'x'\n"
        "\nThe above exception was the direct cause of the following exception:\n\n"
        "Traceback (most recent call last):\n"
        '  File "/dags/d.py", line 10, in fails\n'
        "ValueError: bad"
    )


def test_contexts_notes_and_syntax_errors() -> None:
    syntax = {"filename": "f.py", "lineno": 3, "line": "  if:", "offset": 1, "msg": "invalid syntax"}
    text = traceback_of(
        [
            stack("ValueError", "", exc_notes=["look here"]),
            stack("SyntaxError", "invalid syntax", syntax_error=syntax),
        ]
    )
    assert text == (
        '  File "f.py", line 3\n    if:\nSyntaxError: invalid syntax\n'
        "\nDuring handling of the above exception, another exception occurred:\n\nValueError\nlook here"
    )


def test_groups_of_exceptions() -> None:
    members = [[stack("KeyError", "'a'")], [stack("ValueError", "b")]]
    text = traceback_of([stack("ExceptionGroup", "two", is_group=True, exceptions=members)])
    assert text == "ExceptionGroup: two\n  +-- 1\n  | KeyError: 'a'\n  +-- 2\n  | ValueError: b"


@pytest.mark.parametrize("detail", ["text", [1], [{"no": "type"}], {"a": 1}])
def test_another_form_is_shown_as_it_is(detail: Any) -> None:
    assert traceback_of(detail) == str(detail)


def test_exceptions_as_text() -> None:
    text = text_of([event("x", exception="Traceback ...\nValueError: y")])
    assert text.endswith("INFO - x\nTraceback ...\nValueError: y")


def test_the_form_that_structlog_makes() -> None:
    pytest.importorskip("structlog")
    program = """
import json, structlog
def fails():
    try:
        raise KeyError("x")
    except KeyError as error:
        raise ValueError("bad") from error
try:
    fails()
except ValueError as error:
    kind = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    print(json.dumps(kind((type(error), error, error.__traceback__))))
"""
    output = subprocess.check_output([sys.executable, "-c", program], text=True)
    lines = traceback_of(json.loads(output)).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line for line in lines if line.startswith(("KeyError", "ValueError"))] == [
        "KeyError: 'x'",
        "ValueError: bad",
    ]
    assert "The above exception was the direct cause of the following exception:" in lines

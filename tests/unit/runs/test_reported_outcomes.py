from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from aqueduct_provider.runs.reported_outcomes import (
    KEPT,
    Outcome,
    Reported,
    fails_first,
    moment_text,
    read_reported,
    write_reported,
)
from aqueduct_provider.spec.conditions import Condition
from aqueduct_provider.storage.layout import FlowLayout
from aqueduct_provider.storage.local import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


@pytest.mark.parametrize(
    ("before", "now", "event"),
    [
        ("passed", "passed", None),
        ("passed", "warning", "warning"),
        ("warning", "warning", None),
        ("warning", "failure", "failure"),
        ("failure", "warning", "warning"),
        ("failure", "passed", "recovery"),
        ("warning", "passed", "recovery"),
    ],
)
def test_changes_of_state(before: Outcome, now: Outcome, event: Condition | None) -> None:
    assert Reported(before).change(now) == event


def test_what_was_told_is_read_back(store: LocalStore) -> None:
    began = moment_text(datetime(2026, 1, 1, tzinfo=timezone.utc))
    reported = Reported("warning", {"a": 1, "b": 0.5}, ("slack:ops",), began)
    write_reported(store, "flow", reported, "check")
    assert read_reported(store, "flow", "check") == reported
    assert read_reported(store, "flow") == Reported(), "the flow has an object of its own"


def test_a_later_run_is_known_by_when_it_began() -> None:
    east = timezone(timedelta(hours=2))
    first = moment_text(datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc))
    later = moment_text(datetime(2026, 1, 1, 14, 0, 0, 1, tzinfo=east))
    assert Reported(began=later).is_later_than(first)
    assert not Reported(began=first).is_later_than(later)
    assert not Reported(began=first).is_later_than(first), "the same run, again"
    # Where it is not known, the run counts as the newest.
    assert not Reported(began=later).is_later_than("")
    assert not Reported().is_later_than(first)
    assert moment_text(None) == ""


@pytest.mark.parametrize("began", ["9999-01-01T00:00:00.000000+00:00", "zzz", 7, "2026-01-01", None])
def test_a_moment_that_would_silence_all_runs_is_not_believed(began: object, store: LocalStore) -> None:
    document = {"outcome": "warning", "values": {}, "missed": [], "began": began}
    store.put(FlowLayout("flow").notified("check"), json.dumps(document).encode())
    found = read_reported(store, "flow", "check")
    assert not found.is_later_than(moment_text(datetime(2026, 1, 1, tzinfo=timezone.utc)))


def test_all_of_it_lies_below_the_flow(store: LocalStore) -> None:
    write_reported(store, "flow", Reported(), "check")
    write_reported(store, "flow", Reported())
    assert fails_first(store, "flow", "run", 0, "task")
    keys = list(store.list(""))
    assert len(keys) == 3
    assert all(key.startswith(FlowLayout("flow").prefix) for key in keys), "delete_flow deletes it, too"


def test_the_newest_values_are_kept_once_for_each_run() -> None:
    reported = Reported()
    for number in range(KEPT + 2):
        reported = Reported("passed", reported.with_value(f"run-{number}", number))
    assert list(reported.values.values()) == [2, 3, 4, 5, 6]
    assert list(reported.with_value("run-3", 30).values()) == [2, 4, 5, 6, 30]
    assert reported.with_value("another", None) == reported.values


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        {"outcome": "odd", "values": {}, "missed": []},
        {"outcome": "warning"},
        {"outcome": "warning", "values": [], "missed": []},
        {"outcome": "warning", "values": {"a": 10**400}, "missed": []},
    ],
)
def test_what_others_have_put_there_counts_as_nothing(document: object, store: LocalStore) -> None:
    data = document if isinstance(document, str) else json.dumps(document)
    store.put(FlowLayout("flow").notified("check"), data.encode())
    assert read_reported(store, "flow", "check") == Reported()


def test_values_that_are_no_numbers_are_left_out(store: LocalStore) -> None:
    document = {"outcome": "warning", "values": {"a": "x", "b": True, "c": 1}, "missed": []}
    store.put(FlowLayout("flow").notified(), json.dumps(document).encode())
    assert read_reported(store, "flow").values == {"c": 1}


def test_one_task_of_a_run_fails_first(store: LocalStore) -> None:
    assert fails_first(store, "flow", "run", 0, "a")
    assert not fails_first(store, "flow", "run", 0, "b")
    assert fails_first(store, "flow", "run", 1, "b"), "the run was cleared"
    assert fails_first(store, "flow", "other", 0, "b")

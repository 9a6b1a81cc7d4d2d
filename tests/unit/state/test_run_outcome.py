"""How a run ended: Airflow's word, else what its operators left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aqueduct_provider.state.exec_state import ExecState, FailureType, Status
from aqueduct_provider.state.run_outcome import RunOutcome, run_outcome
from aqueduct_provider.storage.layout import FlowLayout, NativeLayout
from aqueduct_provider.storage.local import LocalStore
from tests.support.example_specs import FLOW_ID, VERSION_ID, native_document

OPERATORS = [one["id"] for one in native_document()["operators"]]
DONE = ExecState(Status.SUCCEEDED, version=VERSION_ID)
WARNED = ExecState(Status.FAILED, FailureType.USER_NON_FATAL, version=VERSION_ID)
FAILED = ExecState(Status.FAILED, FailureType.USER_FATAL, version=VERSION_ID)
CANCELED = ExecState(Status.CANCELED, version=VERSION_ID)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path)
    store.put(FlowLayout(FLOW_ID).version(VERSION_ID), json.dumps(native_document()).encode())
    return store


def leave(store: LocalStore, *states: ExecState) -> None:
    for operator, state in zip(OPERATORS, states, strict=False):
        store.put(NativeLayout(FLOW_ID, "run").exec_state(operator), state.to_json())


def outcome(store: LocalStore, state: str | None = None) -> RunOutcome:
    return run_outcome(store, FLOW_ID, "run", state)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("success", RunOutcome.SUCCEEDED),
        ("failed", RunOutcome.ENDED),
        ("running", RunOutcome.OPEN),
        ("queued", RunOutcome.OPEN),
        ("what a later Airflow says", RunOutcome.OPEN),
    ],
)
def test_airflow_is_right(store: LocalStore, state: str, expected: RunOutcome) -> None:
    leave(store, *[DONE] * len(OPERATORS))
    assert outcome(store, state) is expected


def test_a_forgotten_run_succeeded_when_every_operator_of_its_version_did(store: LocalStore) -> None:
    leave(store, WARNED, *[DONE] * (len(OPERATORS) - 1))
    assert outcome(store) is RunOutcome.SUCCEEDED


@pytest.mark.parametrize("last", [FAILED, CANCELED])
def test_a_forgotten_run_ended_where_an_operator_failed(store: LocalStore, last: ExecState) -> None:
    leave(store, DONE, last)
    assert outcome(store) is RunOutcome.ENDED


def test_what_is_not_known_to_have_ended_is_open(store: LocalStore) -> None:
    assert outcome(store) is RunOutcome.OPEN
    leave(store, *[DONE] * (len(OPERATORS) - 1))
    assert outcome(store) is RunOutcome.OPEN
    leave(store, *[DONE] * len(OPERATORS))
    store.put(NativeLayout(FLOW_ID, "run").exec_state(OPERATORS[0]), b"no JSON")
    assert outcome(store) is RunOutcome.OPEN


def test_a_version_that_cannot_be_read_leaves_it_open(store: LocalStore) -> None:
    leave(store, *[DONE] * len(OPERATORS))
    for text in (b"{}", None):
        key = FlowLayout(FLOW_ID).version(VERSION_ID)
        store.delete([key]) if text is None else store.put(key, text)
        assert outcome(store) is RunOutcome.OPEN
    leave(store, ExecState(Status.SUCCEEDED, version=None))
    assert outcome(store) is RunOutcome.OPEN

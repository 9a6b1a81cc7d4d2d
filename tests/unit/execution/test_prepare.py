"""What each operator type reads and leaves, through the whole path with real children."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider.errors import DigestMismatch, OperatorFailed, is_retryable
from aqueduct_provider.spec.loader import parse
from tests.support.example_specs import compiled_document, param_task
from tests.support.flow_runs import RUN_ID, LocalRun
from tests.unit.execution.conftest import Asked, Desk

Function = Callable[..., dict[str, Any]]


def _param(desk: Desk, type_: str, default: dict[str, Any]) -> LocalRun:
    spec = desk.flow(
        {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["out"]},
        types={"out": type_},
        parameters=({"name": "n", "type": type_, "default": default},),
    )
    return LocalRun(spec, desk.store, desk.folder)


@pytest.mark.parametrize(
    ("type_", "default", "given", "content"),
    [
        ("numeric", 5, None, b"5"),
        ("numeric", 5, 7, b"7"),
        ("boolean", True, False, b"false"),
        ("string", "a", "grün {{ today }}", "grün {{ today }}".encode()),
        ("dictionary", {}, {"a": [1]}, b'{"a": [1]}'),
        ("tuple", [1, 2], [3], b"[3]"),
        ("json", "{}", '{"a": 1}', b'{"a": 1}'),
    ],
)
def test_a_parameter_is_the_runs_value_or_the_default(
    desk: Desk, type_: str, default: Any, given: Any, content: bytes
) -> None:
    run = _param(desk, type_, {"value": default})
    run.params = {"n": given}
    run.run()
    assert desk.content("out") == content
    assert desk.metadata("out")["artifact_type"] == type_
    assert desk.metadata("out")["system_metadata"] == {}


def test_a_value_of_the_wrong_type_is_user_fatal_and_names_both_types(desk: Desk) -> None:
    run = _param(desk, "numeric", {"value": 5})
    run.params = {"n": "text"}
    with pytest.raises(OperatorFailed, match=r"(?s)numeric.*string|string.*numeric") as caught:
        run.run()
    assert not is_retryable(caught.value)
    assert desk.state("p")["failure_type"] == 2


def _stored(data: bytes) -> dict[str, Any]:
    return {
        "key": "parameters/n",
        "serialization_type": "pickle",
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def test_a_stored_default_is_verified_and_used(desk: Desk) -> None:
    data = pickle.dumps({1, 2})
    desk.store.put("parameters/n", data)
    _param(desk, "picklable", _stored(data)).run()
    assert pickle.loads(desk.content("out")) == {1, 2}


def test_a_stored_default_that_was_changed_is_refused(desk: Desk) -> None:
    desk.store.put("parameters/n", b"evil")
    with pytest.raises(DigestMismatch):
        _param(desk, "picklable", _stored(pickle.dumps({1, 2}))).run()


@pytest.mark.parametrize(
    ("run_value", "given", "content"), [(None, None, b"1"), (b"2", None, b"2"), (b"2", 3, b"3")]
)
def test_a_compiled_parameter_is_given_then_run_scoped_then_published(
    desk: Desk, run_value: bytes | None, given: int | None, content: bytes
) -> None:
    document = compiled_document(task_specs={"n": param_task("n")}, task_edges={})
    desk.store.put("n-content", b"1")
    if run_value is not None:
        desk.store.put(f"n-content_{RUN_ID}", run_value)
    spec = parse(json.dumps(document).encode(), "flow.json")

    LocalRun(spec, desk.store, desk.folder, params={"n": given}).run()

    assert desk.store.get(f"n-content_{RUN_ID}") == content
    metadata = json.loads(desk.store.get(f"n-metadata_{RUN_ID}"))
    assert set(metadata) == {
        "schema",
        "system_metadata",
        "artifact_type",
        "serialization_type",
        "python_type",
    }
    state = json.loads(desk.store.get(f"n-state_{RUN_ID}"))
    assert state["status"] == "succeeded"
    assert set(state) == {"user_logs", "status", "failure_type", "error"}


@pytest.mark.parametrize("metric", ["runtime", "max_memory"])
def test_a_system_metric_is_what_was_measured(desk: Desk, function: Function, metric: str) -> None:
    measure = {
        "task_id": "m",
        "type": "system_metric",
        "metric": metric,
        "inputs": ["out"],
        "outputs": ["measured"],
    }
    run = LocalRun(
        desk.flow(function("def predict(): return 1"), measure, types={"measured": "numeric"}),
        desk.store,
        desk.folder,
    )
    run.run()
    expected = float(desk.metadata("out")["system_metadata"][metric])
    assert json.loads(desk.content("measured")) == expected
    assert desk.metadata("measured")["artifact_type"] == "numeric"


def test_only_functions_are_measured(desk: Desk) -> None:
    spec = desk.flow(
        {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["out"]},
        {"task_id": "m", "type": "system_metric", "metric": "runtime", "inputs": ["out"], "outputs": ["m"]},
        types={"out": "numeric", "m": "numeric"},
        parameters=({"name": "n", "type": "numeric", "default": {"value": 1}},),
    )
    with pytest.raises(OperatorFailed, match="'out' has no runtime"):
        LocalRun(spec, desk.store, desk.folder).run()


def test_several_outputs_and_inputs_keep_their_order(desk: Desk, function: Function) -> None:
    first = function("def predict(): return 1, 'two'", outputs=["one", "two"])
    second = {
        "task_id": "g",
        "type": "function",
        "inputs": ["two", "one"],
        "outputs": ["out"],
        "code": desk.code("def predict(*args): return list(args)"),
    }
    LocalRun(desk.flow(first, second), desk.store, desk.folder).run()
    assert json.loads(desk.content("out")) == ["two", 1]


def test_a_pickled_default_is_read_where_its_reader_runs(desk: Desk) -> None:
    data = pickle.dumps({1, 2})
    desk.store.put("parameters/n", data)
    reader = {
        "task_id": "g",
        "type": "function",
        "inputs": ["out"],
        "outputs": ["out2"],
        "code": {**desk.code("def predict(value): return 1"), "requirements": ["six"]},
    }
    spec = desk.flow(
        {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["out"]},
        reader,
        types={"out": "picklable"},
        parameters=({"name": "n", "type": "picklable", "default": _stored(data)},),
    )
    asked = Asked()
    LocalRun(spec, desk.store, desk.folder, provide=asked).run("p")
    assert asked.requirements == [("six", "cloudpickle")]

"""Parameter values that a run's conf names by their digest."""

from __future__ import annotations

import hashlib
import json
import pickle
from typing import Any

import pytest

from aqueduct_provider.errors import DigestMismatch, OperatorFailed, is_retryable
from aqueduct_provider.spec.run_values import StoredValue, value_digest
from aqueduct_provider.storage.layout import FlowLayout
from tests.support.example_specs import FLOW_ID, SHA256
from tests.support.flow_runs import LocalRun
from tests.unit.execution.conftest import Desk
from tests.unit.execution.test_prepare import Asked


def _flow(desk: Desk, type_: str, *readers: dict[str, Any], default: Any = None) -> LocalRun:
    missing = {"key": "missing", "serialization_type": "pickle", "sha256": SHA256}
    parameter = {"name": "n", "type": type_, "default": missing if default is None else {"value": default}}
    spec = desk.flow(
        {"task_id": "p", "type": "param", "parameter": "n", "outputs": ["out"]},
        *readers,
        types={"out": type_},
        parameters=(parameter,),
    )
    return LocalRun(spec, desk.store, desk.folder)


def _give(desk: Desk, data: bytes, serialization_type: str, artifact_type: str) -> dict[str, StoredValue]:
    digest = value_digest(hashlib.sha256(data).hexdigest(), serialization_type)
    desk.store.put(FlowLayout(FLOW_ID).value(digest), data)
    return {"n": StoredValue(digest, serialization_type, artifact_type)}


@pytest.mark.parametrize(
    ("type_", "value", "content"),
    [
        ("picklable", (pickle.dumps({1, 2}), "pickle", "picklable"), {1, 2}),
        ("untyped", (pickle.dumps({1, 2}), "pickle", "picklable"), {1, 2}),
        ("untyped", (b"[1, 2]", "json", "tuple"), [1, 2]),
        ("numeric", (b"7", "json", "numeric"), 7),
        ("tuple", (b"[1]", "json", "tuple"), [1]),
    ],
)
def test_a_value_that_was_given_by_key_is_the_runs(
    desk: Desk, type_: str, value: tuple[bytes, str, str], content: Any
) -> None:
    run = _flow(desk, type_)
    run.given = _give(desk, *value)
    run.run()
    stored = desk.content("out")
    assert (pickle.loads(stored) if value[1] == "pickle" else json.loads(stored)) == content
    assert desk.metadata("out")["artifact_type"] == value[2]


def test_it_goes_before_a_value_in_the_params(desk: Desk) -> None:
    run = _flow(desk, "numeric", default=1)
    run.params, run.given = {"n": 2}, _give(desk, b"3", "json", "numeric")
    run.run()
    assert desk.content("out") == b"3"


def test_a_table_is_stored_as_other_tables_are(desk: Desk) -> None:
    import pandas as pd

    pd.DataFrame({"a": [1, 2]}).to_parquet(desk.folder / "given.parquet")
    run = _flow(desk, "table")
    run.given = _give(desk, (desk.folder / "given.parquet").read_bytes(), "parquet", "table")
    run.run()
    assert desk.metadata("out")["encoding"] == "parquet/v3"
    assert desk.metadata("out")["schema"] == [{"a": "int64"}]


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("numeric", (b"many", "string", "string")),
        ("numeric", (pickle.dumps({1, 2}), "pickle", "numeric")),
        ("list", (b"[1]", "json", "tuple")),
        ("picklable", (b"no pickle", "pickle", "picklable")),
    ],
)
def test_a_value_of_another_type_is_the_users_mistake(
    desk: Desk, type_: str, value: tuple[bytes, str, str]
) -> None:
    run = _flow(desk, type_)
    run.given = _give(desk, *value)
    with pytest.raises(OperatorFailed, match="The parameter's value") as caught:
        run.run()
    assert not is_retryable(caught.value)
    assert desk.state("p")["failure_type"] == 2


def test_a_value_that_is_not_there_is_the_users_mistake_and_names_its_key(desk: Desk) -> None:
    run = _flow(desk, "picklable")
    run.given = {"n": StoredValue(SHA256, "pickle", "picklable")}
    with pytest.raises(OperatorFailed, match=f"flows/{FLOW_ID}/values/{SHA256}") as caught:
        run.run()
    assert not is_retryable(caught.value)
    assert desk.state("p")["failure_type"] == 2


def test_a_value_that_was_changed_is_refused(desk: Desk) -> None:
    run = _flow(desk, "picklable")
    run.given = _give(desk, pickle.dumps({1, 2}), "pickle", "picklable")
    desk.store.put(FlowLayout(FLOW_ID).value(run.given["n"].sha256), pickle.dumps("evil"))
    with pytest.raises(DigestMismatch, match=f"flows/{FLOW_ID}/values/"):
        run.run()


def test_a_pickle_is_read_where_its_reader_runs(desk: Desk) -> None:
    reader = {
        "task_id": "g",
        "type": "function",
        "inputs": ["out"],
        "outputs": ["out2"],
        "code": {**desk.code("def predict(value): return 1"), "requirements": ["six"]},
    }
    asked = Asked()
    made = _flow(desk, "untyped", reader, default=0)
    run = LocalRun(made.spec, desk.store, desk.folder, provide=asked)
    run.given = _give(desk, pickle.dumps({1, 2}), "pickle", "picklable")
    run.run("p")
    assert asked.requirements == [("six", "cloudpickle")]

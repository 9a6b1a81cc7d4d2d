"""The parameters of a local run."""

from __future__ import annotations

import enum
import hashlib
from pathlib import Path
from typing import Any

import pandas
import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.runner.codecs import decode
from aqueduct_provider.sdk.local.run_parameters import check_run_id, parameters_for
from aqueduct_provider.spec.run_values import value_digest
from tests.support.example_specs import FLOW_ID
from tests.support.stored_flows import Flows, param


class Level(enum.IntEnum):
    """A number that only a pickle keeps."""

    LOW = 1


@pytest.fixture
def flows(tmp_path: Path) -> Flows:
    return Flows(tmp_path)


@pytest.mark.parametrize(
    ("kind", "default", "value", "taken"),
    [
        ("numeric", 1, 2, 2),
        ("boolean", True, False, False),
        ("string", "a", "3", "3"),
        ("json", "{}", '{"a": 1}', '{"a": 1}'),
        ("list", [], [1], [1]),
        ("tuple", [], (1, 2), [1, 2]),
        ("dictionary", {}, {"a": None}, {"a": None}),
        ("untyped", None, "text", "text"),
    ],
)
def test_json_values(kind: str, default: Any, value: Any, taken: Any, flows: Flows) -> None:
    made = parameters_for(flows.spec(param("p", default, kind)), {"p": value})
    assert made.params == {"p": taken}
    assert type(made.params["p"]) is type(taken)
    assert (made.given, made.objects) == ({}, {})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("untyped", None),
        ("untyped", (1, 2)),
        ("bytes", b"raw"),
        ("picklable", {1}),
        ("dictionary", {"a": {1}}),
    ],
)
def test_other_values_lie_in_the_store(kind: str, value: Any, flows: Flows) -> None:
    default = flows.stored(b"", "pickle") if kind not in ("untyped", "dictionary") else {}
    made = parameters_for(flows.spec(param("p", default, kind)), {"p": value})
    assert made.params == {}
    ((key, data),) = made.objects.items()
    given = made.given["p"]
    assert key == f"flows/{FLOW_ID}/values/{given.sha256}"
    assert value_digest(hashlib.sha256(data).hexdigest(), given.serialization_type) == given.sha256
    assert decode(data, given.serialization_type, given.artifact_type) == value


def test_compiled_flows_take_json_only(flows: Flows) -> None:
    spec = flows.compiled({"n": 1}, "def predict(n): return n")
    assert parameters_for(spec, {"n": 2}).params == {"n": 2}
    untyped = flows.compiled({"n": 1}, "def predict(n): return n", kinds={"n": "untyped"})
    with pytest.raises(AuthoringError, match="'n' is not JSON: compiled flows take only such values"):
        parameters_for(untyped, {"n": pandas.DataFrame({"a": [1]})})


def test_values_that_do_not_fit(flows: Flows) -> None:
    spec = flows.spec(param("rows", 1))
    with pytest.raises(AuthoringError, match=r"'small' has no parameter 'row'. Did you mean 'rows'\?"):
        parameters_for(spec, {"row": 1})
    with pytest.raises(AuthoringError, match=r"'rows' is of type list \(list\), but must be of type numeric"):
        parameters_for(spec, {"rows": [1]})


def test_run_ids() -> None:
    for good in ("r", "manual__2026-01-01T00:00:00+00:00", "a.b~c"):
        assert check_run_id(good) == good
    for bad in ("", ".", "..", "a/b", "a b", "é", "x" * 251):
        with pytest.raises(AuthoringError, match="cannot be a run id"):
            check_run_id(bad)


def test_what_no_run_can_be_given(flows: Flows) -> None:
    spec = flows.spec(param("p", 1, "numeric"), param("t", flows.stored(b"", "parquet"), "table"))
    for name, value in (("p", Level.LOW), ("t", pandas.DataFrame({"a": [{1}]}))):
        with pytest.raises(AuthoringError, match=f"The value of parameter '{name}' .* only a pickle keeps"):
            parameters_for(spec, {name: value})

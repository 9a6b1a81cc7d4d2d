"""What a run's conf says of values that are no JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.errors import SpecError, is_retryable
from aqueduct_provider.runner import codecs
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import ArtifactType
from aqueduct_provider.spec.run_values import (
    SERIALIZATION_TYPES,
    VALUES_KEY,
    StoredValue,
    check_conf,
    given_problem,
    to_conf,
    value_digest,
    values_from_conf,
)
from tests.support.example_specs import SHA256, compiled_document, native_document

VALUE = {"sha256": SHA256, "serialization_type": "pickle", "artifact_type": "picklable"}

NUMBER = {"sha256": SHA256, "serialization_type": "json", "artifact_type": "numeric"}


@pytest.mark.parametrize("conf", [None, {}, {"n": 1}])
def test_a_conf_need_not_name_any(conf: dict[str, Any] | None) -> None:
    assert values_from_conf(conf) == {}


def test_what_was_written_is_read() -> None:
    values = {"model": StoredValue(**VALUE), "größe des x": StoredValue(SHA256, "parquet", "table")}
    assert values_from_conf({"n": 1, **to_conf(values)}) == values
    assert to_conf(values)[VALUES_KEY]["model"] == VALUE


def test_no_values_need_no_key() -> None:
    assert to_conf({}) == {}


def test_the_serialization_types_are_those_that_the_runner_reads() -> None:
    assert set(codecs._ELEMENT_READERS) == SERIALIZATION_TYPES


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        (None, f"$.{VALUES_KEY}", "must be an object"),
        ([], f"$.{VALUES_KEY}", "must be an object"),
        ({"m": "secret-value"}, f"$.{VALUES_KEY}.m", "client.trigger"),
        ({"m": {}}, f"$.{VALUES_KEY}.m.sha256", "64 digits"),
        ({"m": {**VALUE, "sha256": SHA256.upper()}}, f"$.{VALUES_KEY}.m.sha256", "64 digits"),
        ({"m": {**VALUE, "sha256": f"{SHA256}\n"}}, f"$.{VALUES_KEY}.m.sha256", "64 digits"),
        ({"m": {**VALUE, "sha256": f"../../{SHA256}"}}, f"$.{VALUES_KEY}.m.sha256", "64 digits"),
        ({"m": {**VALUE, "sha256": 1}}, f"$.{VALUES_KEY}.m.sha256", "64 digits"),
        ({"m": {**VALUE, "serialization_type": "yaml"}}, f"$.{VALUES_KEY}.m.serialization_type", "parquet"),
        ({"m": {**VALUE, "serialization_type": ["json"]}}, f"$.{VALUES_KEY}.m.serialization_type", "parquet"),
        ({"m": {**VALUE, "artifact_type": None}}, f"$.{VALUES_KEY}.m.artifact_type", "picklable"),
        ({"m": {**VALUE, "key": "functions/x"}}, f"$.{VALUES_KEY}.m.key", "unknown field"),
        ({"m n": {**VALUE, "key": "functions/x"}}, f'$.{VALUES_KEY}["m n"].key', "unknown field"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(given: Any, path: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        values_from_conf({VALUES_KEY: given})
    problem = caught.value.problems[0]
    assert problem.path == path
    assert message in problem.message
    assert "secret-value" not in str(caught.value)
    assert (caught.value.fault, is_retryable(caught.value)) == ("user", False)


def test_all_problems_are_told_but_not_thousands() -> None:
    with pytest.raises(SpecError) as caught:
        values_from_conf({VALUES_KEY: {f"p{number}": {} for number in range(1000)}})
    assert 3 < len(caught.value.problems) <= 20


@pytest.mark.parametrize("compiled", [False, True])
def test_keys_of_conf_that_are_no_parameters_are_refused(compiled: bool) -> None:
    spec = parse(json.dumps(compiled_document() if compiled else native_document()).encode(), "x.json")
    check_conf(None, spec)
    check_conf({"threshold": 1, "openlineage": {"parentRunId": "x"}}, spec)
    check_conf({"airflow/task_span_detail_level": 2}, spec)
    with pytest.raises(SpecError) as caught:
        check_conf({"treshold": 1, "other": 2}, spec)
    assert {problem.path: problem.message for problem in caught.value.problems} == {
        "$.treshold": "the flow has no parameter of this name, did you mean 'threshold'?",
        "$.other": "the flow has no parameter of this name, remove it; the flow's parameters: threshold",
    }


def test_stored_values_of_no_parameter_are_refused() -> None:
    native = parse(json.dumps(native_document()).encode(), "x.json")
    check_conf({VALUES_KEY: {"threshold": NUMBER}}, native)
    with pytest.raises(SpecError, match=r"aqueduct_values\.model: the flow has no parameter of this name"):
        check_conf({VALUES_KEY: {"model": VALUE}}, native)


def test_compiled_flows_have_no_stored_values() -> None:
    compiled = parse(json.dumps(compiled_document()).encode(), "x.json")
    with pytest.raises(SpecError, match="compiled flows do not know this key"):
        check_conf({VALUES_KEY: {"threshold": VALUE}}, compiled)


@pytest.mark.parametrize(
    ("kind", "serialization", "message"),
    [
        ("numeric", "pickle", "a value of type numeric must be encoded as json or numpy-scalar, not pickle"),
        ("picklable", "pickle", "a value must be of type numeric, not picklable"),
        ("string", "string", "a value must be of type numeric, not string"),
    ],
)
def test_stored_values_must_be_of_the_parameters_type(kind: str, serialization: str, message: str) -> None:
    native = parse(json.dumps(native_document()).encode(), "x.json")
    value = {"sha256": SHA256, "serialization_type": serialization, "artifact_type": kind}
    with pytest.raises(SpecError) as caught:
        check_conf({VALUES_KEY: {"threshold": value}}, native)
    assert [str(one) for one in caught.value.problems] == [f"$.{VALUES_KEY}.threshold: {message}"]


DATA = ("numeric", "boolean", "string", "json", "bytes", "image", "table")


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("wanted", [None, ArtifactType.UNTYPED])
def test_no_parameter_of_plain_data_is_given_a_pickle(kind: str, wanted: ArtifactType | None) -> None:
    value = StoredValue(SHA256, "pickle", kind)
    assert "must be encoded as" in given_problem(wanted or ArtifactType(kind), value)


@pytest.mark.parametrize("kind", ["picklable", "list", "tuple", "dictionary", "tensorflow-keras-model"])
def test_pickles_of_the_types_that_have_them_need_leave(kind: str) -> None:
    value = StoredValue(SHA256, "pickle", kind)
    assert given_problem(ArtifactType(kind), value) == ""
    assert "[aqueduct] pickled_parameters is False" in given_problem(ArtifactType(kind), value, pickles=False)


def test_the_digest_covers_how_a_value_is_encoded() -> None:
    digests = {value_digest(SHA256, kind) for kind in SERIALIZATION_TYPES}
    assert len({*digests, SHA256}) == len(SERIALIZATION_TYPES) + 1

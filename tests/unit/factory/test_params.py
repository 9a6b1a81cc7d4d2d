from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.compat import ParamValidationError
from aqueduct_provider.factory.params import params_of
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import ArtifactType
from tests.support.example_specs import SHA256, native_document, operator

VALUES: dict[str, Any] = {
    "text": "some text",
    "json text": '{"a": 1}',
    "number": 1.5,
    "whole number": 3,
    "true": True,
    "object": {"a": [1, None]},
    "array": [1, "two", {"three": 3}],
}
ACCEPTED = {
    "numeric": {"number", "whole number"},
    "string": {"text", "json text"},
    "json": {"text", "json text"},
    "boolean": {"true"},
    "dictionary": {"object"},
    "list": {"array"},
    "tuple": {"array"},
    "untyped": set(VALUES),
}
OTHERS = ["table", "bytes", "image", "picklable", "tensorflow-keras-model"]
STORED = {"key": "defaults/p", "serialization_type": "json", "sha256": SHA256}


def param(kind: str, default: Any, name: str = "p", description: str = "") -> Any:
    document = native_document(
        artifacts=[{"id": "p-value", "name": "p"}],
        parameters=[{"name": name, "type": kind, "default": default, "description": description}],
        operators=[operator("p", "param", parameter=name)],
    )
    return params_of(parse(json.dumps(document).encode(), "p.json"))[name]


def test_every_type_has_a_test() -> None:
    assert {kind.value for kind in ArtifactType} == {*ACCEPTED, *OTHERS}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("kind", ACCEPTED)
def test_values_of_other_types_are_refused(kind: str, value: str) -> None:
    subject = param(kind, STORED)
    if value in ACCEPTED[kind]:
        assert subject.resolve(VALUES[value]) == VALUES[value]
    else:
        with pytest.raises(ParamValidationError):
            subject.resolve(VALUES[value])


@pytest.mark.parametrize("kind", [*ACCEPTED, *OTHERS])
def test_none_stands_for_a_stored_default(kind: str) -> None:
    subject = param(kind, STORED, description="About it.")
    assert subject.resolve() is None
    assert subject.description.startswith("About it. ")
    assert "the published value" in subject.description


@pytest.mark.parametrize("value", [value for value in VALUES.values() if value != "some text"])
@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_not_json_cannot_be_set(kind: str, value: Any) -> None:
    subject = param(kind, STORED)
    assert "cannot be set" in subject.description
    with pytest.raises(ParamValidationError):
        subject.resolve(value)


@pytest.mark.parametrize(
    ("kind", "value"), [("numeric", 0), ("string", ""), ("boolean", False), ("dictionary", {}), ("list", [])]
)
def test_an_inline_default_is_the_value_and_none_is_refused(kind: str, value: Any) -> None:
    subject = param(kind, {"value": value})
    assert subject.resolve() == value
    assert subject.description is None
    with pytest.raises(ParamValidationError):
        subject.resolve(None)


def test_json_is_edited_as_text() -> None:
    assert param("json", {"value": {"a": 1}}).resolve() == '{"a": 1}'
    assert param("json", {"value": "[1]"}).resolve() == "[1]"


@pytest.mark.parametrize("name", ["train:n", "größe", "a b", "{{ x }}"])
def test_any_name_will_do(name: str) -> None:
    assert param("numeric", {"value": 1}, name=name).resolve(2) == 2


def test_airflow_3_edits_an_array_as_json_only_with_typed_items() -> None:
    from aqueduct_provider.compat import AIRFLOW_V_3_0_PLUS

    items = param("list", STORED).schema["items"]
    # 2.11: without a type. Airflow 3: with one that is not just "string".
    assert isinstance(items.get("type"), list) if AIRFLOW_V_3_0_PLUS else "type" not in items


def test_what_cannot_be_set_is_not_a_required_field_of_the_form() -> None:
    assert param("table", STORED).schema["type"] == ["null"]


LARGE = [2**64, -(2**63) - 1, 2**70]


@pytest.mark.parametrize("value", LARGE)
def test_integers_that_no_task_could_be_sent_are_refused(value: int) -> None:
    for kind, given in (
        ("numeric", value),
        ("untyped", value),
        ("list", [1, value]),
        ("tuple", [[{"a": value}]]),
        ("dictionary", {"a": {"b": [value]}}),
        ("untyped", {"a": [value]}),
    ):
        with pytest.raises(ParamValidationError, match="an integer of more than 64 bits"):
            param(kind, STORED).resolve(given)


@pytest.mark.parametrize("value", [2**64 - 1, -(2**63), 1e300, 6.02214076e23, -1e300, float(2**64)])
def test_others_are_taken_even_floats_that_are_larger(value: float) -> None:
    assert param("numeric", {"value": 1}).resolve(value) == value
    assert param("list", STORED).resolve([value, {"a": value}]) == [value, {"a": value}]
    assert param("numeric", {"value": value}).resolve() == value


def test_the_schemas_can_be_sent_themselves() -> None:
    msgspec = pytest.importorskip("msgspec")
    for kind in ACCEPTED:
        assert msgspec.msgpack.encode(param(kind, STORED).schema)

"""The published schema and reference equal what the models give, and agree with them."""

from __future__ import annotations

import json
import runpy
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.schema import json_schema, schema_text
from tests.support.example_specs import native_document

ROOT = Path(__file__).parents[3]


def test_the_shipped_schema_is_that_of_the_models() -> None:
    shipped = files("aqueduct_provider.spec").joinpath("schema.json").read_text("utf-8")
    assert shipped == schema_text(), "aqueduct-airflow schema > aqueduct_provider/spec/schema.json"


def test_the_reference_is_that_of_the_models() -> None:
    page = runpy.run_path(str(ROOT / "docs/generate_spec_reference.py"))["page"]
    assert (ROOT / "docs/spec-reference.md").read_text("utf-8") == page(), (
        "python docs/generate_spec_reference.py"
    )


def test_other_languages_can_validate_with_it() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(native_document())
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(native_document(operators=[]))


def test_a_spec_may_name_its_schema() -> None:
    document = native_document(**{"$schema": "https://example.com/aqueduct-spec.schema.json"})
    jsonschema.Draft202012Validator(json_schema()).validate(document)
    assert "$schema" not in parse(json.dumps(document).encode(), "churn").model_dump(by_alias=True)


def test_every_field_is_described() -> None:
    schema = json_schema()
    models = {"Spec": schema, **schema["$defs"]}
    bare = [
        f"{name}.{field}"
        for name, model in models.items()
        for field, details in model.get("properties", {}).items()
        if field not in ("type", "connector") and "description" not in details
    ]
    # Digests are described by their type.
    assert bare == []
    assert json.loads(schema_text()) == schema

"""The one model: what a spec can be asked, and that it survives a round trip."""

from __future__ import annotations

import json
import pickle

import pytest
from pydantic import ValidationError

from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import InlineDefault, Parameter, StoredDefault, WorkflowSpec
from tests.support.example_specs import SHA256, compiled_document, native_document


@pytest.fixture
def spec() -> WorkflowSpec:
    return WorkflowSpec.model_validate_json(json.dumps(native_document()))


def test_artifacts_parameters_and_producers_are_found_by_name(spec: WorkflowSpec) -> None:
    assert spec.artifact("train-value").name == "train"
    assert spec.parameter("threshold").default == InlineDefault(value=0.5)
    assert spec.producer("accuracy-value").task_id == "accuracy"
    for find in (spec.artifact, spec.parameter, spec.producer):
        with pytest.raises(KeyError, match="nothing"):
            find("nothing")


def test_a_secret_that_is_a_part_of_another_leaves_nothing_of_it() -> None:
    document = compiled_document()
    keys = {"aws_access_key_id": "planted", "aws_secret_access_key": "planted-and-longer"}
    for holder in (document, *document["task_specs"].values()):
        holder["storage_config"]["s3_config"] |= keys
    compiled = parse(json.dumps(document).encode(), "flow.json")
    assert compiled.redact("a planted-and-longer b planted c") == "a *** b *** c"


def test_native_specs_hold_no_secrets(spec: WorkflowSpec) -> None:
    assert spec.compiled is None
    assert spec.redact("nothing to hide") == "nothing to hide"
    assert spec.secrets == ()


def test_json_and_pickle_round_trips_give_an_equal_spec(spec: WorkflowSpec) -> None:
    assert WorkflowSpec.model_validate_json(spec.model_dump_json()) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_specs_are_frozen(spec: WorkflowSpec) -> None:
    with pytest.raises(ValidationError):
        spec.dag_id = "other"  # type: ignore[misc]


def test_defaults_are_told_apart_by_their_fields() -> None:
    stored = {"key": "k", "serialization_type": "json", "sha256": SHA256}
    for default, kind in (({"value": stored}, InlineDefault), (stored, StoredDefault)):
        text = json.dumps({"name": "p", "type": "dictionary", "default": default})
        assert type(Parameter.model_validate_json(text).default) is kind


def test_models_can_be_built_in_python() -> None:
    default = StoredDefault(key="k", serialization_type="table", sha256=SHA256)
    assert (
        Parameter.model_validate({"name": "p", "type": "table", "default": default}, strict=False).default
        is default
    )

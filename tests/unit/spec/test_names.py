"""Names that look the same are the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.cli.parameter_values import values_of
from aqueduct_provider.errors import AuthoringError, SpecError
from aqueduct_provider.sdk.local.run_flow import run_spec
from aqueduct_provider.sdk.publishing.flow_record import FlowRecord
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.names import nfc, nfc_keys
from aqueduct_provider.spec.run_values import VALUES_KEY, StoredValue, to_conf, values_from_conf
from tests.support.example_specs import SHA256, native_document
from tests.support.stored_flows import Flows, call, param

ONE, TWO = "caf\u00e9", "cafe\u0301"


def test_one_normal_form() -> None:
    assert nfc(TWO) == nfc(ONE) == ONE != TWO
    assert nfc("cafe") == "cafe"
    # Letters of their own stay what they are: this is no compatibility form.
    assert nfc("x\u00b2 \ufb01") == "x\u00b2 \ufb01"
    assert nfc_keys({ONE: 1, TWO: 2, "a": 3}) == {ONE: 2, "a": 3}


def test_names_in_a_spec() -> None:
    document = native_document()
    document["flow"]["name"] = TWO
    document["schedule"] = {"type": "after_flows", "flows": [TWO + "s"]}
    document["parameters"][0]["name"] = TWO
    document["artifacts"][0]["name"] = document["operators"][1]["name"] = TWO
    reader = next(one for one in document["operators"] if one["type"] == "param")
    # Two spellings of one name: the parameter is found.
    reader["parameter"] = ONE
    spec = parse(json.dumps(document).encode(), "spec")
    assert spec.flow.name == spec.parameters[0].name == spec.artifacts[0].name == ONE
    assert spec.operators[1].name == ONE
    assert spec.schedule is not None
    assert spec.schedule.model_dump()["flows"] == (ONE + "s",)
    assert spec.parameter(ONE)


def test_names_of_a_spec_that_only_look_different() -> None:
    document = native_document()
    document["parameters"] += [{**document["parameters"][0], "name": name} for name in (ONE, TWO)]
    with pytest.raises(SpecError, match="is already taken by"):
        parse(json.dumps(document).encode(), "spec")


def test_keys_and_values_of_a_spec_stay_as_they_are() -> None:
    document = native_document()
    code = next(one["code"] for one in document["operators"] if "code" in one)
    code["key"] = f"code/{TWO}.zip"
    document["parameters"][0].update(type="string", default={"value": TWO})
    for artifact in document["artifacts"]:
        artifact["type"] = "untyped"
    spec = parse(json.dumps(document).encode(), "spec")
    assert TWO in spec.model_dump_json()
    assert spec.parameters[0].default.model_dump() == {"value": TWO}


def test_values_by_key() -> None:
    value = StoredValue(SHA256, "json", "numeric")
    assert values_from_conf(to_conf({TWO: value})) == {ONE: value}
    assert list(to_conf({ONE: value})[VALUES_KEY]) == [ONE]


def test_names_in_the_sdk() -> None:
    client = aq.Client()
    price = client.create_param(TWO, 2)

    @aq.op(name=TWO + " op", requirements=[], outputs=[TWO + " bill"])
    def double(price: int, menu: int = 1) -> int:
        return 2 * price * menu

    bill = double(price)
    assert (price.name(), bill.name()) == (ONE, ONE + " bill")
    for spelling in (ONE, TWO):
        assert bill.get(parameters={spelling: 5}) == 10
        assert bill.get(parameters={f"{spelling} op:menu": 3}) == 12
    bill.set_name(TWO)
    assert bill.name() == ONE
    with pytest.raises(AuthoringError, match="depends on no parameter 'the'"):
        bill.get(parameters={"the": 1})


def test_names_of_a_run_here(tmp_path: Path) -> None:
    flows = Flows(tmp_path)
    document = flows.document(param("n", 4), call("double", "def predict(n): return 2 * n", "n"))
    document["parameters"][0]["name"] = document["operators"][0]["parameter"] = ONE
    document["artifacts"][1]["name"] = ONE
    spec = parse(json.dumps(document).encode(), "spec")
    outcome = run_spec(spec, flows.store, parameters={TWO: 5})
    assert outcome.artifact(TWO).get() == 10
    assert values_of([f"{TWO}=7"], spec.parameters) == {ONE: 7}


def test_a_record_that_was_published_before() -> None:
    record = {
        "flow_id": "6a1d3f0e-8c0b-4c5e-9d2f-0123456789ab",
        "version_id": "6a1d3f0e-8c0b-4c5e-9d2f-0123456789ab",
        "name": TWO,
        "dag_id": "cafe_",
        "created_at": "2026-01-31T12:00:00+00:00",
        "engine": "cluster",
        "delivered_to": "",
        "spec_sha256": SHA256,
    }
    assert FlowRecord.from_json(json.dumps(record).encode()).name == ONE

"""When DAGs run, on both lines of Airflow."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_mock import MockerFixture

from aqueduct_provider.errors import SpecError
from aqueduct_provider.factory.dag import dag_of
from aqueduct_provider.factory.dag_schedule import asset_of, schedule_of
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import native_document

URI = "s3://bucket/sales.parquet"


def spec_with(schedule: Any) -> WorkflowSpec:
    return parse(json.dumps(native_document(schedule=schedule)).encode(), "churn.json")


def on(*uris: str) -> WorkflowSpec:
    return spec_with({"type": "assets", "assets": uris})


def test_no_schedule() -> None:
    assert schedule_of(spec_with(None)) is None


def test_flows_and_assets_are_waited_for_once() -> None:
    flows = spec_with({"type": "after_flows", "flows": ["a", "b", "a"]})
    assert schedule_of(flows) == [asset_of("a"), asset_of("b")]
    # Airflow 3 tells assets apart by name and URI: the name is the URI as written, which others write too.
    found = schedule_of(on(URI, "foo://host", URI, "FOO://host/"))
    assert [asset.uri for asset in found] == [URI, "foo://host/"]
    assert getattr(found[1], "name", "foo://host") == "foo://host"


def test_a_dag_waits_for_all_of_its_assets(serialized: Callable[[Any], dict[str, Any]]) -> None:
    dag = dag_of(on(URI, "aqueduct://other"), source="churn.json", fileloc="")
    timetable = json.dumps(serialized(dag)["dag"]["timetable"])
    assert timetable.count(json.dumps(URI)) >= 1
    assert timetable.count(json.dumps(asset_of("other").uri)) >= 1
    assert "all" in timetable


def test_a_uri_that_a_provider_refuses_is_named(mocker: MockerFixture) -> None:
    """No provider with rules of its own is installed here."""
    refuses = ValueError("URI format postgres:// must contain database, schema, and table names")
    mocker.patch("aqueduct_provider.factory.dag_schedule.Asset", side_effect=refuses)
    with pytest.raises(SpecError) as caught:
        dag_of(on("postgres://db/shop"), source="churn.json", fileloc="")
    message = str(caught.value)
    assert "the asset 'postgres://db/shop' of its schedule" in message
    assert "must contain database, schema, and table names" in message

"""When DAGs run, on both lines of Airflow."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_mock import MockerFixture

from aqueduct_provider.errors import SpecError
from aqueduct_provider.factory.dag import dag_of
from aqueduct_provider.factory.dag_schedule import asset_of, outlets_of, schedule_of
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import call_operator, native_document, operator

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


# --- assets of what loads write, as outlets of their tasks

FILE = "s3://aqueduct-test/out.csv"
TABLE = "aqueduct-data://wh/orders"
TARGETS = {
    "save_file": {"connector": "S3", "filepath": "out.csv", "format": "CSV"},
    "save_table": {"connector": "Postgres", "connection_id": "wh", "table": "orders"},
    "save_again": {"connector": "Postgres", "connection_id": "wh", "table": "orders"},
    "save_named": {"connector": "Postgres", "connection_id": "wh", "table": ""},
}


def spec_of_loads(*loads: str) -> WorkflowSpec:
    operators = [call_operator("features", inputs=[])]
    for name in loads:
        # A name that is given in a run stands before the table.
        inputs = ["title", "features"] if name == "save_named" else ["features"]
        operators.append(operator(name, "load", inputs=inputs, target=TARGETS[name], outputs=[]))
    artifacts = [{"id": "features-value", "name": "features", "type": "table"}]
    if "save_named" in loads:
        operators.append(call_operator("title", inputs=[]))
        artifacts.append({"id": "title-value", "name": "title", "type": "string"})
    document = native_document(operators=operators, artifacts=artifacts, parameters=[])
    return parse(json.dumps(document).encode(), "churn.json")


def test_an_asset_for_each_uri() -> None:
    assert [asset.uri for asset in outlets_of([FILE, TABLE])] == [FILE, TABLE]


def test_tasks_have_them_and_the_last_has_the_flows_too(
    serialized: Callable[[Any], dict[str, Any]],
) -> None:
    dag = dag_of(spec_of_loads("save_file"), source="churn.json", fileloc="")
    outlets = [asset.uri for asset in dag.task_dict["save_file"].outlets]
    assert outlets == [FILE, asset_of("churn").uri]
    assert json.dumps(serialized(dag)).count(f'"{FILE}"') >= 1
    several = dag_of(spec_of_loads(*TARGETS), source="churn.json", fileloc="")
    found = {task.task_id: [asset.uri for asset in task.outlets] for task in several.tasks if task.outlets}
    assert found == {
        "save_file": [FILE],
        "save_table": [TABLE],
        "save_again": [TABLE],
        "flow_succeeded": [asset_of("churn").uri],
    }


def test_an_asset_that_a_provider_refuses_is_left_out(mocker: MockerFixture) -> None:
    """No provider with rules of its own is installed here."""
    mocker.patch("aqueduct_provider.factory.dag_schedule.Asset", side_effect=ValueError("no"))
    assert outlets_of([FILE]) == []

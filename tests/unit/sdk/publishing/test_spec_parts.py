"""Operators, artifacts and parameters as the spec has them."""

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.encode_values import encoded_default
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode, Options, upstream
from aqueduct_provider.sdk.packaging.package import Package
from aqueduct_provider.sdk.publishing.flow_graph import FlowGraph, flow_graph
from aqueduct_provider.sdk.publishing.spec_parts import artifact_part, operator_part, parameter_part
from tests.support.node_graphs import check, extract, metric, op, param, save, system_metric

PACKAGE = Package(b"zip", "ab" * 32, "3.12")
CODE = {"key": f"functions/{'ab' * 32}.zip", "sha256": "ab" * 32, "python_version": "3.12"}


def graph_of(*artifacts: ArtifactNode) -> FlowGraph:
    return flow_graph(upstream(artifacts), encoded_default)


def operator_of(artifact: ArtifactNode, package: Package | None = PACKAGE) -> dict[str, Any]:
    return operator_part(graph_of(artifact), artifact.producer, package)


# --- operators


def test_a_function() -> None:
    options = Options(
        retries=0, retry_delay=1.5, timeout=60.0, pool="big", resources={"num_cpus": 2, "memory_mb": 100}
    )
    assert operator_of(op("my f", param("p", 1), op("g"), options=options, outputs=["out put"])) == {
        "id": "my_f",
        "task_id": "my_f",
        "name": "my f",
        "type": "function",
        "description": "About my f.",
        "inputs": ["p", "g_artifact"],
        "outputs": ["out_put"],
        "retries": 0,
        "retry_delay": 1.5,
        "timeout": 60.0,
        "pool": "big",
        "resources": {"num_cpus": 2, "memory_mb": 100},
        "code": CODE,
    }


def test_what_was_not_said_is_left_to_the_spec() -> None:
    fields = operator_of(op("f")).keys()
    assert fields == {"id", "task_id", "name", "type", "description", "inputs", "outputs", "code"}


@pytest.mark.parametrize(
    ("said", "flow", "fuse"), [("g", None, "g"), ("g", False, None), ("g", True, "flow"), (None, None, None)]
)
def test_the_task_that_operators_share(said: str | None, flow: bool | None, fuse: str | None) -> None:
    artifact = op("f", options=Options(fuse=said))
    part = operator_part(graph_of(artifact), artifact.producer, PACKAGE, flow)
    assert part.get("fuse") == fuse


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (Options(), {"retries": 2, "retry_delay": 60.0}),
        (Options(retries=0), {"retries": 0, "retry_delay": 60.0}),
        (Options(retry_delay=5.0), {"retries": 2, "retry_delay": 5.0}),
    ],
)
def test_the_retries_of_the_flow_are_those_of_operators_that_say_nothing(
    own: Options, expected: dict[str, float]
) -> None:
    artifact = op("f", options=own)
    flow = Options(retries=2, retry_delay=60.0)
    part = operator_part(graph_of(artifact), artifact.producer, PACKAGE, retry=flow)
    assert {field: part[field] for field in expected} == expected


def test_the_retries_of_the_flow_are_not_those_of_parameters() -> None:
    artifact = param("country", "Italy")
    part = operator_part(graph_of(artifact), artifact.producer, None, retry=Options(retries=2))
    assert "retries" not in part


def test_an_extract() -> None:
    part = operator_of(extract("q", param("country", "Italy"), queries=["SELECT $1"]), None)
    assert (part["type"], part["inputs"], part["outputs"]) == ("extract", ["country"], ["q_artifact"])
    assert part["source"] == {"connector": "Postgres", "connection_id": "wh", "queries": ["SELECT $1"]}
    assert part.keys().isdisjoint({"target", "code", "parameter"})


def test_a_load() -> None:
    table, name = extract("q"), param("name", "sales")
    load = save(table, name, table="")
    graph = flow_graph([*upstream([table, name]), load], encoded_default)
    part = operator_part(graph, load, None)
    assert (part["type"], part["name"], part["id"]) == ("load", "save to warehouse", "save_to_warehouse")
    assert (part["inputs"], part["outputs"]) == (["name", "q_artifact"], [])
    assert part["target"] == {
        "connector": "Postgres",
        "connection_id": "wh",
        "table": "",
        "update_mode": "append",
    }
    assert "source" not in part


def test_a_data_system_without_a_connection() -> None:
    table = extract("q")
    table.producer.place = {"connector": "Postgres", "queries": ["SELECT 1"]}
    with pytest.raises(AuthoringError) as raised:
        operator_of(table, None)
    assert str(raised.value) == (
        "Runs of 'q' need an Airflow connection to 'warehouse', and the resource names none. Connect it "
        "again with connection_id: the id of a connection to this Postgres that whoever runs your Airflow "
        "has made, as in client.connect_resource('warehouse', 'Postgres', {..., \"connection_id\": ...})."
    )


def test_the_store_s_own_connection() -> None:
    place = {"connector": "S3", "connection_id": None, "filepath": "a", "artifact_type": "string"}
    table = extract("q")
    table.producer.place = place
    assert operator_of(table, None)["source"] == place


@pytest.mark.parametrize("severity", ["warning", "error"])
def test_a_check(severity: Any) -> None:
    part = operator_of(check("c", op("f"), severity=severity))
    assert (part["type"], part["severity"], part["code"]) == ("check", severity, CODE)


def test_a_metric() -> None:
    part = operator_of(metric("m", op("f")))
    assert (part["type"], part["code"]) == ("metric", CODE)
    assert not part.keys() & {"severity", "metric", "parameter"}


def test_a_system_metric() -> None:
    part = operator_of(system_metric(op("f"), "max_memory"), None)
    assert (part["type"], part["metric"], part["inputs"]) == ("system_metric", "max_memory", ["f_artifact"])
    assert "code" not in part


def test_a_parameter() -> None:
    part = operator_of(param("my p", 1), None)
    assert (part["type"], part["parameter"], part["task_id"]) == ("param", "my p", "my_p")
    assert (part["inputs"], part["outputs"]) == ([], ["my_p"])


# --- artifacts


@pytest.mark.parametrize(("keep", "disabled", "kept"), [(1, 0, 1), (0, 0, 0), (1, 1, 0), (0, 1, 0)])
def test_whether_an_output_of_a_function_is_kept(keep: int, disabled: int, kept: int) -> None:
    artifact = op("f")
    artifact.keep_snapshot, artifact.type = bool(keep), "table"
    part = artifact_part(graph_of(artifact), artifact, None, disable_snapshots=bool(disabled))
    assert part == {"id": "f_artifact", "name": "f artifact", "type": "table", "keep_snapshot": bool(kept)}


@pytest.mark.parametrize("measure", [metric, check, lambda _, x: system_metric(x), lambda *_: param("p", 1)])
def test_everything_else_is_kept(measure: Any) -> None:
    artifact = measure("m", op("f"))
    assert artifact_part(graph_of(artifact), artifact, None, disable_snapshots=True)["keep_snapshot"]


# --- parameters


def parameter_of(operator: OperatorNode) -> dict[str, Any]:
    graph = graph_of(*operator.outputs)
    return parameter_part(graph, operator, encoded_default(operator), "some-id")


def test_a_parameter_with_an_inline_default() -> None:
    assert parameter_of(param("p", 1, description="How many.").producer) == {
        "name": "p",
        "type": "numeric",
        "default": {"value": 1},
        "description": "How many.",
    }


@pytest.mark.parametrize("value", [False, 0, "", [], {}])
def test_values_that_count_as_false_are_values(value: Any) -> None:
    assert parameter_of(param("p", value).producer)["default"] == {"value": value}


def test_a_parameter_with_a_stored_default() -> None:
    operator = param("p", b"bytes").producer
    digest = encoded_default(operator).sha256
    assert parameter_of(operator)["default"] == {
        "key": f"flows/some-id/values/{digest}",
        "serialization_type": "bytes",
        "sha256": digest,
    }


def test_the_name_that_runs_use_themselves() -> None:
    with pytest.raises(AuthoringError, match="'aqueduct_values'"):
        parameter_of(param("aqueduct_values", 1).producer)

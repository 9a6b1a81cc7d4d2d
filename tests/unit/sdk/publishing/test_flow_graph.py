"""The operators of a flow with their names and ids in it."""

from __future__ import annotations

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.encode_values import encoded_default
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, upstream
from aqueduct_provider.sdk.publishing.flow_graph import FlowGraph, flow_graph
from tests.support.node_graphs import op, param


def graph_of(*artifacts: ArtifactNode) -> FlowGraph:
    return flow_graph(upstream(artifacts), encoded_default)


def test_names_and_ids() -> None:
    x = op("f", param("f:x", 1, implicit=True), param("rate (%)", 2))
    y = op("f", x)
    graph = graph_of(y)
    assert list(graph.task_ids.values()) == ["f_x", "rate____", "f", "f_1"]
    assert [graph.name(operator) for operator in graph.operators] == ["f:x", "rate (%)", "f", "f"]
    assert list(graph.names.values()) == ["f:x", "rate (%)", "f artifact", "f artifact (1)"]
    assert list(graph.ids.values()) == ["f_x", "rate____", "f_artifact", "f_artifact__1_"]


def test_a_parameter_is_called_what_its_value_is_called() -> None:
    again = param("f:x", 1, implicit=True)
    renamed = param("f:y", 1, implicit=True)
    renamed.name, renamed.named = "why", True
    graph = graph_of(op("f", param("f:x", 1, implicit=True)), op("f", again, renamed))
    assert graph.name(again.producer) == "f:x"
    assert graph.name(graph.operators[1]) == "why"
    assert list(graph.task_ids.values()) == ["f_x", "why", "f_x__1_", "f", "f_1"]


def test_a_parameter_whose_artifact_is_renamed_keeps_its_name() -> None:
    renamed = param("p", 1)
    renamed.name, renamed.named = "q", True
    graph = graph_of(op("f", renamed))
    assert graph.name(renamed.producer) == "p"
    assert (graph.names[renamed], graph.ids[renamed]) == ("q", "q")


def test_equal_parameters_are_one() -> None:
    first, again = (param("p", {"a": 1}, description="d") for _ in range(2))
    x, y = op("f", first), op("g", again)
    graph = graph_of(x, y)
    assert graph.operators == [first.producer, x.producer, y.producer]
    assert graph.ids[first] == graph.ids[again] == "p"
    assert again not in graph.names


@pytest.mark.parametrize(
    ("default", "description"), [(2, "d"), (1.0, "d"), (True, "d"), ("1", "d"), (None, "d"), (1, "other")]
)
def test_parameters_that_differ_collide(default: object, description: str) -> None:
    first, again = param("p", 1, description="d"), param("p", default, description=description)
    with pytest.raises(AuthoringError, match="2 parameters named 'p'"):
        graph_of(op("f", first, again))


def test_implicit_parameters_stay_apart() -> None:
    graph = graph_of(op("f", param("f:x", 1, implicit=True), param("f:x", 1, implicit=True)))
    assert list(graph.names.values()) == ["f:x", "f:x (1)", "f artifact"]

from __future__ import annotations

from aqueduct_provider.sdk.authoring.artifact_sources import ArtifactSource, GraphSource
from tests.support.operator_nodes import param, step


def test_a_source_of_the_graph_follows_its_node() -> None:
    node = step(lambda x: 2 * x, param("x", 2), name="twice")
    source: ArtifactSource = GraphSource(node)
    assert (source.name, source.type, source.ready, source.node) == ("twice artifact", "untyped", False, node)
    assert source.value({"x": 5}) == 10
    assert not source.ready
    assert source.value(None) == 4
    assert (source.type, source.ready) == ("numeric", True)


def test_ids_belong_to_the_node() -> None:
    one, other = param("x", 1), param("x", 1)
    assert GraphSource(one).id == GraphSource(one).id
    assert GraphSource(one).id != GraphSource(other).id

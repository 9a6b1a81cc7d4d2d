"""The graph: what an artifact needs, in the order in which it was written down."""

from __future__ import annotations

from aqueduct_provider.sdk.authoring.nodes import artifacts_of, upstream
from tests.support.node_graphs import call, op


def test_upstream_is_all_that_is_needed_and_nothing_else() -> None:
    first = op("first")
    left, right = op("left", first), op("right", first)
    op("aside", left)
    last = op("last", right, left)
    found = upstream([last])
    assert [operator.name for operator in found] == ["first", "left", "right", "last"]
    assert [artifact.name for artifact in artifacts_of(found)][-1] == last.name
    assert upstream([]) == []


def test_calling_twice_records_two_operators() -> None:
    one, other = op("same"), op("same")
    assert one.producer is not other.producer
    assert len(upstream([one, other])) == 2
    assert one != other


def test_every_output_of_an_operator_counts() -> None:
    left, right = call("two", outputs=["left", "right"])
    assert upstream([right]) == [left.producer]
    assert list(artifacts_of(upstream([right]))) == [left, right]


def test_chains_may_be_longer_than_pythons_stack() -> None:
    artifact = op("start")
    for number in range(5_000):
        artifact = op(f"step {number}", artifact)
    assert len(upstream([artifact])) == 5_001

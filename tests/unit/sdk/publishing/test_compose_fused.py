"""Operators that are fused: which run in one Airflow task, and what cannot."""

from __future__ import annotations

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, Options
from aqueduct_provider.sdk.publishing.compose import Composition, FlowRequest, compose
from tests.support.node_graphs import STORE, extract, light_packager, op, param, save


def composed(*artifacts: ArtifactNode, fuse: bool | None = None) -> Composition:
    return compose(FlowRequest("My flow", artifacts=artifacts, fuse=fuse), STORE, packager=light_packager)


def test_a_flow_in_one_task() -> None:
    spec = composed(op("g", op("f", param("p", 1))), fuse=True).spec
    assert [operator.fuse for operator in spec.operators] == ["flow"] * 3


def test_operators_as_their_authors_fused_them() -> None:
    first = op("f", param("p", 1), options=Options(fuse="both"))
    spec = composed(op("h", op("g", first, options=Options(fuse="both")))).spec
    assert [operator.fuse for operator in spec.operators] == [None, "both", "both", None]


def test_a_group_that_something_else_stands_in_the_middle_of() -> None:
    first = op("f", options=Options(fuse="ends"))
    last = op("h", op("g", first), options=Options(fuse="ends"))
    with pytest.raises(AuthoringError) as caught:
        composed(last)
    # Below it is the line of the call.
    assert str(caught.value).partition("\n")[0] == (
        "The flow 'My flow' cannot be published: operator 'f', fuse: 'ends' cannot run as one task: some of "
        'its operators run before, and some after, \'g\'; give these "fuse": "ends" too, or take operators '
        "out of the group"
    )


def test_a_load_that_appends_what_its_group_makes_is_not_fused() -> None:
    table = extract("q")
    save(table, table="a", update_mode="append")
    save(table, table="b", update_mode="replace")
    found = composed(table, fuse=True)
    assert [operator.fuse for operator in found.spec.operators] == ["flow", None, "flow"]
    assert found.separate_loads() == ["save to warehouse"]

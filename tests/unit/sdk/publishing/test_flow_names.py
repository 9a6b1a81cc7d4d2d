"""Names of flows, DAGs, tasks and artifacts: what people gave, and what becomes of it."""

from __future__ import annotations

import re
import uuid

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, upstream
from aqueduct_provider.sdk.publishing.flow_names import (
    artifact_names,
    check_flow_name,
    dag_id_of,
    flow_id_of,
    slug_of,
    unique_slugs,
)
from tests.support.node_graphs import call, op, param

IDENTIFIER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")


def names_of(*artifacts: ArtifactNode) -> list[str]:
    return list(artifact_names(upstream(artifacts)).values())


# --- the flow


@pytest.mark.parametrize("name", ["churn", "Churn, Q1 / 2026", "予測", "a", "x" * 250])
def test_names_of_flows(name: str) -> None:
    check_flow_name(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "needs a name"),
        (" \n", "needs a name"),
        ("two\nlines", "control characters"),
        ("bell\a", "control characters"),
        ("half \ud800", "control characters"),
        ("x" * 1500, "1500 characters, more than Airflow can hold"),
        # Nine characters of the address each.
        ("予" * 200, "200 characters, more than Airflow can hold"),
    ],
)
def test_names_that_no_flow_can_have(name: str, message: str) -> None:
    with pytest.raises(AuthoringError, match=message):
        check_flow_name(name)


def test_a_flow_has_the_same_id_wherever_it_is_published() -> None:
    assert flow_id_of("a b/ü") == str(uuid.uuid5(uuid.NAMESPACE_URL, "aqueduct://a%20b%2F%C3%BC"))
    assert flow_id_of("a b") != flow_id_of("a_b")


@pytest.mark.parametrize(
    ("name", "dag_id"),
    [
        ("churn", "churn"),
        ("Churn (v2.1)", "Churn__v2.1_"),
        ("größe", "gr__e"),
        ("_private", "_private"),
        ("__file__", "flow___file__"),
        ("broken_spec__x", "flow_broken_spec__x"),
        (".hidden", "flow_.hidden"),
        ("x" * 250, "x" * 200),
        ("__" + "x" * 250, "flow___" + "x" * 193),
    ],
)
def test_the_dag_id_of_a_flow(name: str, dag_id: str) -> None:
    assert dag_id_of(name) == dag_id
    assert IDENTIFIER.fullmatch(dag_id)


def test_names_without_a_readable_character_get_dag_ids_of_their_own() -> None:
    first, second = dag_id_of("予測"), dag_id_of("模型")
    assert first == f"flow_{flow_id_of('予測')[:8]}"
    assert first != second
    assert dag_id_of("?") != dag_id_of("!")


# --- identifiers


def test_slugs() -> None:
    assert slug_of("f:x (1)") == "f_x__1_"
    assert unique_slugs(["a b", "a_b", "a_b_1", "a?b", "", ".", "..", "a.b-c"]) == [
        "a_b",
        "a_b_1",
        "a_b_1_1",
        "a_b_2",
        "_",
        "__1",
        "_.",
        "a.b-c",
    ]


def test_slugs_are_identifiers_and_differ_however_long_the_names_are() -> None:
    slugs = unique_slugs(["x" * 300, "x" * 400, "é" * 200, "é" * 201, ".x"] * 20)
    assert len(set(slugs)) == 100
    assert all(map(IDENTIFIER.fullmatch, slugs))
    assert slugs[:2] == ["x" * 200, "x" * 198 + "_1"]


# --- artifacts


def test_default_names_get_a_counter_in_the_order_of_creation() -> None:
    first, second = call("two", outputs=2)
    later = op("two", first)
    assert names_of(later, second) == ["two artifact", "two artifact (1)", "two artifact (2)"]


def test_implicit_parameters_get_a_counter_even_when_they_are_equal() -> None:
    x = op("f", param("f:x", 1, implicit=True))
    y = op("f", param("f:x", 1, implicit=True))
    assert names_of(x, y) == ["f:x", "f artifact", "f:x (1)", "f artifact (1)"]


def test_an_explicit_name_keeps_what_a_default_name_would_have_taken() -> None:
    first = op("f")
    second = op("g", first)
    second.name, second.named = "f artifact", True
    third = op("h", second, outputs=["f artifact (1)"])
    assert names_of(third) == ["f artifact (2)", "f artifact", "f artifact (1)"]


def test_an_implicit_parameter_that_was_renamed_has_an_explicit_name() -> None:
    limit = param("f:limit", 1, implicit=True)
    limit.name, limit.named = "limit", True
    with pytest.raises(AuthoringError, match="2 artifacts named 'limit'"):
        names_of(op("f", limit, outputs=["limit"]))


def test_explicit_names_that_stand_twice() -> None:
    first = op("f", outputs=["out"])
    second = op("g", first, outputs=["out"])
    third = op("h", second, param("p", 1), param("p", 2))
    with pytest.raises(AuthoringError) as caught:
        names_of(third)
    one, *places, other, _ = str(caught.value).split("\n")
    assert all(place.startswith("  at tests/support/node_graphs.py:") for place in places)
    assert "2 artifacts named 'out'" in one
    assert "'f' and 'g'" in one
    assert "artifact.set_name(...)" in one
    assert "2 parameters named 'p' in this flow, with different defaults or descriptions" in other
    assert "another name in create_param(...)" in other


def test_an_artifact_with_the_name_of_a_parameter() -> None:
    with pytest.raises(AuthoringError, match="made by the operators 'p' and 'f'"):
        names_of(op("f", param("p", 1), outputs=["p"]))


def test_a_name_that_is_not_text_is_refused() -> None:
    with pytest.raises(AuthoringError, match="A flow's name is text, not 3"):
        check_flow_name(3)  # type: ignore[arg-type]

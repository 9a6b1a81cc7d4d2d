"""Parameters as nodes of the graph."""

from __future__ import annotations

import threading
from typing import Any

import pandas as pd
import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.artifacts import artifact_for
from aqueduct_provider.sdk.authoring.parameters import holds_artifact, parameter_node


def default_of(node: Any) -> Any:
    return node.producer.parameter.default


def test_an_explicit_parameter() -> None:
    node = parameter_node("country", "de", "Where they live", implicit=False)
    assert (node.name, node.named, node.type) == ("country", True, "string")
    operator = node.producer
    assert (operator.kind, operator.name, operator.description) == ("param", "country", "Where they live")
    assert (operator.inputs, operator.outputs) == ((), (node,))
    assert operator.parameter
    assert (operator.parameter.default, operator.parameter.implicit) == ("de", False)
    assert operator.parameter.description == "Where they live"


def test_an_implicit_parameter() -> None:
    node = parameter_node("churn:limit", 0.5, "", implicit=True)
    assert (node.name, node.named, node.type) == ("churn:limit", False, "numeric")
    assert node.producer.parameter
    assert node.producer.parameter.implicit


@pytest.mark.parametrize(
    ("default", "kind"),
    [
        (True, "boolean"),
        ("[1]", "json"),
        (b"x", "bytes"),
        ({"a": 1}, "dictionary"),
        ((1, 2), "tuple"),
        ([1, {2}], "list"),
        (pd.DataFrame({"a": [1]}), "table"),
        ({1, 2}, "picklable"),
    ],
)
def test_types(default: Any, kind: str) -> None:
    assert parameter_node("p", default, "", implicit=False).type == kind


def test_none() -> None:
    with pytest.raises(AuthoringError, match="default of the parameter 'p' cannot be None"):
        parameter_node("p", None, "", implicit=False)
    # Whatever is given instead at trigger time must be accepted.
    assert parameter_node("f:p", None, "", implicit=True).type == "untyped"


@pytest.mark.parametrize("name", ["", " ", None, 5])
def test_names_that_are_none(name: Any) -> None:
    with pytest.raises(AuthoringError, match="must be text, and not empty"):
        parameter_node(name, 1, "", implicit=False)


def test_a_description_that_is_none() -> None:
    with pytest.raises(AuthoringError, match="description of the parameter 'p' must be text, not int"):
        parameter_node("p", 1, 5, implicit=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (threading.Lock(), "cannot be stored as picklable: TypeError"),
        ((number for number in [1]), "is a generator that yields"),
        (pd.DataFrame({1: [1]}), "Non-String column names"),
        ([threading.Lock()], "cannot be stored"),
    ],
)
def test_what_cannot_be_stored(value: Any, reason: str) -> None:
    with pytest.raises(AuthoringError, match=f"argument 'b' of 'my: op' .*{reason}"):
        parameter_node("my: op:b", value, "", implicit=True)
    with pytest.raises(AuthoringError, match=f"the parameter 'my: op:b' .*{reason}"):
        parameter_node("my: op:b", value, "", implicit=False)


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: {"a": ({x},)}, lambda x: {x: 1}])
def test_artifacts_are_no_defaults(wrap: Any) -> None:
    artifact = artifact_for(parameter_node("p", 1, "", implicit=False))
    assert holds_artifact(wrap(artifact))
    with pytest.raises(AuthoringError, match=r"parameter 'q' holds an artifact.*\.get\(\)"):
        parameter_node("q", wrap(artifact), "", implicit=False)
    with pytest.raises(
        AuthoringError, match=r"argument 'a' of 'f' holds an artifact.*arguments of their own"
    ):
        parameter_node("f:a", wrap(artifact), "", implicit=True)


def test_a_collection_that_holds_itself() -> None:
    value: list[Any] = [1]
    value.append(value)
    assert not holds_artifact(value)


def test_a_change_after_the_call_changes_no_default() -> None:
    numbers, table = [1, [2]], pd.DataFrame({"a": [1]})
    kept = [parameter_node("p", value, "", implicit=False) for value in (numbers, table)]
    numbers[1].append(3)  # type: ignore[attr-defined]
    table["a"] = 5
    assert default_of(kept[0]) == [1, [2]]
    assert list(default_of(kept[1])["a"]) == [1]


def test_what_can_be_stored_but_not_copied_is_kept_as_it_is() -> None:
    value = [threading]
    assert default_of(parameter_node("p", value, "", implicit=False)) is value

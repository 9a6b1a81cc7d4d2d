from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import cloudpickle
import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.artifacts import artifact_for
from aqueduct_provider.sdk.authoring.lazy_value import LazyValue
from tests.support.node_graphs import op


class Thing(LazyValue):
    def __repr__(self) -> str:
        return "<Thing>"


@pytest.mark.parametrize(
    "use",
    [
        bool,
        len,
        int,
        float,
        range,
        operator.neg,
        abs,
        operator.invert,
        round,
        operator.not_,
        lambda x: x > 3,
        lambda x: operator.le(3, x),
        lambda x: x + 1,
        lambda x: 1 + x,
        lambda x: 2 * x,
        lambda x: x / 2,
        lambda x: x % 2,
        lambda x: 2**x,
        lambda x: x & x,
        lambda x: True | x,
        lambda x: 1 in x,
        lambda x: [1, 2][x],
        lambda x: x // 2,
        lambda x: x - 1,
        lambda x: "a" if x else "b",
    ],
)
def test_a_promise_is_not_its_value(use: Callable[[Any], Any]) -> None:
    with pytest.raises(AuthoringError, match=r"<Thing> is an artifact, a promise of a value.*call \.get\(\)"):
        use(Thing())


@pytest.mark.parametrize("use", [list, iter, lambda x: x["column"], lambda x: x[0], lambda x: max(*x), sum])
def test_a_promise_is_one_thing(use: Callable[[Any], Any]) -> None:
    with pytest.raises(AuthoringError, match=r"cannot be unpacked or iterated over: call .* num_outputs="):
        use(Thing())


@pytest.mark.parametrize(
    "use", [pickle.dumps, cloudpickle.dumps, lambda x: cloudpickle.dumps(lambda: x), copy.copy, copy.deepcopy]
)
def test_a_promise_is_no_data(use: Callable[[Any], Any]) -> None:
    with pytest.raises(AuthoringError, match=r"<Thing> cannot be pickled or copied.*as an argument"):
        use(Thing())


def test_promises_are_themselves() -> None:
    one, other = Thing(), Thing()
    assert one != other
    assert one in [other, one]
    assert len({one, other, one}) == 2


def test_methods_of_other_artifacts_are_named() -> None:
    table, number = artifact_of("table"), artifact_of("numeric")
    with pytest.raises(AttributeError) as caught:
        _ = table.bound
    assert str(caught.value) == f"{table!r} has no 'bound': NumericArtifact has it."
    with pytest.raises(AttributeError, match=r" has no 'head': TableArtifact has it\.$"):
        _ = number.head
    with pytest.raises(
        AttributeError, match=r"TableArtifact and NumericArtifact have it\. Its type is known"
    ):
        _ = artifact_of("untyped").remove_check
    with pytest.raises(
        AttributeError, match=r"'TableArtifact' object has no attribute 'shape'\. .*\.get\(\)"
    ):
        _ = table.shape
    assert not hasattr(table, "__array__")


def artifact_of(kind: str) -> Any:
    artifact = op("f")
    artifact.type = kind
    return artifact_for(artifact)

"""What people give where lists are wanted; what is refused is in ``tests/unit/sdk/test_client.py``."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.arguments import as_list, nodes_of, with_values
from aqueduct_provider.sdk.authoring.artifacts import artifact_for
from aqueduct_provider.sdk.authoring.parameters import parameter_node


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, []),
        ("churn", ["churn"]),
        (["a", "b"], ["a", "b"]),
        (("a",), ["a"]),
        (iter("ab"), ["a", "b"]),
        ({"a"}, ["a"]),
        ({"a": 1}, [{"a": 1}]),
    ],
)
def test_one_thing_or_several(given: Any, expected: list[Any]) -> None:
    assert as_list(given) == expected


def test_what_is_no_artifact() -> None:
    assert nodes_of(None, "artifacts") == []
    with pytest.raises(AuthoringError, match="checks holds something of type str"):
        nodes_of("churn", "checks")


Pair = namedtuple("Pair", "one other")


def test_values_of_artifacts_at_any_depth() -> None:
    five, text = (artifact_for(parameter_node("p", value, "", implicit=False)) for value in (5, "x"))
    plain = [1, {"k": 2}]
    assert with_values(plain) is plain
    assert with_values(five) == 5
    assert with_values([1, (five, {text})]) == [1, (5, {"x"})]
    assert with_values({text: [five]}) == {"x": [5]}
    assert with_values(Pair(five, 1)) == Pair(5, 1)
    assert type(with_values(OrderedDict(a=five))) is OrderedDict
    assert with_values(defaultdict(list, a=five)).default_factory is list


def test_a_list_that_holds_itself() -> None:
    given: list[Any] = [artifact_for(parameter_node("p", 5, "", implicit=False))]
    given.append(given)
    found = with_values(given)
    assert found[0] == 5
    assert found[1] is found

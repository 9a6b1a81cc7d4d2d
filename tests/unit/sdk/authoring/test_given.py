"""What people give where lists are wanted; what is refused is in ``tests/unit/sdk/test_client.py``."""

from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.authoring.given import as_list, nodes_of


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

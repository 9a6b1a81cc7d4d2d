"""What people may have meant."""

from __future__ import annotations

import pytest

from aqueduct_provider.sdk.names import suggestion


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ([], ""),
        (["churn", "sales"], " Did you mean 'churn'?"),
        (["sales", "a"], " There are: 'a', 'sales'."),
        (
            [f"x{number}" for number in range(11)],
            " There are: 'x0', 'x1', 'x10', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7', 'x8' and 1 more.",
        ),
    ],
)
def test_suggestions(known: list[str], said: str) -> None:
    assert suggestion("chrn", known) == said

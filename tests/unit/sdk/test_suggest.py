"""Names in one form, and what people may have meant."""

from __future__ import annotations

import pytest

from aqueduct_provider.sdk.suggest import suggestion, tidy


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ([], ""),
        (["churn", "sales"], " Did you mean 'churn'?"),
        (["sales", "a"], " There are: 'a', 'sales'."),
        (
            [f"x{number}" for number in range(100, 121)],
            f" There are: {', '.join(repr(f'x{number}') for number in range(100, 120))} and 1 more.",
        ),
    ],
)
def test_suggestions(known: list[str], said: str) -> None:
    assert suggestion("chrn", known) == said


@pytest.mark.parametrize("name", ["  café\n", "cafe\u0301", "\tcafé "])
def test_names_have_one_form(name: str) -> None:
    assert tidy(name) == "café"


def test_what_is_no_text_is_left_to_who_refuses_it() -> None:
    assert tidy(5) == 5  # type: ignore[arg-type]

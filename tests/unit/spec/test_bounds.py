from __future__ import annotations

import pytest

from aqueduct_provider.spec.bounds import bound_in


@pytest.mark.parametrize(
    ("check", "bound"),
    [
        ("less than 0.2", ("less than", "0.2")),
        ("greater than -1e-05 (2)", ("greater than", "-1e-05")),
        ("equal to 3", ("equal to", "3")),
        ("not equal to nan", ("not equal to", "nan")),
        ("less than", None),
        ("less than many others", None),
        ("is less than 3", None),
        ("", None),
    ],
)
def test_names_of_bounds(check: str, bound: tuple[str, str] | None) -> None:
    assert bound_in(check) == bound

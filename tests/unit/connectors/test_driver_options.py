from __future__ import annotations

import pytest

from aqueduct_provider.connectors.driver_options import driver_options


@pytest.mark.parametrize("config", [{}, {"options": None}, {"options": {}}])
def test_none(config: dict[str, object]) -> None:
    assert driver_options(config) == {}


def test_options_are_what_they_read_as() -> None:
    given = {"ssl": "False", "timeout": "30", "sslmode": "verify-ca", "iam": True, "port": 5, "rate": "1.5"}
    assert driver_options({"options": given}) == {
        "ssl": False,
        "timeout": 30,
        "sslmode": "verify-ca",
        "iam": True,
        "port": 5,
        "rate": "1.5",
    }

from __future__ import annotations

import pytest

from aqueduct_provider.connectors.sql.driver_options import driver_options, options_of
from aqueduct_provider.errors import ConfigError


@pytest.mark.parametrize("config", [{}, {"options": None}, {"options": {}}])
def test_none(config: dict[str, object]) -> None:
    assert driver_options("Redshift", config) == options_of("Redshift", config) == {}


def test_options_are_what_they_read_as() -> None:
    given = {
        **{"ssl": "False", "timeout": "30", "sslmode": "verify-ca", "iam": True, "port": 5, "rate": "1.5"},
        **{"db_groups": '["a", "b"]', "session_parameters": {"QUERY_TAG": "x"}, "odd": "[no json"},
    }
    assert driver_options("Redshift", {"options": given}) == {
        "ssl": False,
        "timeout": 30,
        "sslmode": "verify-ca",
        "iam": True,
        "port": 5,
        "rate": "1.5",
        "db_groups": ["a", "b"],
        "session_parameters": {"QUERY_TAG": "x"},
        "odd": "[no json",
    }


def test_what_the_connector_sets_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"The options of SQL Server: as_dict cannot be used: remove it"):
        driver_options("SQL Server", {"options": {"as_dict": "true"}})

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from aqueduct_provider.connectors.registry import get
from aqueduct_provider.connectors.system import DataSystem, Extra, is_empty, option_text
from aqueduct_provider.errors import ConfigError, StatementRefused


def connection(**fields: Any) -> Any:
    """An Airflow connection."""
    names = ("conn_id", "login", "password", "host", "schema", "port")
    return SimpleNamespace(**{**dict.fromkeys(names), **fields})


def test_a_server_takes_the_database_of_the_extra_and_leaves_out_no_port() -> None:
    server, extra = get("Postgres"), Extra({}, {"database": "b"}, {"sslmode": "require"})
    config = server.config_of_connection(connection(host="h", schema="a", port=7), extra)
    assert (config["database"], config["port"], config["options"]) == ("b", "7", {"sslmode": "require"})
    assert "port" not in server.config_of_connection(connection(host="h"), extra)


def test_a_url_of_a_server() -> None:
    parts = urlsplit("postgresql+psycopg2://u%40:p%2F@h/d%20b?a=1")
    assert get("Postgres").url_scheme(parts) == "postgresql"
    assert get("Postgres").config_of_url("", parts) == {
        "host": "h",
        "database": "d b",
        "username": "u@",
        "password": "p/",
        "options": "a=1",
    }


def test_what_a_system_does_that_overrides_nothing() -> None:
    plain = DataSystem("Plain")
    assert plain.table_parts("a.b") == ("a.b",)
    assert plain.table_uri({"host": "h"}, "t") is None
    assert plain.config_for_original({"a": 1}) == plain.config_of_original({"a": 1}) == {"a": 1}
    with pytest.raises(ConfigError, match="Plain is not reached by an Airflow connection"):
        plain.config_of_connection(connection(), Extra({}, {}, {}))


def test_names_of_tables_are_checked() -> None:
    assert get("Postgres").table_parts("s.t") == ("s", "t")
    with pytest.raises(StatementRefused, match="The table"):
        get("Postgres").table_parts("t; DROP TABLE t")


def test_options() -> None:
    assert [is_empty(value) for value in (None, "", {}, [], False, 0)] == [True] * 4 + [False] * 2
    assert [option_text(value) for value in ("a", True, {"b": 1})] == ["a", "true", '{"b": 1}']

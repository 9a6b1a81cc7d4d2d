from __future__ import annotations

import pytest

from aqueduct_provider.connectors.uris import name_parts, on_host, table_on_server

SERVER = {"host": "db.example", "database": "shop"}


@pytest.mark.parametrize(
    ("config", "table", "schema", "uri"),
    [
        (SERVER, "t", "public", "db://db.example:5/shop/public/t"),
        (SERVER, "s.t", "public", "db://db.example:5/shop/s/t"),
        ({**SERVER, "port": "007"}, "a b", "public", "db://db.example:7/shop/public/a%20b"),
        # A schema is a database.
        (SERVER, "t", "", "db://db.example:5/shop/t"),
        (SERVER, "s.t", "", "db://db.example:5/s/t"),
        ({**SERVER, "port": "x"}, "t", "public", None),
        ({**SERVER, "host": "user@host"}, "t", "public", None),
        (SERVER, "a.b.c", "public", None),
        (SERVER, ".t", "public", None),
    ],
)
def test_tables_of_servers(config: dict[str, str], table: str, schema: str, uri: str | None) -> None:
    assert table_on_server(config, table, "db", 5, schema) == uri


def test_names_and_hosts() -> None:
    assert [name_parts(name) for name in ("t", "s.t", "", "s.", "a.b.c")] == [["t"], ["s", "t"], [], [], []]
    assert on_host("x", "", ["t"]) is None
    assert on_host("x", "h", ["a/b", 1]) == "x://h/a%2Fb/1"

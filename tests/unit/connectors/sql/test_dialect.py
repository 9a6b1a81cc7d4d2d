"""Names as each dialect writes them."""

from __future__ import annotations

import pytest

from aqueduct_provider.connectors.mysql.system import MYSQL
from aqueduct_provider.connectors.postgres.system import POSTGRES
from aqueduct_provider.connectors.registry import built_in
from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.sqlite.system import SQLITE
from aqueduct_provider.connectors.sqlserver.system import SQL_SERVER
from aqueduct_provider.errors import StatementRefused

ALL = list({system.dialect.name: system.dialect for system in built_in().values() if system.dialect}.values())


def test_a_quoted_name_ends_where_it_ends() -> None:
    assert POSTGRES.quote('a"; DROP TABLE t; --') == '"a""; DROP TABLE t; --"'
    assert MYSQL.quote("a`b") == "`a``b`"
    assert SQL_SERVER.quote("a]b[") == "[a]]b[]"
    assert SQLITE.render_name(("main", 'a"b')) == '"main"."a""b"'


@pytest.mark.parametrize(
    "name", ["t", "a.b", "a.b.c", "_x", "2026", "größe", "a b", "a-b", "a$", "a  b", "日本"]
)
def test_names_that_may_be_given(name: str) -> None:
    assert POSTGRES.checked_name(name, "It") == tuple(name.split("."))


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "a.", ".a", "a..b", " a", "a ", "-a", "$a", 'a"b', "a`b", "a]b", "a;b", "a'b"),
        *("a\nb", "a\n", "a\tb", "a\u00a0b", "a/b", "a\\b", "a,b", "a(b", "a\0", "%s"),
    ],
)
def test_names_that_may_not(name: str) -> None:
    with pytest.raises(StatementRefused, match="The word is used as the name of a table or column") as caught:
        POSTGRES.checked_name(f"secret.{name}", "The word")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_names_are_as_long_as_the_database_allows(dialect: Dialect) -> None:
    longest = "a" * dialect.max_name
    assert dialect.checked_name(f"{longest}.{longest}", "It") == (longest, longest)
    with pytest.raises(StatementRefused, match=f"up to {dialect.max_name} letters"):
        dialect.checked_name(f"b.{longest}a", "It")


def test_every_dialect_has_its_own_name_and_place() -> None:
    assert len({dialect.name for dialect in ALL}) == len(ALL) == 8
    assert {dialect.placeholder.format(n=2) for dialect in ALL} == {"$2", "%s", "?", "@p2"}

"""What is text, name and comment in each dialect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqueduct_provider.connectors.athena.system import ATHENA
from aqueduct_provider.connectors.bigquery.system import BIGQUERY
from aqueduct_provider.connectors.mysql.system import MYSQL
from aqueduct_provider.connectors.postgres.system import POSTGRES
from aqueduct_provider.connectors.redshift.system import REDSHIFT
from aqueduct_provider.connectors.registry import built_in
from aqueduct_provider.connectors.snowflake.system import SNOWFLAKE
from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.sql.tokens import tokens
from aqueduct_provider.connectors.sqlite.system import SQLITE
from aqueduct_provider.connectors.sqlserver.system import SQL_SERVER

ALL = list({system.dialect.name: system.dialect for system in built_in().values() if system.dialect}.values())
BACKSLASHES = [MYSQL, BIGQUERY, REDSHIFT, SNOWFLAKE]


def kinds(sql: str, dialect: Dialect) -> list[tuple[str, str]]:
    """Kind and text of each token, spaces left out."""
    return [(token.kind, token.text) for token in tokens(sql, dialect) if token.kind != "space"]


@given(
    sql=st.text(st.sampled_from("a1'\"`[]$-/*#\\;.%{} \nE")) | st.text(),
    dialect=st.sampled_from(ALL),
)
def test_all_sql_is_tokens(sql: str, dialect: Dialect) -> None:
    sql = sql.replace(";", "")
    assert "".join(token.text for token in tokens(sql, dialect)) == sql


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_what_all_dialects_share(dialect: Dialect) -> None:
    assert kinds("a$1 $12 $ 'it''s' /* $1 */ {{ ds }} -- $1 'x\nb", dialect) == [
        ("word", "a$1"),
        ("parameter", "$12"),
        ("previous", "$"),
        ("text", "'it''s'"),
        ("comment", "/* $1 */"),
        ("date", "{{ ds }}"),
        ("comment", "-- $1 'x"),
        ("word", "b"),
    ]


@pytest.mark.parametrize("dialect", BACKSLASHES, ids=lambda dialect: dialect.name)
def test_backslashes_that_escape(dialect: Dialect) -> None:
    assert kinds(r"'a\' $1' $2", dialect) == [("text", r"'a\' $1'"), ("parameter", "$2")]
    assert kinds(r"'a\\' $1", dialect) == [("text", r"'a\\'"), ("parameter", "$1")]
    assert kinds(r"r'a\' $1'", dialect) == [("text", r"r'a\' $1'")]


@pytest.mark.parametrize(
    "dialect", [d for d in ALL if d not in BACKSLASHES], ids=lambda dialect: dialect.name
)
def test_backslashes_that_do_not(dialect: Dialect) -> None:
    assert kinds(r"'a\' $1", dialect) == [("text", r"'a\'"), ("parameter", "$1")]
    assert kinds(r"N'a\' $1", dialect) == [("text", r"N'a\'"), ("parameter", "$1")]


def test_e_begins_a_text_with_backslashes() -> None:
    assert kinds(r"E'a\' $1' $2", POSTGRES) == [("text", r"E'a\' $1'"), ("parameter", "$2")]
    assert kinds(r"e'\\' $2", POSTGRES) == [("text", r"e'\\'"), ("parameter", "$2")]
    assert kinds("the'a'", POSTGRES) == [("word", "the"), ("text", "'a'")]


@pytest.mark.parametrize(
    ("sql", "dialect", "name"),
    [
        ('"a""$1" $2', POSTGRES, '"a""$1"'),
        ('"a""$1" $2', SQL_SERVER, '"a""$1"'),
        ("[a]]$1] $2", SQL_SERVER, "[a]]$1]"),
        ("`a``$1` $2", MYSQL, "`a``$1`"),
        ("`a$1` $2", BIGQUERY, "`a$1`"),
        ('"it\'s" $2', SQLITE, '"it\'s"'),
        ('"a" $2', ATHENA, '"a"'),
    ],
)
def test_quoted_names(sql: str, dialect: Dialect, name: str) -> None:
    assert kinds(sql, dialect) == [("name", name), ("parameter", "$2")]


@pytest.mark.parametrize("dialect", [MYSQL, BIGQUERY])
def test_double_quotes_of_texts(dialect: Dialect) -> None:
    assert kinds('"it\'s \\" $1" $2', dialect) == [("text", '"it\'s \\" $1"'), ("parameter", "$2")]


def test_brackets_that_quote_nothing() -> None:
    assert kinds("a[$1]", POSTGRES) == [("word", "a"), ("[", "["), ("parameter", "$1"), ("]", "]")]


@pytest.mark.parametrize(
    ("dialect", "nests"),
    [(POSTGRES, True), (SQL_SERVER, True), (REDSHIFT, True), (MYSQL, False), (SQLITE, False)],
)
def test_comments_that_nest(dialect: Dialect, nests: bool) -> None:
    expected = (
        [("comment", "/* /* */ $1 */")]
        if nests
        else [("comment", "/* /* */"), ("parameter", "$1"), ("*", "*"), ("/", "/")]
    )
    assert kinds("/* /* */ $1 */", dialect) == expected


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("sql", ["/* $1", "/* $1\n\n", "/* /* */ $1", "/*"])
def test_a_comment_that_never_ends_is_all_the_rest(dialect: Dialect, sql: str) -> None:
    if "*/" in sql and not dialect.nested_comments:
        return
    assert kinds(sql, dialect) == [("comment", sql)]


def test_hashes() -> None:
    for dialect in (MYSQL, BIGQUERY):
        assert kinds("# it's $1\n$2", dialect) == [("comment", "# it's $1"), ("parameter", "$2")]
    assert kinds("a # $1", POSTGRES)[-1] == ("parameter", "$1")
    assert kinds("#temp", SQL_SERVER) == [("#", "#"), ("word", "temp")]


def test_in_mysql_two_dashes_need_a_space() -> None:
    """Read as a comment, this would hide the quote, and $1 inside the text would become SQL."""
    assert kinds("5--'\n$1'", MYSQL) == [("5", "5"), ("-", "-"), ("-", "-"), ("text", "'\n$1'")]
    for space in " \t\n\x01":
        assert kinds(f"--{space}$1", MYSQL)[0][0] == "comment"
    assert kinds("--", MYSQL) == [("comment", "--")]
    assert kinds("5--'\n$1", POSTGRES) == [("5", "5"), ("comment", "--'"), ("parameter", "$1")]


@pytest.mark.parametrize("dialect", [POSTGRES, REDSHIFT, SNOWFLAKE])
def test_dollar_quotes(dialect: Dialect) -> None:
    assert kinds("$$ it's $1 $$ $2", dialect) == [("dollars", "$$ it's $1 $$"), ("parameter", "$2")]
    assert kinds("$a$ $$ $1 $b$ $a$ $2", dialect) == [
        ("dollars", "$a$ $$ $1 $b$ $a$"),
        ("parameter", "$2"),
    ]


def test_dollars_that_quote_nothing() -> None:
    assert kinds("$1$2", POSTGRES) == [("parameter", "$1"), ("parameter", "$2")]
    assert kinds("$1,$,$2", POSTGRES)[2] == ("previous", "$")
    assert ("dollars", "$$ a $$") not in kinds("$$ a $$", MYSQL)


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1 ; ;; -- end;", "SELECT 1   -- end;"),
        ("SELECT ';' /* ; */ ;\n/* ; */", "SELECT ';' /* ; */ \n/* ; */"),
        ("SELECT 1; SELECT 2;", "SELECT 1; SELECT 2"),
        (";", ""),
        ("", ""),
    ],
)
def test_semicolons_at_the_end_go(sql: str, left: str) -> None:
    assert "".join(token.text for token in tokens(sql, SQLITE)) == left

"""Where values are bound, where they must be names or counts, and that they never become SQL."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqueduct_provider.connectors.athena.system import ATHENA
from aqueduct_provider.connectors.bigquery.system import BIGQUERY
from aqueduct_provider.connectors.mysql.system import MYSQL
from aqueduct_provider.connectors.postgres.system import POSTGRES
from aqueduct_provider.connectors.redshift.system import REDSHIFT
from aqueduct_provider.connectors.snowflake.system import SNOWFLAKE
from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.sql.query import Bound, Statement, statement
from aqueduct_provider.connectors.sql.tokens import tokens
from aqueduct_provider.connectors.sqlite.system import SQLITE
from aqueduct_provider.connectors.sqlserver.system import SQL_SERVER
from aqueduct_provider.errors import StatementRefused

ALL = [POSTGRES, REDSHIFT, MYSQL, SQLITE, SQL_SERVER, SNOWFLAKE, BIGQUERY, ATHENA]
DATES = {"today": "2026-11-22", "ds": "2026-11-21", "data_interval_start": "2026-11-21 00:00:00"}


def made(sql: str | Sequence[str], *parameters: str, dialect: Dialect = POSTGRES) -> Statement:
    return statement([sql] if isinstance(sql, str) else sql, parameters, DATES, dialect)


def text(sql: str | Sequence[str], *parameters: str, dialect: Dialect = POSTGRES) -> str:
    """The SQL, with each value in its place between guillemets."""
    found = made(sql, *parameters, dialect=dialect)
    values = found.values
    return found.sql(lambda number: f"«{values[number - 1]}»")


# --- where a value may stand


@pytest.mark.parametrize("dialect", ALL, ids=lambda dialect: dialect.name)
def test_a_value_is_bound(dialect: Dialect) -> None:
    found = made("SELECT * FROM t WHERE a = $1 AND b IN ($2,$1)", "x'; --", "y", dialect=dialect)
    assert found.values == ["x'; --", "y", "x'; --"]
    places = [dialect.placeholder.format(n=number) for number in (1, 2, 3)]
    assert found.sql() == f"SELECT * FROM t WHERE a = {places[0]} AND b IN ({places[1]},{places[2]})"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a = '$1'", "a = «it's»"),
        ("a LIKE '%$1%'", "a LIKE ('%' || «it's» || '%')"),
        ("a = 'x$1'", "a = ('x' || «it's»)"),
        ("a = '$1$2'", "a = («it's» || «b»)"),
        ("a = 'it''s $1'", "a = ('it''s ' || «it's»)"),
        ("a = '$5 $1 $0 $'", "a = ('$5 ' || «it's» || ' $0 $')"),
        ("a = '$5, {{ nothing }}'", "a = '$5, {{ nothing }}'"),
        ("a = ''", "a = ''"),
        (r"a = E'x\n$1'", r"a = (E'x\n' || «it's»)"),
        (r"a = E'\\$1'", r"a = (E'\\' || «it's»)"),
        (r"a = 'C:\$1'", r"a = ('C:\' || «it's»)"),
        ("DATE '$1'", " CAST(«it's» AS DATE)"),
        ("a >= date  /* day */ '$1'", "a >=   /* day */ CAST(«it's» AS DATE)"),
        ("TIMESTAMP '$1 00:00'", " CAST((«it's» || ' 00:00') AS TIMESTAMP)"),
        ("INTERVAL '$1 days'", " CAST((«it's» || ' days') AS INTERVAL)"),
        ("DATE '2026-01-01'", "DATE '2026-01-01'"),
        ("DATE '$7'", "DATE '$7'"),
        ("CAST('$1' AS DATE)", "CAST(«it's» AS DATE)"),
        ("'$1'::date", "«it's»::date"),
    ],
)
def test_text_literals(sql: str, expected: str) -> None:
    assert text(f"SELECT {sql}", "it's", "b") == f"SELECT {expected}"


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (MYSQL, "CONCAT('a', «x», 'b')"),
        (BIGQUERY, "CONCAT('a', «x», 'b')"),
        (SQL_SERVER, "CONCAT('a', «x», 'b')"),
        (SQLITE, "('a' || «x» || 'b')"),
        (ATHENA, "('a' || «x» || 'b')"),
    ],
)
def test_how_texts_are_joined(dialect: Dialect, expected: str) -> None:
    assert text("SELECT 'a$1b'", "x", dialect=dialect) == f"SELECT {expected}"


def test_prefixes_stay_with_the_texts() -> None:
    assert text("SELECT N'a$1b'", "x", dialect=SQL_SERVER) == "SELECT CONCAT(N'a', «x», N'b')"


@pytest.mark.parametrize("dialect", [MYSQL, BIGQUERY])
def test_double_quotes_hold_texts(dialect: Dialect) -> None:
    assert text('SELECT "it\'s $1"', "x", dialect=dialect) == 'SELECT CONCAT("it\'s ", «x»)'


@pytest.mark.parametrize("dialect", [MYSQL, REDSHIFT, SNOWFLAKE, BIGQUERY])
def test_an_escaped_dollar_is_a_dollar(dialect: Dialect) -> None:
    """Were the literal cut behind the backslash, its first part would not end, and the value be SQL."""
    assert text(r"SELECT 'a\$1b'", "x", dialect=dialect) == r"SELECT 'a\$1b'"
    assert made(r"SELECT 'a\\$1'", "x", dialect=dialect).values == ["x"]
    assert text(r"SELECT DATE '\$1'", "x", dialect=dialect) == r"SELECT DATE '\$1'"
    assert text(r"SELECT E'a\$1b'", "x") == r"SELECT E'a\$1b'"


def test_mysqls_interval_takes_a_value() -> None:
    assert text("SELECT NOW() - INTERVAL '$1' DAY", "3", dialect=MYSQL) == "SELECT NOW() - INTERVAL «3» DAY"


@pytest.mark.parametrize("dialect", [POSTGRES, REDSHIFT, SNOWFLAKE])
def test_other_intervals_have_their_unit_inside(dialect: Dialect) -> None:
    with pytest.raises(StatementRefused, match=r"INTERVAL '\$1' day takes no parameter: write the unit into"):
        made("SELECT INTERVAL '$1' day", "3", dialect=dialect)
    assert text("SELECT INTERVAL '3' DAY, $1", "x", dialect=dialect) == "SELECT INTERVAL '3' DAY, «x»"


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("-- $1 'x\n", "-- $1 'x\n"),
        ("/* $1 /* {{ ds }} */ $2 */", "/* $1 /* {{ ds }} */ $2 */"),
        ("$$ it's $1 {{ ds }} $$", "$$ it's $1 {{ ds }} $$"),
        ("$f$ $1 $f$", "$f$ $1 $f$"),
    ],
)
def test_nothing_is_replaced_in_comments_and_dollar_quotes(sql: str, left: str) -> None:
    assert text(f"SELECT {sql} $1", "x") == f"SELECT {left} «x»"


# --- numbers


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        ("7", 7),
        ("-3", -3),
        ("0", 0),
        ("2.5", 2.5),
        ("-0.25", -0.25),
        ("123456789012345678", 123456789012345678),
        *(
            (text, text)
            for text in ("007", "1e5", "", " 7", "7 ", "+7", ".5", "5.", "NaN", "1,5", "\u0667", "9" * 19)
        ),
    ],
)
def test_where_types_are_strict_a_bare_number_is_one(value: str, bound: object) -> None:
    for dialect in (SQLITE, BIGQUERY, ATHENA):
        (found,) = made("SELECT $1", value, dialect=dialect).values
        assert (found, type(found)) == (bound, type(bound))
    assert made("SELECT $1", value).values == [value]
    assert made("SELECT '$1'", value, dialect=SQLITE).values == [value]


def test_what_is_bare_is_known() -> None:
    pieces = made("SELECT $1, '$1' LIMIT $2", "1", "2").pieces
    assert [piece for piece in pieces if isinstance(piece, Bound)] == [
        Bound("1", bare=True),
        Bound("1"),
        Bound(2, bare=True),
    ]


# --- where a name stands


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM $1", 'SELECT * FROM "s"."t"'),
        ("SELECT * FROM\n -- which\n $1", 'SELECT * FROM\n -- which\n "s"."t"'),
        ("SELECT * FROM a left join $1 ON true", 'SELECT * FROM a left join "s"."t" ON true'),
        ("SELECT * FROM a, $1", 'SELECT * FROM a, "s"."t"'),
        ("SELECT * FROM f(a, b), $1", 'SELECT * FROM f(a, b), "s"."t"'),
        ("INSERT INTO $1 SELECT 1", 'INSERT INTO "s"."t" SELECT 1'),
        ("UPDATE $1 SET a = 1", 'UPDATE "s"."t" SET a = 1'),
        ("TABLE $1", 'TABLE "s"."t"'),
        ("SELECT a FROM x GROUP BY $1", 'SELECT a FROM x GROUP BY "s"."t"'),
        ("SELECT a FROM x order  by a DESC, $1", 'SELECT a FROM x order  by a DESC, "s"."t"'),
        ("SELECT f(a) OVER (ORDER BY b, $1)", 'SELECT f(a) OVER (ORDER BY b, "s"."t")'),
        ("SELECT $1.a, x.$1 FROM x", 'SELECT "s"."t".a, x."s"."t" FROM x'),
        ('SELECT "$1" FROM "a $1"', 'SELECT "s.t" FROM "a s.t"'),
        ("SELECT a_$1 FROM t$1x", 'SELECT "a_s.t" FROM "ts.tx"'),
        ("SELECT a_$2 FROM t$0", "SELECT a_$2 FROM t$0"),
    ],
)
def test_names_are_checked_and_quoted(sql: str, expected: str) -> None:
    assert text(sql, "s.t") == expected
    if "_$2" not in sql:
        with pytest.raises(
            StatementRefused, match=r"The value of \$1 is used as the name of a table or column"
        ):
            text(sql, 't" --')


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, $1 FROM x",
        "SELECT * FROM x WHERE a IN (1, $1)",
        "SELECT * FROM x WHERE a IS NOT DISTINCT FROM $1",
        "SELECT * FROM f(a, $1)",
        "SELECT a FROM x ORDER BY coalesce(a, $1)",
        "SELECT a FROM x ORDER BY a = $1",
        "SELECT a FROM x WHERE f[1, $1]",
        "UPDATE t SET a = 1, b = $1",
        "SELECT 1 FROM x UNION SELECT 2, $1",
        "WITH a AS (SELECT 1 FROM x) SELECT 2, $1",
        "SELECT by($1)",
        "SELECT 1), $1",
    ],
)
def test_beside_names_values_stay_values(sql: str) -> None:
    assert made(sql, "x'y").values == ["x'y"]


@pytest.mark.parametrize(
    ("dialect", "quoted"), [(MYSQL, "`a`.`b c`"), (BIGQUERY, "`a`.`b c`"), (SQL_SERVER, "[a].[b c]")]
)
def test_names_are_quoted_as_the_dialect_does(dialect: Dialect, quoted: str) -> None:
    assert text("SELECT * FROM $1", "a.b c", dialect=dialect) == f"SELECT * FROM {quoted}"


@pytest.mark.parametrize(
    ("dialect", "sql", "filled"),
    [
        (MYSQL, "SELECT * FROM `sales $1`", "`sales 2026`"),
        (SQL_SERVER, "SELECT * FROM [sales $1]", "[sales 2026]"),
        (SQL_SERVER, 'SELECT * FROM "sales $1"', '"sales 2026"'),
    ],
)
def test_quoted_names_are_filled(dialect: Dialect, sql: str, filled: str) -> None:
    assert text(sql, "2026", dialect=dialect) == f"SELECT * FROM {filled}"
    with pytest.raises(StatementRefused, match="is not a valid name"):
        text(sql, 'x]`"', dialect=dialect)


# --- where a count stands


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t LIMIT $1",
        "SELECT * FROM t LIMIT 5 OFFSET $1 ROWS",
        "SELECT TOP $1 * FROM t",
        "SELECT * FROM t FETCH FIRST $1 ROWS ONLY",
        "SELECT * FROM t fetch next $1 ROWS ONLY",
        "SELECT * FROM t LIMIT 5, $1",
    ],
)
def test_counts_are_whole_numbers(sql: str) -> None:
    assert made(sql, " 10 ").values == [10]
    for wrong in ("1; DROP TABLE t", "-1", "1.5", "", "ten", "1 OR 1", "\u0663"):
        with pytest.raises(StatementRefused, match=r"The value of \$1 follows \w+ and must be an integer"):
            made(sql, wrong)


# --- dates, chains, mistakes


def test_dates() -> None:
    expected = "SELECT '2026-11-22', DATE '2026-11-21', 'x 2026-11-21 00:00:00 y', DATE '2026-11-21'"
    sql = "SELECT {{ today }}, DATE {{ds}}, 'x {{ data_interval_start }} y', DATE '{{ ds }}'"
    assert text(sql) == expected
    with pytest.raises(
        StatementRefused, match=r"{{ tomorrow }} is not available in SQL; available: {{ today }}, {{ ds }}"
    ):
        text("SELECT {{ tomorrow }}")
    assert text("SELECT '{{ ds }} $1'", "x") == "SELECT ('2026-11-21 ' || «x»)"


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        (
            ["SELECT 1 AS a;", "SELECT * FROM $"],
            "WITH aqueduct_query_1 AS (SELECT 1 AS a\n) SELECT * FROM aqueduct_query_1",
        ),
        (
            ["SELECT 1 ; -- one;", "SELECT 2 FROM $ -- two", "SELECT a.b FROM $ AS a, $ AS b;;"],
            "WITH aqueduct_query_1 AS (SELECT 1  -- one;\n), "
            "aqueduct_query_2 AS (SELECT 2 FROM aqueduct_query_1 -- two\n) "
            "SELECT a.b FROM aqueduct_query_2 AS a, aqueduct_query_2 AS b",
        ),
        (
            ["WITH x AS (SELECT 1) SELECT * FROM x", "-- last\nwith y AS (SELECT * FROM $) SELECT * FROM y"],
            "WITH aqueduct_query_1 AS (WITH x AS (SELECT 1) SELECT * FROM x\n), "
            "-- last\n y AS (SELECT * FROM aqueduct_query_1) SELECT * FROM y",
        ),
        (
            ["SELECT 1", "WITH RECURSIVE y AS (SELECT * FROM $) SELECT * FROM y"],
            "WITH RECURSIVE aqueduct_query_1 AS (SELECT 1\n),   y AS (SELECT * FROM aqueduct_query_1) "
            "SELECT * FROM y",
        ),
        (
            ["WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x", "SELECT * FROM $"],
            "WITH RECURSIVE aqueduct_query_1 AS (WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x\n) "
            "SELECT * FROM aqueduct_query_1",
        ),
    ],
)
def test_chains(queries: list[str], expected: str) -> None:
    assert text(queries) == expected


def test_the_values_of_a_chain_are_in_the_order_of_their_places() -> None:
    found = made(["SELECT $2", "SELECT $1 FROM $ WHERE a = '$2'"], "one", "two")
    assert found.values == ["two", "one", "two"]
    assert found.sql().count("$") == 3


def test_percent_signs_are_doubled_for_drivers_that_format() -> None:
    sql = "SELECT 1 % 2, '%s %$1%' -- %d"
    assert made(sql, "x", dialect=MYSQL).sql() == "SELECT 1 %% 2, CONCAT('%%s %%', %s, '%%') -- %%d"
    assert made(sql, "%s", dialect=SQLITE).sql() == "SELECT 1 % 2, ('%s %' || ? || '%') -- %d"
    assert made(sql, "x", dialect=MYSQL).sql(lambda number: "?").startswith("SELECT 1 % 2")
    assert made("LIKE '%a'", dialect=MYSQL).sql() % () == "LIKE '%a'"


@pytest.mark.parametrize(
    ("sql", "parameters", "message"),
    [
        ("SELECT $1", (), r"The SQL uses \$1, and there are 0 parameters"),
        ("SELECT $3", ("a", "b"), r"The SQL uses \$3, and there are 2 parameters: give the parameter"),
        ("SELECT $0", ("a",), r"The SQL uses \$0, and there is 1 parameter:"),
        ("SELECT * FROM $", (), "the first query of a chain cannot use it"),
    ],
)
def test_placeholders_that_cannot_be_filled(sql: str, parameters: tuple[str, ...], message: str) -> None:
    with pytest.raises(StatementRefused, match=message):
        made(sql, *parameters)


@pytest.mark.parametrize(
    ("dialect", "sql", "quote"),
    [(SQLITE, "SELECT 'a $1", "'"), (MYSQL, r"SELECT 'a\' $1", "'"), (SQL_SERVER, "SELECT [a '$1'", r"\[")],
)
def test_after_a_quote_that_is_never_closed_nothing_is_bound(dialect: Dialect, sql: str, quote: str) -> None:
    with pytest.raises(StatementRefused, match=f"The SQL has a {quote} that is never closed"):
        made(sql, "x", dialect=dialect)
    assert text(sql.replace("$1", "a"), "x", dialect=dialect) == sql.replace("$1", "a")


def test_no_error_shows_a_value() -> None:
    for sql in ("SELECT * FROM $1", "SELECT * FROM t LIMIT $1", 'SELECT "$1"', "SELECT a_$1"):
        with pytest.raises(StatementRefused) as caught:
            made(sql, "secret!")
        assert "secret" not in str(caught.value)


# --- whatever the template and the value are

PIECES = (
    "$1 '$1' '%$1%' sales_$1 `$1` \"$1\" [$1] ' '' \" ` [ ] -- /* */ # \\ \\$1 $$ $a$ $ $9 E' N' E'\\$1' "
    "FROM LIMIT . , ; ( ) % a 1 DATE {{ds}} ORDER BY WITH"
).split()
TEMPLATES = st.lists(st.sampled_from([*PIECES, " ", " ", "\n"]), max_size=12).map("".join)


@settings(max_examples=500)
@given(template=TEMPLATES, value=st.text(max_size=20), dialect=st.sampled_from(ALL))
def test_no_value_becomes_sql(template: str, value: str, dialect: Dialect) -> None:
    value += "☃"  # No part of any name or number.
    try:
        found = made(["SELECT 1", template], value, dialect=dialect)
    except StatementRefused:
        return
    assert "☃" not in found.sql()
    assert set(found.values) <= {value}
    # What a driver makes that writes values into the statement: they are parts of texts, and of nothing else.
    written = found.sql(lambda _: "'☃'")
    assert {token.kind for token in tokens(written, dialect) if "☃" in token.text} <= {"text"}


@settings(max_examples=300)
@given(template=st.text(st.sampled_from("a '\"`[]-/*#\\;.%E\n(")) | st.text(), dialect=st.sampled_from(ALL))
def test_without_placeholders_nothing_changes(template: str, dialect: Dialect) -> None:
    sql = re.sub(r"[${;]", "", template) + "x"
    assert text(sql, "value", dialect=dialect) == sql

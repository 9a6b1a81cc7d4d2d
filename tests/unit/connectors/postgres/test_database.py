"""Postgres' own: types that Arrow has not, and errors; what all databases do stands in tests/connectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.postgres import database as connector
from aqueduct_provider.connectors.postgres.database import PostgresDatabase
from aqueduct_provider.connectors.tables.model import KIND, TableLoad, TableName
from aqueduct_provider.errors import (
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    StatementRefused,
)
from tests.data_servers.postgres import PASSWORD, PostgresServer
from tests.support.arrow_tables import batches, read

NO_COPY = {"adbc.postgresql.use_copy": "false"}


@pytest.fixture
def config(postgres: PostgresServer) -> dict[str, Any]:
    return postgres.new_database()


@pytest.fixture
def run(postgres: PostgresServer, config: dict[str, Any]) -> Callable[[str], list[Any]]:
    """Runs statements with another driver."""
    return lambda sql: postgres.run(sql, database=config["database"])


@pytest.fixture
def database(config: dict[str, Any]) -> Iterator[PostgresDatabase]:
    with closing(connector.connect("Postgres", config)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("'10.0.0.1'::inet", "10.0.0.1/32"),
        ("'1 day 02:00'::interval", "1 day 02:00:00"),
        ("'10:00+02'::timetz", "10:00:00+02"),
        ("B'101'", "101"),
        ("point(1, 2)", "(1,2)"),
        ("int4range(1, 5)", "[1,5)"),
        ("'a'::mood", "a"),
        ("5::positive", 5),
        ("'ab'::char(4)", "ab  "),
        ("ARRAY[1, NULL]", [1, None]),
        ("ARRAY['a', NULL]", ["a", None]),
        ("ARRAY[1.50]", ["1.50"]),
        ("ARRAY['a'::mood]", ["a"]),
        ("ARRAY['{}'::jsonb]", ["{}"]),
        ("ARRAY[]::uuid[]", []),
        ("NULL", None),
        ("1::oid", 1),
    ],
)
def test_types_that_arrow_has_not(
    run: Callable[[str], Any], config: dict[str, Any], value: str, found: Any
) -> None:
    run("CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN positive AS int CHECK (VALUE > 0)")
    with closing(connector.connect("Postgres", config)) as database:
        table = read(database, f'SELECT {value} AS v, 1 AS "one\'s" -- and no more')
    assert table.to_pylist() == [{"v": found, "one's": 1}]
    assert table.schema.field("v").metadata is None


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        ("1.50", "1.50", b"decimal"),
        ("'NaN'::numeric", "nan", b"decimal"),
        ("'$1,234.50'::money", "1234.50", b"decimal"),
        ("'{\"a\":1}'::json", '{"a":1}', b"json"),
        ("'{\"a\":1}'::jsonb", '{"a": 1}', b"json"),
        ("'00000000-0000-0000-0000-000000000001'::uuid", "00000000-0000-0000-0000-000000000001", b"uuid"),
    ],
)
def test_texts_that_are_more(database: PostgresDatabase, value: str, text: str, kind: bytes) -> None:
    table = read(database, f"SELECT {value} AS v")
    assert table.schema == pa.schema([pa.field("v", pa.string(), metadata={KIND: kind})])
    assert table.schema.field("v").metadata == {KIND: kind}
    assert table.to_pylist() == [{"v": text}]


@pytest.mark.parametrize(
    ("sql", "value", "found"),
    [
        ("$1", "x", "x"),
        ("$1 + 1", "41", 42),
        ("$1::date - 1 = '2020-01-01'", "2020-01-02", True),
        ("DATE '$1' - 1 = '2020-01-01'", "2020-01-02", True),
        ("INTERVAL '$1 days' = INTERVAL '72 hours'", "3", True),
        ("ARRAY[1, 2] @> $1", "{2}", True),
        ("'{\"a\": 1}'::jsonb @> $1", '{"a": 1}', True),
        ("$1 IN ('a', '$1')", "it's", True),
        ("$$ $1 $$", "x", " $1 "),
    ],
)
def test_a_value_has_the_type_that_its_place_wants(
    database: PostgresDatabase, sql: str, value: str, found: Any
) -> None:
    assert read(database, f"SELECT {sql} AS v", value).to_pylist() == [{"v": found}]


@pytest.mark.parametrize("value", ["abc", "a\0b", "1; DROP TABLE t"])
def test_a_value_of_another_type_is_refused(database: PostgresDatabase, value: str) -> None:
    with pytest.raises(StatementRefused, match="refuses the statement: invalid"):
        read(database, "SELECT 1 WHERE 1 = $1", value)


@pytest.mark.parametrize("sql", ["DELETE FROM t", "DO $$ BEGIN END $$", "CREATE TABLE u (a int)"])
def test_what_is_no_query_does_nothing(
    run: Callable[[str], Any], database: PostgresDatabase, sql: str
) -> None:
    run("CREATE TABLE t AS SELECT 1 AS a")
    with pytest.raises(StatementRefused, match="an extract needs a query"):
        read(database, sql)
    database.close()
    assert run("SELECT a FROM t") == [(1,)]


def test_what_a_query_changes_is_undone(run: Callable[[str], Any], config: dict[str, Any]) -> None:
    run("CREATE TABLE t AS SELECT 1 AS a")
    with closing(connector.connect("Postgres", config)) as database:
        assert read(database, "DELETE FROM t RETURNING a").to_pylist() == [{"a": 1}]
    assert run("SELECT a FROM t") == [(1,)]


def test_tables_of_other_schemas_are_named_with_them(
    run: Callable[[str], Any], database: PostgresDatabase
) -> None:
    run(
        "CREATE TABLE z (a int); CREATE VIEW a AS SELECT 1; CREATE SCHEMA lake; CREATE TABLE lake.b (a int);"
        "CREATE TABLE aqueduct_loads (a int); CREATE TEMPORARY TABLE gone (a int)"
    )
    assert database.tables() == ["a", "z", "lake.b"]


# --- errors


def test_the_servers_words_without_the_query(database: PostgresDatabase) -> None:
    with pytest.raises(StatementRefused) as caught:
        read(database, "SELECT nope, 'planted'\nFROM (SELECT 1) AS t")
    assert str(caught.value).endswith(
        "refuses the statement: column \"nope\" does not exist\nLINE 1: SELECT nope, 'planted'."
    )
    with pytest.raises(StatementRefused, match=r"refuses the statement: division by zero\.$"):
        read(database, "SELECT 1/0")


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("08006", DataSystemUnavailable),
        ("40001", DataSystemUnavailable),
        ("40P01", DataSystemUnavailable),
        ("53300", DataSystemUnavailable),
        ("55P03", DataSystemUnavailable),
        ("57014", DataSystemUnavailable),
        ("58030", DataSystemUnavailable),
        ("22012", StatementRefused),
        ("23505", StatementRefused),
        ("42501", StatementRefused),
    ],
)
def test_the_class_of_an_error_says_whether_another_try_helps(
    database: PostgresDatabase, state: str, kind: type[DataSystemError]
) -> None:
    with pytest.raises(kind, match="custom words"):
        database.run(f"DO $$ BEGIN RAISE EXCEPTION 'custom words' USING ERRCODE = '{state}'; END $$")


@pytest.mark.parametrize(
    ("sql", "kind", "words"),
    [
        (
            "SELECT 1 / (100000 - n) AS a FROM generate_series(1, 100000) AS n",
            StatementRefused,
            "division by zero",
        ),
        ("SELECT pg_terminate_backend(pg_backend_pid())", DataSystemUnavailable, "terminating connection"),
    ],
)
def test_errors_while_rows_come(
    database: PostgresDatabase, sql: str, kind: type[DataSystemError], words: str
) -> None:
    with pytest.raises(kind, match=f"Postgres 'test_.*: {words}"):
        read(database, sql)


def test_a_connection_that_the_server_ended(postgres: PostgresServer, database: PostgresDatabase) -> None:
    ((process,),) = database.rows("SELECT pg_backend_pid()::text")
    postgres.run(f"SELECT pg_terminate_backend({process})")
    with pytest.raises(DataSystemUnavailable):
        database.rows("SELECT 1")


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"username": "nobody"}, DataSystemLoginFailed, 'authentication failed for user "nobody"'),
        ({"port": "abc"}, DataSystemLoginFailed, 'invalid integer value "abc"'),
        ({"options": {"nonsense": "x"}}, DataSystemLoginFailed, "nonsense"),
        ({"options": {"sslmode": "require"}}, DataSystemUnavailable, "SSL"),
        ({"host": "no-such-host.invalid"}, DataSystemUnavailable, "cannot be reached: .*host name"),
    ],
)
def test_connections_that_fail(
    config: dict[str, Any], change: dict[str, Any], kind: type[DataSystemError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        connector.connect("Postgres", {**config, **change})
    assert PASSWORD not in str(caught.value)


def test_options_and_odd_characters_reach_the_server(postgres: PostgresServer) -> None:
    name, password = "a/b?c%d 'e'", "p@ss:w/o#r?d%&é"
    postgres.run(f"CREATE ROLE \"o'x:y\" LOGIN PASSWORD '{password}'")
    postgres.run(f'CREATE DATABASE "{name}"')
    config = {
        **postgres.config(name),
        "username": "o'x:y",
        "password": password,
        "port": postgres.port,
        "options": {
            "application_name": "mine & yours",
            "options": "-c statement_timeout=77s -c timezone=Europe/Rome",
        },
    }
    with closing(connector.connect("Postgres", config)) as database:
        ((found,),) = database.rows("SELECT current_database()::text")
        settings = [
            database.rows(f"SHOW {setting}", **NO_COPY)
            for setting in ("application_name", "statement_timeout", "timezone")
        ]
    assert (found, settings) == (name, [[("mine & yours",)], [("77s",)], [("UTC",)]])


# --- loads


def test_json_and_uuids_keep_their_types(run: Callable[[str], Any], database: PostgresDatabase) -> None:
    schema = pa.schema(
        [
            pa.field("j", pa.string(), metadata={KIND: b"json"}),
            pa.field("u", pa.string(), metadata={KIND: b"uuid"}),
            pa.field("a", pa.list_(pa.string())),
        ]
    )
    uuid = "00000000-0000-0000-0000-000000000001"
    data = pa.table({"j": ['{"a": "\\u00e9"}', None], "u": [uuid, None], "a": [["x", None], None]}, schema)
    for number, mode in enumerate(["replace", "append", "replace"]):
        load = TableLoad(TableName("", "t"), mode, f"{number}" * 64, "d" * 64, "run")  # type: ignore[arg-type]
        assert database.write(batches(data), load) == 2
    types = run(
        "SELECT data_type FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position"
    )
    assert types == [("jsonb",), ("uuid",), ("ARRAY",)]
    assert run("SELECT j, u, a FROM t WHERE j IS NOT NULL") == [({"a": "é"}, uuid, ["x", None])]


def test_a_load_leaves_no_staging_table(run: Callable[[str], Any], database: PostgresDatabase) -> None:
    run("CREATE TABLE t (n bigint)")
    for number, mode in enumerate(["append", "replace", "append"]):
        load = TableLoad(TableName("", "t"), mode, f"{number}" * 64, "d" * 64, "run")  # type: ignore[arg-type]
        database.write(batches(pa.table({"n": [1]})), load)
    assert run("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'aqueduct%'") == [
        ("aqueduct_loads",)
    ]

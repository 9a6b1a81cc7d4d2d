"""MySQL's and MariaDB's own types, errors and connections, on MariaDB."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pymysql
import pytest

from aqueduct_provider.connectors.mysql import database as connector
from aqueduct_provider.connectors.mysql.database import MySqlDatabase, _error
from aqueduct_provider.errors import (
    ConfigError,
    DataSystemError,
    DataSystemLoginFailed,
    DataSystemUnavailable,
    StatementRefused,
)
from tests.data_servers.mariadb import PASSWORD, MariaDbServer
from tests.support.arrow_tables import read


@pytest.fixture
def config(mariadb: MariaDbServer) -> dict[str, Any]:
    return mariadb.new_database()


@pytest.fixture
def run(mariadb: MariaDbServer, config: dict[str, Any]) -> Callable[[str], list[Any]]:
    return lambda sql: mariadb.run(sql, database=config["database"])


@pytest.fixture
def database(config: dict[str, Any]) -> Iterator[MySqlDatabase]:
    with closing(connector.connect("MariaDB", config)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("column", "value", "kind", "found"),
    [
        ("TINYINT(1)", "1", pa.bool_(), True),
        ("TINYINT", "-5", pa.int16(), -5),
        ("TINYINT UNSIGNED", "255", pa.int16(), 255),
        ("SMALLINT UNSIGNED", "65535", pa.int32(), 65535),
        ("MEDIUMINT UNSIGNED", "7", pa.int32(), 7),
        ("INT UNSIGNED", "4294967295", pa.int64(), 4294967295),
        ("BIGINT UNSIGNED", "18446744073709551615", pa.uint64(), 18446744073709551615),
        ("YEAR", "2024", pa.int16(), 2024),
        ("BIT(1)", "1", pa.bool_(), True),
        ("BIT(8)", "5", pa.binary(), b"\x05"),
        ("DECIMAL(65, 30)", "1.5", pa.decimal256(65, 30), Decimal("1.5")),
        ("DECIMAL(10, 0) UNSIGNED", "3", pa.decimal128(38, 0), 3),
        ("FLOAT", "1.5", pa.float32(), 1.5),
        ("ENUM('x', 'y')", "'x'", pa.string(), "x"),
        ("SET('x', 'y')", "'x,y'", pa.string(), "x,y"),
        ("JSON", "'[1]'", pa.string(), "[1]"),
        ("TINYTEXT", "'ü'", pa.string(), "ü"),
        ("CHAR(4) CHARACTER SET latin1", "'ü'", pa.string(), "ü"),
        ("BINARY(3)", "'a'", pa.binary(), b"a\0\0"),
        ("TIME", "'23:59:59'", pa.time64("us"), dt.time(23, 59, 59)),
        (
            "DATETIME(6)",
            "'2024-01-01 10:00:00.5'",
            pa.timestamp("us"),
            dt.datetime(2024, 1, 1, 10, 0, 0, 500_000),
        ),
        ("INET6", "'::1'", pa.string(), "::1"),
    ],
)
def test_types(
    run: Callable[[str], Any], database: MySqlDatabase, column: str, value: str, kind: pa.DataType, found: Any
) -> None:
    run(f"CREATE TABLE t (v {column})")
    run(f"INSERT INTO t VALUES ({value}), (NULL)")
    table = read(database, "SELECT v FROM t ORDER BY v DESC")
    assert (table.schema.types, table.column(0).to_pylist()) == ([kind], [found, None])


def test_points_in_time_are_in_utc(run: Callable[[str], Any], database: MySqlDatabase) -> None:
    run("CREATE TABLE t (v TIMESTAMP NULL)")
    # The server's zone is five hours behind.
    run("INSERT INTO t VALUES ('2024-07-01 12:00:00')")
    (found,) = read(database, "SELECT v FROM t").column(0).to_pylist()
    assert found == dt.datetime(2024, 7, 1, 17, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("TIME", "'26:30:00'"),
        ("TIME", "'-01:00:00'"),
        ("DATE", "'0000-00-00'"),
        ("DATE", "'2024-00-10'"),
        ("DATETIME", "'0000-00-00 00:00:00'"),
        ("TIMESTAMP NULL", "'0000-00-00'"),
    ],
)
def test_times_that_python_has_not_are_refused_with_their_column_and_what_to_do(
    run: Callable[[str], Any], database: MySqlDatabase, column: str, value: str
) -> None:
    run(f"CREATE TABLE t (v {column})")
    run(f"SET STATEMENT sql_mode = '' FOR INSERT INTO t VALUES ({value})")
    with pytest.raises(
        StatementRefused, match=r"Column 'v', row 1 of the result: .* Cast the column in the query"
    ):
        read(database, "SELECT v FROM t")


def test_such_times_can_be_read_as_text(run: Callable[[str], Any], database: MySqlDatabase) -> None:
    run("CREATE TABLE t (v TIME, w DATE)")
    run("SET STATEMENT sql_mode = '' FOR INSERT INTO t VALUES ('26:30:00', '0000-00-00')")
    sql = "SELECT CAST(v AS CHAR) AS v, CAST(w AS CHAR) AS w FROM t"
    assert read(database, sql).to_pylist() == [{"v": "26:30:00", "w": "0000-00-00"}]


def test_expressions(database: MySqlDatabase) -> None:
    sql = "SELECT 1 = 1 AS a, 1.5 AS b, '5 % 3' AS c, 5 % 3 AS d, NULL AS e, $1 AS f, 5--1 AS g # end"
    assert read(database, sql, "%s'\\").to_pylist() == [
        {"a": 1, "b": Decimal("1.5"), "c": "5 % 3", "d": 2, "e": None, "f": "%s'\\", "g": 6}
    ]


@pytest.mark.parametrize("template", [r"'a\$1'", "5--'\n$1'"])
def test_a_value_stays_out_of_a_text_that_does_not_take_it(
    run: Callable[[str], Any], database: MySqlDatabase, template: str
) -> None:
    run("CREATE TABLE secrets AS SELECT 'hunter2' AS s")
    evil = " UNION SELECT s FROM secrets -- "
    try:
        found = str(read(database, f"SELECT {template} AS v", evil).to_pylist())
    except StatementRefused:
        found = ""
    assert "hunter2" not in found


@pytest.mark.parametrize("sql", ["DELETE FROM t", "SET @a = 1", "DO 1"])
def test_what_is_no_query_is_refused_and_undone(
    run: Callable[[str], Any], config: dict[str, Any], sql: str
) -> None:
    run("CREATE TABLE t AS SELECT 1 AS a")
    with (
        closing(connector.connect("MariaDB", config)) as database,
        pytest.raises(StatementRefused, match="an extract needs a query"),
    ):
        read(database, sql)
    assert run("SELECT a FROM t") == [(1,)]


def test_an_error_among_the_rows(run: Callable[[str], Any], database: MySqlDatabase) -> None:
    run("CREATE TABLE t AS SELECT seq FROM seq_1_to_100000")
    with pytest.raises(StatementRefused, match="Subquery returns more than 1 row"):
        read(database, "SELECT seq, IF(seq < 99999, 1, (SELECT 1 UNION SELECT 2)) AS v FROM t")


def test_a_result_need_not_be_read_to_its_end(run: Callable[[str], Any], database: MySqlDatabase) -> None:
    from aqueduct_provider.connectors.mysql.system import MYSQL
    from aqueduct_provider.connectors.sql.query import statement

    run("CREATE TABLE t AS SELECT seq FROM seq_1_to_200000")
    with database.read(statement(["SELECT seq FROM t"], (), {}, MYSQL)) as data:
        assert next(data.batches).num_rows > 0


def test_tables_and_views_without_the_markers(run: Callable[[str], Any], database: MySqlDatabase) -> None:
    for sql in ("CREATE TABLE z (a INT)", "CREATE VIEW b AS SELECT 1", "CREATE TABLE aqueduct_loads (a INT)"):
        run(sql)
    assert database.tables() == ["b", "z"]


# --- errors


def test_a_connection_that_the_server_ended(mariadb: MariaDbServer, database: MySqlDatabase) -> None:
    ((number,),) = database.rows("SELECT CONNECTION_ID()")
    mariadb.run(f"KILL {number}")
    with pytest.raises(DataSystemUnavailable, match=r"Lost connection|gone away"):
        database.rows("SELECT 1")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (1044, DataSystemLoginFailed),
        (1045, DataSystemLoginFailed),
        (1049, DataSystemLoginFailed),
        (1040, DataSystemUnavailable),
        (1205, DataSystemUnavailable),
        (1213, DataSystemUnavailable),
        (2003, DataSystemUnavailable),
        (2006, DataSystemUnavailable),
        (2013, DataSystemUnavailable),
        (1064, StatementRefused),
        (1146, StatementRefused),
    ],
)
def test_the_number_of_an_error_says_what_it_is(number: int, kind: type[DataSystemError]) -> None:
    error = _error("MySQL 'db'", pymysql.OperationalError(number, "the server's words."))
    assert type(error) is kind
    assert ": the server's words." in str(error)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"port": "abc"}, DataSystemLoginFailed, "the port is not a number"),
        ({"options": {"nonsense": "x"}}, DataSystemLoginFailed, "nonsense"),
        ({"options": {"ssl_ca": "/nowhere/ca.pem"}}, DataSystemLoginFailed, "No such file"),
        ({"options": {"ssl": '{"ca": "/nowhere/ca.pem"}'}}, DataSystemLoginFailed, "No such file"),
        ({"options": {"ssl": "required"}}, ConfigError, "ssl must be a JSON object"),
        ({"options": {"ssl": "[" * 100_000}}, ConfigError, "ssl must be a JSON object"),
        ({"options": {"ssl_mode": "REQUIRED"}}, ConfigError, "ssl_mode cannot be used: use ssl_ca"),
        ({"options": {"connect_timeout": "none"}}, DataSystemLoginFailed, "none"),
        ({"username": "nobody"}, DataSystemLoginFailed, "Access denied"),
    ],
)
def test_connections_that_fail(
    config: dict[str, Any], change: dict[str, Any], kind: type[DataSystemError], words: str
) -> None:
    with pytest.raises(kind, match=f"{words}.*Correct the connection") as caught:
        connector.connect("MariaDB", {**config, **change})
    assert PASSWORD not in str(caught.value)


def test_odd_characters_and_options_reach_the_server(mariadb: MariaDbServer) -> None:
    password = "p@ss:w/o#r?d%&é"
    mariadb.run("CREATE USER IF NOT EXISTS 'o:x@y'@'127.0.0.1' IDENTIFIED BY %s", (password,))
    mariadb.run("CREATE DATABASE IF NOT EXISTS `a/b?c`")
    mariadb.run("GRANT ALL ON `a/b?c`.* TO 'o:x@y'@'127.0.0.1'")
    login = {"username": "o:x@y", "password": password, "options": {"program_name": "mine"}}
    with closing(connector.connect("MySQL", {**mariadb.config("a/b?c"), **login})) as database:
        assert database.rows("SELECT DATABASE(), @@time_zone") == [("a/b?c", "+00:00")]
        ((mode,),) = database.rows("SELECT @@sql_mode")
    assert "STRICT_ALL_TABLES" in mode


@pytest.mark.parametrize("mode", ["NO_BACKSLASH_ESCAPES,ANSI_QUOTES", "ANSI", ""])
def test_the_servers_sql_mode_changes_no_texts(mariadb: MariaDbServer, mode: str) -> None:
    before = mariadb.run("SELECT @@GLOBAL.sql_mode")[0][0]
    mariadb.run("SET GLOBAL sql_mode = %s", [mode])
    try:
        with closing(connector.connect("MariaDB", mariadb.config("information_schema"))) as database:
            assert database.rows("SELECT 'a\\'b', \"c\"") == [("a'b", "c")]
            ((session,),) = database.rows("SELECT @@sql_mode")
            assert "STRICT_ALL_TABLES" in session
    finally:
        mariadb.run("SET GLOBAL sql_mode = %s", [before])

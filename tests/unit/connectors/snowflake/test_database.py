"""Snowflake's connector against fakesnow, in a process of its own; the rest with recorded statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import snowflake.connector
import sqlglot
from snowflake.connector import errors as driver_errors

from aqueduct_provider import errors
from aqueduct_provider.connectors.snowflake.database import SnowflakeDatabase, connect
from aqueduct_provider.connectors.tables.model import KIND, TableLoad, TableName
from tests.data_servers.snowflake import SnowflakeServer, snowflake_server
from tests.support.arrow_tables import batches, cut_off, numbers, read
from tests.support.dbapi_recorder import Recorder

NASTY = "x'; DROP TABLE t; -- \\' ż"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeServer]:
    with snowflake_server(tmp_path_factory.mktemp("snowflake") / "log") as running:
        yield running


@pytest.fixture
def config(server: SnowflakeServer) -> dict[str, Any]:
    return server.new_database()


@pytest.fixture
def database(config: dict[str, Any]) -> Iterator[SnowflakeDatabase]:
    with closing(connect("Snowflake", config)) as opened:
        yield opened


def load(mode: Any = "replace", key: str = "a", digest: str = "d1", schema: str = "") -> TableLoad:
    return TableLoad(TableName(schema, "t"), mode, key * 64, digest, "run 1")


def count_of(database: SnowflakeDatabase, name: str = "t") -> int:
    return int(read(database, f"SELECT count(*) AS n FROM {name}")["n"].to_pylist()[0])


# --- connecting


def test_check_and_tables(database: SnowflakeDatabase) -> None:
    assert "answers: Snowflake 10.0.0." in database.check()
    # This makes it the current one.
    database.run("CREATE SCHEMA other")
    database.run("CREATE TABLE there (a INT)")
    database.run("USE SCHEMA public")
    database.run("CREATE TABLE plain (a INT)")
    database.run('CREATE TABLE "Mixed Case" (a INT)')
    database.write(batches(numbers(1)), load("append"))
    assert database.tables() == ["Mixed Case", "plain", "t", "other.there"]


def test_nobody_answers(config: dict[str, Any]) -> None:
    options = config["options"] | {"port": "1", "login_timeout": "1"}
    with pytest.raises(errors.DataSystemUnavailable) as error:
        connect("Snowflake", config | {"options": options})
    assert config["password"] not in str(error.value)


def test_what_the_connector_is_given(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(snowflake.connector, "connect", lambda **settings: given.update(settings))
    connect("Snowflake", config | {"role": "loader", "options": {"client_session_keep_alive": "true"}})
    expected = {"account": "fakesnow", "user": "aqueduct", "warehouse": "small", "schema": "public"}
    expected |= {"role": "loader", "client_session_keep_alive": True, "paramstyle": "qmark"}
    assert expected.items() <= given.items()
    assert given["session_parameters"] == {"TIMEZONE": "UTC"}


@pytest.mark.parametrize(
    ("error", "refused", "kind"),
    [
        (
            driver_errors.DatabaseError("Incorrect username", errno=250001),
            errors.DataSystemLoginFailed,
            "LoginFailed",
        ),
        (driver_errors.ForbiddenError(method="GET", url="x"), errors.DataSystemLoginFailed, "LoginFailed"),
        (driver_errors.OperationalError("no route"), errors.DataSystemLoginFailed, "Unavailable"),
        (driver_errors.ServiceUnavailableError(), errors.StatementRefused, "Unavailable"),
        (driver_errors.ProgrammingError("waited for a lock", errno=625), errors.LoadRefused, "Unavailable"),
        (driver_errors.ProgrammingError("no such column", errno=904), errors.LoadRefused, "LoadRefused"),
    ],
    ids=str,
)
def test_errors(error: Exception, refused: type[errors.DataSystemError], kind: str) -> None:
    translate = SnowflakeDatabase.translate_errors("Snowflake", refused)
    with pytest.raises(errors.DataSystemError) as found, translate:
        raise error
    assert type(found.value).__name__.endswith(kind)


# --- reading


def test_types_come_from_the_database(database: SnowflakeDatabase) -> None:
    table = read(
        database,
        """
        SELECT 1 AS i, CAST(1.5 AS NUMBER(10, 3)) AS n, CAST(1.5 AS FLOAT) AS f, TRUE AS b, 'żółw' AS v,
          DATE '2026-11-22' AS d, CAST('2026-11-22 01:02:03.000004' AS TIMESTAMP_NTZ) AS ts,
          CAST('01:02:03' AS TIME) AS ti, CAST(NULL AS INT) AS none, PARSE_JSON('{"a": 1}') AS j,
          TO_BINARY('00FF', 'HEX') AS by, 1 AS "Mixed"
        """,
    )
    assert table.schema.names == [*("i", "n", "f", "b", "v", "d", "ts", "ti", "none", "j", "by", "Mixed")]
    assert table.schema.field("n").type == pa.decimal128(10, 3)
    assert table.schema.field("ts").type == pa.timestamp("us")
    assert table.schema.field("j").metadata == {KIND: b"json"}
    row = table.to_pylist()[0]
    assert row.pop("j").replace(" ", "") == '{"a":1}'
    assert list(row.values()) == [
        *(1, Decimal("1.500"), 1.5, True, "żółw", date(2026, 11, 22), datetime(2026, 11, 22, 1, 2, 3, 4)),
        *(time(1, 2, 3), None, b"\x00\xff", 1),
    ]


def test_no_rows_have_types(database: SnowflakeDatabase) -> None:
    table = read(database, "SELECT 1 AS a, 'x' AS b WHERE FALSE")
    assert table.schema.types == [pa.int64(), pa.string()]
    assert table.num_rows == 0


@pytest.mark.parametrize("value", [NASTY, "", "5", "a%b", "?", "$1", "ż"])
def test_values_are_bound(database: SnowflakeDatabase, value: str) -> None:
    assert read(database, "SELECT $1 AS v WHERE '50%?' <> ''", value)["v"].to_pylist() == [value]


def test_names_in_queries_are_stored_as_names_of_tables_are(database: SnowflakeDatabase) -> None:
    database.write(batches(numbers(3)), load())
    assert read(database, "SELECT * FROM $1 WHERE n > $2", "t", "0").to_pydict() == {
        "n": [1, 2],
        "t": ["text"] * 2,
    }


def test_statements_that_are_refused(database: SnowflakeDatabase) -> None:
    with pytest.raises(errors.StatementRefused, match='"NOTHING" was not found'):
        read(database, "SELECT nothing")
    with pytest.raises(errors.StatementRefused, match="refuses the statement"):
        read(database, "SELEC 1")
    assert read(database, "SELECT 1 AS a")["a"].to_pylist() == [1]


# --- writing

TABLE = pa.table(
    {
        "bool": [True, None],
        "small": pa.array([1, None], pa.int8()),
        "big": pa.array([2**63 - 1, -(2**63)], pa.int64()),
        "unsigned": pa.array([2**64 - 1, None], pa.uint64()),
        "float": [0.1, None],
        "number": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
        "text": ["żółw' \\ \" % ? :", None],
        "day": [date(2026, 11, 22), None],
        "clock": [time(1, 2, 3, 4), None],
        "moment": pa.array([datetime(2026, 11, 22, 1, 2, 3, 4), None], pa.timestamp("ns")),
        "zoned": pa.array(
            [datetime(2026, 11, 22, tzinfo=timezone.utc), None], pa.timestamp("us", "Asia/Tokyo")
        ),
        "bytes": [b"\x00\xff", None],
        "list": [[1, 2], None],
        'sel"ect Me': ["a", "b"],
    }
)


def test_every_type_there_and_back(database: SnowflakeDatabase) -> None:
    assert database.write(batches(TABLE), load()) == 2
    back = read(database, 'SELECT * FROM t ORDER BY "sel""ect Me"')
    rows = back.to_pylist()
    rows[0]["list"] = rows[0]["list"].replace(" ", "")
    # fakesnow gives 1970 for what is NULL in it.
    rows[1] |= dict.fromkeys(("moment", "zoned"))
    assert rows == [{**row, "list": row["list"] and "[1,2]"} for row in TABLE.to_pylist()]
    assert back.schema.field("list").metadata == {KIND: b"json"}
    nulls = read(database, "SELECT count(*) AS n FROM t WHERE moment IS NULL AND zoned IS NULL")
    assert nulls["n"].to_pylist() == [1]


def test_reserved_words_widths_and_no_rows(database: SnowflakeDatabase) -> None:
    wide = pa.table({f"c{n}": pa.array([n, None, -n], pa.int64()) for n in range(1000)})
    target = replace(load(), table=TableName("", "order"))
    assert database.write(batches(wide), target) == 3
    assert read(database, 'SELECT * FROM "ORDER"').equals(wide)
    assert database.write(batches(pa.table({"group": pa.array([], pa.string())})), target) == 0
    assert read(database, 'SELECT "GROUP" FROM "ORDER"').to_pydict() == {"group": []}


def test_files_are_small_and_one_at_a_time(
    database: SnowflakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aqueduct_provider.connectors.snowflake.types._PART_BYTES", 20_000)
    said: list[str] = []
    run = database.run
    monkeypatch.setattr(database, "run", lambda sql, *values: (said.append(sql), run(sql, *values)))
    assert database.write(batches(numbers(10_000)), load()) == 10_000
    assert count_of(database) == 10_000
    assert sum(sql.startswith("PUT") for sql in said) == 5
    assert sum(sql.startswith("COPY") for sql in said) == 1
    assert read(database, "SHOW TABLES")["name"].to_pylist() == ["T"]


def test_append_is_done_once_for_each_key(database: SnowflakeDatabase) -> None:
    database.run("CREATE TABLE t (t VARCHAR, extra INT DEFAULT 7, n NUMBER(5, 1))")
    assert database.write(batches(numbers(3)), load("append")) == 3
    assert database.write(batches(numbers(3)), load("append")) is None
    assert database.write(batches(numbers(3)), load("append", key="b")) == 3
    assert count_of(database) == 6
    assert read(database, "SELECT DISTINCT extra, n FROM t ORDER BY n")["n"].to_pylist() == [0, 1, 2]
    with pytest.raises(errors.LoadRefused, match="has already written 3 rows"):
        database.write(batches(numbers(4)), load("append", digest="d2"))
    with pytest.raises(errors.LoadRefused, match='column with name "OTHER"'):
        database.write(batches(pa.table({"other": [1]})), load("append", key="c"))
    assert count_of(database) == 6


@pytest.mark.parametrize("mode", ["append", "fail"])
def test_a_new_table_says_which_load_made_it(database: SnowflakeDatabase, mode: Any) -> None:
    assert database.write(batches(numbers(3)), load(mode)) == 3
    assert database._comment(TableName("", "t")) == f"aqueduct_load {'a' * 64} d1 3"
    assert database.write(batches(numbers(3)), load(mode)) is None
    with pytest.raises(errors.LoadRefused, match="has already written 3 rows"):
        database.write(batches(numbers(4)), load(mode, digest="d2"))
    assert count_of(database) == 3


def test_fail(database: SnowflakeDatabase) -> None:
    database.run("CREATE TABLE t (a INT)")
    with pytest.raises(errors.LoadRefused, match="exists already, and the update mode is 'fail'"):
        database.write(batches(numbers(3)), load("fail"))


def test_replace_takes_other_columns(database: SnowflakeDatabase) -> None:
    database.write(batches(numbers(3)), load())
    assert database.write(batches(pa.table({"other": ["a"]})), load(digest="d2")) == 1
    assert read(database, "SELECT * FROM t").to_pydict() == {"other": ["a"]}


def test_tables_in_schemas(database: SnowflakeDatabase, config: dict[str, Any]) -> None:
    database.run("CREATE SCHEMA other")
    for schema in ("other", f"{config['database']}.other"):
        for mode, key in (("replace", "a"), ("append", "b"), ("append", "b")):
            database.write(batches(numbers(2)), load(mode, key=key, schema=schema))
    assert count_of(database, "other.t") == 2
    with pytest.raises(errors.LoadRefused, match="exists already"):
        database.write(batches(numbers(2)), load("fail", key="c", schema="other"))


@pytest.mark.parametrize("mode", ["append", "replace", "fail"])
def test_a_failure_in_the_middle_leaves_everything_as_it_was(database: SnowflakeDatabase, mode: Any) -> None:
    if mode != "fail":
        database.write(batches(numbers(2)), load(key="b"))
    with pytest.raises(RuntimeError, match="cannot be read on"):
        database.write(cut_off(numbers(5)), load(mode))
    assert database.tables() == ([] if mode == "fail" else ["t"])
    assert database.write(batches(numbers(5)), load(mode)) == 5
    assert count_of(database) == (7 if mode == "append" else 5)


def test_an_end_between_the_rows_and_the_commit_is_made_good(
    database: SnowflakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.write(batches(numbers(2)), load(key="b"))
    run = database.run

    def killed(sql: str, *values: Any) -> None:
        if sql == "COMMIT":
            raise driver_errors.OperationalError("the connection broke")
        run(sql, *values)

    monkeypatch.setattr(database, "run", killed)
    with pytest.raises(errors.DataSystemUnavailable):
        database.write(batches(numbers(5)), load("append"))
    monkeypatch.undo()
    assert count_of(database) == 2
    assert database.write(batches(numbers(5)), load("append")) == 5
    assert count_of(database) == 7


# --- what fakesnow cannot do


def test_tries_wait_for_each_other_at_the_marker() -> None:
    """The second try gets its lock when the first has committed, and sees what that has done."""
    state = {"locked": False}

    def answer(sql: str) -> Sequence[Sequence[Any]]:
        state["locked"] |= sql.startswith("UPDATE")
        if sql.startswith("SELECT digest"):
            return [("d1", 3)] if state["locked"] else []
        return [("",)] if sql.startswith("SELECT COMMENT") else []

    recorder = Recorder(answer)
    assert SnowflakeDatabase(recorder, "Snowflake").write(batches(numbers(3)), load("append")) is None
    begin = recorder.said.index("BEGIN")
    assert [sql.split()[0] for sql in recorder.said[begin:]] == [
        "BEGIN",
        "UPDATE",
        "SELECT",
        "ROLLBACK",
        "DROP",
    ]


@pytest.mark.parametrize(
    ("comment", "mode", "end"),
    [
        ("aqueduct_load " + "a" * 64 + " d1 3", "fail", 3),
        ("aqueduct_load " + "a" * 64 + " d1 3", "append", 3),
        ("of somebody", "fail", errors.LoadRefused),
        ("of somebody", "append", 3),
    ],
)
def test_a_table_that_another_creates_in_between(comment: str, mode: Any, end: Any) -> None:
    state = {"there": False}

    def answer(sql: str) -> Sequence[Sequence[Any]]:
        if sql.startswith('CREATE TABLE "T"'):
            state["there"] = True
            raise driver_errors.ProgrammingError("Object 'T' already exists.", errno=2002)
        return [(comment,)] if sql.startswith("SELECT COMMENT") and state["there"] else []

    recorder = Recorder(answer)
    database = SnowflakeDatabase(recorder, "Snowflake")
    if isinstance(end, int):
        assert database.write(batches(numbers(3)), load(mode)) == end
    else:
        with pytest.raises(end, match="exists already"):
            database.write(batches(numbers(3)), load(mode))
    inserted = any(sql.startswith('INSERT INTO "T"') for sql in recorder.said)
    assert inserted == (mode == "append" and comment == "of somebody")


def test_all_statements_are_sql_of_snowflake() -> None:
    recorder = Recorder(lambda sql: [("",)] if sql.startswith("SELECT COMMENT") else [])
    for mode in ("append", "replace"):
        SnowflakeDatabase(recorder, "Snowflake").write(batches(TABLE), load(mode, schema="db.s"))
    assert len(recorder.said) > 15
    for sql in recorder.said:
        sqlglot.parse_one(sql, read="snowflake")

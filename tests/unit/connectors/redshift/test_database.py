"""Amazon's driver against a real PostgreSQL (``tests/data_servers/redshift.py``)."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider import errors
from aqueduct_provider.connectors.redshift import database as redshift
from aqueduct_provider.connectors.redshift.database import RedshiftDatabase, connect
from aqueduct_provider.connectors.tables.model import KIND, TableLoad, TableName
from tests.data_servers.redshift import PASSWORD, RedshiftServer
from tests.support.arrow_tables import batches, cut_off, numbers, read

NASTY = "x'; DROP TABLE t; -- \\' ż"


def load(name: str, schema: str, mode: Any = "replace", key: str = "a", digest: str = "d1") -> TableLoad:
    return TableLoad(TableName(schema, name), mode, key * 64, digest, "run 1")


# --- connecting


def test_check_and_tables(server: RedshiftServer, database: RedshiftDatabase, schema: str) -> None:
    assert "answers: PostgreSQL 15" in database.check()
    server.postgres.run(f'CREATE TABLE "{schema}"."B b" (a int)')
    server.postgres.run(f'CREATE VIEW "{schema}".a AS SELECT 1 AS one')
    server.postgres.run(f'CREATE TABLE "{schema}".aqueduct_loads (a int)')
    assert database.tables() == [f"{schema}.B b", f"{schema}.a"]


@contextmanager
def driver_leaves_sockets_open() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"password": "wrong"}, errors.DataSystemLoginFailed, "password authentication failed"),
        ({"database": "nowhere"}, errors.DataSystemLoginFailed, 'database "nowhere" does not exist'),
        ({"port": "1"}, errors.DataSystemUnavailable, "Connection refused"),
        ({"options": {"colour": "red"}}, errors.DataSystemLoginFailed, "'colour'"),
    ],
)
def test_connections_that_fail(
    server: RedshiftServer, change: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with driver_leaves_sockets_open():
        with pytest.raises(kind, match=words) as error:
            connect("Redshift", server.config() | change)
        text = str(error.value)
        del error
    assert text.startswith("Redshift '")
    assert PASSWORD not in text


# --- reading


def test_types_come_from_the_database_and_not_from_values(database: RedshiftDatabase) -> None:
    table = read(
        database,
        """
        SELECT CAST(1 AS SMALLINT) AS s, 2 AS i, CAST(3 AS BIGINT) AS b, CAST(1.5 AS REAL) AS r,
          CAST(1.5 AS DOUBLE PRECISION) AS f, CAST(1.5 AS NUMERIC(10, 3)) AS n, true AS t, 'żółw' AS v,
          CAST('ab' AS CHAR(3)) AS c, DATE '2026-11-22' AS d, TIME '01:02:03.5' AS ti,
          TIMESTAMP '2026-11-22 01:02:03' AS ts, TIMESTAMPTZ '2026-11-22 01:00:00+02' AS tz,
          CAST(NULL AS INT) AS none
        """,
    )
    assert table.schema.types == [
        pa.int16(),
        pa.int32(),
        pa.int64(),
        pa.float32(),
        pa.float64(),
        pa.decimal128(10, 3),
        pa.bool_(),
        pa.string(),
        pa.string(),
        pa.date32(),
        pa.time64("us"),
        pa.timestamp("us"),
        pa.timestamp("us", "UTC"),
        pa.int32(),
    ]
    assert list(table.to_pylist()[0].values()) == [
        *(1, 2, 3, 1.5, 1.5, Decimal("1.500"), True, "żółw", "ab ", date(2026, 11, 22)),
        *(time(1, 2, 3, 500000), datetime(2026, 11, 22, 1, 2, 3)),
        *(datetime(2026, 11, 21, 23, tzinfo=timezone.utc), None),
    ]


def test_no_rows_have_types(database: RedshiftDatabase) -> None:
    table = read(database, "SELECT 1 AS a, CAST(1 AS NUMERIC(5, 1)) AS b WHERE false")
    assert table.num_rows == 0
    assert table.schema.types == [pa.int32(), pa.decimal128(5, 1)]


def test_many_rows_never_lie_in_memory_together(
    database: RedshiftDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    append = redshift.ArrivingRows.append

    def counted(rows: Any, row: Any) -> None:
        append(rows, row)
        held.append(len(rows))

    monkeypatch.setattr(redshift.ArrivingRows, "append", counted)
    table = read(database, "SELECT g, repeat('x', 5000) AS t FROM generate_series(1, 30000) AS g")
    assert table["g"].to_pylist() == [*range(1, 30001)]
    assert max(held) <= 5000
    assert max(held[6000:]) <= 2000


@pytest.mark.parametrize("value", [NASTY, "", "5", "a%b", "?", "$1", "ż"])
def test_values_are_bound(database: RedshiftDatabase, value: str) -> None:
    assert read(database, "SELECT $1 AS v", value)["v"].to_pylist() == [value]


def test_places_are_told_from_texts(database: RedshiftDatabase) -> None:
    found = read(
        database,
        "SELECT g FROM generate_series(1, 30) AS g WHERE g % 10 = 0 AND '50% off?' LIKE '%f?' AND g >= $1",
        "20",
    )
    assert found["g"].to_pylist() == [20, 30]
    assert read(database, "SELECT E'it\\'s?' AS t, $1 AS v", "a")["t"].to_pylist() == ["it's?"]
    assert read(database, "SELECT E'it\\'s 10:30' AS t, $1 AS v", "a")["t"].to_pylist() == ["it's 10:30"]
    with pytest.raises(errors.StatementRefused, match="a question mark, a colon and a backslash"):
        read(database, "SELECT E'it\\'s 10:30?' AS t, $1 AS v", "a")
    assert read(database, "SELECT E'it\\'s 10:30?' AS t")["t"].to_pylist() == ["it's 10:30?"]


def test_a_number_is_compared_as_the_column_asks(database: RedshiftDatabase) -> None:
    sql = "SELECT 1 AS one WHERE $1 = CAST(7 AS INT) AND $1 = CAST('7' AS VARCHAR)"
    assert read(database, sql, "7").num_rows == 1


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT nothing", 'column "nothing" does not exist'),
        ("SELEC 1", "syntax error"),
        ("SELECT 1 / g FROM generate_series(-2000, 1) AS g", "division by zero"),
        ("CREATE TABLE public.left_behind (a INT)", "gives no table"),
    ],
)
def test_statements_that_are_refused(database: RedshiftDatabase, sql: str, words: str) -> None:
    with pytest.raises(errors.StatementRefused, match=words):
        read(database, sql)
    assert read(database, "SELECT 1 AS a")["a"].to_pylist() == [1]
    assert "public.left_behind" not in database.tables()


def test_a_value_that_does_not_fit_is_refused_and_the_connection_goes_on(database: RedshiftDatabase) -> None:
    with pytest.raises(errors.StatementRefused, match=r"Column 'n', row 6002 of the result"):
        read(
            database,
            "SELECT CAST(CASE g WHEN 6002 THEN 'NaN' ELSE '1' END AS NUMERIC(5)) AS n "
            "FROM generate_series(1, 20000) AS g",
        )
    assert read(database, "SELECT 2 AS a")["a"].to_pylist() == [2]


def test_a_connection_that_breaks(server: RedshiftServer, database: RedshiftDatabase) -> None:
    [(pid,)] = read(database, "SELECT pg_backend_pid() AS pid").to_pandas().to_numpy().tolist()
    server.postgres.run("SELECT pg_terminate_backend(%s)", [pid])
    with pytest.raises(errors.DataSystemUnavailable):
        read(database, "SELECT 1 AS a")


# --- writing

TABLE = pa.table(
    {
        "bool": [True, None],
        "small": pa.array([1, None], pa.int8()),
        "big": pa.array([2**63 - 1, -(2**63)], pa.int64()),
        "unsigned": pa.array([2**64 - 1, None], pa.uint64()),
        "float": [0.1, float("inf")],
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
        'sel"ect': ["a", "b"],
    }
)


def test_every_type_there_and_back(server: RedshiftServer, database: RedshiftDatabase, schema: str) -> None:
    assert database.write(batches(TABLE), load("all", schema)) == 2
    columns = [name for name in TABLE.column_names if name != "bytes"]
    selected = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in columns)
    back = read(database, f'SELECT {selected} FROM "{schema}"."all" ORDER BY "sel""ect"').to_pylist()
    expected = [
        {**{name: row[name] for name in columns}, "list": row["list"] and str(row["list"])}
        for row in TABLE.to_pylist()
    ]
    assert back == expected
    stored = server.postgres.run(f'SELECT bytes::bytea FROM "{schema}"."all" ORDER BY "sel""ect"')
    assert [row[0] and bytes(row[0]) for row in stored] == [b"\x00\xff", None]


def test_names_texts_widths_and_no_rows(database: RedshiftDatabase, schema: str) -> None:
    wide = pa.table({f"c{n}": pa.array([n, None, -n], pa.int64()) for n in range(1000)})
    assert database.write(batches(wide), load("group", schema)) == 3
    assert read(database, f'SELECT * FROM "{schema}"."group"').equals(wide)
    none = pa.table({"order": pa.array([], pa.string())})
    assert database.write(batches(none), load("group", schema)) == 0
    assert read(database, f'SELECT * FROM "{schema}"."group"').to_pydict() == {"order": []}
    long = pa.table({"t": ["x" * 65535]})
    assert database.write(batches(long), load("long", schema)) == 1
    with pytest.raises(errors.LoadRefused, match=r"too long for type character varying\(65535\)"):
        database.write(batches(pa.table({"t": ["x" * 65536]})), load("long", schema))
    assert read(database, f'SELECT t FROM "{schema}".long').equals(long)


def count_of(database: RedshiftDatabase, schema: str, name: str = "t") -> int:
    return int(read(database, f'SELECT count(*) AS n FROM "{schema}".{name}')["n"].to_pylist()[0])


def test_more_rows_than_one_statement_holds(database: RedshiftDatabase, schema: str) -> None:
    assert database.write(batches(numbers(40_000)), load("t", schema)) == 40_000
    assert count_of(database, schema) == 40_000


def test_append_is_done_once_for_each_key(database: RedshiftDatabase, schema: str) -> None:
    assert database.write(batches(numbers(3)), load("t", schema, "append")) == 3
    assert database.write(batches(numbers(3)), load("t", schema, "append")) is None
    assert count_of(database, schema) == 3
    assert database.write(batches(numbers(3)), load("t", schema, "append", key="b")) == 3
    assert count_of(database, schema) == 6
    with pytest.raises(errors.LoadRefused, match="has already written 3 rows"):
        database.write(batches(numbers(4)), load("t", schema, "append", digest="d2"))
    assert count_of(database, schema) == 6


def test_append_fills_columns_by_name_and_converts(
    server: RedshiftServer, database: RedshiftDatabase, schema: str
) -> None:
    server.postgres.run(f'CREATE TABLE "{schema}".t (t VARCHAR(9), extra INT DEFAULT 7, n NUMERIC(5, 1))')
    database.write(batches(numbers(1)), load("t", schema, "append"))
    assert server.postgres.run(f'SELECT * FROM "{schema}".t') == [("text", 7, Decimal("0.0"))]
    with pytest.raises(errors.LoadRefused, match='column "other" of relation "t" does not exist'):
        database.write(batches(pa.table({"other": [1]})), load("t", schema, "append", key="b"))
    assert count_of(database, schema) == 1


def test_fail(database: RedshiftDatabase, schema: str) -> None:
    assert database.write(batches(numbers(3)), load("t", schema, "fail")) == 3
    assert database.write(batches(numbers(3)), load("t", schema, "fail")) is None
    with pytest.raises(errors.LoadRefused, match="exists already, and the update mode is 'fail'"):
        database.write(batches(numbers(2)), load("t", schema, "fail", key="b"))
    assert count_of(database, schema) == 3


@pytest.mark.parametrize("mode", ["append", "replace", "fail"])
def test_a_failure_in_the_middle_leaves_everything_as_it_was(
    database: RedshiftDatabase, schema: str, mode: Any
) -> None:
    name = "new" if mode == "fail" else "t"
    database.write(batches(numbers(2)), load("t", schema, key="b"))
    with pytest.raises(RuntimeError, match="cannot be read on"):
        database.write(cut_off(numbers(5)), load(name, schema, mode))
    assert count_of(database, schema) == 2
    assert database.write(batches(numbers(5)), load(name, schema, mode)) == 5
    assert count_of(database, schema, name) == (7 if mode == "append" else 5)
    assert set(database.tables()) == {f"{schema}.t", f"{schema}.{name}"}


def test_an_end_between_the_rows_and_the_commit_is_made_good(
    database: RedshiftDatabase, schema: str, server: RedshiftServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.write(batches(numbers(2)), load("t", schema, key="b"))
    with closing(connect("Redshift", server.config())) as first:
        real = first.run

        def killed(sql: str, *values: Any) -> None:
            real(sql, *values)
            if "INSERT" in sql and "aqueduct_loads" in sql:
                [(pid,)] = first.rows("SELECT pg_backend_pid()")
                server.postgres.run("SELECT pg_terminate_backend(%s)", [pid])

        monkeypatch.setattr(first, "run", killed)
        with pytest.raises(errors.DataSystemUnavailable):
            first.write(batches(numbers(5)), load("t", schema, "append"))
    assert count_of(database, schema) == 2
    assert database.write(batches(numbers(5)), load("t", schema, "append")) == 5
    assert count_of(database, schema) == 7


@pytest.mark.parametrize("mode", ["append", "replace"])
def test_loads_of_several_at_once(server: RedshiftServer, schema: str, mode: Any) -> None:
    failures: list[BaseException] = []

    def one(key: str) -> None:
        try:
            with closing(connect("Redshift", server.config())) as opened:
                opened.write(batches(numbers(2000)), load("t", schema, mode, key=key))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(key,)) for key in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with closing(connect("Redshift", server.config())) as opened:
        assert count_of(opened, schema) == (12_000 if mode == "append" else 2000)


def test_two_tries_of_one_load_at_once(server: RedshiftServer, schema: str) -> None:
    done: list[Any] = []

    def one() -> None:
        with closing(connect("Redshift", server.config())) as opened:
            done.append(opened.write(batches(numbers(2000)), load("t", schema, "append")))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done, key=str) == [2000, None, None, None]


def test_json_and_reading_of_a_table_without_a_schema(database: RedshiftDatabase) -> None:
    table = pa.table(
        {"j": ['{"a": 1}']}, schema=pa.schema([pa.field("j", pa.string(), metadata={KIND: b"json"})])
    )
    plain = replace(load("loose", ""), table=TableName("", "loose"))
    assert database.write(batches(table), plain) == 1
    assert read(database, "SELECT j FROM loose")["j"].to_pylist() == ['{"a": 1}']
    assert "loose" in database.tables()
    with pytest.raises(errors.LoadRefused, match="exists already"):
        database.write(batches(table), replace(plain, mode="fail"))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (
            {"C": "XX000", "M": "1023 DETAIL: Serializable isolation violation on table"},
            errors.DataSystemUnavailable,
        ),
        ({"C": "57P01", "M": "terminating connection"}, errors.DataSystemUnavailable),
        ({"C": "28000", "M": "no such user"}, errors.DataSystemLoginFailed),
        ({"C": "XX000", "M": "Invalid digit"}, errors.LoadRefused),
    ],
)
def test_words_of_redshift_that_postgres_does_not_say(fields: dict[str, str], kind: type[Exception]) -> None:
    from redshift_connector import ProgrammingError

    with pytest.raises(kind), redshift.RedshiftDatabase.translate_errors("Redshift", errors.LoadRefused):
        raise ProgrammingError(fields)

"""Google's client, over HTTP, against ``tests/data_servers/bigquery.py``."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider import errors
from aqueduct_provider.connectors.bigquery import database as bigquery
from aqueduct_provider.connectors.bigquery.database import BigQueryDatabase, connect
from aqueduct_provider.connectors.sql.query import statement
from aqueduct_provider.connectors.tables.model import KIND, TableLoad, TableName
from tests.data_servers.bigquery import BigQueryServer, Table, bigquery_server, refusal
from tests.support.arrow_tables import batches, cut_off, numbers, read

NASTY = "x'; DROP TABLE t; -- \\"


@pytest.fixture
def server() -> Iterator[BigQueryServer]:
    with bigquery_server() as running:
        yield running


@pytest.fixture
def database(server: BigQueryServer) -> Iterator[BigQueryDatabase]:
    with closing(connect("BigQuery", server.config())) as opened:
        yield opened


def load(mode: Any = "replace", key: str = "a", digest: str = "d" * 64, table: str = "t") -> TableLoad:
    return TableLoad(TableName("sales", table), mode, key * 64, digest, "run 1")


# --- connecting


def test_check_and_tables(server: BigQueryServer, database: BigQueryDatabase) -> None:
    server.tables |= {"sales.b": Table([]), "sales.a": Table([]), "other.c": Table([])}
    assert database.check() == "BigQuery project 'planted-project' answers: 2 datasets."
    assert database.tables() == ["other.c", "sales.a", "sales.b"]


@pytest.mark.parametrize("text", ["{}", "[]", "[" * 100_000, "no JSON", '{"private_key": "planted-secret"}'])
def test_a_key_that_is_none(server: BigQueryServer, text: str) -> None:
    with pytest.raises(errors.DataSystemLoginFailed, match="is not a service account key") as error:
        connect("BigQuery", server.config() | {"service_account_credentials": text})
    assert "planted-secret" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "answer", "kind"),
    [
        ("/token", (400, {"error": "invalid_grant", "error_description": "no such account"}), "LoginFailed"),
        ("/datasets", refusal(401, "authError", "Invalid Credentials"), "LoginFailed"),
        ("/datasets", refusal(403, "quotaExceeded", "Quota exceeded"), "Unavailable"),
        ("/datasets", refusal(503, "backendError", "try again"), "Unavailable"),
        ("/datasets", refusal(403, "accessDenied", "Access Denied: Project x"), "StatementRefused"),
    ],
)
def test_answers_that_are_errors(
    server: BigQueryServer,
    database: BigQueryDatabase,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    answer: Any,
    kind: str,
) -> None:
    monkeypatch.setattr(bigquery, "_PATIENCE", 0.1)
    server.fault = lambda method, asked: answer if asked.endswith(path) else None
    with pytest.raises(errors.DataSystemError, match="BigQuery project 'planted-project'") as error:
        database.check()
    assert type(error.value).__name__.endswith(kind)
    assert "PRIVATE KEY" not in str(error.value)


def test_nobody_answers(server: BigQueryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigquery, "_PATIENCE", 0.1)
    config = server.config() | {"options": {"api_endpoint": "http://127.0.0.1:1"}}
    with closing(connect("BigQuery", config)) as database, pytest.raises(errors.DataSystemUnavailable):
        database.check()


# --- reading


def field(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "mode": "NULLABLE", **more}


EVERY_TYPE = Table(
    [
        *(field("i", "INTEGER"), field("f", "FLOAT"), field("b", "BOOLEAN"), field("s", "STRING")),
        *(field("by", "BYTES"), field("n", "NUMERIC"), field("bn", "BIGNUMERIC"), field("d", "DATE")),
        *(field("t", "TIME"), field("dt", "DATETIME"), field("ts", "TIMESTAMP"), field("g", "GEOGRAPHY")),
        *(field("l", "INTEGER", mode="REPEATED"), field("r", "RECORD", fields=[field("x", "STRING")])),
    ],
    [
        {
            "i": 2**63 - 1,
            "f": 0.1,
            "b": True,
            "s": "żółw",
            "by": b"\x00\xff",
            "n": Decimal("1.5"),
            "bn": Decimal("1e-38"),
            "d": date(2026, 11, 22),
            "t": time(1, 2, 3),
            "dt": datetime(2026, 11, 22, 1, 2, 3, 4),
            "ts": datetime(2026, 11, 22, 1, 2, 3, 4, tzinfo=timezone.utc),
            "g": "POINT(1 2)",
            "l": [1, 2],
            "r": {"x": "y"},
        },
        dict.fromkeys(["i", "f", "b", "s", "by", "n", "bn", "d", "t", "dt", "ts", "g", "l", "r"]),
    ],
)


def test_every_type(server: BigQueryServer, database: BigQueryDatabase) -> None:
    server.answers["SELECT all"] = EVERY_TYPE
    table = read(database, "SELECT all")
    assert table.schema.types == [
        *(pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.binary(), pa.decimal128(38, 9)),
        *(pa.decimal256(76, 38), pa.date32(), pa.time64("us"), pa.timestamp("us")),
        *(pa.timestamp("us", "UTC"), pa.string(), pa.list_(pa.int64()), pa.struct([("x", pa.string())])),
    ]
    # BigQuery has no NULL among arrays.
    assert table.to_pylist() == [EVERY_TYPE.rows[0], EVERY_TYPE.rows[1] | {"l": []}]


def test_json_says_what_it_is(server: BigQueryServer, database: BigQueryDatabase) -> None:
    server.answers["SELECT j"] = Table([field("j", "JSON")], [{"j": '{"a": 1}'}])
    table = read(database, "SELECT j")
    assert table["j"].to_pylist() == ['{"a": 1}']
    assert table.schema.field("j").metadata == {KIND: b"json"}


def test_no_rows_have_types(server: BigQueryServer, database: BigQueryDatabase) -> None:
    server.answers["SELECT none"] = Table(EVERY_TYPE.fields)
    table = read(database, "SELECT none")
    assert table.num_rows == 0
    assert table.schema.field("ts").type == pa.timestamp("us", "UTC")


def test_rows_come_page_by_page(server: BigQueryServer, database: BigQueryDatabase) -> None:
    server.answers["SELECT n"] = Table([field("n", "INTEGER")], [{"n": n} for n in range(10_000)])
    with database.read(statement(["SELECT n"], [], {}, database.dialect)) as data:
        sizes, total, asked = [], 0, []
        for batch in data.batches:
            sizes.append(batch.num_rows)
            total += sum(batch.column(0).to_pylist())
            asked.append(len(server.requests))
    assert total == sum(range(10_000))
    # The first page is that of the answer which says that the query is done.
    assert sizes == [0, 3000, 3000, 3000, 1000]
    assert asked == [*range(asked[0], asked[0] + 5)]


def test_values_are_bound(server: BigQueryServer, database: BigQueryDatabase) -> None:
    server.answers["SELECT ? AS a, ? AS b, ? AS c WHERE x LIKE CONCAT(?, '%')"] = Table(
        [field("a", "STRING")]
    )
    read(database, "SELECT $1 AS a, $2 AS b, $3 AS c WHERE x LIKE '$1%'", NASTY, "5", "1.5")
    [job] = server.jobs.values()
    query = job["configuration"]["query"]
    assert query["parameterMode"] == "POSITIONAL"
    assert [(p["parameterType"]["type"], p["parameterValue"]["value"]) for p in query["queryParameters"]] == [
        ("STRING", NASTY),
        ("INT64", "5"),
        ("FLOAT64", 1.5),
        ("STRING", NASTY),
    ]
    assert query["useLegacySql"] is False
    assert NASTY not in query["query"]


def test_statements_that_are_refused(server: BigQueryServer, database: BigQueryDatabase) -> None:
    with pytest.raises(errors.StatementRefused, match=r"refuses: Unrecognized name in: SELECT nothing\."):
        read(database, "SELECT nothing")
    server.answers["CREATE TABLE t"] = Table([])
    with pytest.raises(errors.StatementRefused, match="gives no table"):
        read(database, "CREATE TABLE t")


# --- writing

TABLE = pa.table(
    {
        "bool": [True, None],
        "small": pa.array([1, None], pa.int8()),
        "unsigned": pa.array([2**64 - 1, None], pa.uint64()),
        "float": [0.1, float("inf")],
        "number": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
        "big": pa.array([Decimal("1e-20"), None], pa.decimal128(38, 20)),
        "text": ["żółw' \\ \" % ?", None],
        "day": [date(2026, 11, 22), None],
        "clock": [time(1, 2, 3, 4), None],
        "moment": pa.array([datetime(2026, 11, 22, 1, 2, 3, 4), None], pa.timestamp("ns")),
        "zoned": pa.array(
            [datetime(2026, 11, 22, tzinfo=timezone.utc), None], pa.timestamp("us", "Asia/Tokyo")
        ),
        "bytes": [b"\x00\xff", None],
        "list": pa.array([[1, 2], None]),
    }
)


def test_every_type_there_and_back(server: BigQueryServer, database: BigQueryDatabase) -> None:
    assert database.write(batches(TABLE), load()) == 2
    fields = {column["name"]: column["type"] for column in server.tables["sales.t"].fields}
    assert list(fields.values()) == [
        *("BOOL", "INT64", "NUMERIC", "FLOAT64", "NUMERIC", "BIGNUMERIC", "STRING", "DATE", "TIME"),
        *("DATETIME", "TIMESTAMP", "BYTES", "STRING"),
    ]
    back = read(database, "SELECT * FROM sales.t").to_pylist()
    assert back == [{**row, "list": row["list"] and str(row["list"])} for row in TABLE.to_pylist()]


def test_what_a_load_job_says(server: BigQueryServer, database: BigQueryDatabase) -> None:
    database.write(batches(numbers(3)), load("append"))
    [job] = server.jobs.values()
    assert job["jobReference"] == {
        "projectId": "planted-project",
        "jobId": f"aqueduct_{'a' * 64}_0",
        "location": "EU",
    }
    assert job["configuration"]["labels"] == {"aqueduct_digest": "d" * 63}
    options = job["configuration"]["load"]
    assert (options["sourceFormat"], options["writeDisposition"]) == ("PARQUET", "WRITE_APPEND")


def test_a_big_file_goes_in_pieces(server: BigQueryServer, database: BigQueryDatabase) -> None:
    import os

    table = pa.table({"b": [os.urandom(1 << 20) for _ in range(110)]})
    assert database.write(batches(table), load()) == 110
    assert [method for method, path in server.requests].count("PUT") == 2


def test_append_is_done_once_for_each_key(server: BigQueryServer, database: BigQueryDatabase) -> None:
    assert database.write(batches(numbers(3)), load("append")) == 3
    assert database.write(batches(numbers(3)), load("append")) is None
    assert database.write(batches(numbers(3)), load("append", key="b")) == 3
    assert len(server.tables["sales.t"].rows) == 6
    with pytest.raises(errors.LoadRefused, match="has already written 3 rows to sales"):
        database.write(batches(numbers(4)), load("append", digest="e" * 64))
    with pytest.raises(errors.LoadRefused, match=r"Cannot add fields \(field: other\)"):
        database.write(batches(pa.table({"other": [1]})), load("append", key="c"))
    assert len(server.tables["sales.t"].rows) == 6


def test_replace_writes_at_every_try(server: BigQueryServer, database: BigQueryDatabase) -> None:
    assert database.write(batches(numbers(3)), load()) == 3
    assert database.write(batches(pa.table({"other": [1]})), load(digest="e" * 64)) == 1
    assert server.tables["sales.t"].rows == [{"other": 1}]
    assert database.write(batches(numbers(0)), load()) == 0
    assert [column["name"] for column in server.tables["sales.t"].fields] == ["n", "t"]


def test_fail(server: BigQueryServer, database: BigQueryDatabase) -> None:
    server.tables["sales.empty"] = Table([])
    with pytest.raises(errors.LoadRefused, match="exists already, and the update mode is 'fail'"):
        database.write(batches(numbers(3)), load("fail", table="empty"))
    assert database.write(batches(numbers(3)), load("fail")) == 3
    assert database.write(batches(numbers(3)), load("fail")) is None
    with pytest.raises(errors.LoadRefused, match="exists already"):
        database.write(batches(numbers(3)), load("fail", key="b"))


def test_a_table_that_another_creates_in_between(server: BigQueryServer, database: BigQueryDatabase) -> None:
    def create(method: str, path: str) -> None:
        if path.startswith("/upload/"):
            server.tables.setdefault("sales.t", Table([field("n", "INTEGER")], [{"n": 1}]))

    server.fault = create
    with pytest.raises(errors.LoadRefused, match="exists already"):
        database.write(batches(numbers(3)), load("fail"))
    assert server.tables["sales.t"].rows == [{"n": 1}]


@pytest.mark.parametrize(
    ("table", "words"), [("", "has no dataset: write dataset.table"), ("nowhere", "no dataset")]
)
def test_tables_without_a_dataset(database: BigQueryDatabase, table: str, words: str) -> None:
    target = TableLoad(TableName(table, "t"), "replace", "a" * 64, "d", "run 1")
    with pytest.raises(errors.LoadRefused, match=words):
        database.write(batches(numbers(1)), target)


# --- tries that died


def test_the_job_of_a_try_that_died_is_waited_for(server: BigQueryServer, database: BigQueryDatabase) -> None:
    database.write(batches(numbers(3)), load("append"))
    [job] = server.jobs.values()
    job["polls"] = 2
    assert database.write(batches(numbers(3)), load("append")) is None
    assert job["polls"] == 0
    assert len(server.tables["sales.t"].rows) == 3


def test_a_job_that_failed_is_tried_again_under_another_id(
    server: BigQueryServer, database: BigQueryDatabase
) -> None:
    database.write(batches(numbers(3)), load("append"))
    [job] = server.jobs.values()
    problem = {"reason": "invalid", "message": "no"}
    job["status"] |= {"errorResult": problem, "errors": [problem]}
    assert database.write(batches(numbers(3)), load("append")) == 3
    assert [name[-2:] for name in server.jobs] == ["_0", "_1"]


def test_a_job_whose_end_is_not_known_is_not_done_again(
    server: BigQueryServer, database: BigQueryDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.write(batches(numbers(3)), load("append"))
    [job] = server.jobs.values()
    job["polls"] = 1
    monkeypatch.setattr(bigquery, "_PATIENCE", 0.1)
    asked: list[str] = []

    def fault(method: str, path: str) -> Any:
        asked.append(path)
        first_poll = sum("/jobs/" in path for path in asked) > 1
        return refusal(503, "backendError", "try again") if first_poll else None

    server.fault = fault
    with pytest.raises(errors.DataSystemUnavailable):
        database.write(batches(numbers(3)), load("append"))
    assert len(server.jobs) == 1
    assert len(server.tables["sales.t"].rows) == 3


def test_an_upload_that_breaks_off_leaves_nothing(server: BigQueryServer, database: BigQueryDatabase) -> None:
    server.fault = lambda method, path: refusal(400, "invalid", "cut") if method == "PUT" else None
    with pytest.raises(errors.LoadRefused):
        database.write(batches(numbers(3)), load("append"))
    assert (server.jobs, server.tables) == ({}, {})
    server.fault = lambda method, path: None
    assert database.write(batches(numbers(3)), load("append")) == 3


def test_an_artifact_that_cannot_be_read_on(server: BigQueryServer, database: BigQueryDatabase) -> None:
    database.write(batches(numbers(2)), load(key="b"))
    with pytest.raises(RuntimeError, match="cannot be read on"):
        database.write(cut_off(numbers(3)), load())
    assert len(server.tables["sales.t"].rows) == 2


def test_two_tries_of_one_load_at_once(server: BigQueryServer) -> None:
    done: list[Any] = []
    both = threading.Barrier(2, timeout=30)

    def wait(method: str, path: str) -> None:
        # Both have seen that there is no job, and now start one.
        if method == "POST" and path.startswith("/upload/"):
            both.wait()

    server.fault = wait

    def one() -> None:
        with closing(connect("BigQuery", server.config())) as opened:
            done.append(opened.write(batches(numbers(3)), load("append")))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done, key=str) == [3, None]
    assert len(server.tables["sales.t"].rows) == 3


def test_the_key_is_shown_to_nobody_but_google(server: BigQueryServer, database: BigQueryDatabase) -> None:
    database.write(batches(numbers(3)), load())
    assert "PRIVATE KEY" not in json.dumps(list(server.jobs.values()), default=str)
    assert "PRIVATE KEY" not in repr(vars(database))

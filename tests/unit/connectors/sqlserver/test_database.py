"""What is said to SQL Server, recorded; pymssql itself writes the values into it. No server runs here."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pymssql
import pytest
import sqlglot
from pymssql import _mssql

from aqueduct_provider import errors
from aqueduct_provider.connectors.sql.query import statement
from aqueduct_provider.connectors.sqlserver import database as sqlserver
from aqueduct_provider.connectors.sqlserver.database import SqlServerDatabase, connect
from aqueduct_provider.connectors.tables.model import TableLoad, TableName
from tests.support.arrow_tables import batches, cut_off
from tests.support.dbapi_recorder import Recorder, Rows

NASTY = "x'; DROP TABLE t; -- %s"
CONFIG = {
    "username": "user",
    "password": "planted-secret",
    "database": "sales",
    "host": "127.0.0.1",
    "port": "1",
}


def recorder_of(answer: Callable[[str], Rows]) -> Recorder:
    """A connection into whose statements pymssql itself writes the values."""
    return Recorder(answer, lambda sql, values: _mssql.substitute_params(sql, values).decode())


def spoken(text: str) -> str:
    """What a call of sp_executesql runs, with its values in their places."""
    literal = r"N'((?:[^']|'')*)'"
    found = re.fullmatch(rf"EXEC sp_executesql {literal}, {literal}, (.*)", text, re.DOTALL)
    if not found:
        return text
    sql = found[1].replace("''", "'")
    values = re.findall(r"(@p\d+) = (N'(?:[^']|'')*'|\d+)", found[3])
    for place, value in values:
        sql = re.sub(rf"{place}\b", lambda _, value=value: value, sql)
    return sql


def load(mode: Any = "replace", schema: str = "dbo") -> TableLoad:
    return TableLoad(TableName(schema, "t"), mode, "a" * 64, "d1", "run 1")


# --- reading


def described(*columns: tuple[str, str]) -> Callable[[str], Rows]:
    def answer(sql: str) -> Rows:
        if "dm_exec_describe_first_result_set" in sql:
            return [(name, kind, None) for name, kind in columns]
        return [(1, Decimal("1.50"), datetime(2026, 11, 22)), (None, None, None)]

    return answer


def test_types_come_from_the_server_and_values_are_bound() -> None:
    recorder = recorder_of(described(("n", "int"), ("d", "decimal(9,2)"), ("t", "datetime2(7)")))
    database = SqlServerDatabase(recorder, "SQL Server")
    sql = "SELECT n, d, t FROM t WHERE a = $1 AND b LIKE N'50% of $1' ORDER BY n OFFSET $2 ROWS"
    with database.read(statement([sql], [NASTY, "5"], {}, database.dialect)) as data:
        table = pa.Table.from_batches(data.batches, data.schema)
    assert table.schema.types == [pa.int32(), pa.decimal128(9, 2), pa.timestamp("us")]
    assert table.to_pylist()[0] == {"n": 1, "d": Decimal("1.50"), "t": datetime(2026, 11, 22)}
    bound = (
        "SELECT n, d, t FROM t WHERE a = @p1 AND b LIKE CONCAT(N''50% of '', @p2) "
        "ORDER BY n OFFSET (@p3) ROWS"
    )
    types = "@p1 NVARCHAR(4000), @p2 NVARCHAR(4000), @p3 BIGINT"
    quoted = "N'x''; DROP TABLE t; -- %s'"
    assert recorder.said == [
        f"EXEC sp_executesql N'{sqlserver._DESCRIBE}', N'@p1 NVARCHAR(4000), @p2 NVARCHAR(4000)', "
        f"@p1 = N'{bound}', @p2 = N'{types}'",
        f"EXEC sp_executesql N'{bound}', N'{types}', @p1 = {quoted}, @p2 = {quoted}, @p3 = 5",
        "ROLLBACK",
    ]


def test_rows_are_fetched_a_few_at_a_time() -> None:
    rows = [(number,) for number in range(3000)]
    recorder = recorder_of(lambda sql: [("n", "int", None)] if "dm_exec" in sql else rows)
    database = SqlServerDatabase(recorder, "SQL Server")
    with database.read(statement(["SELECT n FROM t"], [], {}, database.dialect)) as data:
        sizes = [batch.num_rows for batch in data.batches]
    assert sizes == [256, 1024, 1720]
    assert recorder.said[1] == "SELECT n FROM t"


def test_long_values() -> None:
    assert sqlserver._declarations(["x" * 4000, "x" * 4001, 5]) == (
        "@p1 NVARCHAR(4000), @p2 NVARCHAR(MAX), @p3 BIGINT"
    )


def test_statements_that_the_server_cannot_describe() -> None:
    recorder = recorder_of(lambda sql: [(None, None, "Incorrect syntax near 'SELEC'.")])
    database = SqlServerDatabase(recorder, "SQL Server")
    query = database.read(statement(["SELEC 1"], [], {}, database.dialect))
    with pytest.raises(errors.StatementRefused, match="Incorrect syntax near 'SELEC'"), query:
        pass
    assert recorder.said[-1] == "ROLLBACK"


def test_check_and_tables() -> None:
    names = [("dbo", "a", 1), ("sales", "b b", 0)]
    recorder = recorder_of(
        lambda sql: [["Microsoft SQL Server 2022\n\tCopyright"]] if "VERSION" in sql else names
    )
    database = SqlServerDatabase(recorder, "SQL Server 'sales'")
    assert database.check() == "SQL Server 'sales' answers: Microsoft SQL Server 2022."
    assert database.tables() == ["a", "sales.b b"]
    database.close()
    assert recorder.said[-1] == "CLOSE"


# --- writing

TABLE = pa.table({"n": pa.array([1, None], pa.int64()), "sel]ect": ["a", "żółw's"]})
STAGING = "[dbo].[aqueduct_aaaaaaaaaaaaaaaaaaaaaaaa]"
LOCK = (
    "DECLARE @result INT; EXEC @result = sp_getapplock @Resource = N'{}', @LockMode = 'Exclusive', "
    "@LockOwner = 'Transaction', @LockTimeout = -1; SELECT @result"
)


class Answers:
    """A server with some tables and markers."""

    def __init__(self, tables: Sequence[str] = (), markers: Sequence[Any] = ()) -> None:
        self.tables = {*tables, "[dbo].[aqueduct_loads]"}
        self.markers = list(markers)

    def __call__(self, text: str) -> Rows:
        sql = spoken(text)
        if "sp_getapplock" in sql:
            return [[0]]
        if found := re.fullmatch(r"SELECT OBJECT_ID\(N'(.*)'\)", sql):
            return [[5 if found[1] in self.tables else None]]
        if sql == "SELECT OBJECT_SCHEMA_NAME(OBJECT_ID(N'[t]'))":
            return [["dbo" if "[dbo].[t]" in self.tables else None]]
        return self.markers if sql.startswith("SELECT digest") else []


def written(mode: str, answers: Answers, table: pa.Table = TABLE) -> tuple[Any, list[str]]:
    recorder = recorder_of(answers)
    rows = SqlServerDatabase(recorder, "SQL Server").write(batches(table), load(mode))
    said = [spoken(text) for text in recorder.said]
    # The locks are named by a hash.
    return rows, [re.sub(r"@Resource = N'\w{64}'", "@Resource = N'{}'", text) for text in said]


INSERT = (
    "INSERT INTO {} ([n], [sel]]ect]) SELECT c0, c1 FROM OPENJSON(N'[[1,\"a\"],[null,\"żółw''s\"]]') "
    "WITH (c0 BIGINT '$[0]', c1 NVARCHAR(MAX) '$[1]')"
)
MARKER = (
    "INSERT INTO [dbo].[aqueduct_loads] (load_key, target, run, digest, row_count) "
    f"VALUES (N'{'a' * 64}', N'dbo.t', N'run 1', N'd1', 2)"
)
FIND = f"SELECT digest, row_count FROM [dbo].[aqueduct_loads] WHERE load_key = N'{'a' * 64}'"
CREATE = f"CREATE TABLE {STAGING} ([n] BIGINT, [sel]]ect] NVARCHAR(MAX))"
RENAME = f"EXEC sp_rename N'{STAGING}', N't'"
MARKERS_LOOK = [LOCK, "SELECT OBJECT_ID(N'[dbo].[aqueduct_loads]')", "COMMIT", "ROLLBACK"]


def test_replace_is_one_transaction() -> None:
    rows, said = written("replace", Answers(["[dbo].[t]"]))
    assert rows == 2
    assert said == [
        "SET XACT_ABORT ON",
        LOCK,
        CREATE,
        INSERT.format(STAGING),
        "DROP TABLE IF EXISTS [dbo].[t]",
        RENAME,
        "COMMIT",
        "ROLLBACK",
    ]


def test_replace_leaves_the_table_in_its_schema() -> None:
    recorder = recorder_of(Answers(["[dbo].[t]"]))
    SqlServerDatabase(recorder, "SQL Server").write(batches(TABLE), load(schema=""))
    said = [spoken(text) for text in recorder.said]
    assert [said[3], *said[-4:-2]] == [CREATE, "DROP TABLE IF EXISTS [dbo].[t]", RENAME]


@pytest.mark.parametrize("mode", ["append", "fail"])
def test_a_table_that_was_created_meanwhile_is_not_dropped(mode: str) -> None:
    answers, said = Answers(), []

    def taken(text: str) -> Any:
        said.append(spoken(text))
        if "sp_rename" in said[-1]:
            raise pymssql.OperationalError(15335, b"The new name 't' is already in use.")
        return answers(text)

    kind = errors.LoadRefused if mode == "fail" else errors.DataSystemUnavailable
    with pytest.raises(kind, match=r"exists already|Another program created the table dbo\.t"):
        SqlServerDatabase(recorder_of(taken), "SQL Server").write(batches(TABLE), load(mode))
    assert not any("DROP" in sql for sql in said)


def test_append_is_one_transaction_with_its_marker() -> None:
    rows, said = written("append", Answers(["[dbo].[t]"]))
    assert rows == 2
    assert said == [
        *(*MARKERS_LOOK, "SET XACT_ABORT ON", LOCK, FIND, "SELECT OBJECT_ID(N'[dbo].[t]')"),
        *(INSERT.format("[dbo].[t]"), MARKER, "COMMIT", "ROLLBACK"),
    ]


@pytest.mark.parametrize("mode", ["append", "fail"])
def test_a_new_table(mode: str) -> None:
    rows, said = written(mode, Answers())
    assert rows == 2
    made = [CREATE, INSERT.format(STAGING), RENAME, MARKER, "COMMIT", "ROLLBACK"]
    assert said[len(MARKERS_LOOK) + 4 :] == made


@pytest.mark.parametrize("mode", ["append", "fail"])
def test_a_second_try_writes_nothing(mode: str) -> None:
    rows, said = written(mode, Answers(["[dbo].[t]"], [["d1", 2]]))
    assert rows is None
    assert not any(text.startswith("INSERT") for text in said)
    with pytest.raises(errors.LoadRefused, match="has already written 2 rows"):
        written(mode, Answers(["[dbo].[t]"], [["d2", 2]]))


def test_fail() -> None:
    with pytest.raises(errors.LoadRefused, match="exists already, and the update mode is 'fail'"):
        written("fail", Answers(["[dbo].[t]"]))


def test_the_table_of_the_markers_is_made_in_a_transaction_of_its_own() -> None:
    answers = Answers()
    answers.tables.clear()
    _, said = written("append", answers)
    assert said[1:4] == [
        "SELECT OBJECT_ID(N'[dbo].[aqueduct_loads]')",
        "CREATE TABLE [dbo].[aqueduct_loads] (load_key NVARCHAR(64) NOT NULL PRIMARY KEY, "
        "target NVARCHAR(500), run NVARCHAR(500), digest NVARCHAR(64), row_count BIGINT, "
        "loaded_at DATETIME2 DEFAULT CURRENT_TIMESTAMP)",
        "COMMIT",
    ]


@pytest.mark.parametrize("mode", ["append", "replace", "fail"])
@pytest.mark.parametrize("statement_number", range(5))
def test_a_failure_in_the_middle_is_undone(mode: str, statement_number: int) -> None:
    answers, seen = Answers(["[dbo].[t]"] if mode != "fail" else ()), [0]

    def failing(text: str) -> Any:
        sql = spoken(text)
        if "OBJECT_ID(N'[dbo].[aqueduct_loads]')" not in sql and "applock" not in sql:
            seen[0] += 1
            if seen[0] > statement_number:
                raise pymssql.OperationalError(2601, b"no room.DB-Lib error message 20018, severity 14:\n")
        return answers(text)

    recorder = recorder_of(failing)
    with pytest.raises(errors.LoadRefused, match="SQL Server refuses the statement: no room"):
        SqlServerDatabase(recorder, "SQL Server").write(batches(TABLE), load(mode))
    assert recorder.said[-1] == "ROLLBACK"
    assert recorder.said.count("COMMIT") == (0 if mode == "replace" else 1)


def test_an_artifact_that_cannot_be_read_on() -> None:
    recorder = recorder_of(Answers())
    with pytest.raises(RuntimeError, match="cannot be read on"):
        SqlServerDatabase(recorder, "SQL Server").write(cut_off(TABLE), load())
    assert "COMMIT" not in recorder.said


def test_a_load_that_waits_in_vain() -> None:
    recorder = recorder_of(lambda sql: [[-1]])
    with pytest.raises(errors.DataSystemUnavailable, match=r"another load into dbo\.t does not end"):
        SqlServerDatabase(recorder, "SQL Server").write(batches(TABLE), load())


def test_a_thousand_columns() -> None:
    wide = pa.table({f"c{number}": [number] for number in range(1000)})
    _, said = written("replace", Answers(), wide)
    [insert] = [text for text in said if text.startswith("INSERT")]
    assert json.loads(re.search(r"OPENJSON\(N'(.*)'\) WITH", insert)[1]) == [[*range(1000)]]


@pytest.mark.parametrize("mode", ["append", "replace", "fail"])
def test_all_statements_are_sql_of_sql_server(mode: str) -> None:
    _, said = written(mode, Answers())
    for sql in said:
        if not sql.startswith(("EXEC", "DECLARE", "SET")):
            sqlglot.parse_one(sql, read="tsql")


# --- connecting


def test_nobody_answers() -> None:
    with pytest.raises(errors.DataSystemUnavailable) as error:
        connect("SQL Server", CONFIG)
    text = str(error.value)
    assert text.startswith("SQL Server 'sales' at 127.0.0.1:1 does not answer as it should: ")
    assert "Unable to connect" in text
    assert "planted-secret" not in text


def test_what_answers_is_no_sql_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            client, _ = server.accept()
            client.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        place = {"port": str(server.getsockname()[1]), "options": {"login_timeout": "1"}}
        with pytest.raises(errors.DataSystemUnavailable):
            connect("AzureSQL", CONFIG | place)
        thread.join()


def test_an_option_that_is_unknown() -> None:
    with pytest.raises(errors.DataSystemLoginFailed, match="'colour'"):
        connect("SQL Server", CONFIG | {"options": {"colour": "red"}})


@pytest.mark.parametrize(
    ("connector", "options", "expected"),
    [
        ("SQL Server", {}, {"appname": "aqueduct", "login_timeout": 15}),
        ("AzureSQL", {}, {"appname": "aqueduct", "login_timeout": 15, "encryption": "require"}),
        (
            "AzureSQL",
            {"encryption": "off", "tds_version": "7.4"},
            {"appname": "aqueduct", "login_timeout": 15, "encryption": "off", "tds_version": "7.4"},
        ),
    ],
)
def test_what_the_driver_is_given(
    monkeypatch: pytest.MonkeyPatch, connector: str, options: dict[str, str], expected: dict[str, str]
) -> None:
    given: dict[str, Any] = {}

    def connected(**arguments: Any) -> Recorder:
        given.update(arguments)
        return Recorder()

    monkeypatch.setattr(pymssql, "connect", connected)
    connect(connector, CONFIG | {"port": None, "options": options})
    login = {"host": "127.0.0.1", "port": "1433", "user": "user", "password": "planted-secret"}
    assert given == login | {"database": "sales"} | expected


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            pymssql.OperationalError((18456, b"Login failed for user 'u'.DB-Lib error message 20018")),
            "LoginFailed",
            "user 'u'. ",
        ),
        (pymssql.OperationalError(4060, b'Cannot open database "x"'), "LoginFailed", 'database "x". '),
        (pymssql.OperationalError(1205, b"deadlock victim"), "Unavailable", "deadlock victim"),
        (pymssql.OperationalError(40613, b"Database is not currently available"), "Unavailable", "available"),
        (pymssql.InterfaceError("Connection is closed"), "Unavailable", "Connection is closed"),
        (pymssql.ProgrammingError(208, b"Invalid object name 'x'."), "StatementRefused", "name 'x'."),
        (pymssql.Error(), "StatementRefused", ""),
    ],
    ids=str,
)
def test_errors(error: Exception, kind: str, words: str) -> None:
    with pytest.raises(errors.DataSystemError) as found, SqlServerDatabase.translate_errors("SQL Server"):
        raise error
    assert type(found.value).__name__.endswith(kind)
    assert words in str(found.value)
    assert "DB-Lib" not in str(found.value)

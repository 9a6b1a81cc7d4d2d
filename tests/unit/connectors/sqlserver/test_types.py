from __future__ import annotations

import base64
import json
from datetime import date, datetime, time, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
import sqlglot

from aqueduct_provider.connectors.sql.column_types import prepared
from aqueduct_provider.connectors.sqlserver.system import SQL_SERVER
from aqueduct_provider.connectors.sqlserver.types import inserts, result_schema
from aqueduct_provider.connectors.tables.model import KIND, Batches
from aqueduct_provider.errors import LoadRefused, StatementRefused


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("bit", pa.bool_()),
        ("tinyint", pa.int16()),
        ("int", pa.int32()),
        ("bigint", pa.int64()),
        ("real", pa.float32()),
        ("float", pa.float64()),
        ("decimal(18,4)", pa.decimal128(18, 4)),
        ("numeric(38,0)", pa.decimal128(38, 0)),
        ("money", pa.decimal128(19, 4)),
        ("smallmoney", pa.decimal128(10, 4)),
        ("date", pa.date32()),
        ("time(7)", pa.time64("us")),
        ("datetime", pa.timestamp("us")),
        ("smalldatetime", pa.timestamp("us")),
        ("datetime2(7)", pa.timestamp("us")),
        ("datetimeoffset(3)", pa.timestamp("us", "UTC")),
        ("char(10)", pa.string()),
        ("nvarchar(max)", pa.string()),
        ("xml", pa.string()),
        ("sql_variant", pa.string()),
        ("varbinary(max)", pa.binary()),
        ("timestamp", pa.binary()),
        ("geography", pa.binary()),
    ],
)
def test_types_of_results(word: str, kind: pa.DataType) -> None:
    assert result_schema([("c", word, None)]).field("c").type == kind


def test_texts_that_say_what_they_are() -> None:
    schema = result_schema([("u", "uniqueidentifier", None), ("j", "json", None), (None, "int", None)])
    assert schema.names == ["u", "j", ""]
    assert [schema.field(n).metadata for n in "uj"] == [{KIND: b"uuid"}, {KIND: b"json"}]


def test_results_that_are_none() -> None:
    with pytest.raises(StatementRefused, match="SQL Server refuses the query: Invalid column name 'x'"):
        result_schema([(None, None, "Invalid column name 'x'.")])
    with pytest.raises(StatementRefused, match="gives no table"):
        result_schema([])


TABLE = pa.table(
    {
        "bool": [True, None],
        "int": pa.array([2**63 - 1, None], pa.int64()),
        "unsigned": pa.array([2**64 - 1, None], pa.uint64()),
        "float": [0.1, float("nan")],
        "number": pa.array([Decimal("1e-10"), None], pa.decimal128(38, 10)),
        "text": ["żółw' \\\n \" % @p1 %s", None],
        "bytes": [b"\x00\xff", None],
        "day": [date(2026, 11, 22), None],
        "clock": [time(1, 2, 3, 4), None],
        "moment": pa.array([datetime(2026, 11, 22, 1, 2, 3, 4), None], pa.timestamp("ns")),
        "zoned": pa.array(
            [datetime(2026, 11, 22, tzinfo=timezone.utc), None], pa.timestamp("us", "Asia/Tokyo")
        ),
        "list": [[1, 2], None],
        "a]b": ["c", "d"],
    }
)


def data_of(table: pa.Table) -> Batches:
    return prepared(Batches(table.schema, iter(table.to_batches())), SQL_SERVER)


def test_the_rows_of_an_insert() -> None:
    [(sql, text, count)] = inserts(data_of(TABLE), TABLE.schema, "[dbo].[t]")
    assert count == 2
    assert sql == (
        "INSERT INTO [dbo].[t] ([bool], [int], [unsigned], [float], [number], [text], [bytes], [day], "
        "[clock], [moment], [zoned], [list], [a]]b]) "
        "SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 "
        "FROM OPENJSON(@p1) WITH (c0 BIT '$[0]', c1 BIGINT '$[1]', c2 DECIMAL(20, 0) '$[2]', "
        "c3 FLOAT '$[3]', c4 DECIMAL(38, 10) '$[4]', c5 NVARCHAR(MAX) '$[5]', c6 VARBINARY(MAX) '$[6]', "
        "c7 DATE '$[7]', c8 TIME(6) '$[8]', c9 DATETIME2(6) '$[9]', c10 DATETIMEOFFSET(6) '$[10]', "
        "c11 NVARCHAR(MAX) '$[11]', c12 NVARCHAR(MAX) '$[12]')"
    )
    assert sqlglot.parse_one(sql, read="tsql").key == "insert"
    first, second = json.loads(text)
    assert first == [
        *(True, 2**63 - 1, str(2**64 - 1), 0.1, "0.0000000001", TABLE["text"][0].as_py()),
        *(base64.b64encode(b"\x00\xff").decode(), "2026-11-22", "01:02:03.000004"),
        *("2026-11-22T01:02:03.000004", "2026-11-22T00:00:00+00:00", "[1, 2]", "c"),
    ]
    assert second == [None] * 12 + ["d"]
    assert "\n" not in text


def test_no_infinity() -> None:
    table = pa.table({"f": [float("inf")]})
    with pytest.raises(LoadRefused, match=r"Column 'f' .* no infinite numbers"):
        list(inserts(data_of(table), table.schema, "[t]"))


def test_statements_are_of_bounded_size() -> None:
    table = pa.table({"a": pa.array(range(50_000), pa.int64())})
    parts = list(inserts(data_of(table), table.schema, "[t]"))
    assert [count for _, _, count in parts] == [20_000, 20_000, 10_000]
    assert [row[0] for _, text, _ in parts for row in json.loads(text)] == [*range(50_000)]
    long = pa.table({"a": ["x" * 1_000_000] * 5})
    assert [count for _, _, count in inserts(data_of(long), long.schema, "[t]")] == [2, 2, 1]
    assert list(inserts(data_of(long.slice(0, 0)), long.schema, "[t]")) == []

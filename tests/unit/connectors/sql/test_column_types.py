from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.bigquery.system import BIGQUERY
from aqueduct_provider.connectors.mysql.system import MYSQL
from aqueduct_provider.connectors.postgres.system import POSTGRES
from aqueduct_provider.connectors.redshift.system import REDSHIFT
from aqueduct_provider.connectors.snowflake.system import SNOWFLAKE
from aqueduct_provider.connectors.sql.column_types import column_definitions, columns, prepared
from aqueduct_provider.connectors.sql.dialect import Dialect
from aqueduct_provider.connectors.sqlite.system import SQLITE
from aqueduct_provider.connectors.sqlserver.system import SQL_SERVER
from aqueduct_provider.connectors.tables.model import CELLS, KIND, Batches
from aqueduct_provider.errors import LoadRefused

WRITABLE = [
    POSTGRES,
    REDSHIFT,
    MYSQL,
    SQLITE,
    SQL_SERVER,
    SNOWFLAKE,
    BIGQUERY,
]
ARROW = {
    "bool": pa.bool_(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint64": pa.uint64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "decimal": pa.decimal128(12, 2),
    "text": pa.string(),
    "json": pa.field("", pa.string(), metadata={KIND: b"json"}),
    "uuid": pa.field("", pa.string(), metadata={KIND: b"uuid"}),
    "binary": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("ns"),
    "timestamptz": pa.timestamp("ns", "Europe/Warsaw"),
    "list": pa.list_(pa.int64()),
    "struct": pa.struct([("a", pa.int64())]),
}
# One line for each Arrow type: Postgres, Redshift, MySQL, SQLite, SQL Server, Snowflake, BigQuery.
SQL = """
bool        | BOOLEAN | BOOLEAN | BOOLEAN | BOOLEAN | BIT | BOOLEAN | BOOL
int16       | SMALLINT | SMALLINT | SMALLINT | SMALLINT | SMALLINT | SMALLINT | INT64
int32       | INTEGER | INTEGER | INTEGER | INTEGER | INT | INTEGER | INT64
int64       | BIGINT | BIGINT | BIGINT | BIGINT | BIGINT | BIGINT | INT64
uint64      | NUMERIC(20, 0) | DECIMAL(20, 0) | DECIMAL(20, 0) | DECIMAL_TEXT(20, 0) | DECIMAL(20, 0) \
| NUMBER(20, 0) | NUMERIC
float32     | REAL | REAL | FLOAT | FLOAT | REAL | FLOAT | FLOAT64
float64     | DOUBLE PRECISION | DOUBLE PRECISION | DOUBLE | FLOAT | FLOAT | FLOAT | FLOAT64
decimal     | NUMERIC(12, 2) | DECIMAL(12, 2) | DECIMAL(12, 2) | DECIMAL(12, 2) | DECIMAL(12, 2) \
| NUMBER(12, 2) | NUMERIC
text        | TEXT | VARCHAR(65535) | LONGTEXT | TEXT | NVARCHAR(MAX) | VARCHAR | STRING
json        | JSONB | VARCHAR(65535) | JSON | JSON_TEXT | NVARCHAR(MAX) | VARIANT | STRING
uuid        | UUID | CHAR(36) | CHAR(36) | TEXT | CHAR(36) | CHAR(36) | STRING
binary      | BYTEA | VARBYTE(1024000) | LONGBLOB | BLOB | VARBINARY(MAX) | BINARY | BYTES
date        | DATE | DATE | DATE | DATE | DATE | DATE | DATE
time        | TIME | TIME | TIME(6) | TIME | TIME(6) | TIME(6) | TIME
timestamp   | TIMESTAMP | TIMESTAMP | DATETIME(6) | DATETIME | DATETIME2(6) | TIMESTAMP_NTZ(6) | DATETIME
timestamptz | TIMESTAMP WITH TIME ZONE | TIMESTAMP WITH TIME ZONE | DATETIME(6) | TIMESTAMP \
| DATETIMEOFFSET(6) | TIMESTAMP_TZ(6) | TIMESTAMP
list        | BIGINT[] | VARCHAR(65535) | JSON | JSON_TEXT | NVARCHAR(MAX) | VARIANT | STRING
struct      | JSON | VARCHAR(65535) | JSON | JSON_TEXT | NVARCHAR(MAX) | VARIANT | STRING
"""


def field(kind: Any) -> pa.Field:
    return kind.with_name("c") if isinstance(kind, pa.Field) else pa.field("c", kind)


def sql_of(kind: Any, dialect: Dialect) -> str:
    [column] = columns(pa.schema([field(kind)]), dialect)
    return column.sql


def test_every_type_in_every_dialect() -> None:
    lines = [[cell.strip() for cell in line.split("|")] for line in SQL.strip().splitlines()]
    assert [line[0] for line in lines] == list(ARROW)
    for name, *expected in lines:
        assert [sql_of(ARROW[name], dialect) for dialect in WRITABLE] == expected, name


def test_names_are_quoted() -> None:
    schema = pa.schema([('sel"ect', pa.int64()), ("b", pa.string())])
    assert column_definitions(schema, POSTGRES) == '"sel""ect" BIGINT, "b" TEXT'
    assert column_definitions(schema, MYSQL) == '`sel"ect` BIGINT, `b` LONGTEXT'


@pytest.mark.parametrize(
    ("dialect", "kind", "sql"),
    [
        (POSTGRES, pa.decimal256(76, 76), "NUMERIC(76, 76)"),
        (REDSHIFT, pa.decimal256(39, 0), "VARCHAR(65535)"),
        (MYSQL, pa.decimal256(65, 30), "DECIMAL(65, 30)"),
        (MYSQL, pa.decimal128(38, 31), "LONGTEXT"),
        (SQLITE, pa.decimal128(16, 2), "DECIMAL_TEXT(16, 2)"),
        (SQL_SERVER, pa.decimal128(38, 38), "DECIMAL(38, 38)"),
        (SNOWFLAKE, pa.decimal128(38, 38), "VARCHAR"),
        (BIGQUERY, pa.decimal128(38, 9), "NUMERIC"),
        (BIGQUERY, pa.decimal128(38, 10), "BIGNUMERIC"),
        (BIGQUERY, pa.decimal128(38, 0), "BIGNUMERIC"),
        (BIGQUERY, pa.decimal256(76, 38), "BIGNUMERIC"),
        (BIGQUERY, pa.decimal256(39, 0), "STRING"),
        (BIGQUERY, pa.decimal256(40, 39), "STRING"),
    ],
    ids=str,
)
def test_decimals_that_are_too_long_are_kept_as_texts(dialect: Dialect, kind: Any, sql: str) -> None:
    assert sql_of(kind, dialect) == sql


@pytest.mark.parametrize(
    ("item", "sql"),
    [
        (pa.string(), "TEXT[]"),
        (pa.float64(), "DOUBLE PRECISION[]"),
        (pa.timestamp("ns", "UTC"), "TIMESTAMP WITH TIME ZONE[]"),
        (pa.list_(pa.int64()), "JSON"),
        (pa.struct([("a", pa.int64())]), "JSON"),
        (pa.binary(), "JSON"),
        (pa.decimal128(10, 2), "JSON"),
        (pa.null(), "JSON"),
    ],
    ids=str,
)
def test_arrays_of_postgres(item: pa.DataType, sql: str) -> None:
    assert sql_of(pa.list_(item), POSTGRES) == sql


def written(array: Any, dialect: Dialect) -> list[Any]:
    schema = pa.schema([field(array.type)])
    data = prepared(Batches(schema, iter([pa.RecordBatch.from_arrays([array], schema=schema)] * 2)), dialect)
    first, second = data.batches
    assert first.schema == data.schema
    assert str(first.column(0)) == str(second.column(0))
    return list(first.column(0).to_pylist())


def test_what_the_bulk_paths_are_given() -> None:
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    zoned = pa.array([moment, None], pa.timestamp("ns", "Europe/Warsaw"))
    assert written(zoned, POSTGRES) == [moment, None]
    assert written(zoned, MYSQL) == [datetime(2026, 1, 1), None]
    assert written(zoned, SQLITE) == ["2026-01-01 00:00:00.000000Z", None]
    decimals = pa.array([Decimal("1.50"), None], pa.decimal128(38, 2))
    assert written(decimals, SNOWFLAKE) == [Decimal("1.50"), None]
    assert written(decimals, SQLITE) == ["1.50", None]
    lists = pa.array([[1, None], None], pa.list_(pa.uint8()))
    assert written(lists, POSTGRES) == [[1, None], None]
    assert written(lists, SNOWFLAKE) == ["[1, null]", None]
    assert written(pa.array(["a", None]).dictionary_encode(), SQL_SERVER) == ["a", None]
    assert written(pa.array([["a"], None]), POSTGRES) == [["a"], None]


@pytest.mark.parametrize("dialect", WRITABLE, ids=lambda dialect: dialect.name)
def test_numbers_and_text_of_one_column_are_written_as_text(dialect: Dialect) -> None:
    cells = pa.field("c", pa.large_string(), metadata={KIND: b"json", CELLS: b"json"})
    array = pa.array(["1.5", '"\\\\N"', None, "true"], pa.large_string())
    schema = pa.schema([cells])
    assert columns(schema, dialect)[0].sql == sql_of(pa.string(), dialect)
    data = prepared(Batches(schema, iter([pa.RecordBatch.from_arrays([array], schema=schema)])), dialect)
    assert data.schema.field("c").metadata is None
    (batch,) = data.batches
    assert batch.column(0).to_pylist() == ["1.5", "\\N", None, "True"]


def test_the_notes_of_the_fields_are_kept() -> None:
    schema = pa.schema([field(ARROW["json"])])
    assert prepared(Batches(schema, iter([])), POSTGRES).schema.equals(schema, check_metadata=True)


def test_no_number_and_infinity() -> None:
    array = pa.array([1.5, float("nan"), float("inf")])
    assert written(array[:2], MYSQL) == [1.5, None]
    assert str(written(array, POSTGRES)) == "[1.5, nan, inf]"
    with pytest.raises(
        LoadRefused, match="Column 'c' holds a value that does not fit FLOAT: it has no infinite"
    ):
        written(array, SQL_SERVER)


@pytest.mark.parametrize("nest", [lambda kind: kind, pa.list_])
def test_a_type_that_databases_do_not_have(nest: Any) -> None:
    schema = pa.schema([("c", nest(pa.month_day_nano_interval()))])
    with pytest.raises(LoadRefused, match="Column 'c' is of type month_day_nano_interval"):
        prepared(Batches(schema, iter([])), POSTGRES)

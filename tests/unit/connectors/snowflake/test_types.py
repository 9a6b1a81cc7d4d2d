from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snowflake.connector.constants import FIELD_NAME_TO_ID
from snowflake.connector.cursor import ResultMetadata

from aqueduct_provider.connectors.snowflake.system import SNOWFLAKE, stored
from aqueduct_provider.connectors.snowflake.types import (
    arrow_batches,
    parts,
    result_schema,
    shown,
    staging_of,
)
from aqueduct_provider.connectors.tables.model import KIND, Batches, TableName
from aqueduct_provider.errors import StatementRefused


@pytest.mark.parametrize(
    ("name", "where", "again"),
    [
        ("sales", "SALES", "sales"),
        ("SALES", "SALES", "sales"),
        ("Sales", "Sales", "Sales"),
        ("my sales", "my sales", "my sales"),
        ("1a", "1a", "1a"),
        ("żółw", "żółw", "żółw"),
        ("_a$1", "_A$1", "_a$1"),
    ],
)
def test_names(name: str, where: str, again: str) -> None:
    assert stored(name) == where
    assert shown(where) == again


def test_names_are_quoted_as_they_are_stored() -> None:
    assert SNOWFLAKE.quote('a"B') == '"a""B"'
    assert SNOWFLAKE.render_name(("db.sales", "Orders")) == '"DB"."SALES"."Orders"'


def column(kind: str, precision: int | None = None, scale: int | None = None) -> Any:
    return ResultMetadata("C", FIELD_NAME_TO_ID[kind], None, None, precision, scale, True)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (column("FIXED", 38, 0), pa.int64()),
        (column("FIXED", 5, 0), pa.int64()),
        (column("FIXED", 19, 0), pa.decimal128(19, 0)),
        (column("FIXED", 37, 0), pa.decimal128(37, 0)),
        (column("FIXED", 38, 10), pa.decimal128(38, 10)),
        (column("REAL"), pa.float64()),
        (column("TEXT"), pa.string()),
        (column("BOOLEAN"), pa.bool_()),
        (column("DATE"), pa.date32()),
        (column("TIME", 0, 9), pa.time64("us")),
        (column("TIMESTAMP_NTZ", 0, 9), pa.timestamp("us")),
        (column("TIMESTAMP_LTZ", 0, 9), pa.timestamp("us", "UTC")),
        (column("TIMESTAMP_TZ", 0, 9), pa.timestamp("us", "UTC")),
        (column("BINARY"), pa.binary()),
        (column("VARIANT"), pa.string()),
        (column("GEOGRAPHY"), pa.string()),
    ],
    ids=str,
)
def test_types_of_results(found: Any, kind: pa.DataType) -> None:
    assert result_schema([found]).field("c").type == kind


@pytest.mark.parametrize("kind", ["VARIANT", "OBJECT", "ARRAY"])
def test_json_says_what_it_is(kind: str) -> None:
    assert result_schema([column(kind)]).field("c").metadata == {KIND: b"json"}


def test_integers_are_as_wide_as_their_values() -> None:
    schema = result_schema([column("FIXED", 38, 0)])
    tables = [pa.table({"C": pa.array([1], pa.int8())}), pa.table({"C": pa.array([2**40], pa.int64())})]
    read = pa.Table.from_batches(arrow_batches(iter(tables), schema), schema)
    assert read["c"].to_pylist() == [1, 2**40]
    big = pa.table({"C": pa.array([2**64], pa.decimal128(38, 0))})
    with pytest.raises(StatementRefused, match=r"Column 'c' of the result .* NUMBER\(37, 0\)"):
        list(arrow_batches(iter([big]), schema))


def test_statements() -> None:
    note = {KIND: b"json"}
    schema = pa.schema(
        [("n", pa.uint8()), ("At", pa.time64("us")), pa.field("j", pa.string(), metadata=note)]
    )
    staging = staging_of(schema, "AQUEDUCT_1")
    assert staging.create == (
        "CREATE OR REPLACE TEMPORARY TABLE AQUEDUCT_1 (C0 SMALLINT, C1 TIME(6), C2 VARCHAR)"
    )
    assert staging.put(Path("/tmp/it's")) == (
        "PUT 'file:///tmp/it\\'s' @%AQUEDUCT_1 AUTO_COMPRESS = FALSE OVERWRITE = TRUE"
    )
    assert staging.copy == (
        "COPY INTO AQUEDUCT_1 FROM (SELECT $1:C0::SMALLINT, $1:C1::TIME(6), $1:C2::VARCHAR "
        "FROM @%AQUEDUCT_1) FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE BINARY_AS_TEXT = FALSE)"
    )
    table = TableName("sales", "Orders")
    assert staging.create_as(table, "CREATE OR REPLACE TABLE", "COPY GRANTS") == (
        'CREATE OR REPLACE TABLE "SALES"."Orders" ("N" SMALLINT, "At" TIME(6), "J" VARIANT) COPY GRANTS '
        "AS SELECT C0, C1, PARSE_JSON(C2) FROM AQUEDUCT_1"
    )
    assert staging.insert_into(table) == (
        'INSERT INTO "SALES"."Orders" ("N", "At", "J") SELECT C0, C1, PARSE_JSON(C2) FROM AQUEDUCT_1'
    )


def test_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aqueduct_provider.connectors.snowflake.types._PART_BYTES", 1000)
    table = pa.table({"n": pa.array(range(1000), pa.int64()), "t": pa.array([0] * 1000, pa.time32("s"))})
    data = Batches(table.schema, iter(table.to_batches(max_chunksize=100)))
    seen = []
    for path, rows in parts(data, tmp_path):
        assert [*tmp_path.iterdir()] == [path]
        part = pq.read_table(path)
        assert part.schema.types == [pa.int64(), pa.string()]
        assert part["C1"][0].as_py() == "00:00:00.000000"
        seen.append(rows)
        path.unlink()
    assert sum(seen) == 1000
    assert len(seen) > 3
    assert list(parts(Batches(table.schema, iter([])), tmp_path)) == []

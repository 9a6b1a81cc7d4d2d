"""Result files as Athena writes them: all values in quotes, NULL an empty field without."""

from __future__ import annotations

from datetime import date, datetime, time, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aqueduct_provider.connectors.athena import results
from aqueduct_provider.connectors.athena.results import read_csv, schema_of
from aqueduct_provider.connectors.tables.model import KIND
from aqueduct_provider.errors import StatementRefused


def column(name: str, kind: str, precision: int = 0, scale: int = 0) -> tuple[Any, ...]:
    return (name, kind, None, None, precision, scale, "UNKNOWN")


def read(folder: Path, columns: list[tuple[Any, ...]], *lines: str) -> pa.Table:
    header = ",".join(f'"{c[0]}"' for c in columns)
    (folder / "result.csv").write_text("\n".join([header, *lines, ""]))
    data = read_csv(folder / "result.csv", schema_of(columns))
    return pa.Table.from_batches(data.batches, data.schema)


MOMENT = datetime(2026, 11, 22, 1, 2, 3, 4000)
UTC = MOMENT.replace(tzinfo=timezone.utc)
TYPES: list[tuple[tuple[Any, ...], pa.DataType, list[tuple[str, Any]]]] = [
    (("boolean",), pa.bool_(), [("true", True), ("false", False)]),
    (("tinyint",), pa.int8(), [("-128", -128)]),
    (("smallint",), pa.int16(), [("300", 300)]),
    (("integer",), pa.int32(), [("5", 5)]),
    (("int",), pa.int32(), [("5", 5)]),
    (("bigint",), pa.int64(), [(str(2**63 - 1), 2**63 - 1)]),
    (("float",), pa.float32(), [("1.5", 1.5)]),
    (
        ("double",),
        pa.float64(),
        [("1.0E-10", 1e-10), ("Infinity", float("inf")), ("-Infinity", -float("inf"))],
    ),
    (("decimal", 38, 2), pa.decimal128(38, 2), [("1.10", Decimal("1.10")), ("-0.01", Decimal("-0.01"))]),
    (
        ("varchar",),
        pa.string(),
        [("ü", "ü"), ("", ""), ('a ""b""', 'a "b"'), ("x\ny,z", "x\ny,z"), ("NaN", "NaN")],
    ),
    (("char",), pa.string(), [("ab  ", "ab  ")]),
    (("varbinary",), pa.binary(), [("68 65 00 ff", b"he\0\xff"), ("", b"")]),
    (("date",), pa.date32(), [("2026-11-22", date(2026, 11, 22))]),
    (("time",), pa.time64("us"), [("01:02:03.004", time(1, 2, 3, 4000))]),
    (
        ("timestamp",),
        pa.timestamp("us"),
        [
            ("2026-11-22 01:02:03.004", MOMENT),
            ("2026-11-22 01:02:03.004000999999", MOMENT),
            ("0001-01-01 00:00:00.000", datetime(1, 1, 1)),
        ],
    ),
    (
        ("timestamp with time zone",),
        pa.timestamp("us", "UTC"),
        [
            ("2026-11-22 01:02:03.004 UTC", UTC),
            ("2026-11-22 02:02:03.004 Europe/Warsaw", UTC),
            ("2026-11-21 20:32:03.004 -04:30", UTC),
        ],
    ),
    (("array",), pa.string(), [("[1, 2]", "[1, 2]")]),
    (("row",), pa.string(), [("{a=1, b=x}", "{a=1, b=x}")]),
    (("interval day to second",), pa.string(), [("1 00:00:00.000", "1 00:00:00.000")]),
]


@pytest.mark.parametrize(("kind", "arrow", "values"), TYPES, ids=[kind[0] for kind, _, _ in TYPES])
def test_every_type_and_its_null(kind: Any, arrow: pa.DataType, values: Any, tmp_path: Path) -> None:
    lines = ["1,", *(f'"1","{text}"' for text, _ in values), '"1",']
    table = read(tmp_path, [column("n", "integer"), column("c", *kind)], *lines)
    assert table.schema.field("c").type == arrow
    assert table["c"].to_pylist() == [None, *(value for _, value in values), None]


def test_what_a_text_is_stays_known(tmp_path: Path) -> None:
    table = read(tmp_path, [column("j", "json"), column("u", "uuid"), column("s", "varchar")], '"{}","x","y"')
    assert [(f.metadata or {}).get(KIND) for f in table.schema] == [b"json", b"uuid", None]


def test_nan(tmp_path: Path) -> None:
    (value,) = read(tmp_path, [column("c", "double")], '"NaN"')["c"].to_pylist()
    assert value != value


def test_columns_of_one_name_and_headers_of_two_lines(tmp_path: Path) -> None:
    table = read(tmp_path, [column("a\nb", "integer"), column("a\nb", "varchar")], '"1","x"')
    assert table.column_names == ["a\nb", "a\nb"]
    assert [c.to_pylist() for c in table.columns] == [[1], ["x"]]


def test_no_rows(tmp_path: Path) -> None:
    table = read(tmp_path, [column("a", "bigint")])
    assert (table.num_rows, table.schema) == (0, pa.schema([("a", pa.int64())]))


def test_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_BLOCK", 1000)
    lines = [f'"{n}","text {n}\nmore"' for n in range(1000)]
    header = [column("n", "integer"), column("s", "varchar")]
    table = read(tmp_path, header, *lines)
    assert table["n"].to_pylist() == list(range(1000))
    assert table["s"][999].as_py() == "text 999\nmore"
    assert table["n"].num_chunks > 10


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "x"),
        ("date", "no"),
        ("time", "25"),
        ("varbinary", "6"),
        ("timestamp", "99999-01-01 00:00:00"),
    ],
)
def test_a_value_that_does_not_fit(kind: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(StatementRefused, match=r"Column 'c' of the result .*Cast the column"):
        read(tmp_path, [column("c", kind)], f'"{text}"')


@pytest.mark.parametrize("zone", ["No/Where", "../etc"])
def test_a_zone_that_is_not_known(zone: str, tmp_path: Path) -> None:
    with pytest.raises(StatementRefused, match="Column 'c'"):
        read(tmp_path, [column("c", "timestamp with time zone")], f'"2026-11-22 01:02:03.004 {zone}"')

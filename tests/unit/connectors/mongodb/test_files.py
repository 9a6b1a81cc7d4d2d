from __future__ import annotations

import json
import subprocess
import sys
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bson import Binary, Decimal128, Int64, ObjectId, json_util

from aqueduct_provider.connectors.mongodb import files
from aqueduct_provider.connectors.mongodb.files import stored_documents, write_bson_table
from aqueduct_provider.connectors.tables.model import KIND
from aqueduct_provider.errors import LoadRefused
from aqueduct_provider.runner.codecs import decode, encode
from aqueduct_provider.runner.contract import OutputInfo

OID = ObjectId("5f9f1b9b9b9b9b9b9b9b9b9b")
DAY = datetime(2020, 1, 2, 3, 4, 5, 678000)
NAN = '{"$numberDouble": "NaN"}'


def written(folder: Path, *documents: dict[str, Any]) -> tuple[str, list[dict[str, str]]]:
    (folder / "outputs").mkdir(exist_ok=True)
    info = write_bson_table(iter(documents), folder, "outputs/0")
    glance = {"rows": len(documents), "columns": len(info.schema)}
    kinds = "table", "bson_table", "DataFrame", "bson_table/v1"
    assert info == OutputInfo("outputs/0", *kinds, info.schema, glance)
    return (folder / "outputs/0").read_text(), info.schema


# What the original's executor leaves for these documents, observed: its text, and its dtypes.
ORIGINAL = {
    "every type": (
        [
            {"_id": OID, "i": 1, "s": "x", "t": DAY, "n": None, "f": 1.5, "b": True, "l": [1, {"x": 2}]},
            {"_id": 2, "i": 2, "s": "ü", "t": DAY, "n": None, "f": 2.0, "b": False, "l": []},
        ],
        '[{"_id": {"$oid": "5f9f1b9b9b9b9b9b9b9b9b9b"}, "i": 1, "s": "x", "t": {"$date": '
        '"2020-01-02T03:04:05.678Z"}, "n": null, "f": 1.5, "b": true, "l": [1, {"x": 2}]}, '
        '{"_id": 2, "i": 2, "s": "\\u00fc", "t": {"$date": "2020-01-02T03:04:05.678Z"}, "n": null, "f": 2.0, '
        '"b": false, "l": []}]',
        "object int64 object datetime64[ns] object float64 bool object",
    ),
    "BSON's own": (
        [{"i": Int64(2**40), "d": Decimal128("1.10"), "b": b"ab", "o": {"k": Int64(1), "f": float("nan")}}],
        '[{"i": 1099511627776, "d": {"$numberDecimal": "1.10"}, "b": {"$binary": {"base64": "YWI=", '
        f'"subType": "00"}}}}, "o": {{"k": 1, "f": {NAN}}}}}]',
        "int64 object object object",
    ),
    "missing": (
        [{"_id": 1, "a": 1, "s": "x", "b": True}, {"_id": 2, "s": "y", "z": 5}],
        f'[{{"_id": 1, "a": 1.0, "s": "x", "b": true, "z": {NAN}}}, '
        f'{{"_id": 2, "a": {NAN}, "s": "y", "b": {NAN}, "z": 5.0}}]',
        "int64 float64 object object float64",
    ),
    "null": (
        [{"a": 1, "s": "x", "b": True, "f": 1.5}, {"a": None, "s": None, "b": None, "f": None}],
        f'[{{"a": 1.0, "s": "x", "b": true, "f": 1.5}}, {{"a": {NAN}, "s": null, "b": null, "f": {NAN}}}]',
        "float64 object object float64",
    ),
    "mixed": (
        [{"t": "a", "u": True}, {"t": 5, "u": 5}, {"t": 1.5, "u": 5}, {"t": DAY, "u": 5}],
        '[{"t": "a", "u": true}, {"t": 5, "u": 5}, {"t": 1.5, "u": 5}, '
        '{"t": {"$date": "2020-01-02T03:04:05.678Z"}, "u": 5}]',
        "object object",
    ),
    "NaN": (
        [{"t": float("nan"), "u": float("inf")}, {"t": 5, "u": 2}],
        f'[{{"t": {NAN}, "u": {{"$numberDouble": "Infinity"}}}}, {{"t": 5.0, "u": 2.0}}]',
        "float64 float64",
    ),
    "null and missing": (
        [{"_id": 1, "t": None}, {"_id": 2}],
        f'[{{"_id": 1, "t": {NAN}}}, {{"_id": 2, "t": {NAN}}}]',
        "int64 float64",
    ),
    "nothing": ([], "[]", ""),
}


@pytest.mark.parametrize("name", ORIGINAL)
def test_the_original_writes_the_same(name: str, tmp_path: Path) -> None:
    documents, text, dtypes = ORIGINAL[name]
    ours, schema = written(tmp_path, *documents)
    assert ours == text
    # Newer pandas counts time in microseconds.
    described = [dtype.replace("[us", "[ns") for column in schema for dtype in column.values()]
    assert described == dtypes.split()
    assert [name for column in schema for name in column] == list(
        dict.fromkeys(k for d in documents for k in d)
    )


SAME = {
    "every type": ORIGINAL["every type"][0],
    "BSON's own": ORIGINAL["BSON's own"][0],
    "missing": ORIGINAL["missing"][0],
    "missing times": [{"a": 1, "t": DAY}, {"a": 2}, {"a": 3, "t": None}, {"a": 4, "t": float("nan")}],
    "times beyond nanoseconds": [{"t": datetime(9999, 1, 1)}, {"t": datetime(1, 1, 1)}, {"t": DAY}],
    "mixed": ORIGINAL["mixed"][0],
    "late columns": [{"a": 1}] * 3 + [{"b": "x"}, {"c": [None]}],
    "numbers": [{"a": 1}, {"a": 2.5}, {"a": Int64(3)}],
    "texts and numbers": [{"a": "1"}, {"a": 1}, {}],
    "no columns": [{}, {}],
}


@pytest.mark.parametrize("name", SAME)
def test_the_codec_writes_the_same(name: str, tmp_path: Path) -> None:
    encoded = encode(pd.DataFrame(SAME[name]), "table", from_mongodb=True)
    text, schema = written(tmp_path, *SAME[name])
    assert (text.encode(), schema) == (encoded.data, encoded.schema)


def test_uuids(tmp_path: Path) -> None:
    identity = uuid.UUID(int=5)
    text, _ = written(tmp_path, {"a": identity}, {"a": Binary.from_uuid(identity)})
    assert text == json_util.dumps([{"a": Binary.from_uuid(identity)}] * 2)


MEMORY = """
import resource, sys
from pathlib import Path
from aqueduct_provider.connectors.mongodb.files import stored_documents, write_bson_table
folder, count = Path(sys.argv[1]), int(sys.argv[2])
documents = lambda count: ({"_id": n, "text": "x" * 1000} for n in range(count))
def move(count):
    write_bson_table(documents(count), folder, "table")
    assert sum(1 for _ in stored_documents(folder / "table", "bson_table")) == count
move(10)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
move(count)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_documents(tmp_path: Path) -> None:
    count = 60_000
    command = [sys.executable, "-c", MEMORY, str(tmp_path), str(count)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert (tmp_path / "table").stat().st_size > count * 1000
    assert grown * 1024 < count * 1000 / 4
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


# --- into MongoDB


@pytest.fixture(params=[10, 1 << 20], ids=["small blocks", "usual blocks"])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BLOCK", request.param)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("name", ORIGINAL)
def test_bson_tables_are_read_back(name: str, tmp_path: Path) -> None:
    text = ORIGINAL[name][1]
    (tmp_path / "table").write_text(text)
    wanted = [
        {column: None if value != value else value for column, value in row.items()}
        for row in json_util.loads(text)
    ]
    for row in wanted:
        if "o" in row:
            row["o"].pop("f")
    read = list(stored_documents(tmp_path / "table", "bson_table"))
    for row in read:
        if "o" in row:
            assert str(row["o"].pop("f")) == "nan"
    assert read == wanted


@pytest.mark.usefixtures("blocks")
def test_json_of_other_writers(tmp_path: Path) -> None:
    text = '\n[\n  {"a": "[{,]"} ,\n {"a": {"b": [{"$oid": "5f9f1b9b9b9b9b9b9b9b9b9b"}]}}\n]\n'
    (tmp_path / "table").write_text(text)
    read = list(stored_documents(tmp_path / "table", "bson_table"))
    assert read == [{"a": "[{,]"}, {"a": {"b": [OID]}}]


@pytest.mark.parametrize(
    "text", ["", "[", '[{"a": 1}', '[{"a": }]', '[{"_id": {"$oid": "no"}}]', "[{}] x", "[1]"]
)
def test_bson_tables_that_are_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "table").write_text(text)
    with pytest.raises(LoadRefused, match="cannot be read as bson_table"):
        list(stored_documents(tmp_path / "table", "bson_table"))


def test_every_arrow_type(tmp_path: Path) -> None:
    zone = timezone(timedelta(hours=2))
    identity = uuid.UUID(int=7)
    columns = {
        "whole": (pa.int64(), 2**62, 2**62),
        "small": (pa.uint8(), 5, 5),
        "real": (pa.float64(), 1.5, 1.5),
        "nan": (pa.float64(), float("nan"), None),
        "truth": (pa.bool_(), False, False),
        "text": (pa.string(), "ü", "ü"),
        "large": (pa.large_string(), "x", "x"),
        "bytes": (pa.binary(), b"\0x", b"\0x"),
        "decimal": (pa.decimal128(20, 2), Decimal("1.10"), Decimal128("1.10")),
        "date": (pa.date32(), date(2020, 1, 2), datetime(2020, 1, 2)),
        "time": (pa.time64("us"), time(1, 2, 3, 4), "01:02:03.000004"),
        "moment": (pa.timestamp("us"), DAY, DAY),
        "nanos": (pa.timestamp("ns"), DAY, DAY),
        "zoned": (pa.timestamp("us", "Europe/Warsaw"), DAY.replace(tzinfo=timezone.utc), None),
        "list": (pa.list_(pa.decimal128(5, 1)), [Decimal("0.5"), None], [Decimal128("0.5"), None]),
        "struct": (pa.struct({"d": pa.date32()}), {"d": date(2020, 1, 2)}, {"d": datetime(2020, 1, 2)}),
        "category": (pa.dictionary(pa.int8(), pa.string()), "x", "x"),
        "none": (pa.null(), None, None),
        "json": (pa.string(), '{"a": [1, null]}', {"a": [1, None]}),
        "uuid": (pa.string(), str(identity), Binary.from_uuid(identity)),
    }
    kinds = {"json": {KIND: b"json"}, "uuid": {KIND: b"uuid"}}
    schema = pa.schema([pa.field(n, kind, metadata=kinds.get(n)) for n, (kind, _, _) in columns.items()])
    arrays = [pa.array([given, None], kind) for kind, given, _ in columns.values()]
    pq.write_table(pa.table(arrays, schema=schema), tmp_path / "table")
    first, second = stored_documents(tmp_path / "table", "parquet")
    moment = first.pop("zoned")
    assert moment.astimezone(zone) == DAY.replace(tzinfo=timezone.utc)
    assert first == {name: wanted for name, (_, _, wanted) in columns.items() if name != "zoned"}
    assert second == dict.fromkeys(columns)


def test_a_decimal_of_too_many_digits(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([Decimal("1" * 38)], pa.decimal128(38))})
    pq.write_table(table, tmp_path / "table")
    with pytest.raises(LoadRefused, match="Column 'a' has a number of more digits than the 34"):
        list(stored_documents(tmp_path / "table", "parquet"))


@pytest.mark.parametrize("tables", ["table", "parquet", "bson_table"])
def test_tables_of_functions(tables: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_ROWS", 2)
    table = pd.DataFrame(
        {
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "real": [1.5, None, 2.5],
            "text": ["x", None, "z"],
            "truth": [True, False, True],
            "moment": [DAY, pd.NaT, DAY],
            "nested": [{"a": [1]}, None, {"a": []}],
        },
        index=[5, 6, 7],
    )
    dialect = "parquet" if tables == "parquet" else "table"
    encoded = encode(table, "table", dialect, from_mongodb=tables == "bson_table")
    assert encoded.serialization_type == tables
    (tmp_path / "table").write_bytes(encoded.data)
    rows = list(stored_documents(tmp_path / "table", tables))
    for row in rows:
        if row["moment"] is not None:
            row["moment"] = row["moment"].replace(tzinfo=None)
    assert rows == [
        {"whole": 1, "real": 1.5, "text": "x", "truth": True, "moment": DAY, "nested": {"a": [1]}},
        {"whole": None, "real": None, "text": None, "truth": False, "moment": None, "nested": None},
        {"whole": 3, "real": 2.5, "text": "z", "truth": True, "moment": DAY, "nested": {"a": []}},
    ]


def test_a_table_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "table").write_text("{")
    with pytest.raises(LoadRefused, match="The artifact cannot be read as table"):
        list(stored_documents(tmp_path / "table", "table"))


def test_what_mongodb_gave_goes_back_as_it_was(tmp_path: Path) -> None:
    documents = ORIGINAL["every type"][0]
    text, _ = written(tmp_path, *documents)
    assert list(stored_documents(tmp_path / "outputs/0", "bson_table")) == documents
    assert decode(text.encode(), "bson_table", "table").to_dict("records")[0]["_id"] == OID
    assert json.loads(text)


def test_tables_of_functions_bring_no_index_and_no_pickles(tmp_path: Path) -> None:
    path = tmp_path / "content"
    frame = pd.DataFrame({"a": [1], "meta": [{"x": [1]}]}, index=pd.Index(["x"], name="key"))
    path.write_bytes(encode(frame, "table", "parquet").data)
    assert list(stored_documents(path, "parquet")) == [{"a": 1, "meta": {"x": [1]}}]
    filtered = pd.DataFrame({"_id": [ObjectId(OID.binary)], "refs": [[OID]]}, index=[7])
    path.write_bytes(encode(filtered, "table", "parquet", from_mongodb=True).data)
    assert list(stored_documents(path, "parquet")) == [{"_id": OID, "refs": [OID]}]
    path.write_bytes(encode(pd.DataFrame({"pair": [(1, 2)]}), "table", "parquet").data)
    with pytest.raises(LoadRefused, match="Column 'pair' holds Python objects"):
        list(stored_documents(path, "parquet"))
    with pytest.raises(LoadRefused, match="stored as a Python object"):
        list(stored_documents(path, "pickle"))

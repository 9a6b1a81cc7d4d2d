from __future__ import annotations

import io
import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pytest
from PIL import Image

from aqueduct_provider.runner.codecs import (
    CodecError,
    accepted_type,
    decode,
    decode_file,
    encode,
    infer_type,
    plain_value,
)
from aqueduct_provider.runner.contract import SERIALIZATION_TYPES


def roundtrip(value: Any, tables: str = "table") -> Any:
    encoded = encode(value, infer_type(value), tables)
    return decode(encoded.data, encoded.serialization_type, encoded.artifact_type)


class Unpicklable:
    def __reduce__(self) -> Any:
        raise TypeError("not today")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pandas.DataFrame(), "table"),
        (Image.new("RGB", (1, 1)), "image"),
        (b"", "bytes"),
        ("text", "string"),
        ("[1]", "json"),
        ("NaN", "json"),
        (True, "boolean"),
        (numpy.bool_(False), "boolean"),
        (3, "numeric"),
        (numpy.float32(1), "numeric"),
        (numpy.complex128(1), "picklable"),
        ({}, "dictionary"),
        ((), "tuple"),
        ([], "list"),
        (None, "picklable"),
        (bytearray(), "picklable"),
    ],
)
def test_infers_the_type(value: Any, expected: str) -> None:
    assert infer_type(value) == expected


@pytest.mark.parametrize(
    ("value", "data", "serialization_type"),
    [
        (numpy.int64(7), b"7", "json"),
        (numpy.bool_(True), b"true", "json"),
        (1.5, b"1.5", "json"),
        (math.inf, b"Infinity", "json"),
        ("ü", "ü".encode(), "string"),
        ({"ü": (1, None)}, b'{"\\u00fc": [1, null]}', "json"),
        ((1, "a"), b'[1, "a"]', "json"),
        (b"\0", b"\0", "bytes"),
    ],
)
def test_writes_these_bytes(value: Any, data: bytes, serialization_type: str) -> None:
    encoded = encode(value, infer_type(value))
    assert (encoded.data, encoded.serialization_type) == (data, serialization_type)
    assert encoded.encoding == f"{serialization_type}/v1"
    assert encoded.python_type == type(value).__name__


def test_not_a_number_comes_back() -> None:
    assert math.isnan(roundtrip(math.nan))


@pytest.mark.parametrize(
    "value",
    [(1, 2), [1, b"x"], (b"x", (1, 2), "s", "[1]", None, 2.5), {(1, 2): 3}, {"a": b"x"}, {1, 2}, None],
)
def test_comes_back_as_it_was(value: Any) -> None:
    result = roundtrip(value)
    assert result == value
    assert type(result) is type(value)


def test_a_container_holds_a_table_in_its_own_codec() -> None:
    table = pandas.DataFrame({"a": [1, 2]})
    encoded = encode([table, 1], "list")
    container = pickle.loads(encoded.data)
    assert container["aqueduct_serialization_types"] == ["table", "json"]
    assert container["is_tuple"] is False
    pandas.testing.assert_frame_equal(decode(encoded.data, "pickle", "list")[0], table)


@pytest.mark.parametrize("value", [{1, 2}, {"a": {1, 2}}, [{1, 2}], ({"a": {1, 2}},), [[{1, 2}]]])
def test_a_pickler_of_ones_own_pickles_all_that_is_pickled(value: Any) -> None:
    def old(value: Any) -> bytes:
        return pickle.dumps(value, protocol=1)

    made = encode(value, infer_type(value), pickler=old)
    elements = pickle.loads(made.data)["data"] if isinstance(value, (list, tuple)) else [made.data]
    # Newer protocols begin with their number.
    assert all(not data.startswith(b"\x80") for data in elements)
    assert decode(made.data, "pickle", made.artifact_type) == value


def test_a_function_of_the_users_module_is_pickled_by_value() -> None:
    assert roundtrip(lambda x: x + 1)(1) == 2


@pytest.mark.parametrize("from_mongodb", [False, True])
def test_tables_of_the_compiled_dialect_come_back_without_their_index(from_mongodb: bool) -> None:
    table = pandas.DataFrame(
        {
            "number": [1, 2],
            "real": [0.5, math.nan],
            "text": ["ü", "b"],
            "flag": [True, False],
            "when": [pandas.Timestamp("2020-01-02T03:04:05.678"), pandas.Timestamp("2021-01-01")],
        },
        index=["x", "y"],
    )
    encoded = encode(table, "table", from_mongodb=from_mongodb)
    result = decode(encoded.data, encoded.serialization_type, "table")
    pandas.testing.assert_frame_equal(result, table.reset_index(drop=True), check_dtype=False)
    assert encoded.serialization_type == ("bson_table" if from_mongodb else "table")
    assert [list(column) for column in encoded.schema] == [[name] for name in table.columns]
    assert encoded.schema[0] == {"number": "int64"}


def test_the_index_may_be_anything() -> None:
    index = pandas.MultiIndex.from_tuples([(1, 2), (3, 4)], names=["a", None])
    assert roundtrip(pandas.DataFrame({"a": [5, 6]}, index=index))["a"].tolist() == [5, 6]


def test_missing_values_of_mongodb_tables_are_null() -> None:
    times = [pandas.Timestamp("2020-01-02"), pandas.NaT]
    table = pandas.DataFrame({"when": times, "flag": pandas.array([True, None], dtype="boolean")})
    encoded = encode(table, "table", from_mongodb=True)
    result = decode(encoded.data, "bson_table", "table")
    assert result.isna().values.tolist() == [[False, False], [True, True]]


def test_the_original_cannot_hold_a_frame_of_another_library() -> None:
    with pytest.raises(CodecError, match=r"polars.*return a pandas.DataFrame"):
        encode(polars.DataFrame({"a": [1]}), "table")


def test_without_pyarrow_a_table_is_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    # Names of columns are strings of Arrow in pandas 3.
    table = pandas.DataFrame([[1 / 3]], columns=pandas.Index(["rate"], dtype=object))
    assert encode(table, "table", "parquet").serialization_type == "pickle"
    assert roundtrip(table, "parquet")["rate"][0] == 1 / 3


def test_a_table_of_mongodb_stays_its_json_only_where_nothing_changes() -> None:
    kept = pandas.DataFrame({"id": [1, 2], "tags": [["a"], []]})
    assert encode(kept, "table", "parquet", from_mongodb=True).serialization_type == "bson_table"
    changed = pandas.DataFrame({"grade": pandas.Categorical(["a", "b"])})
    encoded = encode(changed, "table", "parquet", from_mongodb=True)
    assert encoded.serialization_type == "parquet"
    pandas.testing.assert_frame_equal(decode(encoded.data, "parquet", "table"), changed)


def test_a_value_can_be_written_to_a_file_and_read_from_it(tmp_path: Path) -> None:
    for number, value in enumerate([{"a": 1}, pandas.DataFrame({"a": [1]}), {1: 2}, b"x"]):
        path = str(tmp_path / str(number))
        encoded = encode(value, infer_type(value), "parquet", path=path)
        assert encoded.data == b""
        result = decode_file(path, encoded.serialization_type, encoded.artifact_type)
        assert type(result) is type(value)
        assert str(result) == str(value)


def test_a_half_written_file_is_replaced_by_the_pickle(tmp_path: Path) -> None:
    # Parquet gives up on it when it is under way.
    table = pandas.DataFrame({"a": [1 + 2j]})
    path = str(tmp_path / "table")
    encoded = encode(table, "table", "parquet", path=path)
    assert encoded.serialization_type == "pickle"
    pandas.testing.assert_frame_equal(decode_file(path, "pickle", "table"), table)


def test_all_serialization_types_can_be_read() -> None:
    for kind in SERIALIZATION_TYPES:
        with pytest.raises((CodecError, ImportError)) as caught:
            decode(b"\x80", kind, "untyped") if kind != "bytes" else decode(b"", "no such", "untyped")
        assert "unknown" not in str(caught.value) or kind == "bytes"


def test_numbers_and_text_can_be_shown_without_their_packages() -> None:
    for value, shown in [(1.5, 1.5), (numpy.float32(0.5), 0.5), ("x", "x"), ({"a": [1]}, {"a": [1]})]:
        encoded = encode(value, infer_type(value), "parquet")
        assert plain_value(encoded.data, encoded.serialization_type) == shown
    assert plain_value(b"anything", "pickle") is None


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA", "I", "L", "CMYK"])
def test_every_image_mode_can_be_stored(mode: str) -> None:
    result = roundtrip(Image.new(mode, (3, 2)))
    assert (result.format, result.size) == ("JPEG", (3, 2))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (pandas.DataFrame({1: [1], "a": [2]}), "Non-String column names are not supported: 1"),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "several columns of the same name: a"),
        ("\ud800", "UTF-8"),
        (Unpicklable(), "TypeError: not today"),
        ((i for i in []), "generator"),
        ([Unpicklable()], "TypeError: not today"),
    ],
)
def test_says_why_a_value_cannot_be_stored(value: Any, message: str) -> None:
    with pytest.raises(CodecError, match=message):
        encode(value, infer_type(value))


@pytest.mark.parametrize(
    ("data", "serialization_type"),
    [
        (b"{", "json"),
        (b"{", "table"),
        (b"\xff", "string"),
        (b"x", "image"),
        (b"x", "pickle"),
        (b"x", "parquet"),
        (b"x", "bson_table"),
        (b"x", "morse"),
    ],
)
def test_says_which_codec_cannot_read(data: bytes, serialization_type: str) -> None:
    with pytest.raises(CodecError, match=serialization_type):
        decode(data, serialization_type, "untyped")


def test_reads_what_the_original_pickled_without_its_package() -> None:
    # An opcode for the original's enum, called with the member's value, as its containers hold it.
    enum = b"caqueduct.constants.enums\nSerializationType\n(S'string'\ntR"
    data = b"(dS'aqueduct_serialization_types'\n(l" + enum + b"asS'data'\n(lC\x01xasS'is_tuple'\nI01\ns."
    assert decode(data, "pickle", "tuple") == ("x",)


def test_a_json_text_is_also_a_string_and_nothing_else_is_lenient() -> None:
    assert accepted_type("12", "string") == "string"
    assert accepted_type("12", "untyped") == "json"
    with pytest.raises(CodecError, match=r"is of type boolean \(bool\), but must be of type numeric"):
        accepted_type(True, "numeric")


def test_simple_values_import_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from aqueduct_provider.runner.codecs import *\n"
        "for value in (1, 'x', b'x', (1,), {'a': 1}, True):\n"
        "    encoded = encode(value, infer_type(value))\n"
        "    decode(encoded.data, encoded.serialization_type, '')\n"
        "print(sorted({'numpy', 'pandas', 'PIL', 'cloudpickle', 'bson', 'pyarrow'} & set(sys.modules)))"
    )
    root = str(Path(__file__).parents[2])
    ran = subprocess.run([sys.executable, "-I", "-c", script, root], capture_output=True, text=True)
    assert ran.stdout == "[]\n", ran.stderr


def test_an_image_file_of_another_format_is_an_image() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    assert decode(buffer.getvalue(), "image", "image").size == (2, 2)

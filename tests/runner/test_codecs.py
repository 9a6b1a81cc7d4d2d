from __future__ import annotations

import importlib.util
import io
import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from PIL import Image

from aqueduct_provider.runner.codecs import CodecError, accepted_type, decode, encode, infer_type


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


@pytest.mark.parametrize("tables", ["table", "bson_table", "parquet"])
def test_tables_come_back_without_their_index(tables: str) -> None:
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
    encoded = encode(table, "table", tables)
    result = decode(encoded.data, encoded.serialization_type, "table")
    pandas.testing.assert_frame_equal(result, table.reset_index(drop=True), check_dtype=False)
    assert encoded.serialization_type == tables
    assert [list(column) for column in encoded.schema] == [[name] for name in table.columns]
    assert encoded.schema[0] == {"number": "int64"}


def test_the_index_may_be_anything() -> None:
    index = pandas.MultiIndex.from_tuples([(1, 2), (3, 4)], names=["a", None])
    assert roundtrip(pandas.DataFrame({"a": [5, 6]}, index=index))["a"].tolist() == [5, 6]


def test_missing_values_of_mongodb_tables_are_null() -> None:
    times = [pandas.Timestamp("2020-01-02"), pandas.NaT]
    table = pandas.DataFrame({"when": times, "flag": pandas.array([True, None], dtype="boolean")})
    result = roundtrip(table, "bson_table")
    assert result.isna().values.tolist() == [[False, False], [True, True]]


def test_parquet_keeps_what_json_loses() -> None:
    nanoseconds = pandas.to_datetime([1577934245123456789])
    table = pandas.DataFrame({"when": nanoseconds, "span": pandas.to_timedelta([1], unit="ns")})
    table["count"] = pandas.array([None], dtype="Int64")
    pandas.testing.assert_frame_equal(roundtrip(table, "parquet"), table)


def test_without_pyarrow_a_table_is_stored_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert encode(pandas.DataFrame({"a": [1]}), "table", "parquet").serialization_type == "table"


def test_a_table_that_arrow_cannot_hold_is_stored_as_json() -> None:
    table = pandas.DataFrame({"mixed": ["a", 1]})
    encoded = encode(table, "table", "parquet")
    assert encoded.serialization_type == "table"
    assert decode(encoded.data, "table", "table")["mixed"].tolist() == ["a", 1]


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


KERAS = """
import pickle

__version__ = {version!r}


class Model:
    def __init__(self, weights):
        self.weights = weights

    def __reduce__(self):
        raise TypeError("cannot pickle a model")

    def save(self, path):
        assert path.endswith({suffix!r}), path
        with open(path, "wb") as file:
            file.write({magic!r} + pickle.dumps(self.weights))


class models:
    @staticmethod
    def load_model(path):
        assert path.endswith({suffix!r}), path
        with open(path, "rb") as file:
            return Model(pickle.loads(file.read()[2:]))
"""


@pytest.mark.parametrize(
    ("version", "suffix", "magic"), [("3.1", ".keras", b"PK"), ("2.15", ".h5", b"\x89H")]
)
def test_a_model_that_cannot_be_pickled_is_saved_by_keras(
    version: str, suffix: str, magic: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Keras itself is too large for a test's environment; this stands for what it does with files.
    (tmp_path / "keras.py").write_text(KERAS.format(version=version, suffix=suffix, magic=magic))
    spec = importlib.util.spec_from_file_location("keras", tmp_path / "keras.py")
    assert spec is not None
    assert spec.loader is not None
    keras = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "keras", keras)
    spec.loader.exec_module(keras)
    model = keras.Model([1.5])
    assert infer_type(model) == "tensorflow-keras-model"
    encoded = encode(model, "tensorflow-keras-model")
    assert encoded.serialization_type == "tensorflow-keras-model"
    loaded = decode(encoded.data, "tensorflow-keras-model", "tensorflow-keras-model")
    assert loaded.weights == [1.5]


def test_a_model_without_keras_names_what_is_missing() -> None:
    with pytest.raises(ImportError, match="keras"):
        decode(b"PK", "tensorflow-keras-model", "tensorflow-keras-model")


def test_an_image_file_of_another_format_is_an_image() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    assert decode(buffer.getvalue(), "image", "image").size == (2, 2)


def test_arrow_is_given_no_python_file(mocker: Any) -> None:
    """Its threads let go of such a file when they please, and abort an interpreter that is just ending."""
    import pandas
    import pyarrow

    data = encode(pandas.DataFrame({"a": [1]}), "table", "parquet").data
    read = mocker.spy(pandas, "read_parquet")
    assert decode(data, "parquet", "table")["a"].tolist() == [1]
    (source,) = read.call_args.args
    assert isinstance(source, pyarrow.BufferReader)

"""Stage 7, value <-> bytes for every artifact type (Aqueduct formats, section 4).

In: a Python value, or bytes with the types that their metadata names. Out: the other. The bytes are those
of the original system, so that each side reads what the other wrote; ``parquet`` is our own addition.
Standard library only at module level: what a value needs is imported when such a value turns up. A value
can only be a DataFrame when pandas is imported already, so inference looks into ``sys.modules`` alone.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import sys
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional

# A pickled list or tuple is stored as a dict of these keys.
_ELEMENT_TYPES, _ELEMENTS, _IS_TUPLE = "aqueduct_serialization_types", "data", "is_tuple"
_CONTAINER_KEYS = {_ELEMENT_TYPES, _ELEMENTS, _IS_TUPLE}

_JPEG_MODES = ("1", "L", "RGB", "CMYK", "YCbCr")


class CodecError(Exception):
    """A value cannot be stored, or bytes cannot be read; ``str()`` says why and what to do."""


@dataclass(frozen=True)
class Encoded:
    """A value as it is stored, with the facts that its metadata needs."""

    data: bytes
    artifact_type: str
    serialization_type: str
    python_type: str
    schema: List[Dict[str, str]] = field(default_factory=list)

    @property
    def encoding(self) -> str:
        """The codec and its version; stored names never change their meaning."""
        return f"{self.serialization_type}/v1"


def infer_type(value: Any) -> str:
    """The artifact type of ``value``; ``picklable``, which :func:`encode` tries, when there is no other."""
    for names, types, kind in _CLASSES:
        if isinstance(value, types + tuple(_loaded(names))):
            return str(kind(value) if callable(kind) else kind)
    return "picklable"


def accepted_type(value: Any, expected: str) -> str:
    """The artifact type under which ``value`` is stored where ``expected`` is asked for.

    A string whose text happens to be JSON is still a string.

    :raises CodecError: when the value is of another type.
    """
    actual = infer_type(value)
    if expected in ("untyped", actual):
        return actual
    if expected == "string" and actual == "json":
        return expected
    raise CodecError(f"is of type {actual} ({type(value).__name__}), but must be of type {expected}")


def encode(
    value: Any, artifact_type: str, tables: str = "table", pickler: Optional[Callable[[Any], bytes]] = None
) -> Encoded:
    """``value`` as it is stored.

    :param artifact_type: one that :func:`infer_type` or :func:`accepted_type` gave for it.
    :param tables: how tables are written: ``table``, ``bson_table`` or ``parquet``.
    :param pickler: pickles what has no other form; :func:`dump_pickle` unless given.
    :raises CodecError: when it cannot be stored.
    :raises ImportError: when the environment lacks a package that storing it needs.
    """
    try:
        serialization_type, data = _encode(value, artifact_type, tables, pickler or dump_pickle)
    except (CodecError, MemoryError, ImportError):
        raise
    except Exception as exc:
        raise CodecError(f"cannot be stored as {artifact_type}: {describe(exc)}") from exc
    schema = _schema(value, serialization_type) if artifact_type == "table" else []
    return Encoded(data, artifact_type, serialization_type, type(value).__name__, schema)


def decode(data: bytes, serialization_type: str, artifact_type: str) -> Any:
    """The value that was stored.

    :raises CodecError: when the bytes are not what the types say; the cause is the codec's own error.
    :raises ImportError: when the environment lacks a package that reading it needs.
    """
    reader = _READERS.get(serialization_type)
    if reader is None:
        raise CodecError(f"has the unknown serialization type {serialization_type!r}")
    try:
        value = reader(data)
    except (CodecError, MemoryError, ImportError):
        raise
    except Exception as exc:
        raise CodecError(f"cannot be read as {serialization_type}: {describe(exc)}") from exc
    return tuple(value) if artifact_type == "tuple" and isinstance(value, list) else value


def describe(error: BaseException) -> str:
    """An exception in one line, also when its ``__str__`` fails."""
    try:
        text = str(error)
    except Exception:
        text = "<no message: its __str__ failed>"
    return f"{type(error).__name__}: {text}".rstrip(": ")


def unpickle(data: bytes) -> Any:
    """``pickle.loads`` that needs no package of the original's for what the original pickled."""
    return _Unpickler(io.BytesIO(data)).load()


def dump_pickle(value: Any) -> bytes:
    """``value`` pickled, functions and classes of the user's own module by value."""
    import cloudpickle

    data: bytes = cloudpickle.dumps(value)
    return data


def dump_image(value: Any) -> bytes:
    """A PIL image as JPEG, which knows neither transparency nor palettes."""
    buffer = io.BytesIO()
    (value if value.mode in _JPEG_MODES else value.convert("RGB")).save(buffer, format="JPEG")
    return buffer.getvalue()


def open_image(data: bytes) -> Any:
    """The image in the bytes of a JPEG, PNG or other image file."""
    from PIL import Image

    return Image.open(io.BytesIO(data))


def pack_elements(value: Any, encode_element: Callable[[Any], Any]) -> bytes:
    """A list or tuple in the container of the formats.

    :param encode_element: gives an element's serialization type and bytes.
    """
    elements = [encode_element(element) for element in value]
    container = {
        _ELEMENT_TYPES: [kind for kind, _ in elements],
        _ELEMENTS: [data for _, data in elements],
        _IS_TUPLE: isinstance(value, tuple),
    }
    return pickle.dumps(container)


def unpack_elements(value: Any, readers: Dict[str, Callable[[bytes], Any]]) -> Any:
    """The list or tuple in a container; any other value as it is."""
    if not (isinstance(value, dict) and value.keys() == _CONTAINER_KEYS):
        return value
    kinds = value[_ELEMENT_TYPES]
    elements = [readers[kind](data) for kind, data in zip(kinds, value[_ELEMENTS])]
    return tuple(elements) if value[_IS_TUPLE] else elements


def check_columns(table: Any) -> None:
    """Raises :class:`CodecError` unless the columns' names are strings, each of its own."""
    others = [repr(name) for name in table.columns if not isinstance(name, str)]
    if others:
        raise CodecError(
            f"Non-String column names are not supported: {', '.join(others)}. "
            "Rename them, for instance with table.rename(columns=str)."
        )
    twice = sorted(set(table.columns[table.columns.duplicated()]))
    if twice:
        raise CodecError(f"has several columns of the same name: {', '.join(twice)}. Rename or drop them.")


def _encode(value: Any, artifact_type: str, tables: str, pickler: Callable[[Any], bytes]) -> Any:
    if artifact_type == "table":
        check_columns(value)
        return _TABLE_WRITERS[tables](value)
    if artifact_type in ("dictionary", "list", "tuple"):
        return _encode_collection(value, artifact_type, tables, pickler)
    if artifact_type == "picklable":
        return "pickle", pickler(value)
    serialization_type, write = _WRITERS[artifact_type]
    return serialization_type, write(value)


def _encode_collection(value: Any, artifact_type: str, tables: str, pickler: Callable[[Any], bytes]) -> Any:
    try:
        return "json", json.dumps(value).encode()
    except (TypeError, ValueError, RecursionError):
        pass
    if artifact_type == "dictionary":
        return "pickle", pickler(value)
    return "pickle", pack_elements(value, lambda element: _encode_element(element, tables, pickler))


def _encode_element(value: Any, tables: str, pickler: Callable[[Any], bytes]) -> Any:
    kind = infer_type(value)
    # As JSON, an inner tuple would come back as a list.
    if kind in ("dictionary", "list", "tuple"):
        return "pickle", pickler(value)
    encoded = encode(value, kind, tables, pickler)
    return encoded.serialization_type, encoded.data


def _dump_scalar(value: Any) -> bytes:
    return json.dumps(value.item() if hasattr(value, "item") else value).encode()


def _dump_string(value: str) -> bytes:
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise CodecError(f"is text that UTF-8 cannot hold: {exc.reason} at position {exc.start}") from exc


def _table_json(table: Any) -> Any:
    table = _with_plain_strings(table).reset_index(drop=True)
    # The resolution that the original writes; newer pandas would follow the column's.
    text = table.to_json(orient="table", date_format="iso", date_unit="ms", index=False)
    return "table", text.encode("utf-8")


def _table_bson(table: Any) -> Any:
    import pandas
    from bson import json_util

    records = _with_plain_strings(table).to_dict(orient="records")
    missing = (pandas.NaT, pandas.NA)
    rows = [
        {name: None if any(item is null for null in missing) else item for name, item in row.items()}
        for row in records
    ]
    return "bson_table", json_util.dumps(rows).encode("utf-8")


def _table_parquet(table: Any) -> Any:
    """Parquet where Arrow can hold every column and is installed, else the original's JSON."""
    try:
        import pyarrow
    except ImportError:
        return _table_json(table)
    buffer = io.BytesIO()
    try:
        # Older pyarrow writes version 2.4, which has no nanoseconds, unless told otherwise.
        table.to_parquet(buffer, engine="pyarrow", compression="zstd", version="2.6", index=False)
    except pyarrow.lib.ArrowException:
        return _table_json(table)
    return "parquet", buffer.getvalue()


def _with_plain_strings(table: Any) -> Any:
    """Columns of pandas 3's ``str`` dtype as objects: what the original's pandas writes and reads."""
    names = [name for name, dtype in table.dtypes.items() if str(dtype) == "str"]
    return table.astype(dict.fromkeys(names, object)) if names else table


def _schema(table: Any, serialization_type: str) -> List[Dict[str, str]]:
    table = table if serialization_type == "parquet" else _with_plain_strings(table)
    return [{name: str(dtype)} for name, dtype in table.dtypes.items()]


def _read_table(data: bytes) -> Any:
    import pandas

    return pandas.read_json(io.StringIO(data.decode("utf-8")), orient="table")


def _read_bson(data: bytes) -> Any:
    import pandas
    from bson import json_util

    return pandas.DataFrame(json_util.loads(data.decode("utf-8")))


def read_parquet(data: bytes) -> Any:
    """The table in the bytes of a Parquet file."""
    import pandas
    import pyarrow

    # Not BytesIO: Arrow's threads would let go of it when the interpreter may be ending, which aborts it.
    return pandas.read_parquet(pyarrow.BufferReader(data), engine="pyarrow")


def _read_pickle(data: bytes) -> Any:
    return unpack_elements(unpickle(data), _READERS)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        # The original pickles the names of serialization types as members of its own enums.
        if module == "aqueduct.constants.enums" and name.endswith("SerializationType"):
            return str
        return super().find_class(module, name)


def _dump_keras(model: Any) -> bytes:
    import tempfile

    # Keras 3 writes its own format only; the original reads HDF5, which Keras 2 writes.
    version = getattr(sys.modules.get("keras"), "__version__", "2")
    name = "model.h5" if version.startswith("2") else "model.keras"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        model.save(path)
        with open(path, "rb") as file:
            return file.read()


def _read_keras(data: bytes) -> Any:
    import tempfile

    try:
        from tensorflow import keras
    except ImportError:
        import keras
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras" if data.startswith(b"PK") else "model.h5")
        with open(path, "wb") as file:
            file.write(data)
        return keras.models.load_model(path)


def _loaded(names: List[str]) -> List[Any]:
    """Those of these classes whose modules are imported; the path is module:attribute."""
    found = []
    for name in names:
        module, _, attribute = name.partition(":")
        kind = getattr(sys.modules.get(module), attribute, None)
        if isinstance(kind, type):
            found.append(kind)
    return found


def _type_of_text(value: str) -> str:
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return "string"
    return "json"


def _type_of_model(value: Any) -> str:
    try:
        dump_pickle(value)
    except Exception:
        return "tensorflow-keras-model"
    return "picklable"


# In this order: classes of packages, built-in classes, and the type or a function that gives it.
_CLASSES: List[Any] = [
    (["pandas:DataFrame"], (), "table"),
    (["PIL.Image:Image"], (), "image"),
    ([], (bytes,), "bytes"),
    ([], (str,), _type_of_text),
    (["numpy:bool_"], (bool,), "boolean"),
    # A subclass of numpy's number that JSON cannot hold.
    (["numpy:complexfloating"], (), "picklable"),
    (["numpy:number"], (int, float), "numeric"),
    ([], (dict,), "dictionary"),
    ([], (tuple,), "tuple"),
    ([], (list,), "list"),
    (["keras:Model", "tensorflow.keras:Model"], (), _type_of_model),
]

_WRITERS: Dict[str, Any] = {
    "boolean": ("json", _dump_scalar),
    "numeric": ("json", _dump_scalar),
    "string": ("string", _dump_string),
    "json": ("string", _dump_string),
    "bytes": ("bytes", bytes),
    "image": ("image", dump_image),
    "tensorflow-keras-model": ("tensorflow-keras-model", _dump_keras),
}

_TABLE_WRITERS = {"table": _table_json, "bson_table": _table_bson, "parquet": _table_parquet}

_READERS: Dict[str, Callable[[bytes], Any]] = {
    "table": _read_table,
    "bson_table": _read_bson,
    "parquet": read_parquet,
    "json": json.loads,
    "pickle": _read_pickle,
    "string": lambda data: data.decode("utf-8"),
    "bytes": bytes,
    "image": open_image,
    "tensorflow-keras-model": _read_keras,
}

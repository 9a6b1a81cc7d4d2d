"""Encode values as bytes and decode them, for every artifact type (Aqueduct formats, section 4).

In: a Python value, or bytes with the types that their metadata names. Out: the other. There are two dialects.
In the compiled one the bytes are those of the original system, so that each side reads what the other wrote.
In the native one a value comes back as it was: an encoding is used because the value survives it. Packages
are imported when a value needs them; only a process that has imported pandas can have a DataFrame.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Tuple

from .codec_error import CodecError as CodecError
from .codec_error import describe as describe
from .exact_json import dump_numpy_scalar, is_numpy_scalar, load_numpy_scalar, survives_json
from .frame_kinds import check_columns
from .frames import as_view, is_frame, preview_frame, read_frame, write_frame
from .images import dump_jpeg, dump_lossless, open_image
from .keras_models import dump_keras, read_keras
from .original_tables import read_bson, read_json, same_as_bson, schema_of, write_bson, write_json
from .pickles import (
    Pickler,
    data_only,
    dump_exact,
    dump_pickle,
    is_container,
    pack_elements,
    unpack_elements,
    unpickle,
)

# How tables are stored says which dialect it is: the original's JSON, or Parquet.
COMPILED, NATIVE = "table", "parquet"

# The serialization types of numbers, text and JSON, which everybody can read.
PLAIN = ("json", "string", "numpy-scalar")
# Those of tables that can be looked at without unpickling; a table may also be a pickle.
TABLES = ("table", "parquet", "bson_table")

# The current version of a codec, where it is not the first; stored names never change their meaning.
_VERSIONS = {"parquet": 3}


@dataclass(frozen=True)
class Encoded:
    """A value as it is stored, with the facts that its metadata needs.

    :param data: its bytes; none when they are in a file.
    :param path: of that file, where it is kept.
    """

    data: bytes
    artifact_type: str
    serialization_type: str
    python_type: str
    schema: List[Dict[str, str]] = field(default_factory=list)
    path: Optional[str] = None

    @property
    def encoding(self) -> str:
        """Return the codec and its version, ``parquet/v3``."""
        return encoding_of(self.serialization_type)


def encoding_of(serialization_type: str) -> str:
    """Return the codec and version with which a serialization type is written now."""
    return f"{serialization_type}/v{_VERSIONS.get(serialization_type, 1)}"


def infer_type(value: Any) -> str:
    """Return the artifact type of ``value``; ``picklable``, which :func:`encode` tries, if none fits."""
    for names, types, kind in _CLASSES:
        if isinstance(value, types + tuple(_loaded(names))):
            return str(kind(value) if callable(kind) else kind)
    return "table" if is_frame(value) else "picklable"


def accepted_type(value: Any, expected: str) -> str:
    """Return the artifact type under which ``value`` is stored where ``expected`` is asked for.

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
    value: Any,
    artifact_type: str,
    tables: str = COMPILED,
    pickler: Optional[Pickler] = None,
    *,
    from_mongodb: bool = False,
    path: Optional[str] = None,
) -> Encoded:
    """``value`` as it is stored.

    :param artifact_type: one that :func:`infer_type` or :func:`accepted_type` gave for it.
    :param tables: the dialect: ``table``, the original's, or ``parquet``, the native one.
    :param pickler: pickles what has no other form; None: as the dialect does.
    :param from_mongodb: whether it was made of a table that came from MongoDB, whose JSON keeps its types.
    :param path: a file that the bytes are written to; None: they are returned.
    :raises CodecError: when it cannot be stored.
    :raises ImportError: when the environment lacks a package that storing it needs.
    """
    try:
        write, dump = (_native, dump_exact) if tables == NATIVE else (_compiled, dump_pickle)
        kind, data, schema = write(value, artifact_type, pickler or dump, from_mongodb, path)
        if path is not None and data is not None:
            with open(path, "wb") as file:
                file.write(data)
            data = None
    except (CodecError, MemoryError, ImportError):
        raise
    except Exception as exc:
        raise CodecError(f"cannot be stored as {artifact_type}: {describe(exc)}") from exc
    return Encoded(data or b"", artifact_type, kind, type(value).__name__, schema)


def decode(data: bytes, serialization_type: str, artifact_type: str, view: str = "") -> Any:
    """Return the stored value.

    :param view: for tables: as which library's frame, one of ``frames.VIEWS``; empty: as what it was.
    :raises CodecError: when the bytes are not what the types say; the cause is the codec's own error.
    :raises ImportError: when the environment lacks a package that reading it needs.
    """
    if serialization_type == "parquet":
        return _guarded(serialization_type, lambda: read_frame(data, view))
    reader = _READERS.get(serialization_type)
    if reader is None:
        raise CodecError(f"has the unknown serialization type {serialization_type!r}")
    value = _guarded(serialization_type, lambda: reader(data))
    if serialization_type == "pickle" and artifact_type != "dictionary":
        value = _guarded(serialization_type, lambda: unpack_elements(value, _ELEMENT_READERS))
    if artifact_type == "table" and view:
        value = _guarded(serialization_type, lambda: as_view(value, view))
    return tuple(value) if artifact_type == "tuple" and type(value) is list else value


def plain_value(data: bytes, serialization_type: str) -> Any:
    """Return the number, text or JSON value in the bytes; None for anything else."""
    if serialization_type == "numpy-scalar":
        return json.loads(data)["value"]
    return _READERS[serialization_type](data) if serialization_type in PLAIN else None


def preview_table(data: bytes, serialization_type: str) -> Any:
    """Return a table as a DataFrame of pandas to look at, without running any code in it.

    :param serialization_type: one of :data:`TABLES`.
    :raises CodecError: the bytes are not such a table.
    """
    read = preview_frame if serialization_type == "parquet" else _READERS[serialization_type]
    with data_only():
        return _guarded(serialization_type, lambda: read(data))


def decode_file(path: str, serialization_type: str, artifact_type: str, view: str = "") -> Any:
    """Return the value in a file, which must exist as long as the value is used; see :func:`decode`."""
    if serialization_type == "parquet":
        return _guarded(serialization_type, lambda: read_frame(path, view))
    with open(path, "rb") as file:
        return decode(file.read(), serialization_type, artifact_type, view)


def _guarded(serialization_type: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (CodecError, MemoryError, ImportError):
        raise
    except Exception as exc:
        raise CodecError(f"cannot be read as {serialization_type}: {describe(exc)}") from exc


# Serialization type, bytes (None when they went to the file), and the columns of tables.
Stored = Tuple[str, Optional[bytes], List[Dict[str, str]]]


# --- the native dialect: a value comes back as it was


def _native(
    value: Any, artifact_type: str, pickler: Pickler, from_mongodb: bool, path: Optional[str]
) -> Stored:
    if artifact_type == "table":
        if from_mongodb and same_as_bson(value):
            return "bson_table", write_bson(value), schema_of(value)
        return write_frame(value, path, pickler)
    return (*_NATIVE_WRITERS.get(artifact_type, _exact_pickle)(value, pickler), [])


def _exact_json(value: Any, pickler: Pickler) -> Tuple[str, bytes]:
    if survives_json(value):
        return "json", json.dumps(value).encode()
    if is_numpy_scalar(value):
        return "numpy-scalar", dump_numpy_scalar(value)
    return _exact_pickle(value, pickler)


def _exact_text(value: str, pickler: Pickler) -> Tuple[str, bytes]:
    if type(value) is str:
        try:
            return "string", value.encode("utf-8")
        except UnicodeEncodeError:
            pass  # Surrogates, which UTF-8 cannot hold.
    return _exact_pickle(value, pickler)


def _exact_bytes(value: bytes, pickler: Pickler) -> Tuple[str, bytes]:
    return ("bytes", value) if type(value) is bytes else _exact_pickle(value, pickler)


def _exact_list(value: Any, pickler: Pickler) -> Tuple[str, bytes]:
    """Encode a list or tuple; tables and images in it use their own codecs."""
    if survives_json(value):
        return "json", json.dumps(value).encode()
    if type(value) not in (list, tuple) or any(map(is_container, value)) or _has_twice(value):
        return _exact_pickle(value, pickler)

    def element(item: Any) -> Tuple[str, bytes]:
        if infer_type(item) in ("table", "image"):
            made = encode(item, infer_type(item), NATIVE, pickler)
            return made.serialization_type, made.data
        return "pickle", pickler(item)

    if any(infer_type(item) in ("table", "image") for item in value):
        return "pickle", pack_elements(value, element)
    return _exact_pickle(value, pickler)


def _has_twice(value: Any) -> bool:
    """Return whether an object occurs as several elements; only one common pickle keeps that."""
    ids = [id(item) for item in value if not isinstance(item, (str, bytes, int, float, type(None)))]
    return len(set(ids)) < len(ids)


def _exact_pickle(value: Any, pickler: Pickler) -> Tuple[str, bytes]:
    return "pickle", pickler(value)


def _keras(value: Any, _: Pickler) -> Tuple[str, bytes]:
    return "tensorflow-keras-model", dump_keras(value)


_NATIVE_WRITERS: Dict[str, Callable[[Any, Pickler], Tuple[str, bytes]]] = {
    "boolean": _exact_json,
    "numeric": _exact_json,
    "dictionary": _exact_json,
    "list": _exact_list,
    "tuple": _exact_list,
    "string": _exact_text,
    "json": _exact_text,
    "bytes": _exact_bytes,
    "image": dump_lossless,
    "tensorflow-keras-model": _keras,
}


# --- the compiled dialect: what the original wrote


def _compiled(
    value: Any, artifact_type: str, pickler: Pickler, from_mongodb: bool, _: Optional[str]
) -> Stored:
    if artifact_type == "table":
        return _original_table(value, from_mongodb)
    if artifact_type in ("dictionary", "list", "tuple"):
        return (*_original_collection(value, artifact_type, pickler, from_mongodb), [])
    if artifact_type == "picklable":
        return "pickle", pickler(value), []
    serialization_type, write = _ORIGINAL_WRITERS[artifact_type]
    return serialization_type, write(value), []


def _original_table(value: Any, from_mongodb: bool) -> Stored:
    if not hasattr(value, "to_json"):
        raise CodecError(
            f"is a {type(value).__module__}.{type(value).__qualname__}: flows of the original know tables of "
            "pandas only, so return a pandas.DataFrame"
        )
    check_columns(list(value.columns))
    kind, write = ("bson_table", write_bson) if from_mongodb else ("table", write_json)
    return kind, write(value), schema_of(value)


def _original_collection(
    value: Any, artifact_type: str, pickler: Pickler, from_mongodb: bool
) -> Tuple[str, bytes]:
    try:
        return "json", json.dumps(value).encode()
    except (TypeError, ValueError, RecursionError):
        pass
    if artifact_type == "dictionary":
        return "pickle", pickler(value)

    def element(item: Any) -> Tuple[str, bytes]:
        kind = infer_type(item)
        # As JSON, an inner tuple would come back as a list.
        if kind in ("dictionary", "list", "tuple"):
            return "pickle", pickler(item)
        made = encode(item, kind, COMPILED, pickler, from_mongodb=from_mongodb)
        return made.serialization_type, made.data

    return "pickle", pack_elements(value, element)


def _dump_scalar(value: Any) -> bytes:
    return json.dumps(value.item() if hasattr(value, "item") else value).encode()


def _dump_string(value: str) -> bytes:
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise CodecError(f"is text that UTF-8 cannot hold: {exc.reason} at position {exc.start}") from exc


_ORIGINAL_WRITERS: Dict[str, Any] = {
    "boolean": ("json", _dump_scalar),
    "numeric": ("json", _dump_scalar),
    "string": ("string", _dump_string),
    "json": ("string", _dump_string),
    "bytes": ("bytes", bytes),
    "image": ("image", dump_jpeg),
    "tensorflow-keras-model": ("tensorflow-keras-model", dump_keras),
}


# --- inference and reading


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

_READERS: Dict[str, Callable[[bytes], Any]] = {
    "table": read_json,
    "bson_table": read_bson,
    "json": json.loads,
    "numpy-scalar": load_numpy_scalar,
    "pickle": unpickle,
    "string": lambda data: data.decode("utf-8"),
    "bytes": bytes,
    "image": open_image,
    "tensorflow-keras-model": read_keras,
}

_ELEMENT_READERS: Dict[str, Callable[[bytes], Any]] = {
    **_READERS,
    "parquet": read_frame,
    "pickle": lambda data: unpack_elements(unpickle(data), _ELEMENT_READERS),
}

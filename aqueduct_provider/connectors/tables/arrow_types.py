"""Reduce Arrow's many types to the few that databases have, and convert arrays to them.

In: a field, or an array, of a table that is to be loaded. Out: its kind, for which ``column_types.py`` has a
column type in each dialect, and the array as what that kind holds.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqueduct_provider.connectors.tables.model import KIND
from aqueduct_provider.errors import LoadRefused

if TYPE_CHECKING:
    import pyarrow

# By the name of the Arrow type, without what follows in brackets: the kind, and the type of its arrays.
_PLAIN = {
    "null": ("text", "string"),
    "bool": ("bool", "bool"),
    "int8": ("int16", "int16"),
    "int16": ("int16", "int16"),
    "int32": ("int32", "int32"),
    "int64": ("int64", "int64"),
    "uint8": ("int16", "int16"),
    "uint16": ("int32", "int32"),
    "uint32": ("int64", "int64"),
    "halffloat": ("float32", "float32"),
    "float": ("float32", "float32"),
    "double": ("float64", "float64"),
    "string": ("text", "string"),
    "large_string": ("text", "large_string"),
    "string_view": ("text", "large_string"),
    "binary": ("binary", "binary"),
    "large_binary": ("binary", "large_binary"),
    "binary_view": ("binary", "large_binary"),
    "fixed_size_binary": ("binary", "binary"),
    "date32": ("date", "date32"),
    "date64": ("date", "date32"),
    "time32": ("time", "time64[us]"),
    "time64": ("time", "time64[us]"),
    # Nanoseconds, as pandas writes durations.
    "duration": ("int64", "int64"),
}
_EXTENSIONS = {"arrow.json": "json", "arrow.uuid": "uuid"}


@dataclass(frozen=True)
class Plain:
    """A column as a database sees it.

    :param kind: which row of the tables of types in ``sql/column_types.py`` it is.
    :param type: of its arrays; those of kind ``nested`` stay as they are.
    """

    kind: str
    type: pyarrow.DataType


def plain(field: pyarrow.Field) -> Plain:
    """Return the kind that a field is for a database.

    :raises LoadRefused: databases have nothing like it.
    """
    import pyarrow as pa

    if is_pickled(field):
        raise pickled_column(field.name)
    bare = _bare_type(field.type)
    if pa.types.is_nested(bare):
        return Plain("nested", bare)
    if pa.types.is_decimal(bare):
        return Plain("decimal", _decimal(bare.precision, bare.scale))
    if pa.types.is_uint64(bare):
        return Plain("decimal", pa.decimal128(20, 0))
    if pa.types.is_timestamp(bare):
        return Plain(
            "timestamptz" if bare.tz else "timestamp", pa.timestamp("us", "UTC" if bare.tz else None)
        )
    kind, name = _PLAIN.get(str(bare).partition("[")[0], ("", ""))
    if not kind:
        raise LoadRefused(
            f"Column {field.name!r} is of type {field.type}, for which databases have no type: convert it "
            "before it is saved, such as to text."
        )
    special = _special_kind(field)
    if special and kind in ("text", "binary"):
        return Plain(special, pa.string() if kind == "binary" else pa.type_for_alias(name))
    return Plain(kind, pa.type_for_alias(name))


def is_pickled(field: pyarrow.Field) -> bool:
    """Return whether the cells of a stored column are Python objects that only Python reads."""
    return (field.metadata or {}).get(KIND) == b"pickle"


def pickled_column(name: str) -> LoadRefused:
    """Return the error for such a column."""
    return LoadRefused(
        f"Column {name!r} holds Python objects that are not numbers, text, bytes, dates, or lists or dicts "
        "of these: convert it before it is saved, such as to text, or drop it."
    )


def pickled_table() -> LoadRefused:
    """Return the error for a table that was stored as one Python object."""
    return LoadRefused(
        "The table is stored as a Python object, because Parquet cannot keep one of its columns, its index, "
        "or its own class: convert it to a plain DataFrame of numbers, text and dates before it is saved."
    )


def converted(array: Any, target: pyarrow.DataType) -> Any:
    """Convert an array to the type that :func:`plain` gave, or to text.

    :raises pyarrow.ArrowException: a value does not fit.
    """
    import pyarrow as pa
    from pyarrow import types

    if isinstance(array, pa.ExtensionArray) and array.type.extension_name == "arrow.uuid":
        return pa.array([None if value is None else str(value) for value in array.to_pylist()], target)
    array = _bare_array(array)
    if array.type == target:
        return array
    if types.is_string(target) and types.is_nested(array.type):
        return as_json(array)
    if types.is_string(target) and types.is_decimal(array.type):
        return pa.array([None if value is None else f"{value:f}" for value in array.to_pylist()], target)
    if types.is_duration(array.type):
        return array.cast(pa.duration("ns")).cast(target)
    # What is finer than microseconds is cut off.
    return array.cast(target, safe=not types.is_temporal(array.type) and not types.is_nested(array.type))


def as_json(array: pyarrow.Array) -> pyarrow.Array:
    """Return lists, structs and maps as JSON text; decimals and times are strings in it, bytes are Base64."""
    import pyarrow as pa

    values = array.to_pylist(maps_as_pydicts="lossy")
    strings = [None if value is None else json.dumps(_json(value), ensure_ascii=False) for value in values]
    return pa.array(strings, pa.string())


def as_text(array: pyarrow.Array) -> pyarrow.Array:
    """Cells that are JSON, each a number, a truth value or text, as plain text."""
    import pyarrow as pa

    cells = [None if text is None else json.loads(text) for text in array.to_pylist()]
    return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())


def without_nan(array: pyarrow.Array) -> pyarrow.Array:
    """Replace NaN by NULL, as pandas writes it.

    :raises ValueError: a number is infinite.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.any(pc.is_inf(array)).as_py():
        raise ValueError("it has no infinite numbers")
    return pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _special_kind(field: pyarrow.Field) -> str:
    """``json`` or ``uuid``, for fields that say so."""
    if name := getattr(field.type, "extension_name", ""):
        return _EXTENSIONS.get(name, "")
    kind: bytes = (field.metadata or {}).get(KIND, b"")
    return {b"json": "json", b"bson": "json", b"uuid": "uuid"}.get(kind, "")


def _decimal(precision: int, scale: int) -> pyarrow.DataType:
    """SQL knows no scale below zero, and none above the precision."""
    import pyarrow as pa

    precision = max(precision - min(scale, 0), scale)
    return (pa.decimal128 if precision <= 38 else pa.decimal256)(precision, max(scale, 0))


def _bare_type(found: pyarrow.DataType) -> pyarrow.DataType:
    """Without extensions, dictionaries and runs."""
    import pyarrow as pa
    from pyarrow import types

    if isinstance(found, pa.BaseExtensionType):
        return _bare_type(found.storage_type)
    if types.is_dictionary(found) or types.is_run_end_encoded(found):
        return _bare_type(found.value_type)
    return found


def _bare_array(array: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(array, pa.ExtensionArray):
        return _bare_array(array.storage)
    if isinstance(array, pa.DictionaryArray):
        return _bare_array(array.dictionary_decode())
    if isinstance(array, pa.RunEndEncodedArray):
        return _bare_array(pc.run_end_decode(array))
    return array

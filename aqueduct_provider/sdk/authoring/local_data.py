"""A file on this machine as a parameter's default (``create_param(..., use_local=True)``).

The original's files are read: pickles of collections and objects, JSON of numbers and truth values, tables as
JSON with a schema. Where it read a pickle, JSON will do here, too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.sdk.enums import ArtifactType
from aqueduct_provider.storage.files import expanded

_FORMATS = {"csv": "CSV", "json": "JSON", "parquet": "Parquet"}
_TYPES = tuple(kind.value for kind in ArtifactType if kind is not ArtifactType.UNTYPED)
# Types of which a data system has the same files.
_AS_IN_A_BUCKET = ("table", "image", "json", "bytes")
_SERIALIZATIONS = {"string": "string", "tensorflow-keras-model": "tensorflow-keras-model"}
# What every pickle since Python 3.0 begins with, and no JSON.
_PICKLE = b"\x80"


def read_local(path: Any, as_type: str | None, format: str | None) -> Any:
    """Return the value in a local file.

    :param as_type: what it is, of ``ArtifactType``.
    :param format: of a table: ``csv``, ``json`` or ``parquet``, in any case.
    :raises AuthoringError: type, format or file cannot be used.
    """
    from aqueduct_provider.runner.codecs import CodecError

    kind = str(getattr(as_type, "value", as_type or ""))
    if kind not in _TYPES:
        found = f"as_type is {kind!r}" if kind else "as_type is missing"
        raise AuthoringError(
            f"{found}: with use_local=True it says what the file holds: one of {', '.join(_TYPES)}."
        )
    wanted = _FORMATS.get(str(getattr(format, "value", format or "")).lower(), "")
    if kind == "table" and not wanted:
        raise AuthoringError(f"format is {format!r}: a local table is one of {', '.join(_FORMATS)}.")
    if not isinstance(path, str | Path):
        raise AuthoringError(
            f"With use_local=True default is the path of a file, not a {type(path).__name__}."
        )
    try:
        return _read(expanded(path).read_bytes(), str(path), kind, wanted)
    except OSError as error:
        raise AuthoringError(f"The local file {str(path)!r} cannot be read: {error.strerror}.") from error
    except CodecError as error:
        raise AuthoringError(str(error)) from error
    except ImportError as error:
        raise AuthoringError(
            f"Reading {str(path)!r} needs the module {error.name or error}: install its package."
        ) from error


def _read(data: bytes, name: str, kind: str, table_format: str) -> Any:
    """Return the value in a file.

    :param name: how error messages call the file.
    :raises CodecError: it holds anything else.
    """
    from aqueduct_provider.runner.codecs import CodecError, accepted_type, decode
    from aqueduct_provider.runner.file_formats import read_file

    if kind in _AS_IN_A_BUCKET and not _has_schema(data, kind, table_format):
        return read_file(data, name, kind, table_format)
    serialization = "pickle" if data.startswith(_PICKLE) else "json"
    if kind == "table":
        serialization = "table"
    try:
        value = decode(data, _SERIALIZATIONS.get(kind, serialization), kind)
        accepted_type(value, "untyped" if kind == "picklable" else kind)
    except CodecError as error:
        raise CodecError(f"The file {name} {error}.") from error.__cause__
    return value


def _has_schema(data: bytes, kind: str, table_format: str) -> bool:
    """Return whether it is a table as pandas writes it with ``to_json(orient="table")``."""
    if (kind, table_format) != ("table", "JSON"):
        return False
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() == {"schema", "data"}

"""Convert between files of data systems and values (Aqueduct formats, section 6, S3 extract and load).

In: a file's bytes with what it is to be read as, or a value with its artifact type. Out: the other.
These are not artifact codecs: a string lies in a pickle here, a table in CSV, JSON or Parquet. Files
written by the original are read, and the other way round. Standard library only at module level.
"""

from __future__ import annotations

import io
import json
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from .codec_error import CodecError, describe
from .codecs import accepted_type, infer_type
from .frame_kinds import check_columns
from .frames import read_parquet
from .images import dump_image_file, open_image
from .pickles import dump_pickle, pack_elements, unpack_elements, unpickle

_PICKLED = ("string", "boolean", "numeric", "dictionary", "list", "tuple", "picklable")


def read_file(data: bytes, key: str, artifact_type: str, table_format: str) -> Any:
    """Return the value in a file.

    :param key: how error messages call the file.
    :param artifact_type: what it must be.
    :param table_format: ``CSV``, ``JSON`` or ``Parquet`` for tables.
    :raises CodecError: when it is anything else; the message names the key.
    """
    try:
        value = _READERS[_file_kind(artifact_type, table_format)](data)
        if artifact_type in _PICKLED[:-1]:
            accepted_type(value, artifact_type)
    except CodecError as exc:
        raise CodecError(f"The file {key} {exc}.") from exc.__cause__
    except (MemoryError, ImportError):
        raise
    except Exception as exc:
        what = f"{artifact_type} ({table_format})" if artifact_type == "table" else artifact_type
        raise CodecError(f"The file {key} cannot be read as {what}: {describe(exc)}.") from exc
    return value


def merge_tables(tables: List[Any]) -> Any:
    """Concatenate the rows of all into one table.

    :raises CodecError: when there is none, or one of them is not a table.
    """
    if not tables or any(infer_type(table) != "table" for table in tables):
        raise CodecError("Only tables can be merged, and at least one file is needed.")
    import pandas

    return pandas.concat(tables, ignore_index=True)


def write_file(value: Any, artifact_type: str, table_format: str, image_suffix: str = "") -> bytes:
    """Write the file of a load for ``value``.

    :param image_suffix: of the file, ``.png``; empty: images become JPEG, as in the original.
    :raises CodecError: when the value cannot be written so.
    """
    try:
        return _encode(value, artifact_type, _Formats(table_format, image_suffix))[1]
    except (CodecError, MemoryError, ImportError):
        raise
    except Exception as exc:
        what = table_format if artifact_type == "table" else artifact_type
        raise CodecError(f"cannot be written as {what}: {describe(exc)}") from exc


class _Formats(NamedTuple):
    """In what formats tables and images are written; see :func:`write_file`."""

    table: str
    image_suffix: str


def _encode(value: Any, artifact_type: str, formats: _Formats) -> Tuple[str, bytes]:
    if artifact_type in ("list", "tuple"):
        return "pickle", pack_elements(value, lambda element: _encode_element(element, formats))
    kind = _file_kind(artifact_type, formats.table)
    if kind == "image":
        return kind, dump_image_file(value, formats.image_suffix)
    return kind, _WRITERS[kind](value)


def _encode_element(value: Any, formats: _Formats) -> Tuple[str, bytes]:
    kind = infer_type(value)
    if kind in ("list", "tuple"):
        return "pickle", dump_pickle(value)
    return _encode(value, kind, formats)


def _file_kind(artifact_type: str, table_format: str) -> str:
    """Return the name of the file format for this type, in the original's containers too."""
    if artifact_type == "table":
        kind = f"{table_format.lower()}_table"
        if kind not in _WRITERS:
            raise CodecError("is a table, so its format is needed: CSV, JSON or Parquet")
        return kind
    kind = "pickle" if artifact_type in _PICKLED else artifact_type
    if kind != "image" and kind not in _WRITERS:
        raise CodecError(f"has the type {artifact_type}, which has no file format")
    return kind


def _read_csv(data: bytes) -> Any:
    import pandas

    return pandas.read_csv(io.BytesIO(data))


def _read_json_table(data: bytes) -> Any:
    import pandas

    return pandas.read_json(io.BytesIO(data))


def _read_json(data: bytes) -> str:
    text = data.decode("utf-8")
    json.loads(text)
    return text


def _read_pickle(data: bytes) -> Any:
    return unpack_elements(unpickle(data), _READERS)


def _write_csv(table: Any) -> bytes:
    text: str = table.to_csv(index=False)
    return text.encode("utf-8")


def _write_json_table(table: Any) -> bytes:
    text: str = table.reset_index(drop=True).to_json()
    return text.encode("utf-8")


def _write_parquet(table: Any) -> bytes:
    check_columns(list(table.columns))
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


_READERS: Dict[str, Callable[[bytes], Any]] = {
    "csv_table": _read_csv,
    "json_table": _read_json_table,
    "parquet_table": read_parquet,
    "json": _read_json,
    "bytes": bytes,
    "image": open_image,
    "pickle": _read_pickle,
}

_WRITERS: Dict[str, Callable[[Any], bytes]] = {
    "csv_table": _write_csv,
    "json_table": _write_json_table,
    "parquet_table": _write_parquet,
    "json": lambda text: text.encode("utf-8"),
    "bytes": bytes,
    "pickle": dump_pickle,
}

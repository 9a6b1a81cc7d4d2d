"""Artifacts as people read them, as programs read them, and as files.

In: where an artifact lies. Out: text, a JSON document, or the bytes of a file. Only tables and images are
decoded; pickles, those in the cells of tables too, are never loaded here. Must not import at module level:
the SDK, pandas, PIL.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.cli.command import UsageError
from aqueduct_provider.runner.codecs import PLAIN, TABLES, CodecError, plain_value, preview_table

if TYPE_CHECKING:
    from aqueduct_provider.sdk.reading.stored import StoredSource

_JPEG = (".jpg", ".jpeg")
_ROWS = 60


def text_of(source: StoredSource) -> str:
    """An artifact for people: its value; of what is no text, what it is and how large."""
    serialization = _serialization(source)
    if serialization in TABLES:
        return _table_text(_table(source))
    if serialization == "string":
        return source.content().decode("utf-8")
    if serialization in PLAIN:
        return json.dumps(plain_value(source.content(), serialization), indent=2, ensure_ascii=False)
    size = f"{len(source.content()):,} bytes"
    return f"{source.name}: {source.type}, {size}; write it to a file with -o FILE"


def document_of(source: StoredSource) -> dict[str, Any]:
    """An artifact for programs; the value of what JSON cannot hold is null."""
    serialization, data = _serialization(source), source.content()
    value: Any = None
    if serialization in TABLES:
        value = json.loads(_table_file(_table(source), ".json"))
    else:
        value = plain_value(data, serialization)
    return {
        "name": source.name,
        "type": source.type,
        "serialization_type": serialization,
        "size": len(data),
        "value": value,
    }


def file_of(source: StoredSource, suffix: str) -> bytes:
    """The bytes of a file with this suffix; empty: as they are shown best on stdout.

    :raises UsageError: there is no such file of a table or an image.
    """
    serialization = _serialization(source)
    if serialization in TABLES:
        if (serialization, suffix) == ("parquet", ".parquet"):
            return source.content()
        return _table_file(_table(source), suffix or ".csv")
    if serialization == "image" and suffix and suffix not in _JPEG:
        return _image_file(source.value(), suffix)
    return source.content()


def check_target(target: str, *, force: bool) -> None:
    """Whether a file may be written there, asked before anything is fetched.

    :param target: a path, or ``-``.
    :param force: replace a file that is there.
    :raises UsageError: there is one.
    """
    if target != "-" and Path(target).exists() and not force:
        raise UsageError(f"{target} is there already; repeat with --force to replace it")


def write(data: bytes, target: str) -> None:
    """Write to a file, which appears whole, or to stdout.

    :param target: a path, or ``-``.
    :raises UsageError: it cannot be written.
    """
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    from aqueduct_provider.storage.files import replacing

    try:
        with replacing(Path(target)) as file:
            file.write(data)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}; check the folder") from error


def _serialization(source: StoredSource) -> str:
    return str(source.known_metadata()["serialization_type"])


def _table(source: StoredSource) -> Any:
    try:
        return preview_table(source.content(), _serialization(source))
    except CodecError as error:
        raise UsageError(f"{source.name} {error}") from error


def _table_text(table: Any) -> str:
    rows, columns = table.shape
    return f"{table.to_string(max_rows=_ROWS, index=False)}\n\n{rows} rows x {columns} columns"


def _table_file(table: Any, suffix: str) -> bytes:
    if suffix == ".csv":
        return str(table.to_csv(index=False)).encode("utf-8")
    if suffix == ".json":
        return str(table.to_json(orient="records", date_format="iso")).encode("utf-8")
    if suffix == ".parquet":
        buffer = io.BytesIO()
        table.to_parquet(buffer, engine="pyarrow", index=False)
        return buffer.getvalue()
    raise UsageError(f"a table is written as .csv, .parquet or .json, not as {suffix!r}")


def _image_file(image: Any, suffix: str) -> bytes:
    from PIL import Image

    kind = Image.registered_extensions().get(suffix)
    if kind not in Image.SAVE:
        raise UsageError(f"an image cannot be written as {suffix!r}; use .jpg or .png")
    buffer = io.BytesIO()
    image.save(buffer, format=kind)
    return buffer.getvalue()

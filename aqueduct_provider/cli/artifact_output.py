"""Show artifacts in terminals, as JSON for programs, and as files.

In: the source of an artifact. Out: text, a JSON document, or the bytes of a file. Only tables and images are
decoded; pickles, those in the cells of tables too, are never loaded here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqueduct_provider.cli.command import UsageError
from aqueduct_provider.cli.table_files import json_cell, table_file, table_rows, table_text
from aqueduct_provider.runner.codecs import PLAIN, TABLES, CodecError, describe, plain_value, preview_table

if TYPE_CHECKING:
    from aqueduct_provider.sdk.results.stored_source import StoredSource

_PICKLE = (".pkl", ".pickle")
# Names of files that a pickle of any type is not.
_DATA = (".csv", ".json", ".parquet", ".txt", ".jpg", ".jpeg", ".png", ".tif", ".tiff")


def text_of(source: StoredSource) -> str:
    """Return an artifact for a terminal: its value, or its type and size where it has no text form."""
    serialization = _serialization(source)
    if serialization in TABLES:
        return table_text(_table(source))
    if serialization in PLAIN:
        value = _plain(source, serialization)
        if serialization == "string":
            return str(value)
        with _printable(source):
            return json.dumps(value, indent=2, ensure_ascii=False)
    size = f"{len(source.content()):,} bytes"
    file = "FILE.pkl" if serialization == "pickle" else "FILE"
    return f"{source.name}: {source.type}, {size}; write it to a file with -o {file}"


def document_of(source: StoredSource) -> dict[str, Any]:
    """Return an artifact for programs; the value of what JSON cannot hold is null."""
    serialization, data = _serialization(source), source.content()
    with _printable(source):
        is_table = serialization in TABLES
        value = table_rows(_table(source)) if is_table else json_cell(_plain(source, serialization))
    return {
        "name": source.name,
        "type": source.type,
        "serialization_type": serialization,
        "size": len(data),
        "value": value,
    }


def file_of(source: StoredSource, suffix: str) -> bytes:
    """Return the bytes of a file with this suffix; empty: as they are shown best on stdout.

    :raises UsageError: a table, an image or a pickle cannot be such a file.
    """
    serialization = _serialization(source)
    if serialization == "pickle":
        _check_pickle(source, suffix)
    if serialization in TABLES:
        if (serialization, suffix) == ("parquet", ".parquet"):
            return source.content()
        return table_file(_table(source), suffix or ".csv")
    if serialization == "image" and suffix:
        return _image_file(source, suffix)
    return source.content()


def check_target(target: str, *, force: bool) -> None:
    """Check whether a file may be written there, before anything is fetched.

    :param target: a path, or ``-``.
    :param force: replace an existing file.
    :raises UsageError: there is one.
    """
    if target != "-" and Path(target).exists() and not force:
        raise UsageError(f"{target} already exists; repeat with --force to replace it")


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


def _plain(source: StoredSource, serialization: str) -> Any:
    try:
        value = plain_value(source.content(), serialization)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{source.name} cannot be read as {serialization}: {describe(error)}") from error
    if value is not None:
        source.check_type(value)
    return value


@contextmanager
def _printable(source: StoredSource) -> Iterator[None]:
    """Raise UsageError for a value that is nested too deeply for what is done with it."""
    try:
        yield
    except RecursionError as error:
        raise UsageError(
            f"{source.name} is nested too deeply to be printed; write it to a file with -o FILE"
        ) from error


def _table(source: StoredSource) -> Any:
    try:
        return preview_table(source.content(), _serialization(source))
    except CodecError as error:
        raise UsageError(f"{source.name} {error}") from error


def _image_file(source: StoredSource, suffix: str) -> bytes:
    """Return the stored file where it has this format already, else the image in it, written again."""
    from PIL import Image

    from aqueduct_provider.runner.images import dump_image_file

    kind = Image.registered_extensions().get(suffix)
    if kind not in Image.SAVE:
        raise UsageError(f"an image cannot be written as {suffix!r}; use .jpg or .png")
    image = source.value()
    if image.format == kind:
        return source.content()
    try:
        return dump_image_file(image, suffix)
    except CodecError as error:
        raise UsageError(f"{source.name} {error}") from error


def _check_pickle(source: StoredSource, suffix: str) -> None:
    """Refuse to call a pickle what it is not."""
    is_pickle_by_name = suffix in _PICKLE if source.type != "picklable" else suffix not in _DATA
    if not is_pickle_by_name:
        where = f"to a {suffix} file" if suffix else "to stdout, or to a file without a suffix"
        raise UsageError(
            f"{source.name} ({source.type}) is stored as a pickle, which is not loaded here, so it cannot be "
            f"written {where}: write it with -o FILE.pkl, or get its value in Python with "
            f"run.artifact({source.name!r}).get()"
        )

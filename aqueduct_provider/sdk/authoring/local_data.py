"""A file on this machine as a parameter's default (``create_param(..., use_local=True)``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aqueduct_provider.errors import AuthoringError
from aqueduct_provider.storage.files import expanded

_FORMATS = {"csv": "CSV", "json": "JSON", "parquet": "Parquet"}


def read_local(path: Any, as_type: str | None, format: str | None) -> Any:
    """The table or image in a local file.

    :param as_type: ``ArtifactType.TABLE`` or ``ArtifactType.IMAGE``.
    :param format: of a table: ``csv``, ``json`` or ``parquet``, in any case.
    :raises AuthoringError: type, format or file cannot be used.
    """
    from aqueduct_provider.runner.codecs import CodecError
    from aqueduct_provider.runner.files import read_file

    kind = str(getattr(as_type, "value", as_type or ""))
    if kind not in ("table", "image"):
        found = f"as_type is {kind!r}" if kind else "as_type is missing"
        raise AuthoringError(f"{found}: local data is ArtifactType.TABLE or ArtifactType.IMAGE.")
    wanted = _FORMATS.get((format or "").lower(), "")
    if kind == "table" and not wanted:
        raise AuthoringError(f"format is {format!r}: a local table is one of {', '.join(_FORMATS)}.")
    if not isinstance(path, str | Path):
        raise AuthoringError(
            f"With use_local=True default is the path of a file, not a {type(path).__name__}."
        )
    try:
        return read_file(expanded(path).read_bytes(), str(path), kind, wanted)
    except OSError as error:
        raise AuthoringError(f"The local file {str(path)!r} cannot be read: {error.strerror}.") from error
    except CodecError as error:
        raise AuthoringError(str(error)) from error
    except ImportError as error:
        raise AuthoringError(
            f"Reading {str(path)!r} needs the module {error.name or error}: install its package."
        ) from error

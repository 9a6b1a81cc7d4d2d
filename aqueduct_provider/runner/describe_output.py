"""Describe an output for those who look at it: its value or size, and a preview (see ``OutputInfo``).

In: a value that was just written to its file. Out: a few facts for logs and lists, and what pages show of it.
Both are small JSON. Nothing here fails an operator: what cannot be described is left out.
"""

from __future__ import annotations

import json
import math
import os
import re
from typing import Any, Callable, Dict, Iterator, Optional, Tuple

from .thumbnails import thumbnails

Glance = Dict[str, Any]
Preview = Optional[Dict[str, Any]]

# Characters of a string that is shown in a list, and of a text in a preview.
_LINE, _TEXT = 200, 20_000
# Integers with more digits are not shown.
_DIGITS = 40
_HEADING = re.compile(r"#{1,6} \S")
# The repr of a larger object may take longer than the operator itself.
_REPR_BYTES = 20_000_000


def describe_output(value: Any, kind: str, path: str, *, previews: bool) -> Tuple[Glance, Preview]:
    """Return the facts and the preview of a value.

    :param kind: its artifact type.
    :param path: the file with its bytes.
    :param previews: whether a preview is wanted.
    """
    return _json_or(lambda: _glance(value, kind, path), {}), (
        _json_or(lambda: _preview(value, kind, path), None) if previews else None
    )


def _json_or(describe: Callable[[], Any], otherwise: Any) -> Any:
    """Return what a function describes, unless it fails or is not JSON: neither may spoil the outcome."""
    try:
        found = describe()
        json.dumps(found)
    except Exception:
        return otherwise
    return found


def _glance(value: Any, kind: str, path: str) -> Glance:
    if kind == "table":
        from .table_preview import table_shape

        rows, columns = table_shape(value, path)
        return {"rows": rows, "columns": columns}
    if kind in ("numeric", "boolean"):
        return _scalar(value)
    if kind in ("string", "json"):
        glance: Glance = {"value": value} if len(value) <= _LINE else {"characters": len(value)}
        form = _format(value)
        return {**glance, "format": form} if form else glance
    if kind in ("dictionary", "list", "tuple"):
        return {"items": len(value)}
    if kind == "image":
        return {"width": value.width, "height": value.height}
    return {} if kind == "bytes" else {"class": type(value).__qualname__}


def _preview(value: Any, kind: str, path: str) -> Preview:
    if kind == "table":
        from .table_preview import table_preview

        return table_preview(value, path)
    if kind in ("numeric", "boolean", "bytes"):
        return None
    if kind in ("string", "json"):
        return _text(_indented(value) if kind == "json" else value, kind)
    if kind in ("dictionary", "list", "tuple"):
        return _collection(value, path)
    if kind == "image":
        return {"kind": "image", "width": value.width, "height": value.height}
    return _repr(value, path)


def _format(text: str) -> str:
    """Return ``html`` or ``markdown`` where a text begins as a document of that kind."""
    start = text[:_LINE].lstrip()
    if start.lower().startswith(("<!doctype html", "<html")):
        return "html"
    return "markdown" if _HEADING.match(start) else ""


def _scalar(value: Any) -> Glance:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float) and not math.isfinite(plain):
        # JSON has no such numbers.
        return {"value": str(plain)}
    if isinstance(plain, (bool, float)) or (isinstance(plain, int) and abs(plain) < 10**_DIGITS):
        return {"value": plain}
    return {}


def _indented(text: str) -> str:
    if len(text) > 10 * _TEXT:
        return text
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def _collection(value: Any, path: str) -> Preview:
    if isinstance(value, (list, tuple)):
        images = thumbnails(value)
        if images is not None:
            return images
    if os.path.getsize(path) > _REPR_BYTES:
        return None
    try:
        return _text(_beginning(json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value)), "json")
    except (TypeError, ValueError, RecursionError):
        return _repr(value, path)


def _beginning(pieces: Iterator[str]) -> str:
    """Return a text up to more characters than are shown of it."""
    kept, length = [], 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece)
        if length > _TEXT:
            break
    return "".join(kept)


def _repr(value: Any, path: str) -> Preview:
    return None if os.path.getsize(path) > _REPR_BYTES else _text(repr(value), "repr")


def _text(text: str, kind: str) -> Preview:
    return {
        "kind": "text" if kind == "string" else kind,
        "text": _storable(text[:_TEXT]),
        "cut": len(text) > _TEXT,
    }


def _storable(text: str) -> str:
    """Return text that UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")

"""What logs, lists and pages show of an artifact without reading it: checked, and without secrets.

In: what the child process said of an output, which its user's code may have changed. Out: a ``glance`` for
the manifest in XCom, and a ``preview`` for the artifact's metadata, both small. Nothing is shown of an
artifact or column with the name of a secret, and no value in which a secret was masked.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from aqueduct_provider.artifacts.manifest import ArtifactRef
from aqueduct_provider.artifacts.named_secrets import without_named_secrets
from aqueduct_provider.artifacts.numbers import counted, number, size
from aqueduct_provider.spec.redactor import MASK
from aqueduct_provider.spec.secret_text import is_secret_name

Redact = Callable[[str], str]

# Characters of a string, bytes of a preview.
_LINE = 200
_BYTES = 64_000
# What messages of Airflow's tasks or JSONB of Postgres cannot hold, as they cannot integers of over 64 bits.
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")
_COUNTS = frozenset({"rows", "columns", "items", "characters", "width", "height"})
# As the child process writes them.
_NOT_FINITE = ("nan", "inf", "-inf")
_WORDS = frozenset({"class", "format"})
_KINDS = frozenset({"table", "text", "json", "repr", "image", "images"})


def clean(
    name: str, glance: Mapping[str, Any], preview: Mapping[str, Any] | None, redact: Redact
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return what may be shown of an artifact.

    :param name: the artifact's.
    :param redact: masks the secrets that the task knows.
    """
    if is_secret_name(name):
        return {}, None
    kept = {key: value for key, value in glance.items() if _fits(key, value)}
    shown = {key: value for key, value in kept.items() if not _is_masked(value, redact)}
    return shown, None if preview is None else _clean_preview(preview, redact)


def glance_value(ref: ArtifactRef) -> Any:
    """Return the value that a glance shows, None where it shows none.

    JSON has no NaN and no infinity: a glance has them as words, which become numbers again.
    """
    value = ref.glance.get("value") if isinstance(ref.glance, Mapping) else None
    is_word = ref.artifact_type == "numeric" and value in _NOT_FINITE
    return float(value) if is_word else value  # type: ignore[arg-type]


def output_line(ref: ArtifactRef) -> str:
    """Describe an artifact in a line of a log: ``accuracy = 0.9956 (numeric)``."""
    glance, kind = ref.glance, ref.artifact_type
    if "value" in glance and kind != "json":
        return f"{ref.name} = {shown_value(glance_value(ref))} ({kind})"
    return f"{ref.name}: {described(ref)}"


def described(ref: ArtifactRef) -> str:
    """Describe what was written of an artifact: ``table, 133 rows x 14 columns, 21 kB``."""
    glance, kind = ref.glance, ref.artifact_type
    if kind == "table" and "rows" in glance:
        return f"table, {shape(glance)}, {size(ref.size)}"
    parts = [str(glance["class"])] if "class" in glance else []
    parts.append(str(glance.get("format", kind)))
    if "items" in glance:
        parts.append(counted(glance["items"], "item"))
    if "width" in glance and "height" in glance:
        parts.append(f"{glance['width']} x {glance['height']} pixels")
    return ", ".join([*parts, size(ref.size)])


def shown_value(value: Any) -> str:
    """Return a value of a glance as users read it: numbers rounded, strings in quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else number(value)


def shape(glance: Mapping[str, Any]) -> str:
    """Return the size of a table: ``133 rows x 14 columns``."""
    return f"{counted(glance.get('rows', 0), 'row')} x {counted(glance.get('columns', 0), 'column')}"


def _fits(key: str, value: Any) -> bool:
    if key in _COUNTS:
        return type(value) is int and 0 <= value < 2**63
    if key in _WORDS:
        return _is_line(value)
    if key != "value":
        return False
    if type(value) is int:
        return -(2**63) <= value < 2**63
    return type(value) is bool or (type(value) is float and math.isfinite(value)) or _is_line(value)


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LINE and not _UNSENDABLE.search(value)


def _is_masked(value: Any, redact: Redact) -> bool:
    # A number may be a PIN.
    text = value if isinstance(value, str) else json.dumps(value)
    return redact(text) != text


def _clean_preview(preview: Mapping[str, Any], redact: Redact) -> dict[str, Any] | None:
    kind = preview.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        return None
    document: dict[str, Any] = dict(without_named_secrets(preview))
    while len(text := json.dumps(document)) > _BYTES:
        if not _shorten(document):
            return None
    # Secrets are rare, and one search is faster than thousands.
    if redact(text) == text:
        return document
    masked: dict[str, Any] = _masked(document, redact)
    return masked


def _shorten(document: dict[str, Any]) -> bool:
    """Halve the longest part of a preview; return whether there was one."""
    for name in ("head", "text", "columns", "images"):
        part = document.get(name)
        if isinstance(part, list | str) and len(part) > 1:
            document[name] = part[: len(part) // 2]
            document["cut"] = True
            return True
    return False


def _masked(value: Any, redact: Redact) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_masked(item, redact) for item in value]
    if isinstance(value, dict):
        return {redact(key): _masked(item, redact) for key, item in value.items()}
    return _number(value, redact)


def _number(value: Any, redact: Redact) -> Any:
    return MASK if _is_masked(value, redact) else value

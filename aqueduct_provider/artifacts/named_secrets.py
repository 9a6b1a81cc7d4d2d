"""Hide, in the previews of artifacts, what stands under the name of a secret (pure).

In: a preview as a task wrote it, or an older release, whole or cut. Out: the same preview, where the cells of
such columns, and the values of such keys and fields, are masked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aqueduct_provider.spec.redactor import MASK
from aqueduct_provider.spec.secret_text import is_secret_name

# Of a column with the name of a secret.
_PUBLIC_FACTS = frozenset({"name", "dtype", "nulls", "index"})
# A string of JSON, which the end of a cut text may end; a colon shows that it is a key.
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)(?:"(\s*:\s*)?|$)', re.DOTALL)
# {'key': 'value'} or Class(field=1), as Python shows them.
_FIELD = re.compile(
    r"""\b(?P<name>[\w-]{1,80})(?P<sign>["']?\s?[=:]\s?)"""
    r"""(?P<value>'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|[^\s,()\[\]{}'"]+)"""
)
_EMPTY: tuple[object, ...] = (None, "", [], {})
_EMPTY_WORDS = frozenset({"None", "''", '""'})


def without_named_secrets(preview: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a preview without the values that have the names of secrets.

    :param preview: of any form: the process that wrote it ran the code of users.
    """
    kind, text = preview.get("kind"), preview.get("text")
    if kind == "table":
        return _hide_columns(preview)
    if kind == "json" and isinstance(text, str):
        return {**preview, "text": _mask_members(text)}
    if kind == "repr" and isinstance(text, str):
        return {**preview, "text": _FIELD.sub(_masked_field, text)}
    return preview


def _hide_columns(preview: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a table's preview; columns with the names of secrets keep their names and types alone."""
    columns, head = preview.get("columns"), preview.get("head")
    if not isinstance(columns, list):
        return preview
    places = {
        place
        for place, one in enumerate(columns)
        if isinstance(one, Mapping) and is_secret_name(str(one.get("name", "")))
    }
    if not places:
        return preview
    shown = [
        {key: value for key, value in one.items() if key in _PUBLIC_FACTS} if place in places else one
        for place, one in enumerate(columns)
    ]
    rows = [
        [MASK if place in places and cell is not None else cell for place, cell in enumerate(row)]
        for row in (head if isinstance(head, list) else ())
        if isinstance(row, list)
    ]
    return {**preview, "columns": shown, "head": rows}


def _mask_members(text: str) -> str:
    """Return JSON text with the values of such keys masked; one that is cut is masked to the end."""
    kept, place, end = [], 0, 0
    decoder = json.JSONDecoder()
    while (found := _STRING.search(text, end)) is not None:
        end = found.end()
        if found[2] is None or not is_secret_name(_unescaped(found[1])):
            continue
        begin = end
        try:
            value, end = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            value, end = text[begin:], len(text)
        if value not in _EMPTY:
            kept += [text[place:begin], json.dumps(MASK)]
            place = end
    return "".join([*kept, text[place:]])


def _unescaped(key: str) -> str:
    try:
        return str(json.loads(f'"{key}"', strict=False))
    except ValueError:
        return key


def _masked_field(field: re.Match[str]) -> str:
    is_plain = field["value"] in _EMPTY_WORDS or not is_secret_name(field["name"])
    return field[0] if is_plain else f"{field['name']}{field['sign']}{MASK}"

"""Names that users give, in one Unicode normal form: what looks the same is the same.

A keyboard writes ``é`` as one character, a file system of macOS and some editors as two. Names are normalised
where they come in (specs, the SDK's graph, ``conf``, lookups), so that everything after compares them as they
are. Pure, standard library only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")

# Of a name, in characters. Normalising takes time with the square of the length of a run of accents.
MAX_NAME = 4000


def nfc(name: str) -> str:
    """Return the name in normal form C; what cannot be a name is left to whoever refuses it."""
    if not isinstance(name, str) or name.isascii() or len(name) > MAX_NAME:
        return name
    return unicodedata.normalize("NFC", name)


def nfc_keys(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values under the normal form of their names; of two for one name the later counts."""
    return {nfc(name): values[name] for name in values}

"""The bytes of a spec -> a tree of JSON values, and what is wrong with the text.

JSON readers let through what no spec may hold: repeated keys (the last one wins, and an operator is
lost), NaN, numbers beyond a float, strings that are not Unicode. They are looked for here, once, so that
no later step has to.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aqueduct_provider.errors import Problem, SpecError

MAX_BYTES = 16 * 1024 * 1024
# What takes time and memory is values, not their bytes. A spec of 5,000 operators has some 150,000.
MAX_VALUES = 300_000

# The largest integer that is certain to fit into a float has 308 digits.
_MAX_DIGITS = 308
_MAX_KEY = 80
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Escapes of surrogates and of NUL: the only way that these get into JSON.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SUSPECT_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")

Parts = tuple[str | int, ...]


def json_path(parts: Iterable[str | int]) -> str:
    """Write keys and indices as a JSON path: ``$.task_specs["a b"].inputs[0]``."""
    return "$" + "".join(_step(part) for part in parts)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    key = part if len(part) <= _MAX_KEY else part[:_MAX_KEY] + "..."
    if _PLAIN_KEY.fullmatch(key):
        return f".{key}"
    return f"[{json.dumps(key, ensure_ascii=not key.isprintable())}]"


def content(path: Path) -> bytes:
    """Read the bytes of a file; of one that is too large, enough to see that.

    :raises OSError: it cannot be read.
    """
    # Asked for at most so many bytes, Python makes room for all of them, which takes longer than the reading.
    with path.open("rb", buffering=0) as file:
        too_large = os.fstat(file.fileno()).st_size > MAX_BYTES
        return file.read(MAX_BYTES + 1) if too_large else file.read()


def file_content(path: Path, wanted: str) -> bytes:
    """Return the bytes of a file that a user named; of one that is too large, enough to see that.

    :param wanted: what the user should name.
    :raises SpecError: it is not a file, or cannot be read.
    """
    try:
        # Opening a pipe or a device could wait for ever.
        if path.exists() and not path.is_file():
            raise _unreadable(path.name, f"not a regular file; name {wanted}")
        return content(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file's name"
        message = f"cannot be read: {reason}; check the path and the permissions"
        raise _unreadable(path.name, message) from error


def read(data: bytes, source: str) -> tuple[Any, list[Problem]]:
    """Read the JSON tree of ``data``, and the problems of the text that leave it readable.

    :param source: the name that error messages give it.
    :raises SpecError: it is not JSON, or larger than 16 MiB.
    """
    text = _text(data, source)
    if _has_too_many_values(data):
        message = f"holds more than {MAX_VALUES:,} values; keep large defaults in the artifact store, by key"
        raise _unreadable(source, message)
    reader = _JsonHooks()
    try:
        tree = json.loads(
            text,
            object_pairs_hook=reader.pairs,
            parse_int=reader.integer,
            parse_float=reader.real,
            parse_constant=reader.constant,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _unreadable(source, f"not valid JSON at {where}: {error.msg}; fix the text there") from None
    except RecursionError:
        raise _unreadable(source, TOO_DEEP) from None
    if reader.suspicious or _SUSPECT_ESCAPE.search(text):
        return tree, list(_text_problems(tree))
    return tree, []


def json_value(data: bytes | str) -> Any:
    """Read JSON that others may have written, where anything that cannot be read means the same.

    :raises ValueError: it is not JSON, or nested too deeply for Python to read.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


TOO_DEEP = "objects and lists are nested too deeply to be read; nest at most about 100 levels"


def _text(data: bytes, source: str) -> str:
    if len(data) > MAX_BYTES:
        raise _unreadable(
            source, f"larger than {MAX_BYTES >> 20} MiB; keep large defaults in the artifact store, by key"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(source, f"byte {error.start} is not UTF-8; save the file as UTF-8") from None
    if text.startswith("\ufeff"):
        raise _unreadable(source, "begins with a byte order mark; save the file as UTF-8 without one")
    if not text.strip():
        raise _unreadable(source, "empty; publish the flow again, or delete the file")
    return text


def _has_too_many_values(data: bytes) -> bool:
    """Check by what separates values, for which no tree is needed."""
    signs = (b",", b"[", b"{")
    if sum(map(data.count, signs)) <= MAX_VALUES:
        return False
    bare = _STRING.sub(b"", data)
    return sum(map(bare.count, signs)) > MAX_VALUES


def _unreadable(source: str, message: str) -> SpecError:
    return SpecError(source, [Problem("$", message)])


class _Repeating(dict[str, Any]):
    """An object of which some keys stand more than once."""

    repeated: tuple[str, ...] = ()


class _BadNumber:
    """A number that JSON can spell and specs cannot hold."""


class _JsonHooks:
    """The hooks of one parse; ``suspicious`` is set if the tree must be searched."""

    def __init__(self) -> None:
        self.suspicious = False

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        self.suspicious = True
        result = _Repeating(plain)
        times = Counter(key for key, _ in pairs)
        result.repeated = tuple(key for key, count in times.items() if count > 1)
        return result

    def integer(self, text: str) -> Any:
        return int(text) if len(text) <= _MAX_DIGITS else self.constant(text)

    def real(self, text: str) -> Any:
        value = float(text)
        return value if math.isfinite(value) else self.constant(text)

    def constant(self, _text: str) -> Any:
        self.suspicious = True
        return _BadNumber()


def _text_problems(tree: Any) -> Iterator[Problem]:
    """Search the tree, without recursion, for what the text must not hold."""
    stack: list[tuple[Parts, Any]] = [((), tree)]
    while stack:
        parts, node = stack.pop()
        if isinstance(node, dict):
            yield from _key_problems(parts, node)
            stack.extend(((*parts, key), value) for key, value in reversed(node.items()))
        elif isinstance(node, list):
            stack.extend(((*parts, index), node[index]) for index in reversed(range(len(node))))
        elif isinstance(node, _BadNumber):
            yield Problem(json_path(parts), "not a finite number of at most 308 digits; give one")
        elif isinstance(node, str) and not _is_clean(node):
            yield Problem(json_path(parts), f"this text {_UNCLEAN}")


def _key_problems(parts: Parts, node: dict[str, Any]) -> Iterator[Problem]:
    message = "this key is here more than once; rename or remove one"
    if parts == ("task_specs",):
        message += " (operators whose names differ only in signs and spaces get the same key)"
    for key in node.repeated if isinstance(node, _Repeating) else ():
        yield Problem(json_path((*parts, key)), message)
    for key in node:
        if not _is_clean(key):
            yield Problem(json_path((*parts, key)), f"this key {_UNCLEAN}")


_UNCLEAN = "holds half of a surrogate pair or a NUL character; write it without"


def _is_clean(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text

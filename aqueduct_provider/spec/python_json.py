"""Read JSON that was pasted into Python source, from its syntax tree (pure).

The source names ``null``, ``false`` and ``true``; everything else in JSON is a Python literal as it is.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from aqueduct_provider.spec.python_source import BAD_NUMBER, Unreadable

NAMES: Mapping[str, Any] = {"null": None, "false": False, "true": True}

# The largest integer that is certain to fit into a float has 308 digits.
_LARGEST = 10**308
_MAX_KEY = 80
_FOUND: tuple[tuple[tuple[type[ast.expr], ...], str], ...] = (
    ((ast.Call,), "a function call"),
    ((ast.JoinedStr,), "an f-string"),
    ((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), "a comprehension"),
    ((ast.Tuple,), "a tuple"),
    ((ast.Set,), "a set"),
)


def is_text(node: ast.expr) -> bool:
    """Check whether the expression is a string that is written out."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def json_value(node: ast.expr) -> Any:
    """Return the JSON value that an expression writes out.

    :raises Unreadable: part of it is computed, or is not JSON.
    """
    match node:
        case ast.Constant(value=None | bool()):
            return node.value
        case ast.Constant(value=str(text)):
            return _joined(text)
        case ast.Constant(value=int() | float()):
            return _number(node)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float()) as operand) if not (
            isinstance(operand.value, bool)
        ):
            return -_number(operand)
        case ast.Name(id=name) if name in NAMES:
            return NAMES[name]
        case ast.List(elts=parts):
            return [json_value(part) for part in parts]
        case ast.Dict():
            return _object(node)
    raise Unreadable(
        node.lineno, f"{_described(node)} instead of a value that is written out; write the value"
    )


def _object(node: ast.Dict) -> dict[str, Any]:
    pairs = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None or not is_text(key):
            line = (key or value).lineno
            raise Unreadable(line, "a key that is not text in quotes; write the keys out")
        pairs.append((json_value(key), value))
    times = Counter(key for key, _ in pairs)
    if len(times) < len(pairs):
        repeated = next(key for key, count in times.items() if count > 1)
        raise Unreadable(node.lineno, f"the key '{repeated[:_MAX_KEY]}' is here more than once; remove one")
    return {key: json_value(value) for key, value in pairs}


def _number(node: ast.Constant) -> int | float:
    number: Any = node.value
    finite = math.isfinite(number) if isinstance(number, float) else abs(number) < _LARGEST
    if not finite:
        raise Unreadable(node.lineno, BAD_NUMBER)
    return number  # type: ignore[no-any-return]


def _joined(text: str) -> str:
    """Return the text with each surrogate pair as the one character that JSON means by it."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _described(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        # Not which: it may be a password without its quotes.
        return "a name without quotes"
    found = (words for kinds, words in _FOUND if isinstance(node, kinds))
    return next(found, "a computed value, or one that JSON lacks,")

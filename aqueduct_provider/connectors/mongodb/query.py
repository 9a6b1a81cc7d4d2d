"""Fill parameters into the arguments of a ``find`` and convert them for pymongo (pure).

In: JSON values, ``args`` and ``kwargs`` (Aqueduct formats, section 6), and the string inputs. Out: the same
with ``$1 $2 ...`` filled in and Extended JSON (``{"$oid": ...}``, ``{"$date": ...}``) made BSON types.

A value stays data. It is filled into strings of the parsed JSON, never into keys, so it cannot become an
operator. Where MongoDB reads strings as expressions - in ``$expr``, projections and ``let`` - a string that
begins with ``$`` names a field, so one that holds a value is put into ``$literal``. In JavaScript
(``$where``, ``$function``) no place is safe for a value, and it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from aqueduct_provider.errors import StatementRefused

Place = Literal["value", "expression", "script"]

_PARAMETER = re.compile(r"\$([0-9]+)")
_SCRIPTS = frozenset({"$where", "$code", "$function", "$accumulator"})
# Below these, strings are not expressions, even inside of one.
_VALUES = frozenset({"$elemMatch", "$literal"})
# Of pymongo's find: the second argument, and those by name.
_PROJECTION = 1
_EXPRESSION_ARGUMENTS = frozenset({"projection", "let"})


def arguments(find: Mapping[str, Any], parameters: Sequence[str]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments for pymongo's ``find``.

    :param find: ``args`` and ``kwargs``; each may be missing.
    :param parameters: values of ``$1``, ``$2``, ...
    :raises StatementRefused: a placeholder cannot be filled, or Extended JSON is none.
    """
    args, kwargs = find.get("args") or (), find.get("kwargs") or {}
    filled = [
        _filled(item, parameters, "expression" if number == _PROJECTION else "value")
        for number, item in enumerate(args)
    ]
    named = {
        name: _filled(item, parameters, "expression" if name in _EXPRESSION_ARGUMENTS else "value")
        for name, item in kwargs.items()
    }
    return tuple(map(_extended, filled)), {name: _extended(item) for name, item in named.items()}


def _filled(item: Any, parameters: Sequence[str], place: Place) -> Any:
    if isinstance(item, Mapping):
        return {name: _filled(inner, parameters, _place(name, place)) for name, inner in item.items()}
    if isinstance(item, (list, tuple)):
        return [_filled(inner, parameters, place) for inner in item]
    return _text(item, parameters, place) if isinstance(item, str) else item


def _place(name: str, around: Place) -> Place:
    """Return how MongoDB reads the strings below this key."""
    if name in _SCRIPTS or (around == "script" and name != "args"):
        return "script"
    if name == "$expr" or around == "script":
        return "expression"
    return "value" if name in _VALUES else around


def _text(text: str, parameters: Sequence[str], place: Place) -> Any:
    _check_alone(text, parameters)
    known = {str(number): value for number, value in enumerate(parameters, 1)}
    if not any(found in known for found in _PARAMETER.findall(text)):
        return text
    filled = _PARAMETER.sub(lambda found: known.get(found[1], found[0]), text)
    if place == "script":
        raise StatementRefused(
            "The query uses a parameter in JavaScript ($where or $function), where its value would be code: "
            "write the condition with operators, such as $expr, or pass it in the args of $function."
        )
    return {"$literal": filled} if place == "expression" and filled.startswith("$") else filled


def _check_alone(text: str, parameters: Sequence[str]) -> None:
    """Check that a string which is only a placeholder has a value."""
    alone = _PARAMETER.fullmatch(text)
    if alone and not 1 <= int(alone[1]) <= len(parameters):
        known = len(parameters)
        raise StatementRefused(
            f"The query uses {text}, and there {'is' if known == 1 else 'are'} {known} "
            f"parameter{'' if known == 1 else 's'}: give the parameter, or correct the number."
        )


def _extended(item: Any) -> Any:
    """Extended JSON as BSON types."""
    from bson import json_util
    from bson.errors import BSONError

    if isinstance(item, list):
        return [_extended(inner) for inner in item]
    if not isinstance(item, dict):
        return item
    inner = {name: _extended(value) for name, value in item.items()}
    # json_util would turn the operator $regex into a pattern and drop the operators next to it.
    if "$regex" in inner:
        return inner
    try:
        return json_util.object_hook(inner, json_util.DEFAULT_JSON_OPTIONS)
    except (BSONError, TypeError, ValueError, ArithmeticError) as error:
        raise StatementRefused(
            f"The query has Extended JSON of {', '.join(inner)} that cannot be read: {error}. Correct it, or "
            "the parameter in it."
        ) from error

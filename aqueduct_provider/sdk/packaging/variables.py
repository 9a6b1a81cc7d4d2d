"""Find what a function refers to besides its arguments, by the names that its author gave.

For messages: which of it cannot be pickled, is too large, or belongs to this package.
"""

from __future__ import annotations

import dis
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# What finds a variable or module by a text.
_LOOKUPS = frozenset(["globals", "eval", "exec", "import_module", "__import__"])
_MODULES = frozenset(["sys", "modules"])
# Since Python 3.13; before, functions without one have None in its place.
_HAS_DOCSTRING = getattr(inspect, "CO_HAS_DOCSTRING", 0)
# How the name of an annotation begins.
HINT = "annotation of "
_WORD = re.compile(r"[^\W\d][\w.]*")
_GLOBAL = frozenset(["LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"])


def variables_of(value: object) -> Iterator[tuple[str, object]]:
    """Return names and values: globals, closure, defaults and annotations of a function; all of a module.

    Partial objects and methods are looked into, other objects have their attributes.
    """
    match value:
        case types.FunctionType():
            yield from _variables_of_function(value)
        case types.MethodType():
            yield "self", value.__self__
            yield from variables_of(value.__func__)
        case functools.partial():
            yield from ((f"argument {place}", item) for place, item in enumerate(value.args, 1))
            yield from value.keywords.items()
            yield from variables_of(value.func)
        case _:
            yield from getattr(value, "__dict__", {}).items()


def names_in(code: types.CodeType) -> Iterator[str]:
    """Yield every global and attribute that code uses, that of the functions in it too."""
    yield from code.co_names
    for inner in _inner(code):
        yield from names_in(inner)


@functools.lru_cache(maxsize=4096)
def globals_in(code: types.CodeType) -> tuple[str, ...]:
    """Return the names of the globals that code reads, sets or deletes, that of the functions in it too."""
    names = [step.argval for step in dis.get_instructions(code) if step.opname in _GLOBAL]
    return tuple(dict.fromkeys([*names, *(name for inner in _inner(code) for name in globals_in(inner))]))


def texts_looked_up(code: types.CodeType) -> tuple[str, ...]:
    """Return the strings in code that looks names up by strings, as ``globals()["name"]`` does."""
    names = frozenset(names_in(code))
    if names.isdisjoint(_LOOKUPS) and not names.issuperset(_MODULES):
        return ()
    words = [word for text in _texts_in(code) for word in _WORD.findall(text)]
    return tuple(dict.fromkeys([*words, *(word.partition(".")[0] for word in words)]))


def _texts_in(code: types.CodeType) -> Iterator[str]:
    """Return the strings in code, without docstrings, which come first."""
    has_docstring = (
        bool(code.co_flags & _HAS_DOCSTRING) if _HAS_DOCSTRING else not code.co_name.startswith("<")
    )
    constants = code.co_consts[1:] if has_docstring else code.co_consts
    waiting = list(constants)
    while waiting:
        constant = waiting.pop(0)
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple | frozenset):
            waiting += sorted(constant, key=repr)
    for inner in _inner(code):
        yield from _texts_in(inner)


def without_hints(annotations: Mapping[str, Any], is_unwanted: Callable[[Any], bool]) -> dict[str, Any]:
    """Leave out the annotations in which something unwanted is, at any depth.

    Code of the original annotates arguments with the classes of artifacts. No worker has these classes, and a
    function gets values there.

    :param annotations: by the name of the argument.
    """
    return {name: hint for name, hint in annotations.items() if not _hint_holds(hint, is_unwanted)}


def _hint_holds(hint: Any, is_unwanted: Callable[[Any], bool]) -> bool:
    parts = hint if isinstance(hint, list) else typing.get_args(hint)
    return is_unwanted(hint) or any(_hint_holds(part, is_unwanted) for part in parts)


def _variables_of_function(function: types.FunctionType) -> Iterator[tuple[str, object]]:
    for name in globals_in(function.__code__):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # Not assigned yet.
            continue
    code, defaults = function.__code__, function.__defaults__ or ()
    yield from zip(
        code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount], defaults, strict=True
    )
    yield from (function.__kwdefaults__ or {}).items()
    yield from ((f"{HINT}{name}", value) for name, value in function.__annotations__.items())


def _inner(code: types.CodeType) -> Iterator[types.CodeType]:
    return (constant for constant in code.co_consts if isinstance(constant, types.CodeType))

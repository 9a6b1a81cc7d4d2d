"""Read the source text of the user's files.

In: a function, a class or the text of a module. Out: its own text, and what it imports while it runs; nothing
where the text is missing: defined with ``exec`` or in a bare prompt, or in a file that was changed since.
Imports nothing of what it finds.
"""

from __future__ import annotations

import ast
import inspect
import opcode
import threading
import tokenize
import types
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import resolve_name
from typing import Any

_IMPORT = opcode.opmap["IMPORT_NAME"]
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TRY = tuple(getattr(ast, name) for name in ("Try", "TryStar") if hasattr(ast, name))
# Where statements hold others, those of ``except`` and ``case`` included.
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")

# Which warnings are shown is a setting of the whole process.
_lock = threading.Lock()


def source_of(value: Any) -> str:
    """Return the text of a function or class as it is in its file, indented as it is there."""
    value = getattr(value, "__func__", value)
    if isinstance(value, types.FunctionType):
        lines, statement = _definition(value)
        return "".join(lines[_first_line(statement) - 1 : statement.end_lineno]) if statement else ""
    try:
        return inspect.getsource(value)
    except (OSError, TypeError, SyntaxError, IndexError, tokenize.TokenError):
        return ""


def imports_of(function: types.FunctionType) -> tuple[str, ...]:
    """Return the modules that the function's body imports, with dots.

    Imports in a ``try`` are left out, for they may fail, and so are those for type checkers.
    """
    statement = _definition(function)[1] if _has_import(function.__code__) else None
    names = function.__globals__
    package = names.get("__package__") or str(names.get("__name__")).rpartition(".")[0]
    return tuple(dict.fromkeys(_imports(statement, package))) if statement else ()


def imports_of_text(text: str, package: str) -> tuple[str, ...]:
    """Return the modules that a module imports, with the same exceptions.

    :param package: the package it is in; empty for none.
    """
    try:
        return tuple(dict.fromkeys(_imports(_parsed(text), package)))
    except (SyntaxError, ValueError):
        return ()


# --- the statement that makes a function


@dataclass(frozen=True)
class _Text:
    """The statements of a file.

    :param every: each comes before those in it.
    :param definitions: of functions, by first line and name.
    """

    every: tuple[ast.stmt, ...]
    definitions: Mapping[tuple[int, str], ast.stmt]


def _definition(function: types.FunctionType) -> tuple[list[str], ast.stmt | None]:
    """Return the lines of the function's file, and the ``def``, or the statement around a lambda, in it."""
    code = function.__code__
    try:
        lines, _ = inspect.findsource(function)
        text = _read("".join(lines))
    except (OSError, SyntaxError, ValueError):
        return [], None
    if code.co_name != "<lambda>":
        return lines, text.definitions.get((code.co_firstlineno, code.co_name))
    return lines, _around_lambda(text, code.co_firstlineno)


def _around_lambda(text: _Text, line: int) -> ast.stmt | None:
    around = [one for one in text.every if _first_line(one) <= line <= (one.end_lineno or 0)]
    inner = ast.walk(around[-1]) if around else ()
    return around[-1] if any(isinstance(one, ast.Lambda) and one.lineno == line for one in inner) else None


# Whoever publishes a flow asks for every function of a file, one after the other.
@lru_cache(maxsize=8)
def _read(text: str) -> _Text:
    every = tuple(node for node in _inside(_parsed(text)) if isinstance(node, ast.stmt))
    definitions = {(_first_line(node), node.name): node for node in every if isinstance(node, _DEFINITIONS)}
    return _Text(every, definitions)


def _parsed(text: str) -> ast.Module:
    """Parse the text without warnings: Python has shown them when it compiled it."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    for child in _children(node):
        yield child
        yield from _inside(child)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements in a statement, with what holds them; expressions have none."""
    for block in _BLOCKS:
        yield from getattr(node, block, ())


def _first_line(statement: ast.stmt) -> int:
    """Return the first line as code objects have it: decorators count."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(one.lineno for one in decorators)])


# --- the imports in a statement


def _has_import(code: types.CodeType) -> bool:
    """Return whether there may be an import, in the functions in it too."""
    if _IMPORT in code.co_code[::2]:
        return True
    return any(_has_import(constant) for constant in code.co_consts if isinstance(constant, types.CodeType))


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    for child in _children(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from _imported_from(child, package)
        elif not isinstance(child, _TRY) and not _is_for_type_checkers(child):
            yield from _imports(child, package)


def _imported_from(node: ast.ImportFrom, package: str) -> Iterator[str]:
    name = "." * node.level + (node.module or "")
    try:
        yield resolve_name(name, package) if node.level else name
    except ImportError:
        return


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)

"""Parse Python source that is not trusted: the syntax tree, or one sentence with its line. Nothing is run."""

from __future__ import annotations

import ast
import re
import warnings

from aqueduct_provider.errors import Problem

BAD_NUMBER = "not a finite number of at most 308 digits; give one"
# What Python says of integers that are longer than it converts.
_TOO_LONG = "integer string conversion"
_TOO_DEEP = "nested too deeply to be read; name a file that the original wrote"
# What joins the links of a chain, such as a.b.c, f()()() or 1 + 1 + 1. Python 3.10 crashes at 100,000 links.
# A file of thousands of tasks and edges has about half as many of these signs outside its strings.
_LINK = re.compile(r"[.+*/%@&|^<>(\[-]")
_MAX_LINKS = 80_000
_STRING = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")


class Unreadable(Exception):
    """Part of a Python file is not what it must be.

    :param line: where it is.
    :param message: what is wrong there and how to fix it; names no values.
    :param task: the id of the task that it belongs to, if any.
    """

    def __init__(self, line: int, message: str, task: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.task = task

    @property
    def problem(self) -> Problem:
        """The same as a problem of a file."""
        place = f"line {self.line}"
        return Problem(f"{place}, task '{self.task}'" if self.task else place, self.message)


def parse(data: bytes) -> ast.Module:
    """Return the syntax tree of Python source in UTF-8.

    :raises Unreadable: it is not Python, or would take Python more depth than it has.
    """
    text = _text(data)
    _check_chains(text)
    try:
        with warnings.catch_warnings():
            # About escapes in strings, which are read as Python reads them.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        message = f"not valid Python: {error.msg}; fix the text there"
        raise Unreadable(error.lineno or 1, BAD_NUMBER if _TOO_LONG in error.msg else message) from None
    except (RecursionError, MemoryError):
        raise Unreadable(1, _TOO_DEEP) from None


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Unreadable(line, "not UTF-8; name a Python file, saved as UTF-8") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise Unreadable(line, "a NUL character; name a Python file, saved as UTF-8")
    if not text.strip():
        raise Unreadable(1, "empty; copy the file again from where publish_flow wrote it")
    return text


def _check_chains(text: str) -> None:
    """Refuse what could hold a chain that nests as deeply as it is long, though no bracket shows it."""
    if len(_LINK.findall(_STRING.sub("", text))) > _MAX_LINKS:
        raise Unreadable(1, _TOO_DEEP)

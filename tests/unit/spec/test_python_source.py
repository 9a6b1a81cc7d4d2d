"""Python source that is not trusted becomes a syntax tree, or one sentence with its line."""

from __future__ import annotations

import ast
import json
import warnings

import pytest

from aqueduct_provider.spec.python_source import Unreadable, parse


def unreadable(source: str | bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        parse(source if isinstance(source, bytes) else source.encode())
    assert "\n" not in caught.value.message
    return caught.value


def test_source_is_parsed_and_not_run() -> None:
    tree = parse(b"\xef\xbb\xbf# -*- coding: latin-1 -*-\nx = f('\xc3\xbc')\nraise SystemExit\n")
    assert ast.unparse(tree) == "x = f('ü')\nraise SystemExit"


def test_odd_escapes_are_no_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ast.unparse(parse(rb"x = '\d'")) == r"x = '\\d'"


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"", 1, "empty;"),
        (b" \n\n", 1, "empty;"),
        (b"x = 1\n\n\xff = 2", 3, "not UTF-8;"),
        ("x = 'ü'\n".encode("utf-16"), 1, "not UTF-8;"),
        (b"x = 1\ny = '\x00'", 2, "a NUL character;"),
        (b"x = 1\ny = (\n", 2, "not valid Python: '(' was never closed;"),
        (b"x = 1\n  y = 2\n", 2, "not valid Python: unexpected indent;"),
        (b"x = '''", 1, "not valid Python: unterminated triple-quoted string literal"),
        (b"x = 1\ny = " + b"9" * 5000, 2, "not a finite number of at most 308 digits;"),
    ],
)
def test_what_is_not_python(data: bytes, line: int, message: str) -> None:
    error = unreadable(data)
    assert error.line == line
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    "deep",
    [
        "(" * 100_000,
        "[" * 300 + "]" * 300,
        "-" * 100_000 + "1",
        "not " * 100_000 + "1",
        "lambda:" * 100_000 + "1",
        "1 if 1 else " * 100_000 + "1",
    ],
)
def test_deep_nesting(deep: str) -> None:
    unreadable(f"x = 1\ny = {deep}\n")


@pytest.mark.parametrize("link", [".b", "()", "[0]", "+1", " >> a", "**1", "\\\n.b", ".b()[0]"])
def test_long_chains(link: str) -> None:
    parse(f"x = 1\ny = a{link * 300}\n".encode())
    for length in (20_000, 200_000):
        assert unreadable(f"x = 1\ny = a{link * length}\n").message.startswith("nested too deeply")


def test_signs_in_strings_are_no_chains() -> None:
    text = "1.2 + 3 (4) [5] 'x'"
    parse(f"x = [{json.dumps(text)}, {text!r}]\n".encode() * 20_000)


def test_a_file_of_thousands_of_tasks_is_read() -> None:
    task = b"t0 = f(a='x', b=[{'c': ['d'], 'e': ['f']}])\n"
    parse(task * 3000 + b"t0.set_downstream(t1)\n" * 20_000)


def test_what_is_wrong_as_a_problem() -> None:
    assert str(Unreadable(3, "wrong").problem) == "line 3: wrong"
    assert str(Unreadable(3, "wrong", "a").problem) == "line 3, task 'a': wrong"

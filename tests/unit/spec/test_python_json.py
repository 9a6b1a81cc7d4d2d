"""JSON pasted into Python source comes back as it was; nothing else is taken for it."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqueduct_provider.spec.python_json import is_text, json_value
from aqueduct_provider.spec.python_source import Unreadable
from tests.support.generated_values import alike

TEXTS = st.text(st.characters(exclude_categories=()))
NUMBERS = st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def value_of(source: str) -> Any:
    return json_value(ast.parse(source, mode="eval").body)


def problem_of(source: str) -> tuple[int, str]:
    with pytest.raises(Unreadable) as caught:
        value_of(source)
    return caught.value.line, caught.value.message


@given(VALUES)
def test_any_json_comes_back(value: Any) -> None:
    pasted = json.dumps(value)
    assert alike(value_of(pasted), json.loads(pasted))


@given(VALUES)
def test_so_does_json_in_unicode(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    assert alike(value_of(text), json.loads(text))


@given(VALUES)
def test_so_does_what_python_writes(value: Any) -> None:
    assert alike(value_of(repr(value)), json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("-1", -1),
        ("-1.5e3", -1500.0),
        ("1_000", 1000),
        ("('a' 'b'\n 'c')", "abc"),
        ("[null, None, true, True, false, False]", [None, None, True, True, False, False]),
        (r"'\ud83d\ude00'", "😀"),
        (r"'\ude00\ud83d'", "\ude00\ud83d"),
        ("[" * 150 + "]" * 150, json.loads("[" * 150 + "]" * 150)),
    ],
)
def test_other_spellings(source: str, value: Any) -> None:
    assert alike(value_of(source), value)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("f(1)", "a function call"),
        ("{'a': [1,\n __import__('os').getcwd()]}", "a function call"),
        ("f'{x}'", "an f-string"),
        ("[x for x in y]", "a comprehension"),
        ("(1, 2)", "a tuple"),
        ("{1}", "a set"),
        ("undefined", "a name without quotes"),
        ("NaN", "a name without quotes"),
        ("1 + 1", "a computed value"),
        ("not true", "a computed value"),
        ("--1", "a computed value"),
        ("-true", "a computed value"),
        ("-True", "a computed value"),
        ("-'a'", "a computed value"),
        ("1j", "a computed value"),
        ("b'a'", "a computed value"),
        ("...", "a computed value"),
        ("[*a]", "a computed value"),
        ("1 if a else 2", "a computed value"),
        ("a.b", "a computed value"),
    ],
)
def test_computed_values_and_others_are_refused_with_their_line(source: str, found: str) -> None:
    line, message = problem_of(source)
    assert line == source.count("\n") + 1
    assert message.startswith(found)
    assert message.endswith("instead of a value that is written out; write the value")


@pytest.mark.parametrize("source", ["{1: 2}", "{null: 2}", "{**a}", "{f(): 2}", "{-1: 2}"])
def test_keys_must_be_text(source: str) -> None:
    assert problem_of(source) == (1, "a key that is not text in quotes; write the keys out")


def test_a_repeated_key_is_refused_without_its_values() -> None:
    line, message = problem_of("\n{'password': 'planted',\n 'password': 'other'}".lstrip())
    assert (line, message) == (1, "the key 'password' is here more than once; remove one")


@pytest.mark.parametrize("source", ["1e400", "-1e400", "0x1" + "0" * 300, "-0x1" + "0" * 300, "1" * 309])
def test_numbers_that_no_spec_can_hold(source: str) -> None:
    assert problem_of(source) == (1, "not a finite number of at most 308 digits; give one")


def test_the_largest_numbers() -> None:
    assert value_of("9" * 308) == 10**308 - 1
    assert value_of("1.7e308") == 1.7e308


def test_what_is_text() -> None:
    parts = ast.parse("['a', 'a' 'b', 1, b'a', f'a', a, 'a' + 'b']", mode="eval").body
    assert isinstance(parts, ast.List)
    assert [is_text(part) for part in parts.elts] == [True, True, False, False, False, False, False]

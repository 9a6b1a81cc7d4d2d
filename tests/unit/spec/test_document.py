"""Bytes to JSON: what is refused at once, and what is reported with its path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aqueduct_provider.errors import SpecError
from aqueduct_provider.spec.document import MAX_BYTES, content, file_content, json_path, read


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ((), "$"),
        (("operators", 0, "inputs", 12), "$.operators[0].inputs[12]"),
        (("task_specs", "a b"), '$.task_specs["a b"]'),
        (("Größe",), '$["Größe"]'),
        (('a"]',), '$["a\\"]"]'),
        (("\ud800",), '$["\\ud800"]'),
        (("0",), '$["0"]'),
        (("",), '$[""]'),
        (("k" * 1000,), f'$["{"k" * 80}..."]'),
    ],
)
def test_json_path(parts: tuple[str | int, ...], path: str) -> None:
    assert json_path(parts) == path


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("{}".encode("utf-16"), "byte 0 is not UTF-8"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        (b'{"a": 1', "line 1, column 8"),
        (b'{\n "a": 1,\n}', "line "),
        (b"{} {}", "line 1, column 4"),
        (b"[" * 100_000, "too deeply"),
        (b'{"a":' * 100_000, "too deeply"),
        (b" " * (MAX_BYTES + 1), "larger than 16 MiB"),
    ],
)
def test_what_cannot_be_read_is_one_problem(data: bytes, words: str) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        read(data, "x.json")
    assert [problem.path for problem in caught.value.problems] == ["$"]


def test_a_document_of_exactly_the_allowed_size_is_read() -> None:
    assert read(b"1" + b" " * (MAX_BYTES - 1), "x.json") == (1, [])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"a": [1, {"b": 1, "c": 2, "b": 1}]}', "$.a[1].b"),
        ('{"a": NaN}', "$.a"),
        ('{"a": [-Infinity]}', "$.a[0]"),
        ('{"a": 1e999}', "$.a"),
        ('{"a": -1e999}', "$.a"),
        ('{"a": ' + "9" * 309 + "}", "$.a"),
        ('{"a": ' + "9" * 5000 + "}", "$.a"),
        (r'{"a": "\ud800"}', "$.a"),
        (r'{"a": ["x\uDFFFy"]}', "$.a[0]"),
        (r'{"a": {"\ud800": 1}}', r'$.a["\ud800"]'),
        (r'{"a": "x\u0000"}', "$.a"),
    ],
)
def test_what_json_lets_through_is_a_problem_at_its_path(text: str, path: str) -> None:
    _, problems = read(text.encode(), "x.json")
    assert [problem.path for problem in problems] == [path]


def test_a_key_that_stands_three_times_is_one_problem_and_keeps_its_last_value() -> None:
    tree, problems = read(b'{"a": 1, "a": 2, "a": 3, "b": 4}', "x.json")
    assert tree == {"a": 3, "b": 4}
    assert [problem.path for problem in problems] == ["$.a"]


def test_lost_operators_are_explained() -> None:
    _, problems = read(b'{"task_specs": {"a_b": 1, "a_b": 2}}', "x.json")
    assert "operators whose names differ only in signs" in problems[0].message


def test_problems_stand_in_the_order_of_the_document() -> None:
    _, problems = read(b'{"b": NaN, "a": [Infinity, 1, NaN]}', "x.json")
    assert [problem.path for problem in problems] == ["$.b", "$.a[0]", "$.a[2]"]


def test_large_but_finite_numbers_and_whole_surrogate_pairs_are_values() -> None:
    text = '{"a": 1e308, "b": ' + "9" * 308 + r', "c": "\ud83d\ude00"}'
    assert read(text.encode(), "x.json") == ({"a": 1e308, "b": int("9" * 308), "c": "😀"}, [])


def test_a_file_is_read_whole_or_as_far_as_shows_that_it_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    for size, wanted in ((0, 0), (5, 5), (MAX_BYTES, MAX_BYTES), (MAX_BYTES * 9, MAX_BYTES + 1)):
        path.touch()
        os.truncate(path, size)
        assert len(content(path)) == wanted
    with pytest.raises(FileNotFoundError):
        content(tmp_path / "gone")


def test_a_file_that_a_user_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    assert file_content(tmp_path / "a.py", "a file") == b"x"
    for name, words in [
        ("", "not a regular file; name a file"),
        ("pipe", "not a regular file; name a file"),
        ("missing", "cannot be read: No such file"),
        ("a\0b", "cannot be read: not a file's name"),
    ]:
        with pytest.raises(SpecError, match=words):
            file_content(tmp_path / name, "a file")

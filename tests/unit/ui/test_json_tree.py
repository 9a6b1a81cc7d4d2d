from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from aqueduct_provider.ui.json_tree import json_tree


class Outline(HTMLParser):
    """The lines of a tree, each behind as many dots as it is deep, and how many levels can be opened."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.details: list[bool] = []
        self._deep = 0
        self.feed(str(markup))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._deep += tag == "ul"
        if tag == "li":
            self.lines.append("." * self._deep)
        if tag == "details":
            self.details.append(("open", None) in attrs)

    def handle_endtag(self, tag: str) -> None:
        self._deep -= tag == "ul"

    def handle_data(self, data: str) -> None:
        self.lines[-1] += data


def test_a_tree_has_every_value() -> None:
    document = {"model": {"name": "forest", "trees": [10, 20]}, "ok": True, "none": None, "empty": []}
    shown = Outline(json_tree(json.dumps(document)))
    assert shown.lines == [
        ".model 2 keys",
        '..name "forest"',
        "..trees 2 items",
        "...0 10",
        "...1 20",
        ".ok true",
        ".none null",
        ".empty []",
    ]
    assert shown.details == [True, True]


def test_of_a_large_one_only_the_first_level_is_open() -> None:
    shown = Outline(json_tree(json.dumps([[1, 2, 3]] * 20)))
    assert shown.details == [False] * 20
    assert shown.lines[0] == ".0 3 items"


@pytest.mark.parametrize("text", ["", "{", '"text"', "3", "{}", "[]", "[" * 100_000, "[" + "9" * 5000 + "]"])
def test_what_has_nothing_to_open_is_no_tree(text: str) -> None:
    assert json_tree(text) == ""


def test_a_tree_is_limited() -> None:
    wide = Outline(json_tree(json.dumps(list(range(5_000)))))
    assert (len(wide.lines), wide.lines[-1]) == (1_001, ".4,000 more")
    deep = str(json_tree("[" * 500 + "1" + "]" * 500))
    assert deep.count("<details") == 19
    assert len(json_tree(json.dumps({"k" * 5000: "v" * 5000}))) < 1_500


def test_nothing_of_a_document_acts() -> None:
    made = json_tree(json.dumps({"<script>": ["<img onerror=x>", {"{0}": "{}"}]}))
    assert set(re.findall(r"<(\w+)", made)) == {"div", "ul", "li", "details", "summary", "span", "code"}
    assert "&lt;script&gt;" in made
    assert ">{0}<" in made

from __future__ import annotations

import pytest

from aqueduct_provider.factory.docs import code_block, code_span, markdown, one_line, shown


def test_control_characters_and_lone_surrogates_are_replaced() -> None:
    assert shown("a\x00b\x1b[31m\ud800\tc\r\nd") == "a\ufffdb\ufffd[31m\ufffd\tc\nd"


def test_long_texts_are_cut() -> None:
    assert shown("x" * 20_000) == "x" * 20_000
    assert len(shown("x" * 1_000_000)) < 20_010


def test_one_line_has_no_line_breaks_and_a_limit() -> None:
    assert one_line(" a\n b\t c ") == "a b c"
    assert one_line("ä" * 300) == "ä" * 199 + "…"
    assert one_line("ä" * 200) == "ä" * 200


def test_markdown_joins_paragraphs_and_is_none_when_empty() -> None:
    assert markdown("**a**", "", "b") == "**a**\n\nb\n"
    assert markdown("", " \n") is None


def test_markdown_is_never_the_path_of_a_file() -> None:
    text = markdown("README.md")
    assert text is not None
    assert not text.endswith(".md")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("a < b and `List<int>` <b>", "a &lt; b and `List<int>` &lt;b>"),
        ("one ` tick <b>", "one ` tick &lt;b>"),
        ("```\n<div>\n```\n<div>", "```\n<div>\n```\n&lt;div>"),
        ("{{ today }} {% raw %}", "{{ today }} {% raw %}"),
    ],
)
def test_html_is_shown_as_it_is_written(text: str, expected: str) -> None:
    assert markdown(text) == expected + "\n"


@pytest.mark.parametrize("text", ["plain", "```\n# heading", "a `````` b", "~~~\n<script>"])
def test_text_cannot_leave_its_block(text: str) -> None:
    lines = code_block(text).split("\n")
    fence = lines[0].removesuffix("text")
    assert set(fence) == {"`"}
    assert len(fence) >= 3
    assert lines[-1] == fence
    assert not any(line.strip().startswith(fence) for line in lines[1:-1])
    assert "\n".join(lines[1:-1]) == text


def test_text_cannot_leave_its_span() -> None:
    assert code_span("churn.json") == "`churn.json`"
    assert code_span("a`b``c.json") == "``` a`b``c.json ```"

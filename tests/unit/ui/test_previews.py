from __future__ import annotations

from typing import Any

import pytest

from aqueduct_provider.artifacts.stored_facts import ColumnPreview
from aqueduct_provider.ui.previews import cell, exact, hex_lines, histogram, markdown_html


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (2026, "2026"), (1234567, "1234567"), (0.123456789, "0.123457"), ("a", "a")],
)
def test_cells(value: Any, text: str) -> None:
    assert cell(value) == text


def test_a_histogram_has_a_text_alternative() -> None:
    drawn = str(histogram(ColumnPreview("<b>", "int64", bars=(4, 0, 2))))
    assert "<title>&lt;b&gt;: 4, 0, 2 values from lowest to highest</title>" in drawn
    assert 'd="M0 22v-22.0h7v22.0zM8 22v-0.0h7v0.0zM16 22v-11.0h7v11.0z"' in drawn
    assert str(histogram(ColumnPreview("x", "int64", bars=(0, 0)))) == ""


def test_a_value_is_shown_in_full_where_the_pointer_is() -> None:
    assert exact(0.1 + 0.2) == ' title="0.30000000000000004"'
    assert exact('"><b>') == ' title="&#34;&gt;&lt;b&gt;"'
    assert exact(1234) == ' title="1234"'
    assert exact(None) == exact(True) == exact(3) == exact(0.5) == ""


def test_markdown() -> None:
    text = (
        "# Top\n\n###### Low\n\n<script>x</script> **b** [l](javascript:y) ![i](/logout)\n\n|a|\n|-|\n|1|\n"
    )
    made = str(markdown_html(text))
    assert "<h4>Top</h4>" in made
    assert "<h6>Low</h6>" in made
    assert "<strong>b</strong>" in made
    assert "<td>1</td>" in made
    for bad in ("<script", "<img", 'href="javascript'):
        assert bad not in made, bad
    assert "<em>(image: i)</em>" in made
    assert "!" not in made


def test_an_image_of_markdown_is_words_without_markup() -> None:
    made = str(markdown_html('![](/a) ![<b> *"x"*](/b "t") ![r][r] [![in](/c)](/d)\n\n[r]: /e\n'))
    assert "(image: without a description)" in made
    assert "(image: &lt;b&gt; *&#34;x&#34;*)" in made
    assert "(image: r)" in made
    assert '<a href="/d"><em>(image: in)</em></a>' in made


def test_columns_of_markdown_keep_their_alignment() -> None:
    made = str(markdown_html("|a|b|c|d|\n|-|:-|:-:|-:|\n|1|2|3|4|\n"))
    assert "<td>1</td>" in made
    assert '<th class="to-left">b</th>' in made
    assert '<td class="to-center">3</td>' in made
    assert '<td class="to-right">4</td>' in made
    assert "style=" not in made


def test_bytes() -> None:
    lines = hex_lines(bytes(range(60, 80)) + b"\x00\xff").split("\n")
    assert lines[0].startswith("00000000  3c 3d 3e 3f")
    assert lines[0].endswith("<=>?@ABCDEFGHIJK")
    assert lines[1].endswith(" LMNO..")
    assert len(hex_lines(bytes(10_000)).split("\n")) == 16
    assert hex_lines(b"") == ""

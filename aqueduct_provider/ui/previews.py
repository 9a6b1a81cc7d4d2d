"""Markup of previews of artifacts, as pages show them (pure).

In: the checked values of ``artifacts/stored_facts.py``. Out: markup in which all text of users is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.numbers import number
from aqueduct_provider.artifacts.stored_facts import Cell, ColumnPreview

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markupsafe import Markup

_BAR_WIDTH, _BAR_HEIGHT = 8, 22
HEX_BYTES, _HEX_LINE = 256, 16
# Levels of headings that the page has for itself.
_HEADINGS = 3


def cell(value: Cell) -> str:
    """Return a cell of a table as text: numbers rounded, nothing for what is missing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    # Rounding would change what integers are: ids, years.
    return str(value) if isinstance(value, int) else number(value)


def exact(value: object) -> Markup:
    """Return the attribute that shows a value in full, which pages may round or cut; else nothing."""
    from markupsafe import Markup

    if value is None or isinstance(value, bool) or str(value) == number(value) != value:
        return Markup("")
    return Markup(' title="{}"').format(value)


def histogram(column: ColumnPreview) -> Markup:
    """Draw how the values of a column are distributed; the same in words is its text alternative."""
    from markupsafe import Markup

    most = max(column.bars, default=0)
    if not most:
        return Markup("")
    width = _BAR_WIDTH * len(column.bars)
    label = f"{column.name}: {', '.join(str(one) for one in column.bars)} values from lowest to highest"
    # What is there must be seen.
    heights = [max(1.0, _BAR_HEIGHT * count / most) if count else 0.0 for count in column.bars]
    path = "".join(
        f"M{place * _BAR_WIDTH} {_BAR_HEIGHT}v-{height:.1f}h{_BAR_WIDTH - 1}v{height:.1f}z"
        for place, height in enumerate(heights)
    )
    return Markup(
        '<svg class="histogram" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">'
        '<title>{2}</title><path d="{3}"/></svg>'
    ).format(width, _BAR_HEIGHT, label, path)


def markdown_html(text: str) -> Markup:
    """Render Markdown. HTML in it stays text, and images are their descriptions: they would be requests."""
    from markupsafe import Markup

    markdown = _markdown()
    tokens = markdown.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            # Below those of the page.
            token.tag = f"h{min(6, int(token.tag[1:]) + _HEADINGS)}"
        if token.type in ("th_open", "td_open") and (style := str(token.attrs.pop("style", ""))):
            # The policy of the pages allows no styles but those of our stylesheet.
            token.attrSet("class", f"to-{style.removeprefix('text-align:')}")
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False}).enable("table")
    made.add_render_rule("image", _image_words)
    return made


def _image_words(_renderer: RendererHTML, tokens: Sequence[Token], place: int, *_context: object) -> str:
    """Return the description of an image of Markdown, marked as one."""
    from markupsafe import escape

    return f"<em>(image: {escape(tokens[place].content or 'without a description')})</em>"


def hex_lines(data: bytes) -> str:
    """Return the first bytes as hexadecimal numbers and as characters, as ``xxd`` shows them."""
    lines = []
    for place in range(0, min(len(data), HEX_BYTES), _HEX_LINE):
        part = data[place : place + _HEX_LINE][: HEX_BYTES - place]
        shown = "".join(chr(one) if 32 <= one < 127 else "." for one in part)
        lines.append(f"{place:08x}  {part.hex(' '):<{3 * _HEX_LINE}} {shown}")
    return "\n".join(lines)

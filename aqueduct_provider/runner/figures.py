"""Draw figures of plotting libraries: as an image, or as an HTML page that needs nothing else.

In: what a function returned. Out: the same, unless it is a figure: those of matplotlib become images of PIL,
those of plotly and altair become strings of HTML. The libraries are imported by whoever made the figure.
"""

from __future__ import annotations

import importlib.util
import io
from typing import Any, Callable, Dict

from .results import ResultError, one_line


def drawn(value: Any) -> Any:
    """Return a figure as the image or the HTML that is stored of it, and any other value as it is.

    :raises ResultError: it cannot be drawn.
    """
    for base in type(value).__mro__:
        name = f"{base.__module__.partition('.')[0]}.{base.__qualname__}"
        draw = _FIGURES.get(name)
        if draw is None:
            continue
        try:
            return draw(value)
        except Exception as exc:
            raise ResultError(f"The returned {name} cannot be drawn: {one_line(exc)}") from exc
    return value


def _draw_matplotlib(figure: Any) -> Any:
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    buffer.seek(0)
    return Image.open(buffer)


def _draw_plotly(figure: Any) -> str:
    # With the library in it, for a page in a sandbox loads nothing.
    html: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return html


def _draw_altair(chart: Any) -> str:
    is_inline = importlib.util.find_spec("vl_convert") is not None
    html: str = chart.to_html(inline=is_inline)
    return html


# Top-level package and class; libraries move their classes between modules.
_FIGURES: Dict[str, Callable[[Any], Any]] = {
    "matplotlib.Figure": _draw_matplotlib,
    "plotly.BaseFigure": _draw_plotly,
    "altair.TopLevelMixin": _draw_altair,
}

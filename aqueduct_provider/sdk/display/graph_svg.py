"""A flow's graph as SVG: its operators from left to right, the artifacts as lines between them (pure).

In: a spec, and the state of its operators in a run. Out: one ``<svg>`` element, for use alone or in HTML.
It takes the colour of the text around it and sets no background, so it reads on light and on dark pages. It
has no ids, which would clash where a page shows several graphs.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aqueduct_provider.artifacts.numbers import counted
from aqueduct_provider.sdk.display.graph_layout import Edge, EdgePart, GraphLayout, Grid, Point, layout

if TYPE_CHECKING:
    from aqueduct_provider.spec.graph import GraphNode

# Readable on white and on black.
_KIND_COLOURS = {
    "function": "#4c8bf5",
    "param": "#9b6dd6",
    "metric": "#1f9e9e",
    "system_metric": "#1f9e9e",
    "check": "#d08a00",
    "extract": "#7d8c3c",
    "load": "#7d8c3c",
}
KINDS = frozenset(_KIND_COLOURS)
STATUS_COLOURS = {
    "succeeded": "#2e9e44",
    "failed": "#e0443e",
    "running": "#c99700",
    "warning": "#e07b00",
}
NO_STATUS_COLOUR = "#8a8a8a"

# Radius of the corners, or how much is cut from them, across and down; at most half of a box.
_ROUND = {"function": 6, "param": 99}
_CORNERS = {"check": (12, 99), "metric": (8, 8), "system_metric": (8, 8), "extract": (0, 0), "load": (0, 0)}

# In half-width characters.
_NAME_LENGTH = 22
# Sizes of text, and about how wide one of its characters is, in pixels.
_NAME_SIZE, _NAME_CHARACTER = 13, 7.6
_CAPTION_SIZE, _CAPTION_CHARACTER = 10.5, 5.9
_PADDING = 30
# A wider graph scrolls: smaller than this it would not be readable.
_LEAST_SCALE = 0.7
# Everything that XML 1.0 does not allow.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _Artifact(_Named, Protocol):
    @property
    def id(self) -> str: ...


class DrawnFlow(Protocol):
    """A flow, as far as its picture goes: a spec, or what is known of one."""

    @property
    def flow(self) -> _Named:
        """The flow."""
        ...

    @property
    def artifacts(self) -> Sequence[_Artifact]:
        """The artifacts."""
        ...

    @property
    def operators(self) -> Sequence[GraphNode]:
        """The operators."""
        ...


def flow_svg(
    spec: DrawnFlow,
    statuses: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    *,
    css_class: str = "",
) -> str:
    """Draw the graph of a flow.

    :param statuses: task id -> status, as ``OperatorRun.word`` has it; colours the operators.
    :param links: task id -> address that its box leads to.
    :param css_class: the element's class, in place of its own style, which strict pages forbid.
    """
    from aqueduct_provider.spec.graph import order

    boxes = [_Box.of(operator, statuses, links or {}) for operator in spec.operators]
    grid = Grid(width=max(box.width for box in boxes))
    artifacts = _artifacts_by_edge(spec)
    picture = layout(order(spec), artifacts, grid)
    drawn = (box.drawn(picture.boxes[box.task_id], grid) for box in boxes)
    opening = _opening(picture, spec, css_class, is_picture=not links)
    return "".join([opening, *_lines(picture, artifacts), *drawn, "</svg>"])


def _artifacts_by_edge(spec: DrawnFlow) -> dict[Edge, list[str]]:
    """Return the names of the artifacts between two operators; empty where one only waits for the other."""
    producers = {artifact: one.task_id for one in spec.operators for artifact in one.outputs}
    names = {artifact.id: artifact.name for artifact in spec.artifacts}
    edges: dict[Edge, list[str]] = {}
    for operator in spec.operators:
        for artifact in dict.fromkeys(operator.inputs):
            edges.setdefault((producers[artifact], operator.task_id), []).append(names[artifact])
        for other in operator.after:
            edges.setdefault((other, operator.task_id), [])
    return edges


def _opening(picture: GraphLayout, spec: DrawnFlow, css_class: str, *, is_picture: bool) -> str:
    width, height = round(picture.width), round(picture.height)
    label = f"The graph of {spec.flow.name}: {counted(len(spec.operators), 'operator')}"
    style = f"max-width:100%;min-width:{round(width * _LEAST_SCALE)}px;height:auto"
    look = f'height="{height}" class="{_text(css_class)}"' if css_class else f'style="{style}"'
    # What is inside of a picture cannot be reached, so one with links is a group.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'{look} role="{"img" if is_picture else "group"}" aria-label="{_text(label)}" '
        'font-family="system-ui,sans-serif" text-anchor="middle" fill="currentColor">'
    )


# --- lines


def _lines(picture: GraphLayout, artifacts: Mapping[Edge, list[str]]) -> Iterator[str]:
    carried: defaultdict[str, list[str]] = defaultdict(list)
    for (source, _), names in artifacts.items():
        carried[source].extend(names)
    yield '<g fill="none" stroke="currentColor" stroke-width="1.4">'
    for line in picture.lines:
        names = carried[line.source] if line.target is None else artifacts[line.source, line.target]
        yield _line(line, list(dict.fromkeys(names)))
    yield "</g>"


def _line(line: EdgePart, names: list[str]) -> str:
    (x, y), (end, below) = line.start, line.end
    middle = round((x + end) / 2)
    path = f"M{_n(x)} {_n(y)}C{middle} {_n(y)} {middle} {_n(below)} {_n(end)} {_n(below)}"
    if line.onward:
        path += f"h{_n(line.onward)}"
    dashes = "" if names else ' stroke-dasharray="4 3"'
    title = f"<title>{_text(', '.join(names))}</title>" if names else "<title>runs after</title>"
    head = "" if line.onward else f'<path d="M{_n(end)} {_n(below)}l-7 -3.5v7z" fill="currentColor"/>'
    # The wide one cannot be seen: it is what the pointer finds.
    return (
        f'<g opacity=".45">{title}<path d="{path}" stroke-width="10" stroke-opacity="0"/>'
        f'<path d="{path}"{dashes}/>{head}</g>'
    )


# --- boxes


@dataclass(frozen=True)
class _Box:
    """An operator as it is shown.

    :param caption: the text below its name: its type and status.
    :param link: the address that it leads to; empty: none.
    """

    task_id: str
    name: str
    kind: str
    caption: str
    colour: str
    link: str = ""

    @classmethod
    def of(cls, operator: GraphNode, statuses: Mapping[str, str] | None, links: Mapping[str, str]) -> _Box:
        kind, colour, status = operator.type.replace("_", " "), _KIND_COLOURS[operator.type], ""
        if statuses is not None:
            status = statuses.get(operator.task_id, "")
            colour = STATUS_COLOURS.get(status, NO_STATUS_COLOUR)
        caption = f"{kind} · {status}" if status else kind
        link = links.get(operator.task_id, "")
        return cls(operator.task_id, operator.name, operator.type, caption, colour, link)

    @property
    def width(self) -> int:
        widths = _length(_cut(self.name)) * _NAME_CHARACTER, _length(self.caption) * _CAPTION_CHARACTER
        return round(max(widths)) + _PADDING

    def drawn(self, centre: Point, grid: Grid) -> str:
        place = f"{_n(centre[0])} {_n(centre[1])}"
        dashes = ' stroke-dasharray="5 3"' if self.kind == "system_metric" else ""
        box = (
            f'<g transform="translate({place})"><title>{_text(f"{self.name} ({self.caption})")}</title>'
            f'{_outline(self.kind, grid.width, grid.height)} fill="{self.colour}" fill-opacity=".16" '
            f'stroke="{self.colour}" stroke-width="1.6"{dashes}/>'
            f'<text y="-2" font-size="{_NAME_SIZE}">{_text(_cut(self.name))}</text>'
            f'<text y="14" font-size="{_CAPTION_SIZE}" opacity=".7">{_text(self.caption)}</text></g>'
        )
        return f'<a href="{_text(self.link)}">{box}</a>' if self.link else box


def _outline(kind: str, width: float, height: float) -> str:
    """Return the beginning of a shape around the origin: each kind has its own."""
    x, y = width / 2, height / 2
    if kind in _ROUND:
        radius = _n(min(y, _ROUND[kind]))
        return f'<rect x="-{_n(x)}" y="-{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{radius}"'
    across, down = _CORNERS[kind]
    top, right = x - across, y - min(y, down)
    corners = [(-top, -y), (top, -y), (x, -right), (x, right), (top, y), (-top, y), (-x, right), (-x, -right)]
    path = "M" + "L".join(f"{_n(at)} {_n(below)}" for at, below in corners) + "z"
    if kind in ("extract", "load"):
        path += "".join(f"M{_n(at)} -{_n(y)}v{_n(height)}" for at in (6 - x, x - 6))
    return f'<path d="{path}"'


# --- text


def _text(text: str) -> str:
    return html.escape(_FORBIDDEN.sub("\ufffd", text))


def _length(text: str) -> int:
    """Return the length of the text in half-width characters."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _cut(name: str) -> str:
    name = " ".join(name.split())
    short = name[: _NAME_LENGTH + 1]
    while _length(short) > _NAME_LENGTH:
        short = short[:-1]
    return name if short == name else f"{short[:-1].rstrip()}…"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")

"""Charts as SVG without style or script of their own: classes of ``page.css`` give them colours (pure).

In: numbers. Out: escaped markup. Every chart names what it shows; its values are in a table on the same page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from aqueduct_provider.artifacts.numbers import number

if TYPE_CHECKING:
    from markupsafe import Markup

    from aqueduct_provider.ui.run_history import MetricBound

_WIDTH, _HEIGHT = 640, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 12, 24
# Of labels of the axes, as the stylesheet has them: what a digit takes at most, and what a point takes.
_DIGIT, _POINT = 8.5, 4.5
# Characters of a label; longer numbers are written as 1.5e12.
_PLAIN = 7
_SPARK_WIDTH, _SPARK_HEIGHT = 96, 24
_MOST = 1e150


@dataclass(frozen=True)
class ChartPoint:
    """A run in a chart.

    :param label: what the pointer finds, without the value.
    :param short: the label of the axis below it.
    :param value: None: there is none; the line has a gap. One that is not finite is a mark on the edge.
    :param link: the page of the run; empty: none.
    """

    label: str
    short: str
    value: float | None
    link: str = ""


def line_chart(
    name: str, points: Sequence[ChartPoint], bounds: Sequence[MetricBound] = (), marks: Sequence[int] = ()
) -> Markup:
    """Draw a metric over runs.

    :param bounds: drawn as lines across.
    :param marks: places of runs that used a new version.
    """
    bounds = [replace(bound, value=_clipped(bound.value)) for bound in bounds]
    values = [point.value for point in points if point.value is not None]
    drawable = [_clipped(value) for value in values if math.isfinite(value)]
    ticks = _ticks([*drawable, *(bound.value for bound in bounds)])
    labels = tick_labels(ticks) if drawable or bounds else [""] * len(ticks)
    left = max(_LEFT, *(math.ceil(_width(label)) + 10 for label in labels))
    low, high = ticks[0], ticks[-1]
    across = [left + (_WIDTH - left - _RIGHT) * _share(place, len(points)) for place in range(len(points))]

    def down(value: float) -> float:
        # What is not a number is below all that are.
        at = _clipped(value) if math.isfinite(value) else high if value > 0 else low
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - at) / (high - low)

    parts = [_t("<title>{}</title>", f"{name} over {len(points)} runs")]
    for tick, label in zip(ticks, labels, strict=True):
        parts.append(_line("grid", left, down(tick), _WIDTH - _RIGHT, down(tick)))
        parts.append(_text("axis end", left - 8, down(tick) + 4, label))
    for mark in marks:
        middle = (across[mark - 1] + across[mark]) / 2
        parts.append(_t('<g class="mark"><title>{}</title>', f"A new version from {points[mark].label} on"))
        parts.append(_line("", middle, _TOP, middle, _HEIGHT - _BOTTOM) + _t("</g>"))
    for bound in bounds:
        parts.append(_line("bound", left, down(bound.value), _WIDTH - _RIGHT, down(bound.value)))
    drawn = [
        (across[i], down(p.value)) if p.value is not None and math.isfinite(p.value) else None
        for i, p in enumerate(points)
    ]
    parts += [_t('<path class="line" d="{}"/>', _path(stretch)) for stretch in _stretches(drawn)]
    for point, x in zip(points, across, strict=True):
        if point.value is not None:
            parts.append(_dot((x, down(point.value)), point, len(points)))
    if not drawable:
        note = "no values in these runs" if not values else "no finite values in these runs"
        parts.append(_text("axis middle", (left + _WIDTH - _RIGHT) / 2, _HEIGHT / 2, note))
    parts += _dates(points, across)
    return _svg("chart", _WIDTH, _HEIGHT, f"{name}: {_summary(values)}", parts, left)


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Return the labels of an axis: short, and as exact as the distance between them needs."""
    step = min(abs(above - below) for below, above in pairwise(ticks))
    places = next((n for n in range(18) if _are_exact([f"{one:.{n}f}" for one in ticks], ticks, step)), 17)
    plain = [f"{one:,.{places}f}" for one in ticks]
    if max(map(len, plain)) <= _PLAIN:
        return plain
    places = next((n for n in range(17) if _are_exact([f"{one:.{n}e}" for one in ticks], ticks, step)), 17)
    short = [_power(one, places) for one in ticks]
    return short if max(map(_width, short)) < max(map(_width, plain)) else plain


def _are_exact(labels: Sequence[str], ticks: Sequence[float], step: float) -> bool:
    return all(abs(float(label) - tick) <= 0.01 * step for label, tick in zip(labels, ticks, strict=True))


def _power(value: float, places: int) -> str:
    """Return a number as 1.5e12."""
    mantissa, power = f"{value:.{places}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(power)}" if value else "0"


def _width(label: str) -> float:
    """Return what a label takes at most."""
    return sum(_POINT if sign in ".,-" else _DIGIT for sign in label)


def sparkline(name: str, values: Sequence[float | None]) -> Markup:
    """Draw a metric over runs, without axes; values that are not finite are gaps. None that is: nothing."""
    values = [_clipped(value) if value is not None and math.isfinite(value) else None for value in values]
    there = [value for value in values if value is not None]
    if not there:
        return _t("")
    low, high = min(there), max(there)
    spread = high - low

    def place(index: int, value: float) -> tuple[float, float]:
        share = (high - value) / spread if spread else 0.5
        return 3 + (_SPARK_WIDTH - 6) * _share(index, len(values)), 3 + (_SPARK_HEIGHT - 6) * share

    drawn = [None if value is None else place(index, value) for index, value in enumerate(values)]
    parts = [_t('<path class="line" d="{}"/>', _path(stretch)) for stretch in _stretches(drawn)]
    x, y = next(one for one in reversed(drawn) if one is not None)
    parts.append(_t('<circle class="dot" cx="{}" cy="{}" r="2.5"/>', _n(x), _n(y)))
    label = f"{name}, {len(there)} values: {_summary(there)}"
    return _svg("spark", _SPARK_WIDTH, _SPARK_HEIGHT, label, [_t("<title>{}</title>", label), *parts])


def bar(share: float) -> Markup:
    """Draw a bar that fills a share of its place, 0 to 1; the number stands next to it."""
    width = _n(100 * min(1.0, max(0.0, share)))
    drawn = _t('<rect width="{}" height="10" rx="2"/>', width)
    return _t('<svg class="bar" width="100" height="10" aria-hidden="true">{}</svg>', drawn)


def _clipped(value: float) -> float:
    """Return a value whose distance to others is a number, too; the table has it as it is."""
    return max(-_MOST, min(_MOST, value))


def _summary(values: Sequence[float]) -> str:
    if not values:
        return "no values"
    last, finite = f"last {number(values[-1])}", [value for value in values if math.isfinite(value)]
    if not finite:
        return f"{last}, none is finite"
    return f"{last}, lowest {number(min(finite))}, highest {number(max(finite))}"


def _dot(place: tuple[float, float], point: ChartPoint, count: int) -> Markup:
    x, y = place
    radius = 3.5 if count <= 60 else 2.2 if count <= 200 else 1.4
    label = f"{number(point.value)} in {point.label}"
    kind = "dot" if point.value is not None and math.isfinite(point.value) else "dot odd"
    # The script follows the link. For keyboards and screen readers the table below the charts has it.
    title = _t("<title>{}</title>", label)
    return _t(
        '<circle class="{}" cx="{}" cy="{}" r="{}" data-label="{}" data-link="{}">{}</circle>',
        *(kind, _n(x), _n(y), radius, label, point.link, title),
    )


def _dates(points: Sequence[ChartPoint], across: Sequence[float]) -> list[Markup]:
    if not points:
        return []
    labels = [_text("axis", across[0], _HEIGHT - 6, points[0].short)]
    if len(points) > 1:
        labels.append(_text("axis end", across[-1], _HEIGHT - 6, points[-1].short))
    return labels


def _share(place: int, count: int) -> float:
    return place / (count - 1) if count > 1 else 0.5


def _stretches(
    drawn: Sequence[tuple[float, float] | None],
) -> list[list[tuple[float, float]]]:
    """Return the points that are joined by lines, without the gaps."""
    found: list[list[tuple[float, float]]] = [[]]
    for place in drawn:
        if place is not None:
            found[-1].append(place)
        elif found[-1]:
            found.append([])
    return [stretch for stretch in found if len(stretch) > 1]


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in places)


def _ticks(values: Sequence[float]) -> list[float]:
    """Return round numbers, at least two, that span the values."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low < 1e-12 * max(abs(low), abs(high)) or high == low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    rough = (high - low) / 3
    if rough < 1e-300:
        return [low, low + 1]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * n for n in (1, 2, 2.5, 5, 10) if power * n >= rough), power * 10)
    first = math.floor(low / step) * step
    count = min(10, math.ceil((high - first) / step - 1e-9))
    return [float(f"{first + step * place:.15g}") for place in range(max(1, count) + 1)]


def _svg(kind: str, width: int, height: int, label: str, parts: Sequence[Markup], left: int = 0) -> Markup:
    from markupsafe import Markup

    head = _t(
        '<svg class="{}" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}" '
        'data-left="{}">',
        *(kind, width, height, width, height, label, left),
    )
    return head + Markup("").join(parts) + Markup("</svg>")


def _line(kind: str, *ends: float) -> Markup:
    return _t('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>', kind, *map(_n, ends))


def _text(kind: str, x: float, y: float, text: str) -> Markup:
    return _t('<text class="{}" x="{}" y="{}">{}</text>', kind, _n(x), _n(y), text)


def _t(template: str, *values: object) -> Markup:
    """Return a template with its values escaped."""
    from markupsafe import Markup

    return Markup(template).format(*values)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")

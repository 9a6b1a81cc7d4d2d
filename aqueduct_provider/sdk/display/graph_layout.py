"""A layered layout of a flow's graph, from left to right (pure).

The same graph always gives the same picture. An edge that is longer than one layer has a place of its own in
every layer that it passes, so it crosses no box; the edges of one box share these places until they part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Edge = tuple[str, str]
Point = tuple[float, float]

_SWEEPS = 2
_MARGIN = 10.0


@dataclass(frozen=True)
class Grid:
    """Sizes in pixels.

    :param width: of a box.
    :param height: of a box.
    :param gap: between two layers.
    :param space: between two boxes of a layer.
    :param lane: room that a passing line has in a layer.
    """

    width: float
    height: float = 42.0
    gap: float = 56.0
    space: float = 16.0
    lane: float = 10.0


@dataclass(frozen=True)
class EdgePart:
    """A part of one or more edges of a box, between neighbouring layers.

    :param source: the box that the edges come from.
    :param target: the box that it ends at; None: a passage.
    :param start: where it begins.
    :param end: where it arrives.
    :param onward: how far to the right a passage goes on; at a box, nowhere.
    """

    source: str
    target: str | None
    start: Point
    end: Point
    onward: float


@dataclass(frozen=True)
class GraphLayout:
    """Where everything is drawn.

    :param boxes: name -> its centre.
    """

    width: float
    height: float
    boxes: Mapping[str, Point]
    lines: tuple[EdgePart, ...]


@dataclass(eq=False)
class _Cell:
    """A box, or the place where lines pass a layer.

    :param name: the box, or the one whose lines pass.
    :param size: its height with the space around it.
    :param rank: its place in its layer, from 0 to 1.
    """

    name: str
    level: int
    size: float
    is_box: bool
    before: list[_Cell] = field(default_factory=list)
    after: list[_Cell] = field(default_factory=list)
    rank: float = 0.0
    y: float = 0.0


def layout(names: Sequence[str], edges: Iterable[Edge], grid: Grid) -> GraphLayout:
    """Lay out a graph.

    :param names: of the boxes, each after those from which an edge leads to it.
    """
    edges = tuple(dict.fromkeys(edges))
    rows = _rows(names, edges, _levels(names, edges), grid)
    _sort(rows)
    _stack(rows, grid)
    return _picture(rows, grid)


def _levels(names: Sequence[str], edges: Iterable[Edge]) -> dict[str, int]:
    """Return the layer of each box: the longest path to it; just before its reader if it needs nothing."""
    needs: dict[str, list[str]] = {name: [] for name in names}
    readers: dict[str, list[str]] = {name: [] for name in names}
    for start, end in edges:
        needs[end].append(start)
        readers[start].append(end)
    levels: dict[str, int] = {}
    for name in names:
        levels[name] = max((levels[other] + 1 for other in needs[name]), default=0)
    for name in names:
        if readers[name] and not needs[name]:
            levels[name] = min(levels[other] for other in readers[name]) - 1
    return levels


def _rows(
    names: Sequence[str], edges: Sequence[Edge], levels: Mapping[str, int], grid: Grid
) -> list[list[_Cell]]:
    """Return the cells of each layer, each linked with its neighbours in the layers next to it."""
    boxes = {name: _Cell(name, levels[name], grid.height + grid.space, is_box=True) for name in names}
    last_level: dict[str, int] = {}
    for start, end in edges:
        last_level[start] = max(levels[end], last_level.get(start, 0))
    rows: list[list[_Cell]] = [[] for _ in range(max(levels.values(), default=-1) + 1)]
    chains: dict[str, list[_Cell]] = {}
    for name, box in boxes.items():
        passed = range(box.level + 1, last_level.get(name, 0))
        chains[name] = [box, *(_Cell(name, level, grid.lane, is_box=False) for level in passed)]
        for cell in chains[name]:
            rows[cell.level].append(cell)
        for before, cell in pairwise(chains[name]):
            _link(before, cell)
    for start, end in edges:
        _link(chains[start][levels[end] - levels[start] - 1], boxes[end])
    return rows


def _link(before: _Cell, after: _Cell) -> None:
    before.after.append(after)
    after.before.append(before)


def _sort(rows: Sequence[list[_Cell]]) -> None:
    """Order each layer by the places of its cells' neighbours, there and back."""
    for row in rows:
        _rank(row)
    for _ in range(_SWEEPS):
        for row in rows:
            _sort_row(row, lambda cell: cell.before)
        for row in reversed(rows):
            _sort_row(row, lambda cell: cell.after)


def _sort_row(row: list[_Cell], neighbours: Callable[[_Cell], Sequence[_Cell]]) -> None:
    def middle(cell: _Cell) -> float:
        others = neighbours(cell)
        return sum(other.rank for other in others) / len(others) if others else cell.rank

    row.sort(key=middle)
    _rank(row)


def _rank(row: Sequence[_Cell]) -> None:
    for index, cell in enumerate(row):
        cell.rank = (index + 0.5) / len(row)


def _stack(rows: Sequence[Sequence[_Cell]], grid: Grid) -> None:
    """Set the heights: each layer is stacked in its order, around one middle line."""
    heights = [sum(cell.size for cell in row) for row in rows]
    highest = max(heights, default=0.0)
    for row, height in zip(rows, heights, strict=True):
        top = _MARGIN - grid.space / 2 + (highest - height) / 2
        for cell in row:
            cell.y = top + cell.size / 2
            top += cell.size


def _picture(rows: Sequence[Sequence[_Cell]], grid: Grid) -> GraphLayout:
    cells = [cell for row in rows for cell in row]
    left = [_MARGIN + level * (grid.width + grid.gap) for level in range(len(rows))]
    lines = tuple(_line(cell, other, left, grid) for cell in cells for other in cell.after)
    boxes = {cell.name: (left[cell.level] + grid.width / 2, cell.y) for cell in cells if cell.is_box}
    bottom = max((cell.y + cell.size / 2 for cell in cells), default=0.0)
    right = left[-1] + grid.width if left else _MARGIN
    return GraphLayout(right + _MARGIN, bottom + _MARGIN - grid.space / 2, boxes, lines)


def _line(cell: _Cell, other: _Cell, left: Sequence[float], grid: Grid) -> EdgePart:
    return EdgePart(
        source=cell.name,
        target=other.name if other.is_box else None,
        start=(left[cell.level] + grid.width, cell.y),
        end=(left[other.level], other.y),
        onward=0.0 if other.is_box else grid.width,
    )

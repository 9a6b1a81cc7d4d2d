"""Where the boxes and lines of a flow's graph stand, from left to right (pure).

In: the boxes, in an order in which each comes after all that it needs, and the edges. Out: the centre of each
box and the lines between them. The same graph always gives the same picture. A line that is longer than one
layer has a place of its own in every layer that it passes, so it crosses no box; the lines of one box share
them, up to where they part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

Edge = tuple[str, str]
Point = tuple[float, float]

_SWEEPS = 2
_ALIGNMENTS = 3
_MARGIN = 10.0


@dataclass(frozen=True)
class Grid:
    """Sizes in pixels.

    :param width: of a box. :param height: of a box.
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
class Line:
    """A part of one or more edges of a box, between neighbouring layers.

    :param source: the box that the edges come from.
    :param target: the box that it ends at; None: a passage.
    :param start: where it begins. :param end: where it arrives.
    :param onward: how far to the right a passage goes on; at a box, nowhere.
    """

    source: str
    target: str | None
    start: Point
    end: Point
    onward: float


@dataclass(frozen=True)
class Layout:
    """A picture.

    :param boxes: name -> its centre.
    """

    width: float
    height: float
    boxes: Mapping[str, Point]
    lines: tuple[Line, ...]


@dataclass(eq=False)
class _Cell:
    """A box, or the place where lines pass a layer.

    :param name: the box, or the one whose lines pass.
    :param size: its height with the space around it.
    :param rank: where in its layer it stands, from 0 to 1.
    """

    name: str
    level: int
    size: float
    is_box: bool
    before: list[_Cell] = field(default_factory=list)
    after: list[_Cell] = field(default_factory=list)
    rank: float = 0.0
    y: float = 0.0


def layout(names: Sequence[str], edges: Iterable[Edge], grid: Grid) -> Layout:
    """Lay out a graph.

    :param names: of the boxes, each after those from which an edge leads to it.
    """
    edges = tuple(dict.fromkeys(edges))
    rows = _rows(names, edges, _levels(names, edges), grid)
    _sort(rows)
    _align(rows, grid)
    return _picture(rows, grid)


def _levels(names: Sequence[str], edges: Iterable[Edge]) -> dict[str, int]:
    """The layer of each box: the longest path to it; one that needs nothing stands before its reader."""
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
    """The cells of each layer, each linked with its neighbours in the layers beside it."""
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
    """Order each layer by where the neighbours of its cells stand, there and back."""
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


def _align(rows: Sequence[Sequence[_Cell]], grid: Grid) -> None:
    """Set the heights: each cell as near to its neighbours' as the order of its layer allows."""
    for row in rows:
        total = 0.0
        for cell in row:
            cell.y = total + cell.size / 2
            total += cell.size
    for _ in range(_ALIGNMENTS):
        for row in reversed(rows):
            _place(row, [_mean(cell.after, cell.y) for cell in row])
        for row in rows:
            _place(row, [_mean(cell.before, cell.y) for cell in row])
    top = min((cell.y - cell.size / 2 for row in rows for cell in row), default=0.0)
    for cell in (cell for row in rows for cell in row):
        cell.y += _MARGIN - grid.space / 2 - top


def _mean(cells: Sequence[_Cell], otherwise: float) -> float:
    return sum(cell.y for cell in cells) / len(cells) if cells else otherwise


def _place(row: Sequence[_Cell], wanted: Sequence[float]) -> None:
    """Set the heights as near to the wanted ones (in least squares) as possible without an overlap.

    Neighbours that would overlap are pooled, and pools that would overlap become one.
    """
    steps = ((before.size + cell.size) / 2 for before, cell in pairwise(row))
    offsets = list(accumulate(steps, initial=0.0))
    pools: list[tuple[float, int]] = []
    for wish, offset in zip(wanted, offsets, strict=True):
        total, count = wish - offset, 1
        while pools and pools[-1][0] * count >= total * pools[-1][1]:
            total, count = total + pools[-1][0], count + pools[-1][1]
            pools.pop()
        pools.append((total, count))
    starts = (total / count for total, count in pools for _ in range(count))
    for cell, start, offset in zip(row, starts, offsets, strict=True):
        cell.y = start + offset


def _picture(rows: Sequence[Sequence[_Cell]], grid: Grid) -> Layout:
    cells = [cell for row in rows for cell in row]
    left = [_MARGIN + level * (grid.width + grid.gap) for level in range(len(rows))]
    lines = tuple(_line(cell, other, left, grid) for cell in cells for other in cell.after)
    boxes = {cell.name: (left[cell.level] + grid.width / 2, cell.y) for cell in cells if cell.is_box}
    bottom = max((cell.y + cell.size / 2 for cell in cells), default=0.0)
    right = left[-1] + grid.width if left else _MARGIN
    return Layout(right + _MARGIN, bottom + _MARGIN - grid.space / 2, boxes, lines)


def _line(cell: _Cell, other: _Cell, left: Sequence[float], grid: Grid) -> Line:
    return Line(
        source=cell.name,
        target=other.name if other.is_box else None,
        start=(left[cell.level] + grid.width, cell.y),
        end=(left[other.level], other.y),
        onward=0.0 if other.is_box else grid.width,
    )

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from aqueduct_provider.sdk.display.graph_layout import Edge, GraphLayout, Grid, layout

GRID = Grid(width=100)


def random_graph(seed: int, count: int) -> tuple[list[str], list[Edge]]:
    chance = random.Random(seed)
    names = [f"n{number}" for number in range(count)]
    edges = [
        (before, name)
        for number, name in enumerate(names)
        for before in chance.sample(names[:number], min(number, chance.randint(0, 3)))
    ]
    return names, edges


def column(made: GraphLayout, name: str) -> int:
    left = sorted({x for x, _ in made.boxes.values()})
    return left.index(made.boxes[name][0])


def test_a_chain_is_a_straight_line() -> None:
    made = layout(["a", "b", "c"], [("a", "b"), ("b", "c")], GRID)
    assert [column(made, name) for name in "abc"] == [0, 1, 2]
    assert len({y for _, y in made.boxes.values()}) == 1
    (first, second) = made.lines
    assert (first.source, first.target, second.target) == ("a", "b", "c")
    assert first.start == (made.boxes["a"][0] + 50, made.boxes["a"][1])
    assert first.end == (made.boxes["b"][0] - 50, made.boxes["b"][1])


def test_a_box_stands_behind_the_longest_path_to_it() -> None:
    made = layout(["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("a", "d"), ("c", "d")], GRID)
    assert column(made, "d") == 3


def test_what_needs_nothing_stands_before_its_first_reader() -> None:
    edges = [("a", "b"), ("b", "c"), ("late", "c"), ("early", "b"), ("early", "c")]
    made = layout(["late", "early", "a", "b", "c"], edges, GRID)
    assert (column(made, "late"), column(made, "early")) == (1, 0)


def test_a_long_line_passes_beside_the_boxes_and_is_shared() -> None:
    names, edges = ["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("c", "d"), ("a", "c"), ("a", "d")]
    made = layout(names, edges, GRID)
    passages = [line for line in made.lines if line.target is None]
    assert [line.source for line in passages] == ["a", "a"]
    assert all(line.onward == GRID.width for line in passages)
    for line in passages:
        over = next(y for x, y in made.boxes.values() if x - 50 == line.end[0])
        assert abs(line.end[1] - over) > GRID.height / 2


def test_neighbours_stand_beside_each_other() -> None:
    # In the order of the names their lines would cross.
    names = ["a", "b", "c", "for c", "for b", "for a"]
    made = layout(names, [("a", "for a"), ("b", "for b"), ("c", "for c")], GRID)
    heights = [made.boxes[name][1] for name in ("for a", "for b", "for c")]
    assert heights == sorted(heights)
    assert heights == [made.boxes[name][1] for name in ("a", "b", "c")]


@pytest.mark.parametrize("seed", range(8))
def test_nothing_overlaps_and_all_is_inside(seed: int) -> None:
    made = layout(*random_graph(seed, 60), GRID)
    columns: dict[float, list[tuple[float, float]]] = {}
    for x, y in made.boxes.values():
        columns.setdefault(x - 50, []).append((y, GRID.height / 2))
    for line in made.lines:
        if line.target is None:
            columns[line.end[0]].append((line.end[1], 0))
    for cells in columns.values():
        cells = sorted(set(cells))
        for (y, half), (below, half_below) in pairwise(cells):
            assert below - y > half + half_below
        assert cells[0][0] >= cells[0][1]
        assert cells[-1][0] + cells[-1][1] <= made.height
    assert max(columns) + 100 < made.width


def test_every_edge_arrives() -> None:
    names, edges = random_graph(3, 40)
    made = layout(names, edges, GRID)
    assert {(line.source, line.target) for line in made.lines if line.target} == set(edges)
    for line in made.lines:
        if line.target:
            assert line.end == (made.boxes[line.target][0] - 50, made.boxes[line.target][1])


def test_the_same_graph_gives_the_same_picture() -> None:
    names, edges = random_graph(5, 50)
    assert layout(names, edges, GRID) == layout(names, [*edges, *edges], GRID)


def test_one_box_and_none() -> None:
    assert layout(["a"], [], GRID).boxes == {"a": (60, 31)}
    assert layout([], [], GRID).boxes == {}

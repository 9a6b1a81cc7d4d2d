from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import pytest

from aqueduct_provider.ui.charts import ChartPoint, bar, line_chart, sparkline
from aqueduct_provider.ui.run_history import MetricBound

HOSTILE = '<script>alert(1)</script>"&\x27'


def points(values: list[float | None]) -> list[ChartPoint]:
    return [ChartPoint(f"run-{n}", f"day {n}", value, f"runs/{n}") for n, value in enumerate(values)]


def test_a_line_with_a_gap() -> None:
    drawn = ET.fromstring(line_chart("auc", points([1, 2, None, 4, 5])))
    assert drawn.get("aria-label") == "auc: last 5, lowest 1, highest 5"
    assert len(drawn.findall("path")) == 2
    dots = drawn.findall("circle")
    assert [dot.findtext("title") for dot in dots] == ["1 in run-0", "2 in run-1", "4 in run-3", "5 in run-4"]
    assert [dot.get("data-link") for dot in dots] == ["runs/0", "runs/1", "runs/3", "runs/4"]
    assert [dot.get("cy") for dot in dots] == sorted((dot.get("cy") for dot in dots), key=float, reverse=True)  # type: ignore[arg-type]


def test_bounds_and_versions() -> None:
    text = line_chart("auc", points([1.0, 2.0, 3.0]), [MetricBound("less than", 9.5)], [2])
    drawn = ET.fromstring(text)
    assert "less than 9.5" in [one.text for one in drawn.findall("text")]
    # The scale reaches the bound.
    (bound,) = [line for line in drawn.findall("line") if line.get("class") == "bound"]
    assert 0 < float(bound.get("y1", 0)) < 60
    assert drawn.findtext("g/title") == "A new version from run-2 on"


@pytest.mark.parametrize(
    "values",
    [
        [],
        [None],
        [0.0],
        [-0.0, 0.0],
        [1e308, -1e308],
        [1e308, 1e308],
        [5e-324, 0],
        [1e-300, 2e-300],
        [1.0, 1.0 + 2e-16],
        [1e15, 1e15 + 1],
        [0.1 + n / 1000 for n in range(1000)],
    ],
)
def test_all_numbers_can_be_drawn(values: list[float | None]) -> None:
    for drawn in (line_chart("x", points(values)), sparkline("x", values)):
        assert "nan" not in drawn
        assert "inf" not in drawn
        if drawn:
            height = float(ET.fromstring(drawn).get("height", 0))
            assert all(-1 <= float(y) <= height + 1 for y in re.findall(r' cy="([^"]+)"', drawn))


def test_nothing_of_a_name_acts() -> None:
    for drawn in (
        line_chart(HOSTILE, [ChartPoint(HOSTILE, HOSTILE, 1.0, HOSTILE)], [MetricBound(HOSTILE, 1.0)]),
        sparkline(HOSTILE, [1.0, 2.0]),
    ):
        assert "<script" not in drawn
        ET.fromstring(drawn)
        assert "style=" not in drawn


def test_a_sparkline_without_values_is_nothing() -> None:
    assert sparkline("auc", [None, None]) == ""
    assert "3 values: last 3, lowest 1, highest 3" in sparkline("auc", [1, None, 2, 3])


@pytest.mark.parametrize(("share", "width"), [(0.5, "50"), (2, "100"), (-1, "0"), (math.pi / 10, "31.4")])
def test_a_bar(share: float, width: str) -> None:
    assert f'rect width="{width}"' in bar(share)

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
        [1e12, 1e12 + 2],
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


def labels_of(drawn: ET.Element) -> list[str]:
    """The labels of the vertical axis, from below."""
    return [one.text or "" for one in drawn.findall("text") if one.get("class") == "axis end"][:-1]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 100], ["0", "50", "100"]),
        ([0.9, 0.95], ["0.90", "0.92", "0.94", "0.96"]),
        ([1e11, 1e12], ["0", "5e11", "1e12"]),
        ([1.1e12, 2.4e12], ["1e12", "1.5e12", "2e12", "2.5e12"]),
        ([-4e9, 0], ["-4e9", "-2e9", "0"]),
        ([1e-9, 3e-9], ["1e-9", "2e-9", "3e-9"]),
        # As exact as it must be, however long that is.
        ([1e9, 1e9 + 3], ["1,000,000,000", "1,000,000,001", "1,000,000,002", "1,000,000,003"]),
        ([1.000001, 1.000003], ["1.000001", "1.000002", "1.000003"]),
    ],
)
def test_an_axis_has_short_labels_that_differ(values: list[float], labels: list[str]) -> None:
    drawn = ET.fromstring(line_chart("x", points(list(values))))
    assert labels_of(drawn) == labels


@pytest.mark.parametrize("values", [[1e11, 1e12], [-1.5e12, 1.23e12], [1e9, 1e9 + 3], [1.000001, 1.000003]])
def test_no_label_of_an_axis_is_cut_off(values: list[float]) -> None:
    drawn = ET.fromstring(line_chart("x", points(list(values))))
    left = float(drawn.get("data-left", 0))
    (end,) = {float(one.get("x", 0)) for one in drawn.findall("text") if one.text in labels_of(drawn)}
    # No digit of 13 pixels is wider than 8.5, in the fonts that the stylesheet names.
    assert end >= max(sum(8.5 if sign.isalnum() else 4 for sign in label) for label in labels_of(drawn))
    assert end < left
    # The line begins there.
    assert min(float(dot.get("cx", 0)) for dot in drawn.findall("circle")) == left


def test_what_is_not_finite_is_marked_at_the_edge() -> None:
    drawn = ET.fromstring(line_chart("loss", points([1.0, math.nan, None, 3.0, math.inf, -math.inf])))
    assert drawn.get("aria-label") == "loss: last -inf, lowest 1, highest 3"
    odd = [dot for dot in drawn.findall("circle") if dot.get("class") == "dot odd"]
    assert [one.get("data-label") for one in odd] == ["nan in run-1", "inf in run-4", "-inf in run-5"]
    nan, inf, below = (float(one.get("cy", 0)) for one in odd)
    finite = [float(one.get("cy", 0)) for one in drawn.findall("circle") if one.get("class") == "dot"]
    assert inf <= min(finite) < max(finite) <= nan == below
    assert drawn.findall("path") == []


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([None, None], "no values in these runs"),
        ([math.nan, math.inf], "no finite values in these runs"),
    ],
)
def test_a_chart_without_a_line_says_why(values: list[float | None], note: str) -> None:
    drawn = ET.fromstring(line_chart("loss", points(values)))
    assert note in [one.text for one in drawn.findall("text")]
    # There is no scale to read values from.
    assert {one.text for one in drawn.findall("text") if one.get("class") == "axis end"} <= {None, "day 1"}


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
    assert sparkline("auc", [math.nan, None]) == ""
    assert "2 values: last 2, lowest 1, highest 2" in sparkline("auc", [1, 2, math.inf])


@pytest.mark.parametrize(("share", "width"), [(0.5, "50"), (2, "100"), (-1, "0"), (math.pi / 10, "31.4")])
def test_a_bar(share: float, width: str) -> None:
    assert f'rect width="{width}"' in bar(share)

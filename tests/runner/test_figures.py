from __future__ import annotations

from typing import Any

import altair
import matplotlib
import pytest
from plotly import graph_objects

from aqueduct_provider.runner.codecs import infer_type
from aqueduct_provider.runner.figures import drawn
from aqueduct_provider.runner.results import ResultError


def _matplotlib_figure() -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1), dpi=100)
    figure.subplots().plot([1, 3, 2])
    return figure


def test_figures_of_matplotlib_become_images() -> None:
    image = drawn(_matplotlib_figure())
    assert infer_type(image) == "image"
    assert image.size == (200, 100)
    assert len(image.convert("RGB").getcolors(20_000)) > 10


def test_figures_of_plotly_become_pages_that_load_nothing() -> None:
    page = drawn(graph_objects.Figure(graph_objects.Scatter(y=[1, 3, 2])))
    assert infer_type(page) == "string"
    assert page.lstrip().lower().startswith("<!doctype html")
    assert "<script src=" not in page.replace("'", '"')


def test_charts_of_altair_become_pages() -> None:
    page = drawn(altair.Chart(altair.Data(values=[{"x": 1}])).mark_bar().encode(x="x:Q"))
    assert page.lstrip().lower().startswith("<!doctype html")


def test_a_figure_that_cannot_be_drawn_is_the_users_mistake() -> None:
    figure = _matplotlib_figure()
    figure.suptitle(r"$\frac{$")
    with pytest.raises(ResultError, match=r"^The returned matplotlib\.Figure cannot be drawn: ValueError"):
        drawn(figure)


@pytest.mark.parametrize("value", [1, "text", None, [1], matplotlib, object])
def test_other_values_stay_as_they_are(value: Any) -> None:
    assert drawn(value) is value

from __future__ import annotations

from typing import Any

import pandas
import pytest

from aqueduct_provider.sdk.authoring.artifact_sources import GraphSource
from aqueduct_provider.sdk.authoring.artifact_text import description, preview
from aqueduct_provider.sdk.authoring.derived import derive
from aqueduct_provider.sdk.authoring.evaluate import compute, is_computed
from tests.support.operator_nodes import param, step


def test_says_what_the_graph_knows() -> None:
    table = step(lambda n: pandas.DataFrame({"a": range(n)}), param("n", 9), name="rows")
    derive("metric", "num_rows", (table,), len, lazy=True)
    derive("check", "fine", (table,), len, lazy=True)
    table.producer.description = "Makes rows."
    assert description(GraphSource(table)).splitlines() == [
        "rows artifact (untyped)",
        "  operator:  rows (function)",
        "  about:     Makes rows.",
        "  inputs:    n",
        "  metrics:   num_rows",
        "  checks:    fine",
        "  snapshot:  kept after a run",
        "  value:     not computed yet; .get() does",
    ]
    assert not is_computed(table.producer)


def test_shows_a_value_that_is_there() -> None:
    table = step(lambda n: pandas.DataFrame({"a": range(n)}), param("n", 9))
    table.keep_snapshot = False
    compute(table.producer)
    text = description(GraphSource(table))
    assert "(table)" in text
    assert "not kept after a run" in text
    assert "value:     9 rows x 1 column\n" in text
    assert text.splitlines()[-1].split() == ["4", "4"]


def test_a_check_says_its_severity_and_never_fails() -> None:
    failed = step(lambda v: False, param("v", 1), kind="check", severity="error", name="small")
    with pytest.raises(Exception, match="did not pass"):
        compute(failed.producer)
    text = description(GraphSource(failed))
    assert "small (check, severity error)" in text
    assert "cannot be shown: The check 'small' did not pass" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), ("x" * 999, "x'"), (list(range(999)), "9, ...]"), ({"a": 1}, "{'a': 1}")],
)
def test_previews_are_short(value: Any, text: str) -> None:
    shown = preview(value)
    assert shown.endswith(text)
    assert len(shown) <= 200

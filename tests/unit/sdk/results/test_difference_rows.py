from __future__ import annotations

from aqueduct_provider.sdk.results.difference_rows import DifferenceRow, Section


def test_how_many_facts_differ() -> None:
    rows = (DifferenceRow("a", "1", "1"), DifferenceRow("b", "1", "2", "changed"))
    assert Section("Metrics", rows).changes == 1

from __future__ import annotations

import json
from datetime import datetime, timezone

from aqueduct_provider.sdk.results.difference_rows import ComparedRun, DifferenceRow, Section
from aqueduct_provider.sdk.results.run_comparison import RunComparison

FOUND = RunComparison(
    "churn",
    ComparedRun("r1", datetime(2026, 1, 1, tzinfo=timezone.utc), "succeeded", "v1"),
    ComparedRun("r2", None, "failed", None),
    (
        Section("Metrics", (DifferenceRow("auc", "0.5", "0.75", "changed", "+0.25", (0.5, 0.75)),)),
        Section("Checks", (DifferenceRow("good", "passed", None, "removed"),)),
    ),
)


def test_its_kinds() -> None:
    assert [row.name for row in FOUND.metrics] == ["auc"]
    assert [row.name for row in FOUND.checks] == ["good"]
    for empty in (FOUND.parameters, FOUND.durations, FOUND.artifacts, FOUND.schemas, FOUND.code):
        assert empty == ()
    assert (FOUND.statistics, FOUND.changes) == ((), 2)


def test_as_json() -> None:
    assert json.loads(json.dumps(FOUND.to_json())) == {
        "version": 1,
        "flow": "churn",
        "before": {
            "run_id": "r1",
            "created_at": "2026-01-01T00:00:00+00:00",
            "status": "succeeded",
            "version": "v1",
        },
        "now": {"run_id": "r2", "created_at": None, "status": "failed", "version": None},
        "changes": 2,
        "sections": {
            "metrics": [{"name": "auc", "before": 0.5, "now": 0.75, "mark": "changed", "note": "+0.25"}],
            "checks": [{"name": "good", "before": "passed", "now": None, "mark": "removed", "note": ""}],
        },
        "flow_diff": None,
    }


def test_as_a_table() -> None:
    table = FOUND.to_frame()
    assert list(table.columns) == ["section", "name", "before", "now", "mark", "note"]
    assert table["section"].tolist() == ["metrics", "checks"]
    assert table["mark"].tolist() == ["changed", "removed"]


def test_as_it_is_shown() -> None:
    assert repr(FOUND) == FOUND.__rich__().plain
    assert "auc" in FOUND._repr_html_()

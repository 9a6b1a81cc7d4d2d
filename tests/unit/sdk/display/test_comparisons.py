from __future__ import annotations

from aqueduct_provider.sdk.display.comparisons import comparison_html, comparison_text
from aqueduct_provider.sdk.results.difference_rows import ComparedRun, DifferenceRow, Section
from aqueduct_provider.sdk.results.run_comparison import RunComparison

FOUND = RunComparison(
    "<b>churn</b>",
    ComparedRun("r1", None, "succeeded", "v1"),
    ComparedRun("r2\x1b[2J", None, "failed", "v2"),
    (
        Section(
            "Run",
            (
                DifferenceRow("Outcome", "succeeded", "failed", "changed"),
                DifferenceRow("Version", "aaaaaaaa", "bbbbbbbb", "changed"),
            ),
        ),
        Section(
            "Metrics",
            (
                DifferenceRow("auc", "0.5", "0.75", "changed", "+0.25 (+50.00%)"),
                DifferenceRow("<i>loss</i>", "1", None, "removed"),
            ),
        ),
    ),
)


def test_in_a_terminal() -> None:
    lines = comparison_text(FOUND).plain.split("\n")
    assert lines[0].index("before") == lines[4].index("0.5") == lines[3].index("succeeded")
    assert [" ".join(line.split()) for line in lines] == [
        "before now difference",
        r"Run id r1 r2\x1b[2J",
        "version v1 v2",
        "* Outcome succeeded failed changed",
        "Metrics * auc 0.5 0.75 +0.25 (+50.00%)",
        "* <i>loss</i> 1 not there removed",
    ]


def test_in_a_notebook() -> None:
    html = comparison_html(FOUND)
    assert "<b>&lt;b&gt;churn&lt;/b&gt;</b>: r1 (v1, succeeded) &rarr; r2" in html
    assert "&lt;i&gt;loss&lt;/i&gt;" in html
    assert "<i>" not in html
    assert "Metrics (2 differences)" in html
    assert "+0.25 (+50.00%)" in html
    assert "\x1b" not in html
    assert "aaaaaaaa" not in html

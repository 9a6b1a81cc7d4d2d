"""Differences as terminals and notebooks show them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aqueduct_provider.sdk.display.flow_diffs import short_diff_text
from aqueduct_provider.sdk.versions.differences import Change, OperatorChange
from aqueduct_provider.sdk.versions.flow_diff import FlowDiff

SOURCE = """\
--- train.py  v1
+++ train.py  v2
@@ -1,2 +1,2 @@
 def train(x):
-    return x < 1
+    return x < 2
"""
CHANGED = OperatorChange(
    "train",
    SOURCE,
    (Change("pandas", "pandas==2.0", "pandas==2.1"), Change("polars", None, "polars")),
    (Change("retries", None, 2), Change("timeout", 5.0, None)),
    code_changed=True,
)
DIFF = FlowDiff(
    "v1 (aaaaaaaa)",
    "v2 (bbbbbbbb)",
    added=("size",),
    removed=("old",),
    changed=(CHANGED,),
    schedule=Change("schedule", None, {"type": "cron", "cron": "@daily", "timezone": "UTC"}),
    parameters=(Change("rows", {"type": "numeric", "default": 3}, {"type": "numeric", "default": 4}),),
    edges=(Change("a -> b", "x as input 1", None),),
    settings=(Change("tags", [], ["mine"]),),
)


def test_in_a_terminal() -> None:
    assert str(DIFF).splitlines() == [
        "v1 (aaaaaaaa) -> v2 (bbbbbbbb)",
        "         what                          before        after",
        "added    operator size",
        "removed  operator old",
        "changed  code of train                               +1 -1 lines",
        "changed  requirement of train: pandas  pandas==2.0   pandas==2.1",
        "added    requirement of train: polars                polars",
        "added    operator train, retries                     2",
        "removed  operator train, timeout       5.0",
        "added    schedule                                    type cron, cron @daily, timezone UTC",
        "changed  parameter rows                default 3     default 4",
        "removed  edge a -> b                   x as input 1",
        'changed  tags                          []            ["mine"]',
        "",
        "train",
        *SOURCE.splitlines(),
    ]
    assert "return x" not in short_diff_text(DIFF).plain


def test_it_is_printed_without_steering_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = replace(CHANGED, name="\x1b[2J", source="@@ -1 +1 @@\n+\x1b[2J\n")
    replace(DIFF, changed=(evil,)).describe()
    assert "\x1b" not in capsys.readouterr().out


def test_in_a_notebook() -> None:
    html = DIFF._repr_html_()
    assert "<b>v1 (aaaaaaaa)</b> → <b>v2 (bbbbbbbb)</b>" in html
    assert 'color:#2e7d32">+    return x &lt; 2</span>' in html
    assert 'color:#c62828">-    return x &lt; 1</span>' in html
    assert "<td" in html
    evil = replace(CHANGED, name="<script>", source="+<script>\n")
    diff = replace(DIFF, before="<script>", changed=(evil,), added=("<script>",))
    assert "<script>" not in diff._repr_html_()


def test_nothing_differs() -> None:
    empty = FlowDiff("v1", "v2")
    assert str(empty) == "v1 -> v2\nNothing differs."
    assert "Nothing differs." in empty._repr_html_()


def test_why_code_is_not_compared() -> None:
    hidden = OperatorChange("train", code_changed=True, note="It was deleted.")
    diff = FlowDiff("v1", "v2", changed=(hidden,))
    assert str(diff).splitlines()[1:] == [
        "         what",
        "changed  code of train",
        "",
        "train: It was deleted.",
    ]
    assert short_diff_text(diff).plain == str(diff)
    assert "<b>train</b>: It was deleted." in diff._repr_html_()


def test_long_values_are_cut() -> None:
    row = str(FlowDiff("v1", "v2", settings=(Change("description", "", "x" * 1000),))).splitlines()[-1]
    assert row.endswith("x...")
    assert len(row) < 150


def test_long_values_are_cut_around_what_differs() -> None:
    values = [f"{'a' * 200}{end}{'z' * 200}" for end in ("1", "2")]
    row = str(FlowDiff("v1", "v2", settings=(Change("description", *values),))).splitlines()[-1]
    shown = [f"...{'a' * 20}{end}{'z' * 53}..." for end in ("1", "2")]
    assert row.split() == ["changed", "description", *shown]
    # Where one is the beginning of the other.
    row = str(FlowDiff("v1", "v2", settings=(Change("description", "b" * 100, "b" * 101),))).splitlines()[-1]
    assert row.split()[2:] == ["..." + "b" * 20, "..." + "b" * 21]


def test_fields_that_python_takes_for_equal() -> None:
    change = Change("rows", {"default": 1}, {"default": True})
    row = str(FlowDiff("v1", "v2", parameters=(change,))).splitlines()[-1]
    assert row.split("  ") == ["changed", "parameter rows", "default 1", "default true"]


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0c", "\x1c", "\u202e", "\x1b[2J"])
def test_marks_in_code_are_shown_escaped(mark: str) -> None:
    change = replace(CHANGED, source=f"@@ -1 +1 @@\n-x\n+x{mark} import os\n")
    diff = replace(DIFF, changed=(change,))
    escaped = mark.encode("unicode_escape").decode()
    assert str(diff).endswith(f"\n-x\n+x{escaped} import os")
    assert "+1 -1 lines" in str(diff)
    assert f">+x{escaped} import os</span>" in diff._repr_html_()
    assert mark not in str(diff) + diff._repr_html_()

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
    assert str(FlowDiff("v1", "v2", changed=(hidden,))).splitlines()[-1].split("  ")[-1] == "It was deleted."


def test_long_values_are_cut() -> None:
    row = str(FlowDiff("v1", "v2", settings=(Change("description", "", "x" * 1000),))).splitlines()[-1]
    assert row.endswith("x...")
    assert len(row) < 150

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.artifacts.glance import clean, described, output_line
from aqueduct_provider.artifacts.manifest import ArtifactRef
from aqueduct_provider.spec.redactor import Redactor

REDACT = Redactor(["hunter22", "483911"])


def _ref(kind: str, size: int, glance: dict[str, Any]) -> ArtifactRef:
    return ArtifactRef("k", "s", size, "m", "d", kind, "json", "thing", glance)


@pytest.mark.parametrize(
    ("kind", "size", "glance", "line"),
    [
        ("numeric", 18, {"value": 0.99557522123}, "thing = 0.995575 (numeric)"),
        ("numeric", 3, {"value": 133}, "thing = 133 (numeric)"),
        ("numeric", 7, {"value": 1234567}, "thing = 1,234,567 (numeric)"),
        ("numeric", 3, {"value": "nan"}, "thing = nan (numeric)"),
        ("numeric", 4, {"value": "-inf"}, "thing = -inf (numeric)"),
        ("numeric", 4, {"value": "NaN"}, 'thing = "NaN" (numeric)'),
        ("string", 3, {"value": "nan"}, 'thing = "nan" (string)'),
        ("boolean", 4, {"value": True}, "thing = True (boolean)"),
        ("string", 4, {"value": 'say "x"'}, 'thing = "say \\"x\\"" (string)'),
        ("picklable", 2_700, {"class": "Pipeline"}, "thing: Pipeline, picklable, 2.7 kB"),
        ("table", 21_000, {"rows": 133, "columns": 14}, "thing: table, 133 rows x 14 columns, 21 kB"),
        ("table", 21_000, {"rows": 1, "columns": 1}, "thing: table, 1 row x 1 column, 21 kB"),
        ("table", 5_000_000, {}, "thing: table, 5 MB"),
        ("image", 999, {"width": 4, "height": 3}, "thing: image, 4 x 3 pixels, 999 bytes"),
        ("list", 0, {"items": 1200}, "thing: list, 1,200 items, 0 bytes"),
        ("string", 4_900_000, {"format": "html"}, "thing: html, 4.9 MB"),
    ],
)
def test_lines_of_a_log(kind: str, size: int, glance: dict[str, Any], line: str) -> None:
    assert output_line(_ref(kind, size, glance)) == line


def test_what_the_child_says_is_checked() -> None:
    said = {"value": [1], "rows": -1, "columns": "3", "items": True, "class": "x" * 500, "other": 1}
    assert clean("a", {**said, "width": 3}, {"kind": "script", "text": "x"}, REDACT) == ({"width": 3}, None)


@pytest.mark.parametrize(
    "value", [2**63, -(2**63) - 1, float("nan"), float("inf"), "\ud800", "a\x00b", [1], None, "x" * 201]
)
def test_values_that_airflow_cannot_store_are_left_out(value: Any) -> None:
    assert clean("a", {"value": value, "class": value, "rows": 1}, None, REDACT)[0] == {"rows": 1}


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 0.5, True, "ü\n", ""])
def test_values_that_it_can_store_are_sent_as_its_tasks_send_them(value: Any) -> None:
    assert clean("a", {"value": value}, None, REDACT)[0] == {"value": value}
    msgspec = pytest.importorskip("msgspec", reason="Airflow 2.11 has none")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(value)) == value


@pytest.mark.parametrize("kind", [[], {}, None, 3])
def test_a_preview_of_no_kind_is_dropped(kind: Any) -> None:
    assert clean("a", {}, {"kind": kind}, REDACT) == ({}, None)


@pytest.mark.parametrize("value", ["it is hunter22", 483911, "hunter22"])
def test_values_with_secrets_are_left_out(value: Any) -> None:
    assert clean("a", {"value": value, "rows": 1}, None, REDACT) == ({"rows": 1}, None)


def test_nothing_is_shown_of_what_has_the_name_of_a_secret() -> None:
    preview = {"kind": "text", "text": "x", "cut": False}
    assert clean("db_password", {"value": "x"}, preview, REDACT) == ({}, None)
    assert clean("max_tokens", {"value": "x"}, preview, REDACT) == ({"value": "x"}, preview)


def test_secrets_in_previews_are_masked_in_every_cell_and_name() -> None:
    preview = {
        "kind": "table",
        "columns": [{"name": "hunter22", "min": 483911, "max": 5}],
        "head": [["a hunter22 b", 483911, None], ["c", 1, True]],
    }
    _, shown = clean("a", {}, preview, REDACT)
    assert "hunter22" not in json.dumps(shown)
    assert shown == {
        "kind": "table",
        "columns": [{"name": "***", "min": "***", "max": 5}],
        "head": [["a *** b", "***", None], ["c", 1, True]],
    }


def test_what_has_the_name_of_a_secret_in_a_preview_is_masked() -> None:
    preview = {"kind": "json", "text": '{"token": "letmein", "user": "ada'}
    assert clean("users", {}, preview, REDACT)[1] == {
        "kind": "json",
        "text": '{"token": "***", "user": "ada',
    }


def test_a_large_preview_is_cut() -> None:
    head = [["x" * 100] * 60 for _ in range(50)]
    columns = [{"name": f"c{number}"} for number in range(60)]
    _, shown = clean("a", {}, {"kind": "table", "columns": columns, "head": head}, REDACT)
    assert shown is not None
    assert len(json.dumps(shown)) <= 64_000
    assert 0 < len(shown["head"]) < 50
    assert shown["cut"]


def test_a_preview_that_cannot_be_cut_is_dropped() -> None:
    assert clean("a", {}, {"kind": "text", "text": "x", "other": "y" * 70_000}, REDACT) == ({}, None)


def test_an_artifact_is_described_without_its_name() -> None:
    ref = _ref("table", 21_000, {"rows": 133, "columns": 14})
    assert described(ref) == "table, 133 rows x 14 columns, 21 kB"
    assert output_line(ref) == f"{ref.name}: {described(ref)}"

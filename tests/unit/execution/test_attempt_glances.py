"""What a task says of its outputs: lines of its log, its manifest, previews in the metadata."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from aqueduct_provider.spec.redactor import Redactor
from tests.support.flow_runs import LocalRun
from tests.unit.execution.conftest import Desk

Function = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "aqueduct_provider")


def test_each_output_has_a_line_facts_and_a_preview(
    desk: Desk, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    source = (
        "import pandas\n"
        "class Tree:\n    def __repr__(self): return 'Tree(depth=2)'\n"
        "def predict(): return 0.99557, pandas.DataFrame({'a': [1, 2]}), Tree()"
    )
    operator = {**function(source), "outputs": ["auc", "rows", "model"]}
    run = LocalRun(desk.flow(operator), desk.store, desk.folder)

    manifest = run.run("f")

    assert "auc = 0.99557 (numeric)" in caplog.messages
    assert any(line.startswith("rows: table, 2 rows x 1 column, ") for line in caplog.messages)
    assert any(line.startswith("model: Tree, picklable, ") for line in caplog.messages)
    glances = {ref.name: ref.glance for ref in manifest.artifacts.values()}
    assert glances == {
        "auc": {"value": 0.99557},
        "rows": {"rows": 2, "columns": 1},
        "model": {"class": "Tree"},
    }
    assert manifest.kind == "function"
    assert manifest.seconds is not None
    assert manifest.seconds > 0
    assert desk.metadata("rows")["preview"]["head"] == [[1], [2]]
    assert desk.metadata("model")["preview"]["text"] == "Tree(depth=2)"
    assert "preview" not in desk.metadata("auc")
    assert len(json.dumps(manifest.to_xcom())) < 3 * 4_000


def test_secrets_are_in_none_of_them(
    desk: Desk, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    source = "def predict(): return 'user:hunter22', ['hunter22'], 'other'"
    operator = {**function(source), "outputs": ["url", "list", "api_token"]}
    run = LocalRun(desk.flow(operator), desk.store, desk.folder, redact=Redactor(["hunter22"]))

    manifest = run.run("f")

    shown = json.dumps([manifest.to_xcom(), desk.metadata("url"), desk.metadata("list"), caplog.messages])
    assert "hunter22" not in shown
    assert "***" in desk.metadata("list")["preview"]["text"]
    assert manifest.artifacts["api_token"].glance == {}
    assert "preview" not in desk.metadata("api_token")


def test_the_child_is_not_believed(desk: Desk, function: Function) -> None:
    source = (
        "import sys\n"
        "def predict():\n"
        "    module = next(m for n, m in sys.modules.items() if n.endswith('describe_output'))\n"
        "    module.describe_output.__code__ = (lambda value, kind, path, *, previews:\n"
        "        ({'value': 'x' * 10**6, 'rows': 'many'}, {'kind': 'script', 'text': 'x'})).__code__\n"
        "    return 7\n"
    )
    run = LocalRun(desk.flow(function(source), types={"out": "numeric"}), desk.store, desk.folder)
    assert run.run("f").artifacts["out"].glance == {}
    assert "preview" not in desk.metadata("out")

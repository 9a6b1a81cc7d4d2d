"""What people read in a terminal: columns, and what is said of flows and runs."""

from __future__ import annotations

import getpass
import json
import re
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from aqueduct_provider.sdk.display.tables import (
    operators_table,
    operators_table_of,
    parameters_table,
    print_flow,
    print_run,
    runs_table,
    schedule_text,
)
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.outcomes import OperatorRun
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import native_document, operator
from tests.unit.sdk.conftest import Finished

ROOT = Path(__file__).parents[4]


def spec(**fields: Any) -> WorkflowSpec:
    return parse(json.dumps(native_document(**fields)).encode(), "churn")


# --- operators of a run


def test_operators_as_they_are_now() -> None:
    operators = [
        OperatorRun("f", "f", "function", ExecutionStatus.SUCCEEDED, duration=61.26, try_number=2),
        OperatorRun("g", "g", "system_metric", ExecutionStatus.CANCELED, tip="It was not run."),
        OperatorRun("h", "h", "check", ExecutionStatus.FAILED, warning=True, tip="It did not pass."),
    ]
    assert operators_table_of(operators).plain == (
        "operator  type           status     seconds  tries\n"
        "f         function       succeeded     61.3      2\n"
        "g         system metric  canceled                   It was not run.\n"
        "h         check          warning"
    )
    assert "system metric" not in operators_table_of(operators, only=operators[:1]).plain


def test_operators_of_one_name_keep_their_labels_when_some_are_left_out() -> None:
    operators = [OperatorRun("f", "f", "function"), OperatorRun("f", "f-2", "function")]
    assert "f (f-2)" in operators_table_of(operators, only=operators[1:]).plain


# --- runs


def told(capsys: pytest.CaptureFixture[str], run: Any) -> str:
    print_run(run)
    return re.sub(r"\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d", "<moment>", capsys.readouterr().out)


def test_a_run_that_went_well(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    text = re.sub(r"\d+\.\d$", "1.0", told(capsys, finished.good), flags=re.MULTILINE)
    text = re.sub(r"^(took +)[\d.]+ (ms|s|min.*)$", r"\g<1>1 s", text, flags=re.MULTILINE)
    assert text == (
        f"churn, run {finished.good.run_id}: succeeded\n"
        f"version    v1 ({str(finished.flow.record.version_id)[:8]})\n"
        "created    <moment>\n"
        "took       1 s\n"
        "parameter  rows = 4\n"
        "\n"
        "operator  type      status     seconds\n"
        "rows      param     succeeded      1.0\n"
        "features  function  succeeded      1.0\n"
        "total     metric    succeeded      1.0\n"
        "many      check     succeeded      1.0\n"
    )


def test_a_run_that_failed(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, finished.bad).splitlines()
    assert lines[0].endswith(": failed")
    assert (
        "total     metric    canceled            It was not run, for an operator before it failed." in lines
    )
    failure = lines[lines.index("features: Error in the function: ValueError: rows must not be negative") :]
    assert failure[1] == "Traceback (most recent call last):"
    assert '    raise ValueError("rows must not be negative")' in failure
    assert failure[-3:] == [
        "ValueError: rows must not be negative",
        "It printed to stdout:",
        "-1 rows are made",
    ]


def test_a_run_whose_airflow_is_away(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished.flow.fetch(finished.bad.run_id)
    with finished.made.away():
        text = told(capsys, run)
    assert f"What follows is from the store alone: Airflow at {finished.made.fake.url}" in text
    assert "ValueError: rows must not be negative" in text
    assert re.search(r"^many +check +unknown$", text, re.MULTILINE)


def test_values_that_are_stored_are_named(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished.flow.fetch(finished.good.run_id)
    assert run.info is not None
    stored = {"aqueduct_values": {"rows": {"sha256": "0"}}, "text": "x" * 100}
    run.as_far_as_known = lambda: (ExecutionStatus.RUNNING, [], "")  # type: ignore[method-assign]
    run.info = replace(run.info, conf=stored)
    text = told(capsys, run)
    assert "parameter  rows = (a stored value)\n" in text
    assert f"parameter  text = '{'x' * 56}...\n" in text


# --- flows


def test_a_flow(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    print_flow(finished.flow)
    record = finished.flow.record
    moment = r"\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d"
    text = re.sub(moment, "<moment>", capsys.readouterr().out)
    assert text == (
        "churn\n"
        "Counts rows.\n"
        f"flow id     {record.flow_id}\n"
        "DAG         churn, on cluster\n"
        f"version     v1 ({record.version_id[:8]}) by {getpass.getuser()}, published <moment>\n"
        f"version id  {record.version_id}\n"
        f"spec        {record.delivered_to}\n"
        "schedule    0 6 * * * (UTC)\n"
        "\n"
        "parameter  type     default  description\n"
        "rows       numeric  3        how many\n"
        "\n"
        "operator  type      reads  writes\n"
        "rows      param            rows\n"
        "features  function  rows   table\n"
        "total     metric    table  total\n"
        "many      check     total  many\n"
        "\n"
        "run                                       created    status\n"
        f"{finished.bad.run_id}  <moment>  failed\n"
        f"{finished.good.run_id}  <moment>  succeeded\n"
    ).replace("created    status", f"created{' ' * 14}status")


def test_a_flow_whose_airflow_is_away(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    with finished.made.away():
        print_flow(finished.flow)
    text = capsys.readouterr().out
    assert "many      check     total  many\n" in text
    assert f"Its runs are not known now: Airflow at {finished.made.fake.url}" in text


CELL = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from types import SimpleNamespace
from aqueduct_provider.sdk.display.tables import print_flow
from tests.unit.sdk.display.test_tables import spec
texts = dict(name="churn", flow_id="i", dag_id="d", engine="e", version_id="v", delivered_to="s")
record = SimpleNamespace(**texts, created_at=None, retired_at=None)
print_flow(SimpleNamespace(spec=spec(), record=record, list_runs=lambda count: []))
"""


def test_in_a_notebook_the_graph_is_among_it() -> None:
    pytest.importorskip("ipykernel")
    client = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    client.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    pictures = [one for one in outputs if "image/svg+xml" in one.get("data", {})]
    assert len(pictures) == 1
    texts = "".join(one.get("data", {}).get("text/plain", one.get("text", "")) for one in outputs)
    assert "Predicts who leaves.\nflow id     i\n" in texts
    assert "It has not run yet." in texts


def test_runs() -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    table = runs_table([{"run_id": "r1", "created_at": moment, "status": "running"}])
    assert table.plain.split() == [
        *("run", "created", "status", "r1"),
        *f"{moment.astimezone():%Y-%m-%d %H:%M:%S}".split(),
        "running",
    ]


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (None, "none, it runs when it is triggered"),
        ({"type": "cron", "cron": "@daily", "timezone": "Europe/Berlin"}, "@daily (Europe/Berlin)"),
        ({"type": "after_flows", "flows": ["a", "b"]}, "after a, b"),
        ({"type": "assets", "assets": ["s3://b/a", "b"]}, "when updated: s3://b/a, b"),
    ],
)
def test_schedules(schedule: Any, text: str) -> None:
    assert schedule_text(spec(schedule=schedule).schedule) == text


def test_parameters_with_stored_and_long_defaults() -> None:
    stored = {"key": "k", "serialization_type": "pickle", "sha256": "0" * 64}
    parameters = [
        {"name": "threshold", "type": "numeric", "default": {"value": 0.5}},
        {"name": "model", "type": "picklable", "default": stored, "description": "The model."},
        {"name": "text", "type": "string", "default": {"value": "x" * 100}},
    ]
    document = native_document()
    more = [operator(name, "param", parameter=name) for name in ("model", "text")]
    values = [{"id": f"{name}-value", "name": name} for name in ("model", "text")]
    table = parameters_table(
        spec(
            parameters=parameters,
            operators=document["operators"] + more,
            artifacts=document["artifacts"] + values,
        )
    )
    assert table is not None
    assert [line.split()[:4] for line in table.plain.splitlines()] == [
        ["parameter", "type", "default", "description"],
        ["threshold", "numeric", "0.5"],
        ["model", "picklable", "(a", "stored"],
        ["text", "string", f"'{'x' * 56}..."],
    ]


def test_operators_of_a_spec() -> None:
    lines = operators_table(spec()).plain.splitlines()
    assert lines[-1].split("  ")[0] == "train_runtime"
    assert "system metric" in lines[-1]


def test_a_flow_without_parameters_has_no_table_of_them() -> None:
    document = native_document()
    made = spec(
        parameters=[],
        operators=[{**document["operators"][1], "inputs": []}],
        artifacts=[document["artifacts"][1]],
    )
    assert parameters_table(made) is None

from __future__ import annotations

import json
from typing import Any

import pytest

from aqueduct_provider.artifacts.function_source import FunctionSource, SourceFile
from aqueduct_provider.artifacts.manifest import ArtifactRef
from aqueduct_provider.artifacts.stored_facts import ColumnPreview, StoredFacts, TablePreview
from aqueduct_provider.sdk.airflow_api.api_models import RunInfo
from aqueduct_provider.sdk.enums import ExecutionStatus
from aqueduct_provider.sdk.results.difference_rows import DifferenceRow, Section
from aqueduct_provider.sdk.results.outcomes import OperatorRun
from aqueduct_provider.sdk.results.recorded_runs import RecordedRun, ShownArtifact, ShownOperator
from aqueduct_provider.sdk.results.run_differences import differences
from aqueduct_provider.sdk.versions.flow_diff import flow_diff
from aqueduct_provider.spec.dag_facts import OperatorFacts
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.models import WorkflowSpec
from tests.support.example_specs import call_operator, native_document


def artifact(
    name: str, kind: str = "numeric", sha256: str = "0", size: int = 8, **glance: Any
) -> ShownArtifact:
    ref = ArtifactRef("k", sha256, size, "m", "0", kind, "json", name, glance)
    return ShownArtifact(f"{name}-id", name, kind, ref)


def operator(
    name: str, kind: str, *outputs: ShownArtifact, seconds: float | None = 1.0, warning: bool = False
) -> ShownOperator:
    status = ExecutionStatus.FAILED if warning else ExecutionStatus.SUCCEEDED
    run = OperatorRun(name, name, kind, status, warning=warning)
    return ShownOperator(OperatorFacts(name, name, kind), name, run, seconds, outputs)


def run(*operators: ShownOperator, version: str = "v1") -> RecordedRun:
    return RecordedRun(RunInfo("r", "success"), operators, version)


def section(title: str, sections: list[Section]) -> dict[str, DifferenceRow]:
    (found,) = (one for one in sections if one.title == title)
    return {row.name: row for row in found.rows}


def compared(before: ShownOperator, now: ShownOperator, title: str) -> DifferenceRow:
    (found,) = section(title, differences(run(now), run(before), {}, {})).values()
    return found


@pytest.mark.parametrize(
    ("before", "now", "mark", "note"),
    [
        (0.5, 0.75, "changed", "+0.25 (+50.00%)"),
        (0.5, 0.25, "changed", "-0.25 (-50.00%)"),
        (0, 3, "changed", "+3"),
        (0.5, 0.5, "", ""),
        ("a", "b", "changed", ""),
        (True, False, "changed", ""),
    ],
)
def test_values(before: Any, now: Any, mark: str, note: str) -> None:
    for kind, title in (("metric", "Metrics"), ("param", "Parameters")):
        pair = (
            operator("x", kind, artifact("x", sha256=repr(value), value=value)) for value in (before, now)
        )
        found = compared(*pair, title)
        assert (found.mark, found.note) == (mark, note)


def test_a_metric_has_one_name() -> None:
    for name, shown in (("x artifact", "x"), ("third", "third")):
        pair = (operator("x", "metric", artifact(name, value=value)) for value in (1, 2))
        assert compared(*pair, "Metrics").name == shown


def test_values_that_look_alike() -> None:
    pair = (operator("x", "metric", artifact("x", sha256=digest, value=1.0)) for digest in "ab")
    assert compared(*pair, "Metrics").mark == "changed"


def test_a_secret_is_hidden() -> None:
    pair = (operator("p", "param", artifact("db_password", sha256=one, value=one)) for one in "ab")
    found = compared(*pair, "Parameters")
    assert found.before == found.now == "(hidden: its name is that of a secret)"
    assert found.mark == "changed"


def test_checks() -> None:
    found = compared(operator("c", "check"), operator("c", "check", warning=True), "Checks")
    assert (found.before, found.now, found.mark) == ("passed", "warning", "changed")


@pytest.mark.parametrize(
    ("before", "now", "mark", "note"),
    [
        (10.0, 13.0, "changed", "+3 s"),
        (10.0, 5.0, "changed", "-5 s"),
        (10.0, 11.5, "", ""),
        (0.1, 0.9, "", ""),
        (None, 1.0, "", ""),
    ],
)
def test_durations(before: float | None, now: float | None, mark: str, note: str) -> None:
    pair = (operator("x", "function", seconds=one) for one in (before, now))
    found = compared(*pair, "Durations")
    assert (found.mark, found.note) == (mark, note)


@pytest.mark.parametrize(
    ("before", "now", "mark", "note"),
    [
        (
            {"rows": 5, "columns": 2},
            {"rows": 9, "columns": 1, "sha256": "1"},
            "changed",
            "+4 rows, -1 columns",
        ),
        ({"size": 100}, {"size": 40, "sha256": "1"}, "changed", "-60 bytes"),
        ({}, {"sha256": "1"}, "changed", "other content"),
        ({}, {}, "", "same content"),
    ],
)
def test_artifacts(before: dict[str, Any], now: dict[str, Any], mark: str, note: str) -> None:
    pair = (operator("x", "function", artifact("t", "table", **one)) for one in (before, now))
    found = compared(*pair, "Artifacts")
    assert (found.mark, found.note) == (mark, note)


@pytest.mark.parametrize(
    ("before", "now", "mark"),
    [
        (1.0, 1.0000002, ""),
        (1.0, 1.9, ""),
        (100.0, 110.0, ""),
        (1.0, 3.0, "changed"),
        (100.0, 70.0, "changed"),
    ],
)
def test_measurements_of_operators_differ_as_durations_do(before: float, now: float, mark: str) -> None:
    pair = (
        operator("x", "system_metric", artifact("x", sha256=repr(value), value=value))
        for value in (before, now)
    )
    found = compared(*pair, "Metrics")
    assert (found.mark, bool(found.note)) == (mark, bool(mark))
    assert found.values == (before, now)


SOURCES = {
    name: (FunctionSource((SourceFile("f.py", text),), requirements))
    for name, text, requirements in (
        ("a", "x = 1\n", ()),
        ("b", "x = 1\n", ()),
        ("c", "x = 2\ny = 3\n", ("pandas",)),
    )
}


@pytest.mark.parametrize(
    ("after", "mark", "note"),
    [
        ("b", "", "same text, packaged again: values and helpers may differ"),
        ("c", "changed", "+2 lines, -1 line, requirements"),
    ],
)
def test_code_is_compared_by_its_text(after: str, mark: str, note: str) -> None:
    def version(name: str) -> WorkflowSpec:
        document = native_document(operators=[call_operator("train", inputs=[])], parameters=[])
        document["artifacts"] = [{"id": "train-value", "name": "train", "type": "untyped"}]
        document["operators"][0]["code"] |= {"key": name, "sha256": name * 64}
        return parse(json.dumps(document).encode(), "test")

    specs = [version(name) for name in ("a", after)]
    changed = flow_diff(*specs, read=lambda code: SOURCES[code.key])
    sides = [
        RecordedRun(RunInfo("r", "success"), (), name, spec) for name, spec in zip("ab", specs, strict=True)
    ]
    found = section("Code", differences(sides[1], sides[0], {}, {}, changed))["train"]
    assert (found.mark, found.note) == (mark, note)
    assert section("Code", differences(sides[1], sides[0], {}, {}))["train"].mark == "changed"
    repackaged = "packaged again, with the same text, train"
    assert (repackaged in changed.summary()) == (not mark)


def test_what_only_one_of_them_has() -> None:
    sections = differences(
        run(operator("new", "function", artifact("b", "table")), version="v2"),
        run(operator("old", "function", artifact("a", "table"))),
        {},
        {},
    )
    assert {name: row.mark for name, row in section("Artifacts", sections).items()} == {
        "a": "removed",
        "b": "added",
    }
    assert {name: row.mark for name, row in section("Durations", sections).items()} == {
        "old": "removed",
        "new": "added",
    }
    assert section("Run", sections)["Version"].mark == "changed"
    assert [one.title for one in sections] == ["Run", "Durations", "Artifacts"]
    assert [one.changes for one in sections] == [1, 2, 2]


def test_schemas() -> None:
    now = StoredFacts(TablePreview((ColumnPreview("id", "int64"), ColumnPreview("new", "str")), ()))
    # As an older release wrote it: without a preview.
    before = StoredFacts(columns=(("id", "float64"), ("old", "str")))
    stored, other = {"t": now, "u": StoredFacts()}, {"t": before, "u": StoredFacts()}
    schema = {"id": "int64", "new": "str"}
    found = section("Schemas", differences(run(), run(), stored, other))
    assert found == {
        "t": DifferenceRow("t", "2 columns", "2 columns", values=(dict(before.columns), schema)),
        "t: id": DifferenceRow("t: id", "float64", "int64", "changed"),
        "t: old": DifferenceRow("t: old", "str", None, "removed"),
        "t: new": DifferenceRow("t: new", None, "str", "added"),
    }

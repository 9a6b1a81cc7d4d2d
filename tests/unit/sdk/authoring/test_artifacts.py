from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy
import pandas
import pytest

from aqueduct_provider.errors import AuthoringError, CheckFailed, OperatorFailed
from aqueduct_provider.sdk.authoring.artifacts import (
    Artifact,
    BoolArtifact,
    GenericArtifact,
    NumericArtifact,
    TableArtifact,
    artifact_for,
    artifact_from,
)
from aqueduct_provider.sdk.authoring.decorators import op
from aqueduct_provider.sdk.authoring.evaluate import is_computed
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode
from aqueduct_provider.sdk.enums import ArtifactType, CheckSeverity
from tests.support.operator_nodes import param, step


def rows(n: int) -> pandas.DataFrame:
    return pandas.DataFrame({"a": [1.0, None, 3.0, 4.0, 5.0, 6.0][:n], "b": list("xyzxyz")[:n]})


@pytest.fixture
def table() -> TableArtifact:
    artifact = artifact_for(step(rows, param("n", 6), type="table"))
    assert isinstance(artifact, TableArtifact)
    return artifact


@pytest.fixture
def metric() -> NumericArtifact:
    artifact = artifact_for(step(lambda n: n, param("n", 3), kind="metric", name="size"))
    assert isinstance(artifact, NumericArtifact)
    return artifact


class ReadBack:
    """The source of an artifact that was read from a run."""

    id, name, type, node, ready = "key", "old", "numeric", None, True

    def value(self, parameters: Mapping[str, Any] | None) -> Any:
        return 5


def node_of(artifact: Artifact) -> ArtifactNode:
    assert artifact.node is not None
    return artifact.node


def made(artifact: Artifact) -> OperatorNode:
    return node_of(artifact).producer


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("table", TableArtifact),
        ("numeric", NumericArtifact),
        ("boolean", BoolArtifact),
        ("untyped", GenericArtifact),
        ("tensorflow-keras-model", GenericArtifact),
    ],
)
def test_the_class_follows_the_type(kind: str, cls: type[Artifact]) -> None:
    artifact = artifact_for(step(lambda: 1, type=kind, name="f"))
    assert type(artifact) is cls
    assert artifact.type() == kind
    assert isinstance(artifact.type(), ArtifactType)
    assert repr(artifact) == f"<{cls.__name__} 'f artifact': {kind}>"


def test_an_artifact_keeps_its_class_when_its_type_becomes_known() -> None:
    artifact = artifact_for(step(lambda: 1))
    assert artifact.get() == 1
    assert type(artifact) is GenericArtifact
    assert artifact.type() is ArtifactType.NUMERIC
    assert isinstance(artifact_for(node_of(artifact)), NumericArtifact)


def test_values(table: TableArtifact) -> None:
    assert len(table.get()) == 6
    assert len(table.get({"n": 2})) == len(table.get(parameters={"n": 2})) == 2
    assert list(table.head()["b"]) == list("xyzxy")
    assert list(table.head(2)["b"]) == ["x", "y"]
    assert list(table.head(5, {"n": 1})["b"]) == ["x"]


def test_ids(table: TableArtifact) -> None:
    assert table.id() == artifact_for(node_of(table)).id() != artifact_for(param("n", 1)).id()
    assert isinstance(table.id(), str)


def test_names(table: TableArtifact) -> None:
    assert (table.name(), node_of(table).named) == ("rows artifact", False)
    table.set_name(" customers ")
    assert (table.name(), node_of(table).named) == ("customers", True)


@pytest.mark.parametrize("name", ["", "  ", None, 3])
def test_no_names(table: TableArtifact, name: Any) -> None:
    with pytest.raises(AuthoringError, match="must be a non-empty string"):
        table.set_name(name)
    assert table.name() == "rows artifact"


def test_a_parameter_whose_artifact_is_renamed_is_given_its_values_as_before() -> None:
    @op(requirements=[])
    def twice(number: int) -> int:
        return 2 * number

    number = artifact_for(param("n", 1))
    doubled = twice(number)
    number.set_name(" m ")
    assert (number.name(), node_of(number).producer.name) == ("m", "n")
    assert doubled.get(parameters={"n": 4}) == 8
    with pytest.raises(AuthoringError, match="depends on no parameter 'm'"):
        doubled.get(parameters={"m": 4})


def test_snapshots(table: TableArtifact) -> None:
    assert table.snapshot_enabled()
    table.disable_snapshot()
    assert (table.snapshot_enabled(), node_of(table).keep_snapshot) == (False, False)
    table.enable_snapshot()
    assert table.snapshot_enabled()


def test_describe_prints(table: TableArtifact, capsys: pytest.CaptureFixture[str]) -> None:
    table.describe()
    assert "rows artifact (table)" in capsys.readouterr().out
    assert not is_computed(made(table))


def test_artifacts_are_no_values(table: TableArtifact) -> None:
    with pytest.raises(AuthoringError, match="'rows artifact': table> is an artifact, a promise"):
        bool(table)


def test_a_notebook_always_shows_something() -> None:
    # This artifact has a source that fails whatever it is asked.
    shown = Artifact(type("Odd", (ReadBack,), {"name": "<odd>", "ready": property(lambda self: 1 / 0)})())
    assert "&lt;odd&gt;" in shown._repr_html_()


# --- tables


@pytest.mark.parametrize(
    ("measure", "name", "value"),
    [
        (lambda t, **o: t.number_of_missing_values("a", **o), "num_col_missing_val(a)", 1),
        (lambda t, **o: t.number_of_missing_values(row_id=0, **o), "num_row_missing_val(0)", 0),
        (lambda t, **o: t.number_of_rows(**o), "num_rows", 6),
        (lambda t, **o: t.max("a", **o), "max(a)", 6),
        (lambda t, **o: t.min("a", **o), "min(a)", 1),
        (lambda t, **o: t.mean("a", **o), "mean(a)", 3.8),
        (lambda t, **o: t.std(column_id="a", **o), "std(a)", pytest.approx(1.923, abs=1e-3)),
    ],
)
def test_preset_metrics(
    table: TableArtifact, measure: Callable[..., NumericArtifact], name: str, value: Any
) -> None:
    lazy = measure(table, lazy=True)
    assert not is_computed(made(lazy))
    assert (lazy.name(), made(lazy).kind) == (f"{name} artifact", "metric")
    eager = measure(table)
    assert is_computed(made(eager))
    assert eager.get() == lazy.get() == value
    # The second call took the place of the first.
    assert node_of(table).derived == [made(eager)]
    function = made(eager).function
    assert function is not None
    assert [line.partition("==")[0] for line in function.requirements] == ["pandas", "pyarrow"]


def test_preset_metrics_with_parameters(table: TableArtifact) -> None:
    assert table.number_of_rows().get({"n": 2}) == 2


def test_preset_metrics_are_listed(table: TableArtifact) -> None:
    for name in table.list_preset_metrics():
        assert callable(getattr(TableArtifact, name))
    assert len(table.list_preset_metrics()) == 6


@pytest.mark.parametrize(("given", "what"), [({}, "neither"), ({"column_id": "a", "row_id": 0}, "both")])
def test_missing_values_of_one_thing(table: TableArtifact, given: dict[str, Any], what: str) -> None:
    with pytest.raises(AuthoringError, match=f"needs a column_id or a row_id, but {what} was given"):
        table.number_of_missing_values(**given)


def test_a_column_that_is_not_there(table: TableArtifact) -> None:
    with pytest.raises(
        OperatorFailed, match=r"'max\(zz\)': ValueError: the table has no column 'zz', it has: 'a'"
    ):
        table.max("zz")
    assert node_of(table).derived == []


def test_checks_can_be_removed(table: TableArtifact, metric: NumericArtifact) -> None:
    metric.bound(upper=5)
    metric.remove_check("less than 5")
    assert node_of(metric).derived == []
    with pytest.raises(AuthoringError, match="has no check 'num_rows'"):
        table.remove_check("num_rows")


# --- numbers


@pytest.mark.parametrize(
    ("bound", "name", "passes"),
    [
        ({"upper": 3}, "less than 3", False),
        ({"upper": 3.5}, "less than 3.5", True),
        ({"lower": 3}, "greater than 3", False),
        ({"lower": 1.5}, "greater than 1.5", True),
        ({"equal": 3}, "equal to 3", True),
        ({"notequal": 3}, "not equal to 3", False),
        ({"equal": 0}, "equal to 0", False),
        ({"upper": numpy.float64(1.5)}, "less than 1.5", False),
    ],
)
def test_bounds(metric: NumericArtifact, bound: dict[str, Any], name: str, passes: bool) -> None:
    check = metric.bound(**bound)
    assert isinstance(check, BoolArtifact)
    assert check.get() is passes
    assert (check.name(), made(check).severity) == (f"{name} artifact", "warning")
    function = made(check).function
    assert function is not None
    assert function.requirements == ()
    assert set(metric.list_preset_checks()) == {"upper", "lower", "equal", "notequal"}


@pytest.mark.parametrize("severity", ["error", CheckSeverity.ERROR])
def test_a_bound_of_severity_error(metric: NumericArtifact, severity: Any) -> None:
    with pytest.raises(CheckFailed, match="The check 'less than 1' did not pass"):
        metric.bound(upper=1, severity=severity)
    check = metric.bound(upper=1, severity=severity, lazy=True)
    assert made(check).severity == "error"
    with pytest.raises(CheckFailed):
        check.get()
    assert metric.bound(upper=4, severity=severity).get({"n": 2}) is True


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "bound needs one of upper, lower, equal, notequal, but none was given"),
        ({"upper": 1, "lower": 2}, "but upper and lower were given"),
        ({"upper": "3"}, r"upper must be a number, not '3' \(str\)"),
        ({"equal": True}, r"equal must be a number, not True \(bool\)"),
        ({"upper": numpy.array([1, 2])}, None),
        ({"upper": 1, "severity": "fatal"}, "bound: severity must be 'warning' or 'error'"),
    ],
)
def test_no_bounds(metric: NumericArtifact, given: dict[str, Any], words: str | None) -> None:
    with pytest.raises(AuthoringError, match=words or "upper must be a number"):
        metric.bound(**given)
    assert node_of(metric).derived == []


# --- what every artifact has


def test_system_metrics(table: TableArtifact, metric: NumericArtifact) -> None:
    runtime = table.system_metric("runtime")
    assert isinstance(runtime, NumericArtifact)
    assert runtime.name() == "rows runtime(sec) metric artifact"
    assert runtime.get() > 0
    assert runtime.bound(upper=1000).get() is True
    assert not is_computed(made(metric.system_metric("max_memory", lazy=True)))
    assert set(table.list_system_metrics()) == {"runtime", "max_memory"}
    with pytest.raises(AuthoringError, match="known are 'runtime' and 'max_memory'"):
        table.system_metric("memory")


@pytest.mark.parametrize(
    "use",
    [
        lambda a: a.set_name("x"),
        lambda a: a.bound(upper=1),
        lambda a: a.remove_check("x"),
        lambda a: a.system_metric("runtime"),
        lambda a: a.disable_snapshot(),
        lambda a: a.enable_snapshot(),
        lambda a: a.snapshot_enabled(),
        lambda a: TableArtifact(a.source).number_of_rows(),
    ],
)
def test_artifacts_of_runs_are_read_only(use: Callable[[Any], Any]) -> None:
    artifact = artifact_from(ReadBack())
    assert (artifact.get(), artifact.node, artifact.id()) == (5, None, "key")
    with pytest.raises(
        AuthoringError, match="'old' was read back from a run, which has ended with it as it is"
    ):
        use(artifact)

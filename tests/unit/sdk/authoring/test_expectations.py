"""Checks by Great Expectations: recorded without it, computed where it is installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas
import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, CheckFailed
from aqueduct_provider.sdk import settings
from aqueduct_provider.sdk.authoring import expectations
from aqueduct_provider.sdk.authoring.artifacts import TableArtifact, artifact_for
from aqueduct_provider.sdk.authoring.evaluate import is_computed
from aqueduct_provider.sdk.authoring.expectations import check_name, expectation_check
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode, OperatorNode
from aqueduct_provider.sdk.publishing.compose import FlowRequest, compose
from aqueduct_provider.storage.layout import NativeLayout
from aqueduct_provider.storage.local import LocalStore
from tests.support.flow_runs import RUN_ID, LocalRun
from tests.support.node_graphs import STORE
from tests.support.operator_nodes import step

NOT_NULL, BETWEEN = "expect_column_values_to_not_be_null", "expect_column_values_to_be_between"
TABLE = pandas.DataFrame({"id": [1, 2, 3], "name": ["x", "y", None]})

WEIGHTS = {"partition_object": {"values": [1, 2, 3], "weights": [0.3, 0.3, 0.4]}}

installed = pytest.mark.skipif(
    importlib.util.find_spec("great_expectations") is None, reason="Great Expectations is not installed"
)


def rows() -> pandas.DataFrame:
    return TABLE.copy()


@pytest.fixture
def table() -> TableArtifact:
    artifact = artifact_for(step(rows, type="table"))
    assert isinstance(artifact, TableArtifact)
    return artifact


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Great Expectations is not installed here, whether it is or not."""
    monkeypatch.setattr(expectations, "_installed", str)


def node_of(artifact: Any) -> ArtifactNode:
    node = artifact.node
    assert isinstance(node, ArtifactNode)
    return node


def checks_of(table: TableArtifact) -> list[OperatorNode]:
    return node_of(table).derived


# --- without Great Expectations


@pytest.mark.usefixtures("missing")
def test_without_the_library_an_eager_check_says_what_to_install(table: TableArtifact) -> None:
    with pytest.raises(AuthoringError, match="no Great Expectations is installed") as error:
        table.validate_with_expectation(NOT_NULL, {"column": "id"})
    assert 'pip install "airflow-provider-aqueduct[expectations]"' in str(error.value)
    assert "lazy=True" in str(error.value)
    assert checks_of(table) == []


def test_an_old_library_is_named(monkeypatch: pytest.MonkeyPatch, table: TableArtifact) -> None:
    monkeypatch.setattr(expectations, "_installed", lambda: "0.18.3")
    with pytest.raises(AuthoringError, match=r"version 0\.18\.3 of Great Expectations is installed"):
        table.validate_with_expectation(NOT_NULL, {"column": "id"})


@pytest.mark.usefixtures("missing")
@pytest.mark.parametrize("everywhere", [False, True])
def test_without_the_library_a_check_can_be_recorded(table: TableArtifact, everywhere: bool) -> None:
    settings.global_config({"lazy": everywhere})
    try:
        made = table.validate_with_expectation(
            NOT_NULL, {"column": "id"}, severity="error", lazy=not everywhere
        )
    finally:
        settings.global_config({"lazy": False})
    (check,) = checks_of(table)
    assert node_of(made).producer is check
    assert (check.kind, check.severity) == ("check", "error")
    assert check.name == f"ge_table_check: {{{NOT_NULL}}} column='id'"
    assert not is_computed(check)
    assert check.function is not None
    assert check.function.requirements[0] == "great-expectations>=1,<2"
    assert check.function.requirements[1].startswith("pandas")


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        (5, {}, r"The name of an expectation is a text, not 5 \(int\)"),
        (NOT_NULL, ["id"], "The arguments of 'expect_column_values_to_not_be_null' must be a dict"),
        (NOT_NULL, {1: "id"}, "must be a dict, name -> value, such as {'column': 'id'}, not {1: 'id'}"),
    ],
)
def test_what_can_never_be_right(name: Any, args: Any, message: str, table: TableArtifact) -> None:
    with pytest.raises(AuthoringError, match=message):
        table.validate_with_expectation(name, args, lazy=True)
    assert checks_of(table) == []


@pytest.mark.usefixtures("missing")
def test_checks_of_two_columns_are_two(table: TableArtifact) -> None:
    for column in ("id", "name", "id"):
        table.validate_with_expectation(NOT_NULL, {"column": column}, lazy=True)
    assert [check.name[-13:] for check in checks_of(table)] == ["column='name'", "} column='id'"]


def test_names_stay_short_and_differ() -> None:
    names = {check_name(NOT_NULL, {"value_set": [*range(100), last]}) for last in range(3)}
    assert len(names) == 3
    assert all(len(name) < 160 for name in names)
    assert check_name(NOT_NULL, {}) == f"ge_table_check: {{{NOT_NULL}}}"


# --- with Great Expectations


@installed
@pytest.mark.parametrize(
    ("name", "args", "passes"),
    [
        (NOT_NULL, {"column": "id"}, True),
        (NOT_NULL, {"column": "name"}, False),
        (NOT_NULL, {"column": "name", "mostly": 0.5}, True),
        ("ExpectColumnValuesToNotBeNull", {"column": "name"}, False),
        (BETWEEN, {"column": "id", "min_value": 1, "max_value": 3}, True),
        ("expect_table_row_count_to_equal", {"value": 4}, False),
        ("expect_column_kl_divergence_to_be_less_than", {**WEIGHTS, "column": "id", "threshold": 0.1}, True),
    ],
)
def test_says_whether_a_table_meets_it(name: str, args: dict[str, Any], passes: bool) -> None:
    assert expectation_check(name, args)(TABLE) is passes


@installed
@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("expect_column_values_to_not_be_nul", {}, f"no expectation .* Did you mean '{NOT_NULL}'?"),
        ("ExpectColumnValuesNotBeNull", {}, "Did you mean 'ExpectColumnValuesToNotBeNull'?"),
        ("qqq", {}, "no expectation 'qqq'. They are in great_expectations.expectations."),
        ("Expectation", {}, "no expectation 'Expectation'"),
        (NOT_NULL, {}, "do not fit: 'column' is missing"),
        (NOT_NULL, {"column": "id", "mostli": 1}, "unknown argument 'mostli', did you mean 'mostly'?"),
        (NOT_NULL, {"column": "id", "mostly": "much"}, "'mostly': "),
    ],
)
def test_wrong_names_and_arguments_are_told_at_once_and_on_the_worker(
    name: str, args: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AuthoringError, match=message):
        expectation_check(name, args)
    with monkeypatch.context() as patched:
        patched.setattr(expectations, "_installed", str)
        check = expectation_check(name, args)
    with pytest.raises(ValueError, match=message):
        check(TABLE)


@installed
@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        (NOT_NULL, {"column": "zz"}, 'The column "zz" in BatchData does not exist'),
        (BETWEEN, {"column": "name", "min_value": 1}, "must either be None or of the same type"),
    ],
)
def test_what_cannot_be_judged_of_the_table_is_no_failed_check(
    name: str, args: dict[str, Any], message: str
) -> None:
    check = expectation_check(name, args)
    with pytest.raises(ValueError, match=f"{name} cannot be judged of this table: .*{message}"):
        check(TABLE)


@installed
def test_prints_nothing_and_leaves_the_users_context_alone(capfd: pytest.CaptureFixture[str]) -> None:
    check = expectation_check(NOT_NULL, {"column": "id"})
    # The first check imports the library, whose import warns.
    assert check(TABLE)
    import great_expectations
    from great_expectations.data_context import project_manager

    mine = great_expectations.get_context(mode="ephemeral")
    assert check(TABLE)
    assert mine in vars(project_manager).values()
    assert capfd.readouterr() == ("", "")


@installed
def test_the_table_is_not_changed() -> None:
    table = rows()
    expectation_check(NOT_NULL, {"column": "name"})(table)
    pandas.testing.assert_frame_equal(table, rows())


@installed
def test_eager_checks(table: TableArtifact) -> None:
    passed = table.validate_with_expectation(NOT_NULL, {"column": "id"})
    failed = table.validate_with_expectation(NOT_NULL, {"column": "name"})
    assert (passed.get(), failed.get()) == (True, False)
    with pytest.raises(CheckFailed):
        table.validate_with_expectation(BETWEEN, {"column": "id", "max_value": 2}, severity="error")
    assert expectations.requirements()[0] == f"great-expectations=={version('great-expectations')}"


@aq.op(requirements=["pandas", "pyarrow"])
def people() -> pandas.DataFrame:
    return pandas.DataFrame({"id": [1, 2, 3], "name": ["x", "y", None]})


@pytest.fixture
def ran(tmp_path: Path) -> dict[str, Any]:
    """The values of two checks after a run of their flow, with real archives, in real children."""
    table = people()
    made = [table.validate_with_expectation(NOT_NULL, {"column": name}, lazy=True) for name in TABLE]
    for artifact, name in zip(made, ("ids", "names"), strict=True):
        artifact.set_name(name)
    nodes = [node_of(artifact) for artifact in made]
    flow = compose(FlowRequest("flow", nodes), STORE)
    store = LocalStore(tmp_path / "store")
    for key, data in flow.objects.items():
        store.put(key, data)
    LocalRun(flow.spec, store, tmp_path).run()
    layout = NativeLayout(str(flow.spec.flow.id), RUN_ID)
    ids = {artifact.name: artifact.id for artifact in flow.spec.artifacts}
    return {name: json.loads(store.get(layout.content(ids[name]))) for name in ("ids", "names")}


@installed
def test_runs_as_on_a_worker(ran: dict[str, Any]) -> None:
    assert ran == {"ids": True, "names": False}


@installed
def test_unpickles_where_this_package_is_missing() -> None:
    # In a process of its own: cloudpickle keeps a list of such modules.
    program = (
        "import sys, cloudpickle; from aqueduct_provider.sdk.authoring import expectations; "
        "cloudpickle.register_pickle_by_value(expectations); "
        f"check = expectations.expectation_check({NOT_NULL!r}, {{'column': 'a'}}); "
        "sys.stdout.buffer.write(cloudpickle.dumps(check))"
    )
    data = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout
    judge = (
        "import sys, pickle, pandas; sys.modules['aqueduct_provider'] = None; "
        "check = pickle.loads(sys.stdin.buffer.read()); "
        "print(check(pandas.DataFrame({'a': [1]})), check(pandas.DataFrame({'a': [None]})))"
    )
    done = subprocess.run([sys.executable, "-c", judge], input=data, check=True, capture_output=True)
    assert done.stdout.split() == [b"True", b"False"]
    assert done.stderr == b""

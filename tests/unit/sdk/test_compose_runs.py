"""Composed flows run: through the real path of every task, with real children, without Airflow."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas
import pytest

from aqueduct_provider.errors import CheckFailed, OperatorFailed
from aqueduct_provider.runner.codecs import decode
from aqueduct_provider.sdk.authoring.nodes import ArtifactNode
from aqueduct_provider.sdk.publishing.compose import FlowRequest, compose
from aqueduct_provider.spec.models import WorkflowSpec
from aqueduct_provider.storage.layout import NativeLayout
from aqueduct_provider.storage.local import LocalStore
from tests.support.flow_runs import RUN_ID, LocalRun
from tests.support.node_graphs import STORE, call, check, metric, op, param, system_metric, user_function


@dataclass(frozen=True)
class Ran:
    """A composed flow after a run of it."""

    spec: WorkflowSpec
    store: LocalStore
    run: LocalRun

    def value(self, name: str) -> Any:
        """The value of the artifact of this name."""
        artifact = next(item for item in self.spec.artifacts if item.name == name)
        layout = NativeLayout(str(self.spec.flow.id), RUN_ID)
        metadata = json.loads(self.store.get(layout.metadata(artifact.id)))
        data = self.store.get(layout.content(artifact.id))
        return decode(data, metadata["serialization_type"], metadata["artifact_type"])

    def state(self, task_id: str) -> Any:
        layout = NativeLayout(str(self.spec.flow.id), RUN_ID)
        return json.loads(self.store.get(layout.exec_state(task_id)))


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Composes, uploads and runs a flow; keyword arguments are the parameters of the run."""

    def run_flow(*artifacts: ArtifactNode, **params: Any) -> Ran:
        composition = compose(FlowRequest("flow", artifacts), STORE)
        store = LocalStore(tmp_path / "store")
        for key, data in composition.objects.items():
            store.put(key, data)
        local = LocalRun(composition.spec, store, tmp_path, params=params)
        local.run()
        return Ran(composition.spec, store, local)

    return run_flow


def scaled(table: Any, factor: float) -> Any:
    return table * factor


def split(table: Any) -> Any:
    return table.head(1), len(table)


def mean(table: Any) -> float:
    return float(table["x"].mean())


def below(number: float, limit: float) -> bool:
    return number < limit


def limited(values: list[int], limit: int | None) -> Any:
    return values[:limit]


def typed(value: Any) -> str:
    return type(value).__name__


def all_typed(*values: Any) -> list[str]:
    return [type(value).__name__ for value in values]


def table_flow() -> list[ArtifactNode]:
    """A table and a factor are parameters; a metric and a check with a parameter of its own look on."""
    table = param("table", pandas.DataFrame({"x": [1.0, 3.0]}))
    bigger = op("scaled", table, param("factor", 2), function=user_function(scaled))
    m = metric("mean", bigger, function=user_function(mean))
    limit = param("below:limit", 10, implicit=True)
    check("below", m, limit, severity="error", function=user_function(below))
    return [bigger]


def test_tables_parameters_metrics_and_checks(run: Run) -> None:
    ran = run(*table_flow())
    assert ran.value("scaled artifact")["x"].tolist() == [2.0, 6.0]
    assert (ran.value("mean artifact"), ran.value("below artifact")) == (4.0, True)
    assert ran.value("table")["x"].tolist() == [1.0, 3.0]
    parquet = ran.run.manifests["scaled"].artifacts["scaled_artifact"]
    assert parquet.serialization_type == "parquet"


def test_a_parameter_of_the_run(run: Run) -> None:
    assert run(*table_flow(), factor=0.5).value("mean artifact") == 1.0


def test_a_check_that_fails(run: Run) -> None:
    with pytest.raises(CheckFailed):
        run(*table_flow(), **{"below:limit": 3})


def test_several_outputs_and_system_metrics(run: Run) -> None:
    source = op("source", function=user_function(lambda: pandas.DataFrame({"x": [5, 6, 7]}), "pandas"))
    first, count = call("split", source, outputs=2, function=user_function(split))
    system_metric(first)
    kind = op("typed", count, function=user_function(typed))
    ran = run(first, kind)
    assert ran.value("split artifact")["x"].tolist() == [5]
    assert ran.value("split artifact (1)") == 3
    assert ran.value("typed artifact") == "int"
    assert ran.value("split runtime artifact") >= 0


def test_a_default_of_none(run: Run) -> None:
    values, limit = param("values", [1, 2, 3]), param("limited:limit", None, implicit=True)
    artifact = op("limited", values, limit, function=user_function(limited))
    assert run(artifact).value("limited artifact") == [1, 2, 3]
    assert run(artifact, **{"limited:limit": 2}).value("limited artifact") == [1, 2]
    assert run(artifact, **{"limited:limit": None}).value("limited artifact") == [1, 2, 3]


def test_a_default_of_none_that_nothing_reads(run: Run) -> None:
    assert run(param("f:x", None, implicit=True)).value("f:x") is None


def test_every_kind_of_default_arrives_as_it_was(run: Run) -> None:
    defaults = [
        *(1, 1.0, True, "text", "[1]", "nul \0", [1], (1, 2), (1, {2}), {"a": 1}, {"a": {1}}),
        *(float("nan"), 2**80, b"bytes", {1, 2}, datetime(2026, 1, 1)),
    ]
    params = [param(f"p{number}", default) for number, default in enumerate(defaults)]
    ran = run(op("typed", *params, function=user_function(all_typed)))
    assert ran.value("typed artifact") == [type(default).__name__ for default in defaults]
    assert [repr(ran.value(parameter.name)) for parameter in params] == list(map(repr, defaults))


def test_a_value_of_the_wrong_type_is_refused(run: Run) -> None:
    artifact = op("typed", param("p", 1), function=user_function(typed))
    with pytest.raises(OperatorFailed, match="is of type string"):
        run(artifact, p="text")


def test_outcomes_lie_under_the_task_ids(run: Run) -> None:
    ran = run(op("my op", param("a b", 1), function=user_function(typed)))
    assert ran.state("my_op")["status"] == ran.state("a_b")["status"] == "succeeded"

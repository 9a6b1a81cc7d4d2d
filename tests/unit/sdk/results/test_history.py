"""A metric over the runs of a flow."""

from __future__ import annotations

import math
from typing import Any

import pytest

from aqueduct_provider.errors import AuthoringError, IntegrityError, NotFound
from aqueduct_provider.sdk.results.history import COLUMNS, metric_history
from aqueduct_provider.sdk.run import Run
from aqueduct_provider.storage.layout import NativeLayout
from tests.published import Deployment
from tests.unit.sdk.conftest import Finished
from tests.vouching import vouch


def test_numbers(finished: Finished) -> None:
    table = finished.flow.metric_history("total")
    assert tuple(table.columns) == COLUMNS
    assert table["run_id"].tolist() == [finished.bad.run_id, finished.good.run_id]
    assert table["status"].tolist() == ["failed", "succeeded"]
    assert math.isnan(table["value"][0])
    assert table["value"][1] == 6
    assert table["value"].dtype == "float64"
    assert str(table["created_at"].dt.tz) == "UTC"
    assert table["created_at"].tolist() == [finished.bad.created_at(), finished.good.created_at()]


def test_checks_know_missing_values(finished: Finished) -> None:
    values = finished.flow.metric_history("many")["value"]
    assert values.dtype == "boolean"
    assert values.isna().tolist() == [True, False]
    assert values[1]
    assert values.mean() == 1


def test_parameters_that_are_numbers(finished: Finished) -> None:
    assert finished.flow.metric_history("rows")["value"].tolist() == [-1, 4]


def test_the_limit(finished: Finished) -> None:
    assert finished.flow.metric_history("rows", limit=1)["value"].tolist() == [-1]


def test_tables_have_none(finished: Finished) -> None:
    with pytest.raises(AuthoringError, match="'table' is of type table: only numbers and checks have a hist"):
        finished.flow.metric_history("table")


def test_names_that_no_run_has(finished: Finished) -> None:
    with pytest.raises(NotFound, match=r"No run of 'churn' has an artifact 'totl'\. Did you mean 'total'\?$"):
        finished.flow.metric_history("totl")


def test_a_flow_that_has_not_run(made: Deployment) -> None:
    table = made.publish().metric_history("total")
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 0
    assert str(table["created_at"].dt.tz) == "UTC"
    assert table["value"].dtype == "float64"


@pytest.fixture
def versions(made: Deployment) -> list[Run]:
    """Runs of versions in which the artifact has another name, the newest first."""
    made.publish()
    old = made.run(rows=5)
    flow = made.publish(artifacts=made.author(total="sum"))
    new = made.run(rows=6)
    waiting = made.client.trigger("churn", progress=False)
    return [flow.fetch(run.run_id) for run in (waiting, new, old)]


def test_versions_without_the_artifact_have_no_value(versions: list[Run]) -> None:
    values = metric_history("sum", versions)["value"].tolist()
    assert [values[1], math.isnan(values[0]), math.isnan(values[2])] == [15, True, True]
    table = metric_history("many", versions)
    assert table["status"].tolist() == ["pending", "succeeded", "succeeded"]
    assert table["value"].isna().tolist() == [True, False, False]


def test_all_missing_values_have_the_type_of_the_artifact(versions: list[Run]) -> None:
    assert metric_history("many", versions[:1])["value"].dtype == "boolean"
    assert metric_history("sum", versions[:1])["value"].dtype == "float64"


@pytest.mark.parametrize(("values", "dtype"), [([True, 2.5], "float64"), ([True, False], "boolean")])
def test_a_name_that_is_a_check_here_and_a_number_there(
    made: Deployment, values: list[Any], dtype: str
) -> None:
    import json

    flow = made.publish()
    for number, value in enumerate(values):
        layout = NativeLayout(flow.record.flow_id, f"r{number}")
        made.fake.add_run("churn", f"r{number}")
        kind = "boolean" if isinstance(value, bool) else "numeric"
        metadata = {"artifact_type": kind, "serialization_type": "json"}
        made.store.put(layout.content("total"), json.dumps(value).encode())
        made.store.put(layout.metadata("total"), json.dumps(metadata).encode())
        vouch(made.fake, made.store, flow.spec, f"r{number}", "total")
    table = flow.metric_history("total")
    assert table["value"].dtype == dtype
    assert table["value"].tolist() == values[::-1]


@pytest.mark.parametrize("content", [b'"999"', b"[1, 2]", b'"false"', b"true"])
def test_a_forged_value_that_airflow_does_not_vouch_for(made: Deployment, content: bytes) -> None:
    flow = made.publish()
    run = made.run(rows=4)
    made.store.put(NativeLayout(flow.record.flow_id, run.run_id).content("total"), content)
    for task in made.fake.dags["churn"].runs[run.run_id].tasks.values():
        task.xcoms.clear()
    with pytest.raises(IntegrityError, match=r"'total' .* must be of type numeric"):
        flow.metric_history("total")


def test_integers_that_no_float_holds(made: Deployment) -> None:
    flow = made.publish()
    for number, value in enumerate([10**400, -(10**400)]):
        layout = NativeLayout(flow.record.flow_id, f"r{number}")
        made.fake.add_run("churn", f"r{number}")
        made.store.put(layout.content("total"), str(value).encode())
        metadata = b'{"artifact_type": "numeric", "serialization_type": "json"}'
        made.store.put(layout.metadata("total"), metadata)
        vouch(made.fake, made.store, flow.spec, f"r{number}", "total")
    assert flow.metric_history("total")["value"].tolist() == [-math.inf, math.inf]

"""A metric over the runs of a flow."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider.errors import AuthoringError, NotFound, StorageUnavailable
from aqueduct_provider.sdk.results.history import metric_history
from aqueduct_provider.sdk.run import Run
from aqueduct_provider.sdk.session import Session
from aqueduct_provider.storage.layout import FlowLayout, NativeLayout
from tests.support.artifact_vouchers import vouch
from tests.support.deployment import Deployment
from tests.unit.sdk.conftest import Finished


def test_numbers(finished: Finished) -> None:
    table = finished.flow.metric_history("total")
    assert tuple(table.columns) == ("run_id", "created_at", "status", "value")
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


def test_a_metric_is_found_by_the_name_that_pages_show(made: Deployment) -> None:
    @aq.metric(requirements=[])
    def size(rows: int) -> int:
        return rows * 2

    rows = made.client.create_param("rows", default=2)
    flow = made.publish(artifacts=[size(rows), size(rows).bound(lower=3)])
    run = made.run(rows=4)
    for name, values in (("size", [8]), ("size artifact", [8]), ("greater than 3", [True])):
        assert flow.metric_history(name)["value"].tolist() == values
        assert run.artifact(name).get() == values[0]
    assert {"metric.size", "check.greater than 3"} < set(flow.runs_table().columns)


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
    assert tuple(table.columns) == ("run_id", "created_at", "status", "value")
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
def test_a_forged_value_that_airflow_does_not_vouch_for(
    made: Deployment, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    flow = made.publish()
    run = made.run(rows=4)
    made.store.put(NativeLayout(flow.record.flow_id, run.run_id).content("total"), content)
    for task in made.fake.dags["churn"].runs[run.run_id].tasks.values():
        task.xcoms.clear()
    assert math.isnan(flow.metric_history("total")["value"][0])
    assert f"{run.run_id}: 'total' " in caplog.text
    assert "must be of type numeric" in caplog.text


@pytest.mark.parametrize("trust_store", [False, True])
def test_runs_that_were_deleted_or_changed_do_not_hide_the_others(
    made: Deployment, caplog: pytest.LogCaptureFixture, trust_store: bool
) -> None:
    flow = made.publish()
    expired, changed, lost, good = (made.run(rows=rows) for rows in (2, 3, 4, 5))
    total = good.artifact("total").get()
    layouts = {run: NativeLayout(flow.record.flow_id, run.run_id) for run in (expired, changed, lost)}
    # As a lifecycle rule does, and one that has deleted the content alone.
    made.store.delete(list(made.store.list(layouts[expired].run_prefix)))
    made.store.delete([layouts[lost].content("total")])
    made.store.put(layouts[changed].content("total"), b"999")
    caplog.clear()
    values = flow.metric_history("total", trust_store=trust_store)["value"].tolist()
    assert values[0] == total
    assert all(map(math.isnan, values[1:]))
    (warning,) = caplog.messages
    assert warning.startswith("3 of 4 runs have no value of 'total' that can be read:\n")
    assert "was changed" in warning or "sha256" in warning
    assert all(f"  {run.run_id}: " in warning for run in layouts)


def test_a_version_that_was_deleted_does_not_hide_the_others(
    made: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    old = made.publish()
    lost = made.run(rows=5)
    flow = made.publish(artifacts=made.author(total="sum"))
    new = made.run(rows=6)
    made.store.delete([FlowLayout(flow.record.flow_id).version(old.record.version_id)])
    for task in made.fake.dags["churn"].runs[lost.run_id].tasks.values():
        task.xcoms.clear()
    # Another session, which has not read the version yet.
    session = Session(made.client._session.profile)
    runs = [Run(session, flow.record, run.run_id, run.info) for run in (new, lost)]
    assert metric_history("sum", runs)["value"].isna().tolist() == [False, True]
    assert f"{lost.run_id}: Version {old.record.version_id}" in caplog.text
    with pytest.raises(NotFound, match="Version "):
        metric_history("sum", runs[1:])


def test_a_store_that_is_away_is_an_error(finished: Finished, credentials_file: Path) -> None:
    client = aq.Client(
        bucket="bucket",
        region="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        credentials_path=str(credentials_file),
        config_path=finished.made.folder / "config.toml",
    )
    run = finished.good
    runs = [Run(client._session, run.record, run.run_id, run.info)]
    with pytest.raises(StorageUnavailable, match=r"127\.0\.0\.1:9"):
        metric_history("total", runs)


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

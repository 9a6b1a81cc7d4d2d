"""A client meets the stand-in as it meets an Airflow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aqueduct_provider.sdk.airflow_api.airflow import Airflow, AirflowLogin
from aqueduct_provider.spec.loader import parse
from aqueduct_provider.spec.version_label import labelled_version
from aqueduct_provider.storage.layout import delivered_spec
from aqueduct_provider.testing import FakeAirflow
from tests.support.deployment import Deployment, deployment
from tests.support.example_specs import native_document


@pytest.mark.parametrize("major", [2, 3])
def test_it_serves_while_the_block_runs(major: int) -> None:
    with FakeAirflow(major) as airflow:
        assert httpx.get(f"{airflow.url}/api/v{major - 1}/version").json()["version"] == airflow.version
    with pytest.raises(httpx.ConnectError):
        httpx.get(airflow.url)


def test_its_login_is_accepted_below_a_prefix() -> None:
    with FakeAirflow(prefix="/airflow") as airflow:
        airflow.add_dag("churn")
        login = airflow.login
        api = Airflow(AirflowLogin(login["host"], login["username"], login["password"]))
        assert [dag.dag_id for dag in api.dags("aqueduct")] == ["churn"]


def test_a_spec_is_shown_with_its_version_and_its_runs_stay() -> None:
    spec = parse(json.dumps(native_document()).encode(), "churn.json")
    with FakeAirflow() as airflow:
        airflow.show(spec)
        airflow.add_run(spec.dag_id, "r1")
        airflow.dags[spec.dag_id].active = False
        airflow.show(spec)
    dag = airflow.dags[spec.dag_id]
    assert (dag.active, list(dag.runs)) == (True, ["r1"])
    assert labelled_version(dag.description) == str(spec.version.id)[:8]


@pytest.fixture
def made(bucket: str, s3_server: str, credentials_file: Path, tmp_path: Path) -> Iterator[Deployment]:
    with deployment(bucket, s3_server, credentials_file, tmp_path) as made:
        yield made


def test_what_a_client_publishes_is_there_at_once_and_what_it_deletes_is_gone(made: Deployment) -> None:
    with FakeAirflow() as airflow:
        airflow.add_dag("of-others")
        airflow.load_flows_of(made.client)
        made.client.connect_resource("second", "Airflow", airflow.login)
        made.publish(engine="second")
        run = made.client.trigger(flow_name="churn", progress=False)
        assert airflow.dags["churn"].runs[run.run_id].state == "queued"
        made.store.delete([delivered_spec("churn")])
        api = Airflow(AirflowLogin(airflow.url, airflow.user, airflow.password))
        assert [dag.dag_id for dag in api.dags("aqueduct")] == ["of-others"]
        assert {dag.dag_id: dag.active for dag in airflow.dags.values()} == {
            "of-others": True,
            "churn": False,
        }

"""From ``publish_flow`` to Airflow's UI and back: visible, stale, deleted, and published again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import aqueduct_provider.sdk as aq
from aqueduct_provider import cli
from tests.integration.flow_place import Place
from tests.integration.waiting import wait_for

WAIT = 120


@pytest.fixture(scope="module")
def client(sdk_variables: dict[str, str], place: Place) -> Iterator[aq.Client]:
    """A client whose flows reach Airflow by the store; the configuration is that of the other modules."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sdk_variables.items():
            patch.setenv(name, value)
        client, login = aq.Client(), place.airflow.login
        client.connect_resource(
            "delivery", "Airflow", {"host": login.url, "username": login.user, "password": login.password}
        )
        yield client


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a working directory of its own."""
    monkeypatch.chdir(tmp_path)


def publish(client: aq.Client, value: int, **options: float) -> aq.Flow:
    answer = aq.to_operator(lambda: value, name="answer", requirements=[])()
    answer.set_name("answer")
    return client.publish_flow("delivered", artifacts=answer, engine="delivery", **options)


def told(client: aq.Client, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What ``aqueduct-airflow status`` says of the flow."""
    capsys.readouterr()
    cli.main(["status", "--json"])
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    status: dict[str, str] = found["delivered"]
    return status


def test_a_flow_is_shown_changed_deleted_and_published_again(
    client: aq.Client, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = publish(client, 1, wait=WAIT)
    assert place.client.dags()["delivered"]["dag_id"] == "delivered"
    page = flow.url()
    assert f"Airflow shows it: {page}\n" in capsys.readouterr().out
    assert flow.status().state is aq.FlowState.CURRENT
    run = client.trigger("delivered", progress=False)
    assert run.wait(WAIT, progress=False) == "succeeded"

    with pytest.MonkeyPatch.context() as patch:
        # So that Airflow is not quicker than this test.
        patch.setattr("aqueduct_provider.sdk.resources.delivery.StoreDelivery.deliver", lambda *_: "late")
        newer = publish(client, 2, wait=0)
    stale = told(client, capsys)
    assert (stale["state"], stale["version_id"]) == ("stale", newer.record.version_id)
    assert stale["airflow_version_id"] == flow.record.version_id
    assert stale["stale_since"] == newer.record.created_at.isoformat()
    newest = publish(client, 3, wait=WAIT)
    assert told(client, capsys)["airflow_version_id"] == newest.record.version_id
    assert newest.status().is_fine

    client.delete_flow("delivered")
    wait_for(lambda: "delivered" not in place.client.dags(), what="no DAG", seconds=WAIT)
    assert list(place.client.runs("delivered")) == [run.run_id]
    gone = client.flow("delivered")
    assert gone.status().state is aq.FlowState.RETIRED
    assert [one["status"] for one in gone.list_runs()] == ["succeeded"]
    old = gone.fetch(run.run_id)
    assert old.artifact("answer").get() == 1
    assert "answer" in old.logs("answer")
    assert [one.word for one in old.operators()] == ["succeeded"]
    with pytest.raises(aq.AuthoringError, match="was deleted on"):
        client.trigger("delivered")

    again = publish(client, 4, wait=WAIT)
    assert again.status().state is aq.FlowState.CURRENT
    assert again.fetch(run.run_id).artifact("answer").get() == 1
    assert [one.run_id for one in again.runs()] == [run.run_id]

    client.delete_flow("delivered", artifacts=True)
    assert place.keys(f"sdk/flows/{flow.id()}/") == set()
    assert again.runs() == []
    with pytest.raises(aq.NotFound):
        client.flow("delivered")

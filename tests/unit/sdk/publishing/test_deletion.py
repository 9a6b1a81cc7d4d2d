"""Deleting flows: active runs, what goes and what stays, and failures half-way."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from aqueduct_provider.errors import (
    AirflowRefused,
    AirflowUnreachable,
    AqueductError,
    AuthoringError,
    NotFound,
    WaitTimedOut,
)
from aqueduct_provider.sdk.publishing.deletion import delete_flow
from aqueduct_provider.storage.layout import PUBLISHED_PREFIX, RETIRED_PREFIX, delivered_spec
from tests.support.deployment import Deployment


class Terminal:
    """Somebody at a terminal, who gives this answer."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return f"{self.answer}\n"

    def fileno(self) -> int:
        raise OSError


def sits_there(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))


def test_a_flow_goes_and_what_its_runs_left_stays(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = made.publish()
    run = made.run()
    capsys.readouterr()
    made.client.delete_flow("churn")
    left = f"What its runs left stays, in Airflow and below {made.store.url(f'flows/{flow.id()}/')}\n"
    assert capsys.readouterr() == (f"Deleted 'churn' (DAG churn). {left}", "")
    assert made.client.list_flows() == []
    assert not made.store.exists(delivered_spec("churn"))
    assert not made.fake.dags["churn"].active
    assert made.fake.calls("DELETE") == []

    gone = made.client.flow("churn")
    (listed,) = made.client.list_flows(retired=True)
    assert (listed["name"], listed["retired_at"]) == ("churn", gone.retired_at())
    assert repr(gone) == f"<Flow 'churn' on 'cluster', deleted on {gone.retired_at():%Y-%m-%d}>"
    assert [one.run_id for one in gone.runs()] == [run.run_id]
    assert gone.fetch(run.run_id).artifact("total").get() == 3
    assert gone.metric_history("total")["value"].tolist() == [3]
    assert made.client.flow(flow.id()).record == gone.record

    made.fake.asked.clear()
    made.client.delete_flow("churn")
    assert capsys.readouterr().out == f"'churn' was deleted on {gone.retired_at():%Y-%m-%d}. {left}"
    assert made.fake.asked == []


def test_with_its_artifacts_nothing_of_it_is_left(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    made.publish("other name")
    flow = made.publish()
    made.run()
    capsys.readouterr()
    made.client.delete_flow(flow_id=flow.id(), artifacts=True)
    assert capsys.readouterr().out == "Deleted 'churn' (DAG churn) with all that its runs left.\n"
    assert list(made.store.list(f"flows/{flow.id()}/")) == []
    assert [one["name"] for one in made.client.list_flows()] == ["other name"]
    assert made.client.flow("other name").spec.flow.name == "other name"


def test_what_a_deleted_flow_left_is_deleted_on_purpose(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = made.publish()
    made.run()
    made.client.delete_flow("churn")
    capsys.readouterr()
    made.client.delete_flow("churn", artifacts=True)
    assert capsys.readouterr().out == "Deleted 'churn' (DAG churn) with all that its runs left.\n"
    assert list(made.store.list(f"flows/{flow.id()}/")) == []
    assert "churn" not in made.fake.dags
    assert made.client.list_flows(retired=True) == []
    with pytest.raises(NotFound, match="No flow 'churn'"):
        made.client.delete_flow("churn")


def test_a_deleted_flow_that_is_published_again_goes_on(made: Deployment) -> None:
    flow = made.publish()
    run = made.run()
    made.client.delete_flow("churn")
    again = made.publish(artifacts=made.author(total="sum"))
    assert again.id() == flow.id()
    assert again.retired_at() is None
    assert made.fake.dags["churn"].active
    assert made.client.list_flows(retired=True) == []
    newer = made.run(rows=4)
    assert [one.run_id for one in again.runs()] == [newer.run_id, run.run_id]
    assert again.fetch(run.run_id).artifact("total").get() == 3
    assert again.fetch(newer.run_id).artifact("sum").get() == 6


def test_the_dag_does_not_come_back(made: Deployment) -> None:
    made.publish()
    made.client.delete_flow("churn", artifacts=True)
    made.parse()
    assert "churn" not in made.fake.dags


def test_airflow_may_take_its_time_to_notice(made: Deployment) -> None:
    flow = made.publish()
    made.fake.on_parse = lambda file_token: made.fake.parsed.clear()
    told = delete_flow(flow, artifacts=False, force=False, notice_seconds=0)
    assert "Airflow shows the DAG until it notices, by its default settings within two minutes." in told
    assert made.client.flow("churn").retired_at() is not None


def test_a_deletion_does_not_fail_when_airflow_then_goes(made: Deployment) -> None:
    flow = made.publish()
    made.fake.on_parse = lambda file_token: made.fake.drop(1_000_000)
    assert "Airflow shows the DAG until it notices" in delete_flow(flow, artifacts=False, force=False)
    made.fake.recover()
    assert made.client.list_flows() == []


@pytest.mark.parametrize("prefix", [PUBLISHED_PREFIX, RETIRED_PREFIX])
def test_a_forged_record_deletes_nothing_of_another_flow(made: Deployment, prefix: str) -> None:
    victim, bystander = made.publish("victim"), made.publish("bystander")
    made.run("victim")
    if prefix == RETIRED_PREFIX:
        made.client.delete_flow("bystander")
    key = f"{prefix}bystander.json"
    forged = made.store.get(key).replace(str(bystander.id()).encode(), str(victim.id()).encode())
    made.store.put(key, forged)
    before = {key: made.store.get(key) for key in made.store.list("")}

    for options in ({"artifacts": True, "force": True}, {}):
        with pytest.raises(AqueductError, match="its ids are not those of a flow named 'bystander'"):
            made.client.delete_flow("bystander", **options)
    with pytest.raises(AqueductError, match="its ids are not those of a flow named 'bystander'"):
        made.client.flow("bystander").prune(keep=1)

    assert {key: made.store.get(key) for key in made.store.list("")} == before
    assert made.fake.calls("DELETE") == []


# --- active runs


@pytest.fixture
def active(made: Deployment) -> Deployment:
    """A flow of which one run waits and one runs."""
    made.publish().wait_until_deployed(progress=False)
    made.fake.add_run("churn", "r1", state="running")
    made.fake.add_run("churn", "r2", state="queued")
    made.fake.add_run("churn", "r3", state="success")
    return made


def test_active_runs_are_not_ended_when_nobody_is_asked(active: Deployment) -> None:
    with pytest.raises(AuthoringError) as caught:
        active.client.delete_flow("churn")
    assert str(caught.value) == (
        "'churn' was not deleted, because 2 runs are active: r2, r1. Wait for their end. Or end them with "
        "force=True."
    )
    assert caught.value.for_terminal().endswith("Wait for their end. Or end them with --force.")
    assert [run.state for run in active.fake.dags["churn"].runs.values()] == ["running", "queued", "success"]
    assert active.store.exists(delivered_spec("churn"))


def test_somebody_who_says_no(
    active: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sits_there(monkeypatch, "")
    with pytest.raises(AuthoringError, match="was not deleted"):
        active.client.delete_flow("churn")
    asked = "'churn': 2 runs are active (r2, r1). End, and delete the flow? [y/N] "
    assert capsys.readouterr().out.endswith(asked)
    assert [run.state for run in active.fake.dags["churn"].runs.values()] == ["running", "queued", "success"]


def ended(made: Deployment) -> list[Any]:
    """The runs that were ended, and the state that they were given."""
    return [(one.path.rpartition("/")[2], one.body) for one in made.fake.calls("PATCH", "dagRuns")]


def test_somebody_who_says_yes(active: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    sits_there(monkeypatch, "Yes")
    active.client.delete_flow("churn")
    assert ended(active) == [("r2", {"state": "failed"}), ("r1", {"state": "failed"})]
    assert active.client.list_flows() == []


def test_by_force_they_are_ended(active: Deployment) -> None:
    active.client.delete_flow("churn", force=True)
    assert [run_id for run_id, _ in ended(active)] == ["r2", "r1"]
    assert active.client.list_flows() == []


def test_a_run_that_ends_meanwhile_is_no_error(active: Deployment) -> None:
    active.fake.fail(404, path="dagRuns/r2", method="PATCH", body=b'{"detail": "gone"}')
    active.client.delete_flow("churn", force=True)
    assert active.client.list_flows() == []


def test_a_run_that_cannot_be_ended_leaves_the_flow_for_another_try(active: Deployment) -> None:
    active.fake.forbid("PATCH")
    with pytest.raises(AirflowRefused):
        active.client.delete_flow("churn", force=True)
    assert [one["name"] for one in active.client.list_flows()] == ["churn"]
    active.fake.forbidden.clear()
    active.client.delete_flow("churn", force=True)
    assert active.client.list_flows() == []


# --- failures


def test_when_airflow_is_away_nothing_is_deleted(made: Deployment) -> None:
    made.publish()
    before = list(made.store.list(""))
    with made.away(), pytest.raises(AirflowUnreachable, match=made.fake.url):
        made.client.delete_flow("churn", artifacts=True, force=True)
    assert list(made.store.list("")) == before


def test_when_the_resource_is_gone_nothing_is_deleted(made: Deployment) -> None:
    made.publish()
    before = list(made.store.list(""))
    made.client.delete_resource("cluster")
    with pytest.raises(NotFound, match="No resource is named 'cluster'"):
        made.client.delete_flow("churn", artifacts=True)
    assert list(made.store.list("")) == before


def test_tasks_that_still_run_can_be_waited_for_and_the_deletion_repeated(made: Deployment) -> None:
    flow = made.publish()
    flow.wait_until_deployed(progress=False)
    made.fake.dags["churn"].busy = True
    with pytest.raises(WaitTimedOut, match=r"tasks of the DAG 'churn' still run, .* Delete the flow again"):
        delete_flow(flow, artifacts=True, force=False, seconds=0)
    assert made.client.flow("churn").retired_at() is not None
    made.fake.dags["churn"].busy = False
    made.client.delete_flow("churn", artifacts=True)
    assert made.client.list_flows(retired=True) == []


def test_a_dag_is_not_deleted_before_airflow_lets_go_of_it(made: Deployment) -> None:
    flow = made.publish()
    flow.wait_until_deployed(progress=False)
    # The parse is asked for, and does not come.
    made.fake.on_parse = lambda file_token: None
    with pytest.raises(WaitTimedOut, match=r"still shows the DAG 'churn', .* Delete the flow again later"):
        delete_flow(flow, artifacts=True, force=False, gone_seconds=0)
    assert made.fake.calls("DELETE") == []
    assert flow.runs() == [], "and what it left can still be read"
    made.parse()
    made.client.delete_flow("churn", artifacts=True)
    assert "churn" not in made.fake.dags


def test_when_airflow_refuses_the_flow_can_be_deleted_again(made: Deployment) -> None:
    made.publish()
    made.fake.forbid("DELETE")
    with pytest.raises(AirflowRefused):
        made.client.delete_flow("churn", artifacts=True)
    made.fake.forbidden.clear()
    made.client.delete_flow("churn", artifacts=True)
    assert made.client.list_flows(retired=True) == []


def test_a_flow_that_airflow_never_showed(made: Deployment) -> None:
    made.publish_unseen()
    made.client.delete_flow("churn")
    assert made.client.list_flows() == []


def test_saved_objects_are_not_deleted(made: Deployment) -> None:
    made.publish()
    with pytest.raises(
        AuthoringError, match=r"saved_objects_to_delete must be empty: .* flow\.list_saved_objects\(\) lists"
    ):
        made.client.delete_flow("churn", saved_objects_to_delete={"db": ["t"]})
    made.client.delete_flow("churn", None, None, {}, True)

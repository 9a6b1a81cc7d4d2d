"""Waiting until Airflow shows what was published."""

from __future__ import annotations

import pytest

from aqueduct_provider.errors import AirflowUnreachable, AuthoringError, WaitTimedOut
from aqueduct_provider.sdk.publishing.deployment import ask_to_parse
from tests.published import Deployment


def test_airflow_is_asked_to_look_and_it_is_said_once(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = made.publish()
    capsys.readouterr()
    flow.wait_until_deployed(timeout=10)
    assert flow.record.version_id in made.fake.dags["churn"].tags
    assert capsys.readouterr() == ("", "Waiting for Airflow to show 'churn' ...\n")
    # There already: neither a word nor a request to parse.
    made.fake.asked.clear()
    flow.wait_until_deployed()
    assert capsys.readouterr() == ("", "")
    assert [one.method for one in made.fake.asked] == ["GET"]


def test_without_progress_nothing_is_said(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    flow = made.publish()
    capsys.readouterr()
    flow.wait_until_deployed(progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_flow_that_airflow_does_not_show(made: Deployment) -> None:
    flow = made.publish()
    made.hidden.add("churn")
    with pytest.raises(WaitTimedOut) as caught:
        flow.wait_until_deployed(timeout=0)
    assert str(caught.value).startswith(
        "After 0 s Airflow has no DAG 'churn', which shows 'churn'. The spec is at "
        f"{flow.record.delivered_to}. Does Airflow look there? Its DAG folder needs the loader"
    )


def test_a_version_that_airflow_does_not_show(made: Deployment) -> None:
    made.publish().wait_until_deployed(progress=False)
    flow = made.publish()
    made.hidden.add("churn")
    made.fake.on_parse = lambda _token: None
    with pytest.raises(
        WaitTimedOut, match=f"still shows an older version of 'churn', not {flow.record.version_id}"
    ):
        flow.wait_until_deployed(timeout=0)


def test_a_version_that_was_replaced_is_not_waited_for(made: Deployment) -> None:
    old, new = made.publish(), made.publish()
    new.wait_until_deployed(progress=False)
    with pytest.raises(AuthoringError, match=r"'churn' was published once more meanwhile, .*client\.flow\("):
        old.wait_until_deployed(progress=False)


def test_a_flow_that_was_deleted_is_not_waited_for(made: Deployment) -> None:
    flow = made.publish()
    made.client.delete_flow("churn")
    with pytest.raises(AuthoringError, match="'churn' was deleted meanwhile"):
        flow.wait_until_deployed(progress=False)


def test_an_airflow_that_is_away(made: Deployment) -> None:
    flow = made.publish()
    with made.away(), pytest.raises(AirflowUnreachable):
        flow.wait_until_deployed(progress=False)


def test_an_airflow_that_is_away_for_a_moment(made: Deployment) -> None:
    flow = made.publish()
    looks = []

    def parse(token: str) -> None:
        looks.append(token)
        # More often than a request is repeated, once.
        made.fake.drop(3, path="/dags/churn")
        made.parse()

    made.fake.on_parse = parse
    flow.wait_until_deployed(timeout=60, progress=False)
    assert len(looks) == 1


def test_being_asked_to_parse_may_be_refused(made: Deployment) -> None:
    airflow = made.session.airflow("cluster")
    made.fake.forbid("PUT", "parseDagFile")
    ask_to_parse(airflow, "churn")
    assert made.fake.parsed == []
    assert len(made.fake.calls("PUT", "parseDagFile")) == 1


def test_without_any_dag_nothing_can_be_asked(made: Deployment) -> None:
    made.fake.dags.clear()
    ask_to_parse(made.session.airflow("cluster"), "churn")
    assert made.fake.calls("PUT") == []

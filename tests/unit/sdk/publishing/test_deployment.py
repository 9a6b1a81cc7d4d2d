"""Asking Airflow to show what was published, waiting for it, and what is said of that."""

from __future__ import annotations

import pytest

from aqueduct_provider.errors import AirflowUnreachable, AuthoringError, WaitTimedOut
from aqueduct_provider.sdk.airflow_api.api_models import DagInfo
from aqueduct_provider.sdk.publishing import deployment
from aqueduct_provider.sdk.publishing.deployment import (
    SHOWN_SECONDS,
    ask_to_parse,
    how_it_starts,
    show,
    shows,
)
from aqueduct_provider.testing import FakeAirflow
from tests.support.deployment import Deployment


def test_airflow_is_asked_to_look_and_it_is_said_once(
    made: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = made.publish_unseen()
    capsys.readouterr()
    flow.wait_until_deployed(timeout=10)
    assert made.fake.dags["churn"].description == f"v1 ({flow.record.version_id[:8]})"
    assert capsys.readouterr() == ("", "Waiting for Airflow to show 'churn' ...\n")
    # There already: neither a word nor a request to parse.
    made.fake.asked.clear()
    flow.wait_until_deployed()
    assert capsys.readouterr() == ("", "")
    assert {one.method for one in made.fake.asked} == {"GET"}


def test_without_progress_nothing_is_said(made: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    flow = made.publish_unseen()
    capsys.readouterr()
    flow.wait_until_deployed(progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_flow_that_airflow_does_not_show(made: Deployment) -> None:
    made.hidden.add("churn")
    flow = made.publish(wait=0)
    with pytest.raises(WaitTimedOut) as caught:
        flow.wait_until_deployed(timeout=0)
    assert str(caught.value).startswith(
        "After 0 s Airflow does not show 'churn', as the DAG 'churn'. The flow was delivered to "
        f"{flow.record.delivered_to}. Does Airflow look there? Whoever runs it sets that up once"
    )


BROKEN = {"/dags/aqueduct_dags.py": "Traceback\nNameError: x"}
REPORTED = "Airflow reports: aqueduct_dags.py cannot be imported: NameError: x"


def test_the_import_error_of_the_loader_is_said(made: Deployment) -> None:
    made.hidden.add("churn")
    flow = made.publish(wait=0)
    made.fake.import_errors = BROKEN
    with pytest.raises(WaitTimedOut) as caught:
        flow.wait_until_deployed(timeout=0)
    assert str(caught.value) == (
        "After 0 s Airflow does not show 'churn', as the DAG 'churn'. The flow was delivered to "
        f"{flow.record.delivered_to}. {REPORTED}"
    )
    assert show(made.session, flow.record, 0.01) == (
        f"Airflow does not show it yet. The spec is delivered. {REPORTED}"
    )


def test_import_errors_that_the_user_may_not_see_change_nothing(made: Deployment) -> None:
    made.hidden.add("churn")
    flow = made.publish(wait=0)
    made.fake.import_errors = BROKEN
    made.fake.forbid("GET", "importErrors")
    with pytest.raises(WaitTimedOut, match="Does Airflow look there"):
        flow.wait_until_deployed(timeout=0)
    assert show(made.session, flow.record, 0.01).startswith("Airflow does not show it yet. The spec is deliv")


def test_an_import_error_is_said_once_while_waiting(
    made: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deployment, "_ASK_AGAIN_SECONDS", 0.1)
    flow = made.publish_unseen()
    made.fake.import_errors = BROKEN
    looks = []

    def parse(token: str) -> None:
        looks.append(token)
        made.fake.parsed.clear()
        if len(looks) == 4:
            made.fake.import_errors = {}
            made.parse()

    made.fake.on_parse = parse
    capsys.readouterr()
    flow.wait_until_deployed(timeout=60)
    assert capsys.readouterr().err == f"Waiting for Airflow to show 'churn' ...\n{REPORTED}\n"


def test_a_flow_whose_file_cannot_be_loaded_any_longer_is_not_shown(made: Deployment) -> None:
    flow = made.publish()
    made.fake.dags["churn"].import_errors = True
    made.fake.on_parse = lambda _token: None
    made.fake.import_errors = BROKEN
    with pytest.raises(WaitTimedOut) as caught:
        flow.wait_until_deployed(timeout=0)
    assert str(caught.value).startswith("After 0 s Airflow cannot load the file that shows 'churn'. The flow")
    assert str(caught.value).endswith(REPORTED)


def test_a_version_that_airflow_does_not_show(made: Deployment) -> None:
    made.publish()
    flow = made.publish_unseen()
    made.fake.on_parse = lambda _token: None
    with pytest.raises(
        WaitTimedOut,
        match=rf"still shows an older version of 'churn', not v\d+ \({flow.record.version_id[:8]}\)",
    ):
        flow.wait_until_deployed(timeout=0)


def test_a_version_of_which_airflow_knows_only_the_description_is_not_there_yet(made: Deployment) -> None:
    old = made.publish()
    made.fake.dags["churn"].docs = f"Version v1 ({old.record.version_id[:8]})"
    flow = made.publish(wait=0)
    assert shows(made.session.airflow("cluster").dags("aqueduct")[0], flow.record.version_id)
    with pytest.raises(WaitTimedOut, match="still shows an older version of 'churn'"):
        flow.wait_until_deployed(timeout=0)
    made.fake.dags["churn"].docs = f"Version v2 ({flow.record.version_id[:8]})"
    flow.wait_until_deployed(timeout=0)


ID, OTHER = "7d49f3c4-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("description", "tags", "expected"),
    [
        ("v12 (7d49f3c4)", (), True),
        ("Predicts. - version 7d49f3c4", (), True),
        # Who writes a version into a description does not name the DAG's.
        ("v12 (7d49f3c4) - v13 (00000000)", (ID,), False),
        ("v12 (00000000) - v13 (7d49f3c4)", (OTHER,), True),
        ("About version 7d49f3c4 of it", (), False),
        # Of compiled specs and older releases.
        ("", ("aqueduct", ID), True),
        ("Anything", ("aqueduct", OTHER), False),
    ],
)
def test_which_version_a_dag_shows(description: str, tags: tuple[str, ...], expected: bool) -> None:
    assert shows(DagInfo("churn", False, tags, description=description), ID) is expected


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
    flow = made.publish_unseen()
    with made.away(), pytest.raises(AirflowUnreachable):
        flow.wait_until_deployed(progress=False)


def test_an_airflow_that_is_away_for_a_moment(made: Deployment) -> None:
    flow = made.publish_unseen()
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


# --- which file


def asked(fake: FakeAirflow) -> list[str]:
    """The files that were asked for, in order."""
    return [one.path.rpartition("token-of-")[2] for one in fake.calls("PUT", "parseDagFile")]


def test_the_file_of_the_flow_is_asked_for(made: Deployment) -> None:
    made.publish()
    made.fake.asked.clear()
    ask_to_parse(made.session.airflow("cluster"), "churn")
    assert asked(made.fake) == ["churn"]


def test_of_a_new_flow_one_file_of_each_bundle_is(made: Deployment) -> None:
    for number in range(3):
        made.fake.add_dag(f"a{number}").bundle = "aqueduct"
    for dag_id in ("b0", "b1"):
        made.fake.add_dag(dag_id).file = "loader"
    ask_to_parse(made.session.airflow("cluster"), "churn")
    assert asked(made.fake) == ["a0", "loader", "a1"]


def test_of_flows_that_are_gone_the_files_may_be_there(made: Deployment) -> None:
    made.publish()
    made.fake.add_dag("other", active=False).file = "loader"
    made.fake.dags["churn"].active = False
    made.fake.asked.clear()
    ask_to_parse(made.session.airflow("cluster"), "churn")
    assert asked(made.fake) == ["churn", "loader"]


# --- after publishing


def test_what_airflow_shows_is_said(made: Deployment) -> None:
    flow = made.publish()
    assert show(made.session, flow.record, SHOWN_SECONDS) == f"Airflow shows it: {flow.url()}"


@pytest.mark.parametrize(
    ("schedule", "sources", "said"),
    [
        ("", [], "No run was started, and it has no schedule. "),
        (
            "0 6 * * *",
            [],
            "No run was started: Airflow runs it by its schedule, a new flow at once if a run was due. ",
        ),
        ("", ["a", "b"], "No run was started: it runs after 'a' and 'b'. "),
    ],
)
def test_how_a_flow_starts(schedule: str, sources: list[str], said: str) -> None:
    now = "client.trigger('churn') starts one now, as does publish_flow(..., run_now=True)."
    assert how_it_starts("churn", schedule, sources).startswith(said + now)


def test_an_airflow_that_is_slow_is_told_of(made: Deployment) -> None:
    made.hidden.add("churn")
    flow = made.publish(wait=0)
    told = show(made.session, flow.record, 0.01)
    assert told.startswith("Airflow does not show it yet. The spec is delivered: ")
    assert show(made.session, flow.record, 0) == ""


def test_an_airflow_that_cannot_be_asked_is_told_of(made: Deployment) -> None:
    flow = made.publish_unseen()
    with made.away():
        told = show(made.session, flow.record, SHOWN_SECONDS)
    assert told.startswith("Its spec is delivered, and Airflow finds it by itself; it could not be asked to")
    assert made.fake.url in told
    made.fake.forbid("GET", "dags/churn")
    assert "could not be asked to" in show(made.session, flow.record, SHOWN_SECONDS)


def test_a_flow_that_somebody_else_publishes_meanwhile_is_told_of(made: Deployment) -> None:
    old = made.publish_unseen()
    made.publish_unseen()
    assert "was published once more meanwhile" in show(made.session, old.record, SHOWN_SECONDS)
